"""Streaming: a request whose response is read while it arrives, in a block."""

import inspect
import io
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer

from asynctest_tornado._errors import contexts, notes
from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._http.cookie_jar import Jar, gives_cookies
from asynctest_tornado._http.fetch import redirected, redirects
from asynctest_tornado._http.request_arguments import plain
from asynctest_tornado._http.streamed_response import StreamedResponse
from asynctest_tornado._http.urls import Address
from asynctest_tornado._timeouts import pending_requests
from asynctest_tornado._tls import tls_arguments
from asynctest_tornado._util import coroutines
from asynctest_tornado._util.real_time import turn

if TYPE_CHECKING:
    from asynctest_tornado._http.stream_connection import Connection

__unittest = True

WAY_TO_STREAM = (
    "Write 'async with stream(...) as response:' in a coroutine, and read the response in that block, for "
    "example by 'async for chunk in response'. Synchronous code uses fetch(), or runs such a coroutine by run_sync()."
)
#: Turns of the loop that a server gets to see that its client has left. Mostly, it takes a few, in any order of tasks.
_TURNS = 1000
#: Not for streams: they have the arguments of their own, or none of these.
_REFUSED = {"streaming_callback": "async for chunk in response", "header_callback": "response.headers"}


class Server(Protocol):
    """The facts about a server that a client of a stream has to know."""

    address: Address
    cookies: Jar
    describe: Callable[[], str]
    verifier: tls_arguments.Verifier | None
    http_server: HTTPServer | None
    streams: pending_requests.Streams

    def check_served(self, url: str) -> None:
        """Raise ``TypeError`` for a request to this server if it has no application."""

    def explain(self, error: OSError | HTTPClientError, url: str, arguments: Mapping[str, Any]) -> None:
        """Add notes to the error of a request that has no response."""

    @property
    def errors(self) -> list[ServerError]:
        """The errors of handlers."""


class Request:
    """A request, with redirects, whose response is streamed.

    :param client: its settings count; it is not asked to fetch.
    :param read_timeout: the time limit for the headers, and between two chunks, in seconds; 0 or None for no limit.
    :param arguments: as for a fetch.
    """

    def __init__(
        self,
        server: Server,
        client: AsyncHTTPClient,
        url: str,
        raise_error: bool,
        read_timeout: float | None,
        arguments: Mapping[str, Any],
    ) -> None:
        self._server = server
        self._client = client
        self._url, self._arguments = url, arguments
        self._raise_error = raise_error
        self._limit = read_timeout
        self._cookies = server.cookies
        self._connection: Connection | None = None
        self.response: StreamedResponse | None = None
        self._failures_before = len(server.errors)

    def describe(self) -> str:
        return self._server.describe()

    def summary(self) -> str:
        """Return the request, and how much of its response has arrived, in one line."""
        assert self._connection is not None, "It is listed from there on."
        hop = self._connection.request
        return f"{hop.method} {hop.url} (a stream: {self._connection.arrivals.summary()})"

    def failure_of(self, request: HTTPRequest) -> BaseException | None:
        for failure in self._failures(request):
            if not (failure.is_answered or failure.is_expected or failure.is_reported):
                return failure.error
        return None

    def _failures(self, request: HTTPRequest) -> list[ServerError]:
        """Return the errors of the handler of a request."""
        wanted = request.method, urlsplit(request.url).path or "/"
        since = self._server.errors[self._failures_before :]
        return [failure for failure in since if (failure.request.method, failure.request.path) == wanted]

    async def open(self) -> StreamedResponse:
        """Return the response, once its headers are there. Raises the errors of a fetch, and ``TimeoutError``."""
        self._server.check_served(self._url)
        url, kwargs = plain(self._url, **self._arguments)
        self._cookies = self._server.cookies.for_request(kwargs, url)
        request = HTTPRequest(url, **kwargs)
        try:
            response = await self._follow(request)
            if self._raise_error and not 200 <= response.code < 300:
                await self._raise(response)
        except BaseException as error:
            self.close()
            if isinstance(error, HTTPClientError | OSError):
                self._server.explain(error, request.url, self._arguments)
            raise
        return response

    async def _follow(self, request: HTTPRequest) -> StreamedResponse:
        """Follow redirects, as a fetch does, with the cookies that they set."""
        is_followed, left = redirects(self._client, request)
        has_own_cookies = gives_cookies(request)
        hop = request
        while True:
            if not has_own_cookies:
                self._cookies.add_to(hop)
            response = await self._begin(request, hop)
            self._cookies.record(response.headers, hop.url)
            following = redirected(request, hop, response.code, response.headers) if is_followed and left > 0 else None
            if following is None:
                return response
            self.close()
            left, hop = left - 1, following

    async def _begin(self, request: HTTPRequest, hop: HTTPRequest) -> StreamedResponse:
        # Now, because it needs a private name of Tornado, which other requests do not.
        from asynctest_tornado._http.stream_connection import Connection, prepared

        verifier = self._server.verifier if hop.url.lower().startswith("https:") else None
        tls = {} if verifier is None else verifier.arguments(hop)
        wanted = prepared(hop, self._client.defaults, tls)
        self._connection = Connection(wanted, self._client, self._server.address.resolver)
        arrivals = self._connection.arrivals
        self.response = response = StreamedResponse(request, hop, arrivals, self, self._limit)
        self._server.streams.add(self)
        await response._begin()
        return response

    async def _raise(self, response: StreamedResponse) -> NoReturn:
        """Raise the error of a response that is no success, with its body as far as it comes."""
        chunks: list[bytes] = []
        try:
            async for chunk in response:
                chunks.append(chunk)
        except (TimeoutError, HTTPClientError):
            pass  # its status is the error, whatever else went wrong
        whole = HTTPResponse(
            *(response.request, response.code, response.headers, io.BytesIO(b"".join(chunks))),
            effective_url=response.effective_url,
            reason=response.reason,
        )
        error = HTTPClientError(response.code, message=whole.reason, response=whole)
        notes.add(error, response._describe())
        raise error

    open.__qualname__ = "stream"  # the name that the user knows
    coroutines.ways_to_wait[open.__code__] = WAY_TO_STREAM

    def close(self) -> None:
        """Close the connection, at once."""
        self._server.streams.discard(self)
        if self.response is not None:
            self.response._leave()
        if self._connection is not None:
            self._connection.leave()

    async def end(self) -> None:
        """Close the connection, and wait until the server has seen that."""
        connection = self._connection
        assert connection is not None
        connections: set[Any] = getattr(self._server.http_server, "_connections", set())
        # Found before, or it would have no address any more. On a Unix-domain socket, it is one of these.
        served = {each for each in connections if _leads_to(each.stream, connection.address)}
        self.close()
        await connection.has_ended.wait()
        for _ in range(_TURNS):
            if not served or not served <= connections:
                break  # the server lets go of it after it has called on_connection_close()
            await turn()
        for failure in self._failures(connection.request):
            if failure.is_of_client:
                failure.is_reported = True  # it says that the block has ended, as the reader can see


