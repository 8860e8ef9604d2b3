"""The fixtures, by the names that pytest-tornado gave them."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from asynctest_tornado._pytest import _whose

if TYPE_CHECKING:
    from tornado.httpclient import AsyncHTTPClient
    from tornado.httpserver import HTTPServer
    from tornado.ioloop import IOLoop

    from asynctest_tornado import VirtualClock
    from asynctest_tornado._function import Function, Served

__unittest = True
__tracebackhide__ = True


class Fixtures:
    """What is registered where nobody else has these names."""

    @pytest.fixture(name=_whose.ROOT)
    def _root(self, request: Any) -> Generator["Function", None, None]:
        item = request.node
        other = _whose.other(item) if isinstance(item, pytest.Function) else None
        if other is not None:
            _whose.refuse(
                f"{item.name} asks for a fixture of asynctest_tornado, and {other} runs it, on an event loop of its "
                f"own. Take the marker or mode of {other} away from the test, or the fixture."
            )
        if _whose.is_own_case(item):
            _whose.refuse(
                f"{item.name} is a method of an AsyncTestCase, which has a loop, and asks for another one. Use "
                "self.io_loop, and the server and client of AsyncHTTPTestCase, instead of fixtures."
            )
        from asynctest_tornado._function import Function

        function = item.stash[_whose.FUNCTION] = Function(item, getattr(request, "param", None), _whose.add_late)
        function.open()
        yield function
        function.finish()

    @pytest.fixture
    def io_loop(self, _asynctest_tornado: "Function") -> "IOLoop":
        """Tornado's event loop, another one for each test.

        As in pytest-tornado. New in version 0.1.
        """
        return _asynctest_tornado.io_loop

    @pytest.fixture
    def clock(self, _asynctest_tornado: "Function") -> "VirtualClock":
        """The `VirtualClock` of a test that has ``@pytest.mark.gen_test(clock_factory=VirtualClock)``.

        In a test whose time is real, to ask for it is an error.

        New in version 0.1.
        """
        clock = _asynctest_tornado.harness.clock
        if clock is None:
            _whose.refuse(
                "This test runs in real time, without a clock. Mark it with @pytest.mark.gen_test(clock_factory="
                "VirtualClock), or set asynctest_tornado_clock = virtual."
            )
        return clock

    @pytest.fixture
    def _asynctest_tornado_http(self, _asynctest_tornado: "Function", app: Any) -> Generator["Served", None, None]:
        served = _asynctest_tornado.serve(app)
        yield served
        served.close()

    @pytest.fixture
    def http_server(self, _asynctest_tornado_http: "Served") -> "HTTPServer":
        """The ``HTTPServer`` for what the fixture ``app`` returns, on a port of 127.0.0.1.

        As in pytest-tornado. New in version 0.1.
        """
        return _asynctest_tornado_http.http_server

    @pytest.fixture
    def http_port(self, _asynctest_tornado_http: "Served") -> int:
        """The port of the server, which no other test has.

        As in pytest-tornado. New in version 0.1.
        """
        return _asynctest_tornado_http.site.port

    @pytest.fixture
    def http_client(self, _asynctest_tornado_http: "Served") -> "AsyncHTTPClient":
        """An ``AsyncHTTPClient``. It takes full URLs: see :fixture:`base_url`.

        As in pytest-tornado. New in version 0.1.
        """
        return _asynctest_tornado_http.make_client()

    @pytest.fixture
    def ssl_options(self) -> Any:
        """The ``ssl_options`` of the HTTPS server: a test certificate, which the client trusts. May be overridden.

        As in pytest-tornado, which has no certificate, so that tests have to define the fixture. New in version 0.1.
        """
        from asynctest_tornado._function import ssl_options_of_tests

        return ssl_options_of_tests()

    @pytest.fixture
    def _asynctest_tornado_https(
        self, _asynctest_tornado: "Function", app: Any, ssl_options: Any
    ) -> Generator["Served", None, None]:
        served = _asynctest_tornado.serve(app, ssl_options)
        yield served
        served.close()

    @pytest.fixture
    def https_server(self, _asynctest_tornado_https: "Served") -> "HTTPServer":
        """An ``HTTPServer`` that speaks HTTPS, for what the fixture ``app`` returns.

        As in pytest-tornado. New in version 0.1.
        """
        return _asynctest_tornado_https.http_server

    @pytest.fixture
    def https_port(self, _asynctest_tornado_https: "Served") -> int:
        """The port of the HTTPS server, which no other test has.

        As in pytest-tornado. New in version 0.1.
        """
        return _asynctest_tornado_https.site.port

    @pytest.fixture
    def https_client(self, _asynctest_tornado_https: "Served") -> "AsyncHTTPClient":
        """An ``AsyncHTTPClient`` that verifies the certificate of the HTTPS server.

        As in pytest-tornado, where a request has to name an authority in ``ca_certs``. New in version 0.1.
        """
        return _asynctest_tornado_https.make_client()


class BaseURL:
    """What is registered where pytest-base-url is not."""

    @pytest.fixture
    def base_url(self, request: Any, _asynctest_tornado: "Function") -> str:
        """The URL of the server, without a slash at its end: that of HTTPS if the test uses one of those fixtures.

        As in pytest-tornado. New in version 0.1.
        """
        is_https = any(name in request.fixturenames for name in ("https_server", "https_client", "https_port"))
        scheme = "https" if is_https else "http"
        served: Served = request.getfixturevalue(f"_asynctest_tornado_{scheme}")
        return served.site.url("", scheme, served.site.port)
