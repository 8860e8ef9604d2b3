"""Tornado's own tests, in virtual time.

python -m tests.conformance.forced_clock [MODULE...]

prints a table, and then each test that fails. Without arguments, all modules are run whose tests use an event loop.
"""

from tests.conformance import forced
from tests.samples import in_virtual_time  # noqa: F401  # before anything imports tornado.testing

MODULES = (
    "asyncio_test",
    "concurrent_test",
    "gen_test",
    "http1connection_test",
    "httpclient_test",
    "httpserver_test",
    "ioloop_test",
    "iostream_test",
    "locks_test",
    "netutil_test",
    "process_test",
    "queues_test",
    "routing_test",
    "simple_httpclient_test",
    "tcpclient_test",
    "tcpserver_test",
    "testing_test",
    "web_test",
    "websocket_test",
    "wsgi_test",
)

#: Tests that cannot pass, and why.
EXCEPTIONS = {
    "testing_test.AsyncTestCaseTest.test_wait_timeout": "sleeps until its time limit, which is in real time",
    "testing_test.GenTest.test_timeout": "the same",
    "testing_test.GenTest.test_native_coroutine_timeout": "the same",
    "testing_test.GenTest.test_no_timeout_environment_variable": "the same",
    "testing_test.AsyncTestCaseReturnAssertionsTest.test_undecorated_coroutine": "fails in real time, too: "
    "an async def needs no decorator here",
    "testing_test.AsyncTestCaseWrapperTest.test_undecorated_coroutine": "the same, in Tornado 6.4",
    "testing_test.AsyncTestCaseWrapperTest.test_unwrap": "fails in real time, too: there is no wrapper, in Tornado 6.4",
}

if __name__ == "__main__":
    forced.main(MODULES, EXCEPTIONS)
