"""The servers of hosts, for HTTP and for other protocols."""

# Tested by tests/network/test_served_host.py.

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from tornado import httputil
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpserver import TCPServer

__unittest = True

#: Seconds that handlers of streams get to end, when their streams were closed.
_END_SECONDS = 0.2


class RecordingApp(httputil.HTTPServerConnectionDelegate):
    """Hands requests on to an application, and records those that have arrived completely.

    :param app: the application, or another callback of ``HTTPServer``.
    :param record: called with each request, before the application answers it.
    """

    def __init__(self, app: Any, record: Callable[[HTTPServerRequest], object]) -> None:
        self._app = app
        self._record = record

    def start_request(self, server_conn: object, request_conn: httputil.HTTPConnection) -> httputil.HTTPMessageDelegate:
        if isinstance(self._app, httputil.HTTPServerConnectionDelegate):
            delegate = self._app.start_request(server_conn, request_conn)
            return _Recorder(request_conn, self._record, _Delegating(delegate))
        return _Recorder(request_conn, self._record, _Calling(self._app))


class _Calling(httputil.HTTPMessageDelegate):
    """Calls a callback of ``HTTPServer`` with the request."""

    def __init__(self, app: Callable[[HTTPServerRequest], object]) -> None:
        self._app = app

    def answer(self, request: HTTPServerRequest) -> None:
        self._app(request)


class _Delegating(httputil.HTTPMessageDelegate):
    """Hands on to the delegate of an application, which makes a request of its own."""

    def __init__(self, delegate: httputil.HTTPMessageDelegate) -> None:
        self.headers_received = delegate.headers_received  # type: ignore[method-assign]
        self.data_received = delegate.data_received  # type: ignore[method-assign]
        self.on_connection_close = delegate.on_connection_close  # type: ignore[method-assign]
        self._finish = delegate.finish

    def answer(self, request: HTTPServerRequest) -> None:
        self._finish()


class _Recorder(httputil.HTTPMessageDelegate):
    """Records one request."""

    def __init__(
        self,
        connection: httputil.HTTPConnection,
        record: Callable[[HTTPServerRequest], object],
        answering: _Calling | _Delegating,
    ) -> None:
        self._connection = connection
        self._record = record
        self._answering = answering
        self._body = bytearray()

    def headers_received(self, start_line: Any, headers: httputil.HTTPHeaders) -> Awaitable[None] | None:
        self._request = HTTPServerRequest(connection=self._connection, start_line=start_line, headers=headers)
        return self._answering.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._body += chunk
        return self._answering.data_received(chunk)

    def finish(self) -> None:
        request = self._request
        request.body = bytes(self._body)
        _parse_body(request)
        self._record(request)
        self._answering.answer(request)

    def on_connection_close(self) -> None:
        self._answering.on_connection_close()


def _parse_body(request: HTTPServerRequest) -> None:
    """Fill the arguments and files of a request, as Tornado does."""
    content_type = request.headers.get("Content-Type", "")
    httputil.parse_body_arguments(
        content_type, request.body, request.body_arguments, request.files, headers=request.headers
    )
    for name, values in request.body_arguments.items():
        request.arguments.setdefault(name, []).extend(values)


class Streams:
    """The open streams of a server. The task that uses one may be cancelled, and drop it, before they are closed."""

    def __init__(self) -> None:
        self._open: list[IOStream] = []

    def add(self, stream: IOStream) -> None:
        """Record a stream."""
        self._open = [each for each in self._open if not each.closed()]
        self._open.append(stream)

    def close(self) -> bool:
        """Close all of them. Return whether one was open."""
        left = [each for each in self._open if not each.closed()]
        for stream in left:
            stream.close()
        self._open.clear()
        return bool(left)


class HTTPHost(HTTPServer):
    """A server of HTTP that can close its connections at once."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        self._streams = Streams()
        super().initialize(*args, **kwargs)

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        self._streams.add(stream)
        super().handle_stream(stream, address)

    def close_streams(self) -> bool:
        """Close all connections, those of websockets included. Return whether there were some."""
        return self._streams.close()

    async def wait_closed(self) -> None:
        """Wait until no connection is served any more."""
        await self.close_all_connections()


class StreamHost(TCPServer):
    """A server of another protocol, which can close its connections at once.

    :param handle: a function, as ``TCPServer.handle_stream``: called with the stream and the address of its peer.
    """

    def __init__(self, handle: Callable[[IOStream, Any], Any], **options: Any) -> None:
        super().__init__(**options)
        self._handle = handle
        self._streams = Streams()
        self._served: set[asyncio.Future[Any]] = set()

    def handle_stream(self, stream: IOStream, address: Any) -> Awaitable[None] | None:
        self._streams.add(stream)
        result = self._handle(stream, address)
        if not inspect.isawaitable(result):
            return None
        served = asyncio.ensure_future(_serve(result, stream))
        self._served.add(served)
        served.add_done_callback(self._served.discard)
        return served

    def close_streams(self) -> bool:
        """Close all connections. Return whether there were some."""
        return self._streams.close() or bool(self._served)

    async def wait_closed(self) -> None:
        """Wait until no connection is served any more, or for a short time: a function may wait for other things."""
        if self._served:
            await asyncio.wait(set(self._served), timeout=_END_SECONDS)


async def _serve(result: Awaitable[Any], stream: IOStream) -> None:
    """Serve one connection. If the client ends it, the handler fails of that, which is no error of the test."""
    try:
        await result
    except StreamClosedError:
        if not stream.closed():
            raise  # it is about another stream


_serve.__qualname__ = "handle_stream"  # the name that the user knows
