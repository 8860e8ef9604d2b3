"""The fixtures, by the names of pytest-tornado and by names of our own."""

# Tested by tests/pytest/test_plugin.py.

from collections.abc import Callable, Collection, Generator
from typing import TYPE_CHECKING, Any

import pytest

from asynctest_tornado._pytest import claims

if TYPE_CHECKING:
    import socket

    from tornado.httpclient import AsyncHTTPClient
    from tornado.httpserver import HTTPServer
    from tornado.ioloop import IOLoop

    from asynctest_tornado._clock.virtual_clock import VirtualClock
    from asynctest_tornado._pytest.function import Function
    from asynctest_tornado._pytest.served import Served

__unittest = True
__tracebackhide__ = True


class Inner:
    """The fixtures that the public ones lead to. Their names are this library's alone."""

    @pytest.fixture(name=claims.ROOT)
    def _root(self, request: Any) -> Generator["Function", None, None]:
        item = request.node
        other = claims.other(item) if isinstance(item, pytest.Function) else None
        if other is not None:
            claims.refuse(
                f"{item.name} asks for asynctest_tornado, by a fixture or its marker, and {other} runs it, on an event "
                f"loop of its own. Take the marker or mode of {other} away from the test, or that fixture or marker."
            )
        if claims.is_own_case(item):
            claims.refuse(
                f"{item.name} is a method of an AsyncTestCase, which has a loop, and asks for another one. Use "
                "self.io_loop, and the server and client of AsyncHTTPTestCase, instead of fixtures."
            )
        from asynctest_tornado._pytest.function import Function, is_ours

        markers = list(claims.markers_of(item))
        wrong_setting = ""
        try:
            function = Function(item, markers, getattr(request, "param", None), claims.add_late)
            lent = None if function.needs_own_loop else claims.loop_of_user(request)
            item.stash[claims.FUNCTION] = function
            function.open(lent)
        except (TypeError, ValueError) as error:
            if not is_ours(error):
                raise
            wrong_setting = str(error)  # no line of code says more
        if wrong_setting:  # here, or the report would have the message twice
            claims.refuse(wrong_setting)
        yield function
        function.finish()

    @pytest.fixture(name=claims.PORTS)
    def _ports(self) -> Generator[Callable[[str], "socket.socket"], None, None]:
        # By the protocol; each is bound when it is first asked for.
        from asynctest_tornado._pytest.served import unused_socket

        sockets: dict[str, socket.socket] = {}

        def get(protocol: str) -> "socket.socket":
            if protocol not in sockets:
                sockets[protocol] = unused_socket()
            return sockets[protocol]

        yield get
        for sock in sockets.values():
            sock.close()

    @pytest.fixture
    def asynctest_tornado_app(self, app: Any) -> Any:
        """The application that the server of this library serves: the fixture ``app``. May be overridden."""
        return app

    @pytest.fixture
    def asynctest_tornado_ssl_options(self, ssl_options: Any) -> Any:
        """The ``ssl_options`` of the HTTPS server of this library: the fixture ``ssl_options``. May be overridden."""
        return ssl_options

    @pytest.fixture
    def _asynctest_tornado_http(
        self, request: Any, _asynctest_tornado: "Function", _asynctest_tornado_ports: Any, asynctest_tornado_app: Any
    ) -> Generator["Served", None, None]:
        from asynctest_tornado._pytest.served import Served

        _use_io_loop(request)
        served = Served(_asynctest_tornado, asynctest_tornado_app, _asynctest_tornado_ports("http"))
        yield served
        served.close()

    @pytest.fixture
    def _asynctest_tornado_https(
        self,
        request: Any,
        _asynctest_tornado: "Function",
        _asynctest_tornado_ports: Any,
        asynctest_tornado_app: Any,
        asynctest_tornado_ssl_options: Any,
    ) -> Generator["Served", None, None]:
        from asynctest_tornado._pytest.served import Served

        _use_io_loop(request)
        sock = _asynctest_tornado_ports("https")
        served = Served(_asynctest_tornado, asynctest_tornado_app, sock, asynctest_tornado_ssl_options)
        yield served
        served.close()


def _use_io_loop(request: Any) -> None:
    """Set up the fixture ``io_loop`` if the user overrides it: in pytest-tornado, the server depends on it."""
    if claims.leads_to_ours(request.node, "io_loop"):
        request.getfixturevalue("io_loop")


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


#: By the names that pytest-tornado gave them.
NAMES = frozenset(name for name in vars(Fixtures) if not name.startswith("_"))


def named(names: Collection[str] = NAMES, prefix: str = "") -> object:
    """Return a plugin that has these of the public fixtures.

    :param prefix: begins their names.
    """
    fixtures = {prefix + name: pytest.fixture(name=prefix + name)(vars(Fixtures)[name]) for name in names}
    # The one with the prefix leads to the other one, which users override.
    fixtures.pop(f"{claims.PREFIX}ssl_options", None)
    return type("Named", (), fixtures)()
