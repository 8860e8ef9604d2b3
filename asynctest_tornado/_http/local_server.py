"""A server on a socket, for a test or a helper: its URL, and what one does with it."""

# Tested by tests/http/test_http_test_server.py.

import asyncio
import inspect
import socket
import urllib.parse
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerConnectionDelegate, HTTPServerRequest
from tornado.web import RequestHandler

from asynctest_tornado._errors import contexts, hints
from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._http import fetch as _fetch
from asynctest_tornado._http import sockets
from asynctest_tornado._http import urls as _urls
from asynctest_tornado._http import websocket as _websocket
from asynctest_tornado._http.cookies import Cookies, gives_cookies
from asynctest_tornado._http.server_record import Record
from asynctest_tornado._timeouts import deadlock
from asynctest_tornado._tls import certificate_dates, client_verification, ssl_contexts

__unittest = True

#: Seconds that websockets which a test has left open get to end.
_WEBSOCKET_END_SECONDS = 0.2
_NOT_YET = "The server of {} does not listen yet: get_app() makes what it serves. Fetch in asyncSetUp() or in the test."


def check_app(app: object, origin: str) -> None:
    """Raise ``TypeError`` for what no ``HTTPServer`` could serve.

    :param origin: where it comes from.
    """
    if isinstance(app, HTTPServerConnectionDelegate):
        return
    if inspect.iscoroutine(app):
        app.close()
        raise TypeError(f"{origin} is a coroutine. Await it, and give the tornado.web.Application that it returns.")
    # Any other class may be a callback, which HTTPServer calls with the request.
    is_class_of_tornado = inspect.isclass(app) and issubclass(app, (HTTPServerConnectionDelegate, RequestHandler))
    if app is None or is_class_of_tornado or not callable(app):
        returned = "None" if app is None else f"{app!r}, which cannot be served"
        raise TypeError(
            f"{origin} is {returned}. It has to be the tornado.web.Application to test, or another callback of "
            "HTTPServer."
        )


