"""A server on a socket: start it, fetch from it, connect websockets, close it."""

# Tested by tests/http/test_http_test_server.py.

import asyncio
import contextlib
import functools
import socket
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.simple_httpclient import HTTPStreamClosedError

from asynctest_tornado._errors import contexts, hints, last_answer
from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._http import fetch as _fetch
from asynctest_tornado._http import websocket_connect
from asynctest_tornado._http.cookie_jar import Jar, check_header, gives_cookies
from asynctest_tornado._http.request_arguments import Arguments
from asynctest_tornado._http.response import Response, answer_of
from asynctest_tornado._http.server_record import Record
from asynctest_tornado._http.urls import Address
from asynctest_tornado._http.websocket import WebSocket
from asynctest_tornado._network.servable import check_app, guarded
from asynctest_tornado._timeouts import pending_requests, private_servers
from asynctest_tornado._tls import bundled_certificate, certificate_check, https_servers, tls_arguments
from asynctest_tornado._util import coroutines

__unittest = True

#: Seconds that websockets which a test has left open get to end.
_WEBSOCKET_END_SECONDS = 0.2
_NOT_YET = (
    "The server of {} does not listen yet: get_app() makes its application. Fetch in asyncSetUp() or in the test."
)


class LocalServer(tls_arguments.Place, https_servers.Server):
    """A server on this computer, for a test or a helper, and the state that its client has between requests.

    :param sock: the socket, bound and listening. It is closed with the server, or if `start` fails.
    :param describe: returns the tasks, timers and requests of the loop, as text.
    :param is_https: True if the server speaks HTTPS.
    :param trusts_strangers: True if the client verifies no other server, as with ``tornado.testing``.
    """

    def __init__(
        self,
        sock: socket.socket,
        describe: Callable[[], str],
        is_https: bool = False,
        trusts_strangers: bool = False,
    ) -> None:
        self.address = Address(sock)
        self.cookies = Jar()
        self.http_server: HTTPServer | None = None
        self._sock = sock
        self.describe = describe
        self._is_https = is_https
        self._trusts_strangers = trusts_strangers
        self.verifier: tls_arguments.Verifier | None = None
        self._has_listened = False
        self._refusal: str | None = None
        self._record = Record(describe)
        #: Made for the first one: most tests have none.
        self._websockets: weakref.WeakSet[WebSocket] | None = None
        #: The responses that are being streamed.
        self.streams = pending_requests.Streams()

    def start(
        self,
        make_server: Callable[[], HTTPServer],
        make_client: Callable[[], AsyncHTTPClient] | None = None,
        is_private: bool = False,
    ) -> HTTPServer:
        """Make the client, if there is to be one, and then the server; let it accept connections, and return it.

        :param is_private: True if the system has chosen the port, so that no other program knows it.

        Raises the errors of these functions, after it has closed the client and the socket.
        """
        client: AsyncHTTPClient | None = None
        try:
            self._sock.setblocking(False)
            if self._is_https:
                bundled_certificate.read_certificate_once()
                self.verifier = tls_arguments.Verifier(self, self._trusts_strangers)
                https_servers.servers.add(self)
            if make_client is not None:
                client = make_client()
            self.http_server = http_server = make_server()
            self._has_listened = True
            if is_private:
                private_servers.serve_privately(self._sock, self.address.name, lambda: self.address.is_known)
            with contexts.under((*contexts.contexts.get(), self._record)):
                http_server.add_sockets([self._sock])
        except BaseException:
            with contextlib.closing(self._sock):
                if client is not None:
                    client.close()
            raise
        return http_server

    def make_client(self, force_instance: bool = False) -> AsyncHTTPClient:
        """Return a client for the server.

        :param force_instance: True for a client that no other code on this loop shares.
        """
        resolver = self.address.resolver
        if self.verifier is not None:
            return tls_arguments.make_client(self.verifier, self._trusts_strangers, resolver)
        if resolver is not None:
            return AsyncHTTPClient(force_instance=True, resolver=resolver)
        return AsyncHTTPClient(force_instance=force_instance)

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
        return guarded(app, origin)

    def _refuse(self, request: HTTPServerRequest) -> None:
        raise TypeError(self._refusal)

    def check_served(self, url: str) -> None:
        """Raise ``TypeError`` for a request to this server if it has no application, and did not get one later."""
        is_refused = getattr(self.http_server, "request_callback", None) == self._refuse
        if is_refused and self.address.is_own(url):
            raise TypeError(self._refusal)

    def check_listens(self, url: str, owner: str) -> None:
        """Raise ``RuntimeError`` for a request to this server that would wait until the server listens.

        :param owner: the name of the class that the server belongs to.
        """
        if not self._has_listened and self.address.is_own(url):
            raise RuntimeError(_NOT_YET.format(owner))

    def explain_early(self, error: BaseException, urls: Iterable[str], owner: str) -> None:
        """Add a hint to an error of ``get_app``, if it has waited for this server.

        :param urls: the URLs of the requests that have no response yet.
        """
        if isinstance(error, TimeoutError) and any(self.address.is_own(url) for url in urls):
            hints.add(error, _NOT_YET.format(owner))

    @property
    def ssl_options(self) -> certificate_check.Options | None:
        """The ``ssl_options`` of the server, as they are now."""
        options: certificate_check.Options | None = getattr(self.http_server, "ssl_options", None)
        return options

    def may_be_own(self, url: str) -> bool:
        return self.address.may_be_own(url)

    @property
    def errors(self) -> list[ServerError]:
        """The errors that the handlers have raised."""
        return self._record.errors

    def begin(self) -> None:
        """Forget the cookies, errors and handlers of another test."""
        self.cookies = Jar()
        self._record.errors.clear()
        self._record.handlers.clear()
        self._record.unknown_paths.clear()

    async def close_websockets(self) -> None:
        """Close the websockets that were left open, and let their handlers end."""
        if self._websockets:
            endings = [asyncio.ensure_future(websocket._end()) for websocket in self._websockets]
            _, pending = await asyncio.wait(endings, timeout=_WEBSOCKET_END_SECONDS)
            for ending in pending:
                ending.cancel()
            for websocket in self._websockets:
                websocket._let_go()
            self._record.closings.clear()

    def stop(self) -> bool:
        """Let the server accept no more connections. Return whether there are connections for `close` to end."""
        if self.http_server is not None:
            self.http_server.stop()
        is_plain = getattr(type(self.http_server), "close_all_connections", None) is HTTPServer.close_all_connections
        has_more = bool(self._websockets or not is_plain or getattr(self.http_server, "_connections", True))
        if not has_more:
            self.http_server = None  # so that it is dropped before the test
        return has_more

    async def close(self, begin: Callable[[], None] = lambda: None) -> None:
        """Close the server and its connections.

        :param begin: called first, on the loop.
        """
        begin()
        await self.close_websockets()
        if self.http_server is not None:
            server, self.http_server = self.http_server, None
            server.stop()
            await server.close_all_connections()

    async def fetch(self, client: AsyncHTTPClient, url: str, raise_error: bool, arguments: Arguments) -> Response:
        """Fetch a URL. If the client gives up, the error says where the server stood."""
        self.check_served(url)
        if last_answer.is_mocked(client):
            trap: Any = contexts.of_running_loop()
            if trap is not None:
                trap.data[last_answer.IS_MOCKED] = True
        try:
            return await _fetch.fetch(client, url, self.cookies, raise_error, arguments, self._explain_response)
        except (HTTPClientError, OSError) as error:
            self.explain(error, url, arguments)
            # If the server has closed the connection, its error has the reason.
            is_closed = isinstance(error, HTTPStreamClosedError)
            if isinstance(error, HTTPClientError) and error.code == 599 and not is_closed:
                error.add_note(self.describe())
            raise

    # The name that the user knows: reports show it if the task has no line of the user.
    fetch.__qualname__ = "AsyncHTTPTestCase.fetch"

    def _explain_response(self, response: Response) -> None:
        """Add the reason for a response to it, and record it for the report of a test that fails because of it."""
        has_error = self._record.explain(response)
        trap: Any = contexts.of_running_loop()
        if trap is not None:
            trap.data[last_answer.ANSWER] = None if has_error else answer_of(response)
            trap.data[last_answer.IS_MOCKED] = False

    def explain(self, error: OSError | HTTPClientError, url: str, arguments: Mapping[str, Any]) -> None:
        """Add notes about the certificates, if these are the reason, and about the request, if it has no response."""
        certificate_check.explain(error)
        if self.verifier is not None and not arguments.get("client_cert"):
            self.verifier.explain(error, url)
        if isinstance(error, (ConnectionError, socket.gaierror)):
            hints.add_request(error, arguments.get("method", "GET"), url)
        hints.add(error, https_servers.hint(error, url))

    def ws_connect(
        self, url: str, headers: Any, subprotocols: Iterable[str] | None, arguments: dict[str, Any]
    ) -> websocket_connect.Connecting:
        """Return a websocket to be connected to a URL, of this server or another one.

        Raises ``TypeError`` for a callback, and for cookies by two ways.
        """
        websocket_connect.check_arguments(arguments)
        if arguments.get("cookies") is not None:
            check_header(headers)
        connect = functools.partial(self._ws_connect, url, headers, subprotocols, arguments)
        return websocket_connect.Connecting(connect)

    async def _ws_connect(
        self, url: str, headers: Any, subprotocols: Iterable[str] | None, arguments: dict[str, Any]
    ) -> WebSocket:
        self.check_served(url)
        options = dict(arguments)
        cookies = self.cookies.for_request(options, url)
        request, options = websocket_connect.make_request(url, headers, options)
        if not gives_cookies(request):
            cookies.add_to(request)
        if self.verifier is not None and url.lower().startswith("wss:"):
            vars(request).update(self.verifier.arguments(request))
        options["subprotocols"] = None if subprotocols is None else list(subprotocols)
        try:
            websocket = await websocket_connect.connect(
                request, self._record, resolver=self.address.resolver, **options
            )
        except (HTTPClientError, OSError) as error:
            self.explain(error, url, arguments)
            if isinstance(error, HTTPClientError) and error.response is not None:
                self.cookies.record(error.response.headers, url)
            raise
        if websocket.connection.headers is not None:
            self.cookies.record(websocket.connection.headers, url)
        if self._websockets is None:
            self._websockets = weakref.WeakSet()
        self._websockets.add(websocket)
        return websocket

    _ws_connect.__qualname__ = "ws_connect"  # likewise
    coroutines.ways_to_wait[_ws_connect.__code__] = websocket_connect.WAYS_TO_CONNECT
