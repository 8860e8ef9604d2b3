"""Tornado's own tests, on a network in memory.

python -m tests.conformance.forced_network [MODULE...]

prints a table, and then each test that fails. Without arguments, all modules are run whose tests use connections. The
last column counts the connections that the system made all the same, because a run on real sockets would prove nothing.
"""

import sys

from tests.conformance import forced
from tests.samples import on_virtual_network  # noqa: F401  # before anything imports tornado.testing

MODULES = (
    "auth_test",
    "http1connection_test",
    "httpclient_test",
    "httpserver_test",
    "iostream_test",
    "netutil_test",
    "routing_test",
    "simple_httpclient_test",
    "tcpclient_test",
    "tcpserver_test",
    "testing_test",
    "web_test",
    "websocket_test",
    "wsgi_test",
)

_CLOSES_FILE = "closes the file of a socket behind its back, and a socket in memory is no file"

#: Tests that cannot pass, and why.
EXCEPTIONS = {
    "iostream_test.TestIOStream.test_inline_read_error": _CLOSES_FILE,
    "iostream_test.TestIOStreamSSL.test_inline_read_error": _CLOSES_FILE,
    "iostream_test.TestIOStreamSSLContext.test_inline_read_error": _CLOSES_FILE,
    "testing_test.AsyncTestCaseReturnAssertionsTest.test_undecorated_coroutine": "fails on sockets, too: an async def "
    "needs no decorator here",
    "testing_test.AsyncTestCaseWrapperTest.test_undecorated_coroutine": "the same, in Tornado 6.4",
    "testing_test.AsyncTestCaseWrapperTest.test_unwrap": "fails on sockets, too: there is no wrapper, in Tornado 6.4",
}


class Counted:
    """Counts the connections that the system makes for this process."""

    def __init__(self) -> None:
        self._count = 0
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: object) -> None:
        self._count += event == "socket.connect"

    def column(self) -> str:
        """Return the number of connections since the last call."""
        count, self._count = self._count, 0
        return f"; {count} connections of the system"


if __name__ == "__main__":
    forced.main(MODULES, EXCEPTIONS, Counted().column)