class Site(client_verification.Place):
    """A socket that a server listens on.

    :param sock: the socket, bound. It is closed in the end.
    :param describe: returns what the loop still has to do.
    :param is_https: whether the server speaks HTTPS.
    :param trusts_strangers: whether the client verifies no other server, as with ``tornado.testing``.
    """

    def __init__(
        self,
        sock: socket.socket,
        describe: Callable[[], str],
        is_https: bool = False,
        trusts_strangers: bool = False,
    ) -> None:
        self.sock = sock
        self._trusts_strangers = trusts_strangers
        self._verifier: client_verification.Verifier | None = None
        if is_https:
            ssl_contexts.read_certificate_once()
            self._verifier = client_verification.Verifier(self, trusts_strangers)
        self.describe = describe
        self.cookies = Cookies()
        self.http_server: HTTPServer | None = None
        self._has_listened = False
        self._refusal: str | None = None
        self._record = Record(describe)
        #: Made for the first one: most tests have none.
        self._websockets: weakref.WeakSet[_websocket.WebSocket] | None = None
        # Asked for once: the socket is closed before the test has ended.
        address = sock.getsockname()
        self._is_unix = isinstance(address, (str, bytes))
        if self._is_unix:
            self._address = sockets.absolute(address) if address and isinstance(address, str) else address
        else:
            self._address = address[0]
            # To ask the socket for its family would be a look-up in an enumeration. The address of IPv6 has two more.
            self._host = f"[{address[0]}]" if len(address) == 4 else address[0]
        self._port: int = 0 if self._is_unix else address[1]
        self._is_known = False

    @property
    def port(self) -> int:
        """The port, or 0 for a Unix-domain socket. The caller may pass it to another program."""
        self._is_known = True
        return self._port

    @property
    def errors(self) -> list[ServerError]:
        """What the handlers have raised."""
        return self._record.errors

    def absolute(self, path: str, get_url: Callable[[str], str]) -> str:
        """Return the URL of a request that this library makes: nothing else learns of it. See `absolute`."""
        before = self._is_known
        try:
            return _urls.absolute(path, get_url)
        finally:
            self._is_known = before

    def url(self, path: str, protocol: str, port: int) -> str:
        """Return the URL for a path. The caller may pass it to another program."""
        self._is_known = True
        return (f"{protocol}://localhost" if self._is_unix else f"{protocol}://{self._host}:{port}") + path

    def servable(self, app: Any, origin: str) -> Any:
        """Return the application, or if no ``HTTPServer`` could serve it, a callback that raises ``TypeError``.

        So a suite whose tests never fetch anything needs no application, as with ``tornado.testing``.

        :param origin: where it comes from.
        """
        try:
            check_app(app, origin)
        except TypeError as error:
            self._refusal = str(error)
            return self._refuse
        return app

    def _refuse(self, request: HTTPServerRequest) -> None:
        raise TypeError(self._refusal)

    def _check_served(self, url: str) -> None:
        """Raise ``TypeError`` for a request to this server that has nothing to serve, unless it was given later."""
        is_refused = getattr(self.http_server, "request_callback", None) == self._refuse
        if is_refused and self.is_own(url):
            raise TypeError(self._refusal)

    @property
    def ssl_options(self) -> certificate_dates.Options | None:
        """Those of the server, as they are now."""
        options: certificate_dates.Options | None = getattr(self.http_server, "ssl_options", None)
        return options

    def may_be_own(self, url: str) -> bool:
        parts = urllib.parse.urlsplit(url)
        if self._is_unix:
            return parts.hostname == "localhost"
        try:
            return parts.port == self._port
        except ValueError:  # no number, which the client reports
            return False

    @property
    def resolver(self) -> "_urls.UnixResolver | None":
        """What a client needs to find a server that listens on a Unix-domain socket."""
        return _urls.UnixResolver(self._address) if self._is_unix else None

    def make_client(self, force_instance: bool = False) -> AsyncHTTPClient:
        """Return a client for the server.

        :param force_instance: not the one that all code on this loop shares.
        """
        resolver = self.resolver
        if self._verifier is not None:
            return client_verification.make_client(self._verifier, self._trusts_strangers, resolver)
        if resolver is not None:
            return AsyncHTTPClient(force_instance=True, resolver=resolver)
        return AsyncHTTPClient(force_instance=force_instance)

    def listen(self, http_server: HTTPServer, is_private: bool = False) -> None:
        """Let the server accept connections, from now on.

        :param is_private: whether the system has chosen the port, so that no other program knows it.
        """
        self.http_server = http_server
        self._has_listened = True
        if is_private:
            deadlock.serve_privately(self.sock, lambda: self._is_known)
        with contexts.under((*contexts.contexts.get(), self._record)):
            http_server.add_sockets([self.sock])

    def is_own(self, url: str) -> bool:
        """Return whether a URL leads to this server."""
        parts = urllib.parse.urlsplit(url)
        if self._is_unix:
            return parts.hostname == "localhost" and parts.port is None
        return parts.port == self._port and parts.hostname in ("localhost", self._address)

    def check_listens(self, url: str, owner: str) -> None:
        """Raise ``RuntimeError`` for a request to this server that would wait until the server listens.

        :param owner: the name of the class that the server belongs to.
        """
        if not self._has_listened and self.is_own(url):
            raise RuntimeError(_NOT_YET.format(owner))

    def explain_early(self, error: BaseException, urls: Iterable[str], owner: str) -> None:
        """Add a hint to an error of ``get_app``, if that has waited for the server itself.

        :param urls: those that the client has not got a response from.
        """
        if isinstance(error, TimeoutError) and any(self.is_own(url) for url in urls):
            hints.add(error, _NOT_YET.format(owner))

    def begin(self) -> None:
        """Forget what another test has left."""
        self.cookies = Cookies()
        self._record.errors.clear()
        self._record.handlers.clear()

    async def close_websockets(self) -> None:
        """Close the websockets that were left open, and let the handlers of those end."""
        if self._websockets:
            endings = [asyncio.ensure_future(websocket.end()) for websocket in self._websockets]
            _, pending = await asyncio.wait(endings, timeout=_WEBSOCKET_END_SECONDS)
            for ending in pending:
                ending.cancel()
            for websocket in self._websockets:
                websocket.let_go()
            self._record.closings.clear()

    def stop(self) -> bool:
        """Let the server accept no more connections; tell whether there are some for `close` to end."""
        if self.http_server is not None:
            self.http_server.stop()
        has_more = bool(self._websockets or getattr(self.http_server, "_connections", True))
        if not has_more:
            self.http_server = None  # which the test need not keep alive
        return has_more

    async def close(self, begin: Callable[[], None] = lambda: None) -> None:
        """Close the server and its connections.

        :param begin: called first, on the loop, once that has done what was to be done before.
        """
        begin()
        await self.close_websockets()
        if self.http_server is not None:
            server, self.http_server = self.http_server, None
            server.stop()
            await server.close_all_connections()

    def _explain_tls(self, error: OSError | HTTPClientError, url: str, arguments: Mapping[str, Any]) -> None:
        """Say what is wrong with the certificates, if a client has failed for them."""
        certificate_dates.explain(error)
        if self._verifier is not None and not arguments.get("client_cert"):
            self._verifier.explain(error, url)

    async def fetch(
        self, client: AsyncHTTPClient, url: str, raise_error: bool, arguments: _fetch.Arguments
    ) -> _fetch.Response:
        """Fetch a URL. If the client gives up, the error says what the server was doing."""
        self._check_served(url)
        try:
            return await _fetch.fetch(client, url, self.cookies, raise_error, arguments)
        except HTTPClientError as error:
            self._explain_tls(error, url, arguments)
            if error.code == 599:
                error.add_note(self.describe())
            raise
        except OSError as error:
            self._explain_tls(error, url, arguments)
            if isinstance(error, (ConnectionError, socket.gaierror)):
                hints.add(error, hints.request(arguments.get("method", "GET"), url))
            raise

    # By the name that the user knows: reports show it where the task has no line of the user.
    fetch.__qualname__ = "AsyncHTTPTestCase.fetch"

    def ws_connect(
        self, url: str, headers: Any, subprotocols: Iterable[str] | None, kwargs: dict[str, Any]
    ) -> _websocket.Connecting:
        """Return a websocket to be connected to a URL, of this server or another one.

        Raises ``TypeError`` for a callback.
        """
        if kwargs.get("on_message_callback") is not None:
            raise TypeError(
                "ws_connect() takes no on_message_callback: its messages are read. Use read_message(), or "
                "tornado.websocket.websocket_connect() for a client with callbacks."
            )

        async def connect() -> _websocket.WebSocket:
            self._check_served(url)
            # Tornado takes the timeout with the request, or else by itself.
            options = dict(kwargs)
            timeout = options.pop("connect_timeout", None)
            tls = {name: options.pop(name) for name in client_verification.ARGUMENTS if name in options}
            request = HTTPRequest(url, headers=HTTPHeaders(headers or {}), connect_timeout=timeout, **tls)
            if not gives_cookies(request):
                self.cookies.add_to(request)
            if url.lower().startswith("wss:") and self._verifier is not None:
                vars(request).update(self._verifier.arguments(request))
            names = None if subprotocols is None else list(subprotocols)
            try:
                websocket = await _websocket.connect(
                    request, self._record, subprotocols=names, resolver=self.resolver, **options
                )
            except OSError as error:
                self._explain_tls(error, url, tls)
                if isinstance(error, (ConnectionError, socket.gaierror)):
                    hints.add(error, hints.request("GET", url))
                raise
            except HTTPClientError as error:
                self._explain_tls(error, url, tls)
                if error.response is not None:
                    self.cookies.keep(error.response.headers, url)
                raise
            if websocket.connection.headers is not None:
                self.cookies.keep(websocket.connection.headers, url)
            if self._websockets is None:
                self._websockets = weakref.WeakSet()
            self._websockets.add(websocket)
            return websocket

        connect.__qualname__ = "ws_connect"  # the name that the user knows, for reports
        return _websocket.Connecting(connect)
