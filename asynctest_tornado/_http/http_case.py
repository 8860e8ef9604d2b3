"""AsyncHTTPTestCase: a server, a client, a URL."""

import asyncio
import socket
from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any, Unpack

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.web import Application

from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._http import case_server, sockets
from asynctest_tornado._http.fetch import Fetched, Response
from asynctest_tornado._http.request_arguments import Arguments
from asynctest_tornado._http.streaming import Streaming
from asynctest_tornado._http.websocket_connect import Connecting
from asynctest_tornado._sources import handler_errors
from asynctest_tornado._unittest.case import AsyncTestCase
from asynctest_tornado._unittest.case_run import harness_of
from asynctest_tornado._unittest.descriptors import Missing, computed

if TYPE_CHECKING:
    from http.cookiejar import CookieJar

__unittest = True


class AsyncHTTPTestCase(AsyncTestCase):
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
        return sockets.bind_unused_port()[0]

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

    @computed
    def server_errors(self) -> list[ServerError]:
        """The errors that request handlers have raised in this test, each with its ``error`` and its ``request``.

        An ``HTTPError`` below 500 is an answer, and not among these.

        New in version 0.1.
        """
        return handler_errors.of(harness_of(self).trap).errors

    @computed
    def cookies(self) -> "CookieJar":
        """The cookies that responses of this test have set. From the first use on, `fetch` sends them.

        Before that, cookies of redirects that the client has followed are missing here.

        New in version 0.1.
        """
        cookies = case_server.server_of(self).cookies
        cookies.are_sent = True
        return cookies.jar

    def fetch(self, path: str, raise_error: bool = False, **kwargs: Unpack[Arguments]) -> Fetched:
        """Fetch a URL of the server. Return the response; in a coroutine, something to await, as `async_fetch` does.

        :param path: the path and query, which `get_url` makes a URL of; or a full ``http://`` or ``https://`` URL.
        :param raise_error: raise `tornado.httpclient.HTTPError` for a response whose code is not of the 2xx kind.
        :param json: the body, to be encoded as JSON; None is no body, and ``body="null"`` is one. The method is POST
            then, as for the next two, unless it is given.
        :param form: the fields of a form, as a mapping or as pairs, which become the body. A value may be a list; None
            leaves a field out.
        :param files: files to upload in a form, by field: the content, a ``Path``, an open file, or a tuple of file
            name, content and maybe content type. Several files of one field are a list, or pairs.
        :param params: the query, as a mapping or pairs like ``form``, in addition to the query of the path.

        All other arguments are handed to ``AsyncHTTPClient.fetch``: ``method``, ``body``, ``headers`` and so on.

        :return: Tornado's own response, whose method ``json()`` decodes the body.

        Raises ``TypeError`` for two bodies at once; ``ValueError`` if the path does not begin with a slash;
        ``TimeoutError`` after the time limit that `AsyncTestCase.wait` has; the error of a callback or task meanwhile;
        and the errors of the client.

        From ``tornado.testing``, which has neither the arguments from ``json`` on nor ``json()``, and where it cannot
        be called in a coroutine. New in version 0.1.
        """
        fetched: Fetched = case_server.fetch(self, path, raise_error, kwargs)
        return fetched

    def async_fetch(
        self, path: str, raise_error: bool = False, **kwargs: Unpack[Arguments]
    ) -> "asyncio.Task[Response]":
        """Begin to `fetch` a URL of the server, in a coroutine; return a task whose result is the response.

        In a coroutine, `fetch` returns the same; this name says so, and has the type of a task.

        Raises ``RuntimeError`` if the loop does not run; the task raises the errors of `fetch`.

        New in version 0.1.
        """
        if not case_server.runs_here(harness_of(self)):
            raise RuntimeError(
                "async_fetch() is for coroutines, and the event loop does not run here. Use fetch(), which waits."
            )
        task: Any = self.fetch(path, raise_error, **kwargs)
        result: asyncio.Task[Response] = task
        return result

    def stream(
        self, path: str, raise_error: bool = False, *, read_timeout: float | None = None, **kwargs: Unpack[Arguments]
    ) -> Streaming:
        """Begin to read a response while it arrives, in a coroutine::

            async with self.stream("/prices") as response:
                self.assertEqual(response.code, 200)
                async for event in response.aiter_sse():
                    ...

        The block begins when the headers have arrived. To leave it early closes the connection, and waits until the
        server has seen that: ``on_connection_close`` of its handler has run, unless it was writing just then, and has
        failed of that. An error in the block has a note with the status, the headers and the latest chunks.

        :param read_timeout: the time limit for the headers, and between two chunks, in seconds; 0 for no limit. By
            default, the time limit of the test is the only one.

        All other arguments are the same as for `fetch`, and redirects are followed as there. Only ``request_timeout``,
        a limit for the whole response, is not set by default.

        :return: an object for ``async with``, which gives a `StreamedResponse`. Without that, the test fails.

        Raises the errors of `fetch`, in the block those of `StreamedResponse.read`, and ``TimeoutError``, which shows
        where the server stood, after ``read_timeout``.

        As in httpx. New in version 0.1.
        """
        return case_server.stream(self, path, raise_error, read_timeout, kwargs)

    def ws_connect(
        self, path: str, *, headers: Any = None, subprotocols: Iterable[str] | None = None, **kwargs: Any
    ) -> Connecting:
        """Connect a websocket to the server.

        ::

            async with self.ws_connect("/chat", subprotocols=["v2"]) as socket:
                await socket.write_message("hello")
                self.assertEqual(await socket.read_message(timeout=1), "welcome")

        On leaving, the connection is closed, and the block waits until the ``on_close`` of the server's handler has
        run. In synchronous code, ``socket = self.run_sync(self.ws_connect, "/chat")`` connects; the connection is
        closed at the end of the test at the latest.

        :param path: the path and query, or a full ``ws://`` or ``wss://`` URL.
        :param headers: headers of the request.
        :param subprotocols: the subprotocols that the client proposes.

        ``client_cert``, ``client_key``, ``validate_cert``, ``ca_certs`` and ``ssl_options`` are as for `fetch`. All
        other arguments are handed to ``tornado.websocket.websocket_connect``.

        :return: an object for ``async with`` or ``await``, which give a `WebSocket`. Without these, the test fails.

        Raises the errors of that function, for example `tornado.httpclient.HTTPError` if the server refuses.

        New in version 0.1.
        """
        server = case_server.server_of(self)
        url = server.address.websocket_url(path, self.get_url)
        server.check_listens(url, type(self).__qualname__)
        return server.ws_connect(url, headers, subprotocols, kwargs)

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