def _leads_to(stream: Any, address: Any) -> bool:
    """Return whether a connection leads to an address. On a Unix-domain socket, no client has one."""
    try:
        return bool(stream.socket.getpeername() == address)
    except (AttributeError, OSError):
        return False  # it is closed


class Streaming:
    """A streamed response to be entered by ``async with``, which closes the connection in the end.

    The coroutine is there from the start: if the test drops it, the interpreter reports that it was never awaited.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._coro: Any = coroutines.traced(request.open)

    async def __aenter__(self) -> StreamedResponse:
        if inspect.getcoroutinestate(self._coro) != inspect.CORO_CREATED:
            raise RuntimeError(f"This stream was entered before. {WAY_TO_STREAM}")
        response: StreamedResponse = await self._coro
        return response

    async def __aexit__(self, typ: object, value: BaseException | None, tb: object) -> None:
        response = self._request.response
        assert response is not None
        if value is not None and contexts.is_error(value) and contexts.is_failure(value):
            notes.add(value, response._describe(), once=True)
        if value is None or isinstance(value, Exception):
            await self._request.end()
        else:
            self._request.close()  # Ctrl-C or a cancellation, which does not wait

    if not TYPE_CHECKING:  # or type checkers would take any attribute to be there, and "with" to be right

        def _refuse(self, error: type[Exception], what: str) -> NoReturn:
            self._coro.close()  # or a second report would say that it was never awaited
            raise error(f"{what}. {WAY_TO_STREAM}")

        def __await__(self) -> NoReturn:
            self._refuse(TypeError, "The result of stream() cannot be awaited")

        def __enter__(self) -> NoReturn:
            self._refuse(TypeError, "The result of stream() is no context manager for a plain 'with'")

        def __exit__(self, *exc_info: object) -> None:
            """Never called; without it, Python would not call ``__enter__`` either."""

        def __iter__(self) -> NoReturn:
            self._refuse(TypeError, "The result of stream() cannot be iterated over")

        def __aiter__(self) -> NoReturn:
            self._refuse(TypeError, "The result of stream() cannot be iterated over")

        def __getattr__(self, name: str) -> NoReturn:
            message = f"The result of stream() has no {name!r}"
            if name in StreamedResponse.__annotations__ or hasattr(StreamedResponse, name):
                self._refuse(AttributeError, f"{message}: the response has")
            raise AttributeError(f"{message}. {WAY_TO_STREAM}")  # to code that only looks for attributes


def begin(
    server: Server,
    client: AsyncHTTPClient,
    url: str,
    raise_error: bool,
    read_timeout: float | None,
    arguments: Mapping[str, Any],
) -> Streaming:
    """Return a streamed response to be entered. The arguments are the ones of `Request`.

    Raises ``TypeError`` or ``ValueError`` for arguments that are not for streams.
    """
    for name, instead in _REFUSED.items():
        if arguments.get(name) is not None:
            raise TypeError(f"stream() takes no {name}: write {instead!r} in its block.")
    if read_timeout is not None and (math.isnan(read_timeout) or read_timeout < 0):
        raise ValueError(f"stream() got read_timeout={read_timeout!r}. Give seconds, or 0 for no limit.")
    return Streaming(Request(server, client, url, raise_error, read_timeout, arguments))
