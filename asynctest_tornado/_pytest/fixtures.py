"""The fixtures, by the names of pytest-tornado and by names of our own."""

# Tested by tests/pytest/test_plugin.py.

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

import pytest

from asynctest_tornado._pytest import claims

if TYPE_CHECKING:
    from tornado.httpclient import AsyncHTTPClient
    from tornado.httpserver import HTTPServer
    from tornado.ioloop import IOLoop

    from asynctest_tornado._clock.virtual_clock import VirtualClock
    from asynctest_tornado._network.virtual_network import VirtualNetwork
    from asynctest_tornado._pytest.function import Function
    from asynctest_tornado._pytest.serve import Serving
    from asynctest_tornado._pytest.served import Served

__unittest = True
__tracebackhide__ = claims.is_hidden


class Fixtures:
    """The public ones; `named` makes fixtures of them."""

    def io_loop(self, _asynctest_tornado: "Function") -> "IOLoop":
        """Tornado's event loop, another one for each test.

        As in pytest-tornado. New in version 0.1.
        """
        return _asynctest_tornado.io_loop

    def clock(self, _asynctest_tornado: "Function") -> "VirtualClock":
        """The `VirtualClock` of a test that has ``@pytest.mark.gen_test(clock_factory=VirtualClock)``.

        In a test whose time is real, to ask for it is an error.

        New in version 0.1.
        """
        clock = _asynctest_tornado.clock
        if clock is None:
            claims.refuse(
                "This test runs in real time, without a clock. Mark it with @pytest.mark.gen_test(clock_factory="
                "VirtualClock), or set asynctest_tornado_clock = virtual."
            )
        return clock

    def network(self, _asynctest_tornado: "Function") -> "VirtualNetwork":
        """The network of the test: ``network.serve(url, app)`` serves an application under a name.

        As `AsyncTestCase.network`. New in version 0.1.
        """
        return _asynctest_tornado.network

    @staticmethod
    def serve(_asynctest_tornado_serve: Any) -> "Callable[..., Serving]":
        """A function that serves an application: ``server = await serve(app)`` returns an `HTTPTestServer`.

        It may be called several times, in tests and in asynchronous fixtures of any scope, with the arguments of
        `HTTPTestServer`, such as ``https=True`` and ``unix_socket=path``. The server is closed at the end of the test,
        or of the fixture that has called it; with ``async with serve(app) as server``, at the end of the block.

        New in version 0.1.
        """
        return _asynctest_tornado_serve  # type: ignore[no-any-return]

    def unused_port(self, _asynctest_tornado_ports: Any) -> int:
        """The number of a port of 127.0.0.1 that nothing listens on.

        For connections that are refused, and for servers that take a number. Another program may take the port in the
        meantime: for servers that take a socket, `bind_unused_port` is better.

        As ``unused_tcp_port`` of pytest-asyncio. New in version 0.1.
        """
        from asynctest_tornado._pytest.served import unused_socket

        with unused_socket() as sock:
            port: int = sock.getsockname()[1]
        return port

    def settle(self, _asynctest_tornado: "Function") -> Callable[..., Awaitable[None]]:
        """A coroutine function that waits until all that the test has set off has ended: `AsyncTestCase.settle`.

        In a test that is no coroutine, it is ``io_loop.run_sync(settle)``.

        New in version 0.1.
        """
        from asynctest_tornado._pytest.waiting import settle_for

        return settle_for(_asynctest_tornado)

    def eventually(self, _asynctest_tornado: "Function") -> Callable[..., Awaitable[Any]]:
        """A coroutine function that waits until a condition holds: `AsyncTestCase.eventually`.

        New in version 0.1.
        """
        from asynctest_tornado._pytest.waiting import eventually_for

        return eventually_for(_asynctest_tornado)

    def http_server(self, _asynctest_tornado_http: "Served") -> "HTTPServer":
        """The ``HTTPServer`` for the application that the fixture ``app`` returns, on a port of 127.0.0.1.

        As in pytest-tornado. New in version 0.1.
        """
        return _asynctest_tornado_http.http_server

    def http_port(self, _asynctest_tornado_ports: Any) -> int:
        """The port of the server, which no other test has.

        By itself, it starts no server, and needs no ``app``: an ``app`` may ask for it.

        As in pytest-tornado. New in version 0.1.
        """
        port: int = _asynctest_tornado_ports("http").getsockname()[1]
        return port

    def http_client(self, _asynctest_tornado_http: "Served") -> "AsyncHTTPClient":
        """An ``AsyncHTTPClient``. It takes full URLs: see :fixture:`base_url`.

        As in pytest-tornado. New in version 0.1.
        """
        return _asynctest_tornado_http.make_client()

    def ssl_options(self) -> Any:
        """The ``ssl_options`` of the HTTPS server: a test certificate, which the client trusts. May be overridden.

        As in pytest-tornado, which has no certificate, so that tests have to define the fixture. New in version 0.1.
        """
        from asynctest_tornado._pytest.served import ssl_options_of_tests

        return ssl_options_of_tests()

    def https_server(self, _asynctest_tornado_https: "Served") -> "HTTPServer":
        """An ``HTTPServer`` that speaks HTTPS, for the application that the fixture ``app`` returns.

        As in pytest-tornado. New in version 0.1.
        """
        return _asynctest_tornado_https.http_server

    def https_port(self, _asynctest_tornado_ports: Any) -> int:
        """The port of the HTTPS server, which no other test has. By itself, it starts no server.

        As in pytest-tornado. New in version 0.1.
        """
        port: int = _asynctest_tornado_ports("https").getsockname()[1]
        return port

    def https_client(self, _asynctest_tornado_https: "Served") -> "AsyncHTTPClient":
        """An ``AsyncHTTPClient`` that verifies the certificate of the HTTPS server.

        As in pytest-tornado, where a request has to name an authority in ``ca_certs``. New in version 0.1.
        """
        return _asynctest_tornado_https.make_client()

    def base_url(self, request: Any, _asynctest_tornado_ports: Any) -> str:
        """The URL of the server, without a slash at its end: of the HTTPS server if the test uses its fixtures.

        By itself, it starts no server: :fixture:`http_server`, :fixture:`http_client` and the like do.

        As in pytest-tornado. New in version 0.1.
        """
        names = {name.removeprefix(claims.PREFIX) for name in request.fixturenames}
        protocol = "https" if names & {"https_server", "https_client", "https_port"} else "http"
        host, port = _asynctest_tornado_ports(protocol).getsockname()
        return f"{protocol}://{host}:{port}"


#: The scopes of the fixtures that fixtures of wider scopes may ask for.
_SCOPES: Mapping[str, Literal["session"]] = {"serve": "session"}
#: The names without a prefix. Those that pytest-tornado has are the names that it gave them.
NAMES = frozenset(name for name in vars(Fixtures) if not name.startswith("_"))


def named(names: Collection[str] = NAMES, prefix: str = "") -> object:
    """Return a plugin that has these of the public fixtures.

    :param prefix: begins their names.
    """
    fixtures = {
        prefix + name: pytest.fixture(name=prefix + name, scope=_SCOPES.get(name, "function"))(vars(Fixtures)[name])
        for name in names
    }
    # The one with the prefix leads to the other one, which users override.
    fixtures.pop(f"{claims.PREFIX}ssl_options", None)
    return type("Named", (), fixtures)()
