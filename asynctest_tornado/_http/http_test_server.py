"""HTTPTestServer: a server outside of a test case."""

import contextlib
import os
import socket
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._http import sockets, streaming, websocket_connect
from asynctest_tornado._http.cookies import Cookies, signed
from asynctest_tornado._http.local_server import LocalServer
from asynctest_tornado._http.request_arguments import Arguments
from asynctest_tornado._http.response import Response
from asynctest_tornado._network.servable import check_app
from asynctest_tornado._sources import installation
from asynctest_tornado._timeouts import pending_report
from asynctest_tornado._tls import bundled_certificate
from asynctest_tornado._util.real_time import all_tasks, get_running_loop

__unittest = True


class HTTPTestServer:
    """An asynchronous context manager that serves a Tornado application on this machine, and has a client for it.

    For helpers, fixtures and other frameworks: it needs a running loop, and no test case::

        async with HTTPTestServer(make_app()) as server:
            response = await server.fetch("/orders", json={"item": "tea"})
            assert response.code == 201, server.errors

    :param app: the ``tornado.web.Application``, or another callback of ``HTTPServer``.
    :param address: a loopback address, such as ``::1``.
    :param port: the port; 0 stands for an unused port.
    :param unix_socket: the path of a Unix-domain socket to listen on, instead of an address and port, which is removed
        in the end; or an abstract name, which begins with a null character.
    :param send_cookies: True to send the cookies that responses have set, as a browser does. Otherwise, they are sent
        from the first change of `cookies` on.
    :param https: True to serve the test certificate. The client verifies it, and any other server.

    All other arguments are handed to ``HTTPServer``; ``ssl_options`` serves a certificate of your own.

    Raises ``TypeError`` for an application that cannot be served; when it is entered, ``ValueError`` for an address
    that other machines could reach, and for an invalid port or path; and ``OSError`` if the port or path is in use.

    New in version 0.1.
    """

    #: The client, while it runs.
    http_client: AsyncHTTPClient

    #: The server, while it runs.
    http_server: HTTPServer

    def __init__(
        self,
        app: Any,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        unix_socket: str | bytes | os.PathLike[str] | None = None,
        https: bool = False,
        send_cookies: bool = False,
        **options: Any,
    ) -> None:
        check_app(app, "The application of this HTTPTestServer")
        if https:
            options.setdefault("ssl_options", bundled_certificate.server_options())
        self._app = app
        self._address = address
        self._port = port
        self._unix_socket = unix_socket
        self._options = options
        self._sends_cookies = send_cookies
        self._running: LocalServer | None = None
        self._resources = contextlib.ExitStack()
        #: The errors of request handlers, each with its ``error`` and ``request``, except each ``HTTPError`` below 500.
        self.errors: list[ServerError] = []

    @property
    def _server(self) -> LocalServer:
        if self._running is None:
            raise RuntimeError("This HTTPTestServer is not running. Use it in 'async with HTTPTestServer(app):'.")
        return self._running

    def _server_here(self) -> LocalServer:
        """Return the server for a request. Raises ``RuntimeError`` on another loop, where it would wait in vain."""
        server = self._server
        try:
            loop = get_running_loop()
        except RuntimeError:
            return server  # other code awaits the result
        if loop is not self._loop:
            raise RuntimeError(
                "This HTTPTestServer runs on another event loop. If a fixture that several tests share has begun it, "
                "name the fixture as an argument of the test, or give the test a loop_scope, so that it shares the "
                "loop."
            )
        return server

    def __repr__(self) -> str:
        if self._running is None:
            return "<HTTPTestServer, not running>"
        return f"<HTTPTestServer {self._running.address.absolute('/', self.get_url).removesuffix('/')}>"

    async def __aenter__(self) -> "HTTPTestServer":
        if self._running is not None:
            raise RuntimeError("This HTTPTestServer is running already. Make another one, for another 'async with'.")
        is_https = self._options.get("ssl_options") is not None
        with contextlib.ExitStack() as resources:
            resources.callback(setattr, self, "_running", None)
            installation.begin_errors(self)
            resources.callback(installation.end_errors, self)
            sock = self._bind(resources)
            self._loop = get_running_loop()
            self._running = LocalServer(sock, self._describe, is_https)
            self._running.cookies.is_sent = self._sends_cookies
            self.errors = self._running.errors
            self.http_server = self._running.start(
                lambda: HTTPServer(self._app, **self._options),
                self._make_client,
                is_private=self._unix_socket is None and not self._port,
            )
            resources.callback(self.http_client.close)
            self._resources = resources.pop_all()
        return self

    def _bind(self, resources: contextlib.ExitStack) -> socket.socket:
        if self._unix_socket is None:
            sock = sockets.bind(self._address, self._port)
        else:
            sock, remove = sockets.bind_unix(self._unix_socket)
            resources.callback(remove)
        resources.callback(sock.close)
        return sock

    def _make_client(self) -> AsyncHTTPClient:
        self.http_client = self._server.make_client(force_instance=True)
        return self.http_client

    if not TYPE_CHECKING:  # or a checker would take it for a plain context manager

        def __enter__(self) -> None:
            raise TypeError("HTTPTestServer is an asynchronous context manager. Write 'async with', and not 'with'.")

        def __exit__(self, *exc_info: object) -> None: ...

    async def __aexit__(self, *exc_info: object) -> None:
        server = self._server
        with self._resources:
            await server.close()

    def _describe(self) -> str:
        return pending_report.describe(IOLoop.current(), all_tasks(), clients=[self.http_client, self._server.streams])

    @property
    def port(self) -> int:
        """The port that the server listens on; 0 for a Unix-domain socket. New in version 0.1."""
        return self._server.address.port

    @property
    def cookies(self) -> Cookies:
        """The cookies that responses have set, names with values, as in `AsyncHTTPTestCase`. New in version 0.1."""
        return Cookies(self._server.cookies, lambda: self._server.address.absolute("/", self.get_url))

    def sign_in(self, name: str, value: str | bytes, *, version: int | None = None) -> None:
        """Set a signed cookie. Arguments and errors are the same as for `AsyncHTTPTestCase.sign_in`.

        New in version 0.1.
        """
        self.cookies[name] = signed(self._app, name, value, version)

    @property
    def url(self) -> str:
        """The URL of the server, without a slash at its end. As of Django's live server. New in version 0.1."""
        return self.get_url("/").removesuffix("/")

    def get_url(self, path: str) -> str:
        """Return the absolute URL of a path on the server, which begins with a slash.

        As in `AsyncHTTPTestCase`. New in version 0.1.
        """
        protocol = "http" if self._options.get("ssl_options") is None else "https"
        return self._server.address.url(path, protocol, self.port)

    async def fetch(self, path: str, raise_error: bool = False, **kwargs: Unpack[Arguments]) -> Response:
        """Fetch a URL of the server, and return the response.

        Arguments and errors are the same as for `AsyncHTTPTestCase.fetch`, but only the client sets a time limit: its
        own ``connect_timeout`` and ``request_timeout``, 20 seconds each.

        New in version 0.1.
        """
        server = self._server_here()
        url = server.address.absolute(path, self.get_url)
        return await server.fetch(self.http_client, url, raise_error, kwargs)

    def stream(
        self, path: str, raise_error: bool = False, *, read_timeout: float | None = None, **kwargs: Unpack[Arguments]
    ) -> streaming.Streaming:
        """Begin to read a response while it arrives. Arguments and errors are as for `AsyncHTTPTestCase.stream`.

        But where no test case or fixture of this library sets a time limit, ``read_timeout`` is the ``request_timeout``
        of the client, which is 20 seconds.

        New in version 0.1.
        """
        server = self._server_here()
        url = server.address.absolute(path, self.get_url)
        if read_timeout is None and contexts.of_running_loop() is None:
            defaults: dict[str, Any] = self.http_client.defaults
            read_timeout = defaults.get("request_timeout")
        return streaming.begin(server, self.http_client, url, raise_error, read_timeout, kwargs)

    def ws_connect(
        self,
        path: str,
        *,
        headers: Any = None,
        subprotocols: Iterable[str] | None = None,
        cookies: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> websocket_connect.Connecting:
        """Connect a websocket. Arguments, result and errors are the same as for `AsyncHTTPTestCase.ws_connect`.

        New in version 0.1.
        """
        server = self._server_here()
        url = server.address.websocket_url(path, self.get_url)
        return server.ws_connect(url, headers, subprotocols, {"cookies": cookies, **kwargs})


def is_running(server: HTTPTestServer) -> bool:
    """Return whether a server listens."""
    return server._running is not None
