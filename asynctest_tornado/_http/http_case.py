"""AsyncHTTPTestCase: a server, a client, a URL."""

import socket
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.web import Application

from asynctest_tornado._http import case_server, sockets
from asynctest_tornado._http.http_requests import HTTPRequests
from asynctest_tornado._unittest.descriptors import Missing

__unittest = True


class AsyncHTTPTestCase(HTTPRequests):
    """A test case that starts an HTTP server, on an unused port of 127.0.0.1, for each test.

    Subclasses override `get_app`::

        class TestHello(AsyncHTTPTestCase):
            def get_app(self):
                return make_app()

            def test_homepage(self):
                response = self.fetch("/")
                self.assertEqual(response.code, 200)

            async def test_homepage_in_a_coroutine(self):
                response = await self.fetch("/")
                self.assertEqual(response.body, b"Hello, world")

    When a test fails, its report has the errors of request handlers, as notes. An error that no response can report,
    for example one in ``on_finish`` or after ``finish``, fails the test by itself, except an ``HTTPError`` below 500.

    From ``tornado.testing``. New in version 0.1.
    """

    #: True if an error in a request handler fails the test at once, unless the test expects it by `ExpectError`,
    #: `ExpectLog` or ``assertLogs``. An ``HTTPError`` below 500 is an answer, and no error.
    fail_on_server_error: bool = False

    #: The client, from ``setUp`` on.
    http_client: AsyncHTTPClient

    #: The server, from ``setUp`` on.
    http_server: HTTPServer

    _app: Any

    def setUp(self) -> None:
        """Make the loop, the client, the application and the server; or take the ones of the class.

        From ``tornado.testing``. New in version 0.1.
        """
        super().setUp()
        is_private = getattr(self.get_http_socket, "__func__", None) is _GET_HTTP_SOCKET
        case_server.set_up(self, is_private)

    def tearDown(self) -> None:
        """Close the server and its connections, the client, and the loop; or the websockets that this test has left.

        From ``tornado.testing``. New in version 0.1.
        """
        if self._asynctest.server is not None:  # else setUp() was overridden, and has started nothing
            case_server.tear_down(self)
        super().tearDown()

    def get_http_socket(self) -> socket.socket:
        """Return the socket to serve on, bound and listening. May be overridden, for IPv6 or a Unix-domain socket::

            def get_http_socket(self):
                return bind_unused_port(address="::1")[0]

        New in version 0.1.
        """
        return sockets.unused_socket()

    def get_http_client(self) -> AsyncHTTPClient:
        """Return the client. May be overridden. From ``tornado.testing``. New in version 0.1."""
        return case_server.server_of(self).make_client()

    # Any: overrides may be coroutine functions, and callers of super() expect the type that Tornado's method returns.
    def get_http_server(self) -> HTTPServer | Any:
        """Return the server for ``self._app``, which need not listen yet. May be overridden.

        An override may be a coroutine function.

        From ``tornado.testing``. New in version 0.1.
        """
        return case_server.make_server(self)

    def get_app(self) -> Application | Awaitable[Application]:
        """Return the application to test, or another callback of ``HTTPServer``. Has to be overridden.

        The override may be a coroutine function. It is awaited before the server listens::

            async def get_app(self):
                return make_app(await connect_to_database())

        From ``tornado.testing``. New in version 0.1.
        """
        raise NotImplementedError(
            f"{type(self).__qualname__} has no application to serve. Override get_app() to return the "
            "tornado.web.Application to test."
        )

    def get_httpserver_options(self) -> dict[str, Any] | Any:
        """Return keyword arguments for the server. May be overridden, also by a coroutine function.

        From ``tornado.testing``. New in version 0.1.
        """
        return {}

    def get_http_port(self) -> int:
        """Return the port of the server, another one in each test. From ``tornado.testing``. New in version 0.1."""
        return case_server.server_of(self).address.port

    def get_protocol(self) -> str:
        """Return the scheme of the URLs. From ``tornado.testing``. New in version 0.1."""
        return "http"

    def get_url(self, path: str) -> str:
        """Return the absolute URL of a path on the server, which begins with a slash.

        From ``tornado.testing``. New in version 0.1.
        """
        return case_server.server_of(self).address.url(path, self.get_protocol(), self.get_http_port())


if not TYPE_CHECKING:
    AsyncHTTPTestCase.http_client = Missing(case_server.say_no_server)
    AsyncHTTPTestCase.http_server = Missing(case_server.say_no_server)
    AsyncHTTPTestCase._app = Missing(case_server.say_no_server)


#: The method as it is here: a suite may patch it on the class, and then knows the port.
_GET_HTTP_SOCKET = AsyncHTTPTestCase.get_http_socket
