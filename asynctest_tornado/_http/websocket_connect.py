"""Connects a websocket for a test; says why the server has refused it."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Generator
from sys import _getframe  # a test may replace it
from typing import TYPE_CHECKING, Any, NoReturn

from tornado.escape import to_unicode
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.web import ErrorHandler
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketError,
    WebSocketHandler,
    websocket_connect,
)

from asynctest_tornado._errors import notes
from asynctest_tornado._http.websocket import Server, Serving, WebSocket
from asynctest_tornado._tls import tls_arguments
from asynctest_tornado._util import coroutines
from asynctest_tornado._util.tracebacks import USER, owner_of

__unittest = True

#: Tornado's answer if check_origin() returns False.
_OF_ANOTHER_ORIGIN = b"Cross origin websockets not allowed"


class Connecting(Coroutine[Any, Any, WebSocket]):
    """A websocket that is to be awaited, or entered by ``async with``, which closes it in the end.

    The coroutine is there from the start: if the test drops it, the interpreter reports that it was never awaited.
    """

    def __init__(self, connect: Callable[[], Coroutine[Any, Any, WebSocket]]) -> None:
        self._connect = connect
        self._coro: Any = coroutines.traced(connect)
        self._socket: WebSocket | None = None

    def _unbegun(self) -> Any:
        if inspect.getcoroutinestate(self._coro) != inspect.CORO_CREATED:
            self._coro = self._connect()  # it is awaited once more
        return self._coro

    def __await__(self) -> Generator[Any, Any, WebSocket]:
        steps: Generator[Any, Any, WebSocket] = self._unbegun().__await__()
        return steps

    # A task calls these. If it is cancelled before it begins, the coroutine counts as begun, like any other one.
    def send(self, value: Any) -> Any:
        return self._coro.send(value)

    def throw(self, *args: Any) -> Any:
        return self._coro.throw(*args)

    def close(self) -> None:
        # The user means the websocket; asyncio and this library mean the coroutine.
        is_unbegun = inspect.getcoroutinestate(self._coro) == inspect.CORO_CREATED
        if is_unbegun and owner_of(_getframe(1)) is USER:
            self._refuse("close")
        self._coro.close()

    def _refuse(self, name: str) -> NoReturn:
        if name in _NAMES:  # and nothing that only looks for attributes
            self._coro.close()  # or a second report would say that it was never awaited
        raise AttributeError(f"The websocket is not connected yet, and has no {name!r}. {WAYS_TO_CONNECT}")

    async def __aenter__(self) -> WebSocket:
        self._socket = await self._unbegun()
        return self._socket

    async def __aexit__(self, typ: object, value: BaseException | None, tb: object) -> None:
        assert self._socket is not None
        if isinstance(value, asyncio.CancelledError):
            self._socket.connection.close()
            return
        try:
            await self._socket.close()
        except (WebSocketClosedError, TimeoutError) as error:
            if value is None:
                raise
            notes.add(value, f"In addition: {error}")

    if not TYPE_CHECKING:  # or type checkers would take any attribute to be there, and "with" to be right

        def __enter__(self) -> None:
            self._coro.close()  # likewise
            raise TypeError(f"A websocket is no context manager for a plain 'with'. {WAYS_TO_CONNECT}")

        def __exit__(self, *exc_info: object) -> None:
            """Never called; without it, Python would not call ``__enter__`` either."""

        def __getattr__(self, name: str) -> Any:
            return getattr(self._coro, name) if name.startswith(("cr_", "__")) else self._refuse(name)


_NAMES = frozenset((*dir(WebSocket), "connection", "selected_subprotocol", "url"))
WAYS_TO_CONNECT = (
    "Write 'async with ws_connect(...) as socket', 'await ws_connect(...)', or 'yield ws_connect(...)' in a generator; "
    "or run_sync(ws_connect, ...) in code that is no coroutine."
)


def check_arguments(arguments: dict[str, Any]) -> None:
    """Raise ``TypeError`` for a callback."""
    if arguments.get("on_message_callback") is not None:
        raise TypeError(
            "ws_connect() takes no on_message_callback: its messages are read. Use read_message(), or "
            "tornado.websocket.websocket_connect() for a client with callbacks."
        )


def make_request(url: str, headers: Any, arguments: dict[str, Any]) -> tuple[HTTPRequest, dict[str, Any]]:
    """Return the request of a handshake, and the arguments that Tornado takes beside it."""
    options = dict(arguments)
    # Tornado takes the timeout with the request, or else as an argument.
    timeout = options.pop("connect_timeout", None)
    tls = {name: options.pop(name) for name in tls_arguments.ARGUMENTS if name in options}
    return HTTPRequest(url, headers=HTTPHeaders(headers or {}), connect_timeout=timeout, **tls), options


async def connect(request: HTTPRequest, server: Server, **kwargs: Any) -> WebSocket:
    """Connect a websocket. Arguments and errors are the same as for ``tornado.websocket.websocket_connect``."""
    url = request.url
    try:
        return await _connected(request, server, **kwargs)
    except (HTTPClientError, WebSocketError) as error:
        # Bytes, with an older Tornado.
        key = to_unicode(request.headers.get("Sec-WebSocket-Key", ""))
        error.add_note(
            f"The server has refused the websocket {url}. {_reason(error, request, server.take_handler(key))}"
        )
        raise


async def _connected(request: HTTPRequest, server: Server, **kwargs: Any) -> WebSocket:
    """Return a websocket. If this is cancelled, close the websocket once it is there: Tornado would leave it open."""
    made: list[WebSocket] = []

    def make(connecting: "asyncio.Future[WebSocketClientConnection]") -> None:
        # At once, or the server could close it first, and its close frame would be lost.
        if not connecting.cancelled() and connecting.exception() is None:
            made.append(WebSocket(connecting.result(), request.url, server))

    def close(connecting: "asyncio.Future[WebSocketClientConnection]") -> None:
        for socket in made:
            socket.connection.close()

    connecting = asyncio.ensure_future(websocket_connect(request, **kwargs))
    connecting.add_done_callback(make)
    try:
        await asyncio.wait([connecting])
    except asyncio.CancelledError:
        connecting.add_done_callback(close)
        raise
    connecting.result()
    return made[0]


def _reason(error: Exception, request: HTTPRequest, serving: Serving | None) -> str:
    """Return the reason for a refusal, or a question if it is not known."""
    if serving is None:
        return "Is there a WebSocketHandler for this path?"
    if issubclass(serving.cls, ErrorHandler):
        return f"No handler matches {serving.path}."
    if not issubclass(serving.cls, WebSocketHandler):
        return f"{serving} is no WebSocketHandler."
    response = error.response if isinstance(error, HTTPClientError) else None
    body = b"" if response is None else response.body
    origin = request.headers.get("Origin", request.headers.get("Sec-WebSocket-Origin"))
    if body == _OF_ANOTHER_ORIGIN and origin is not None:
        return f"check_origin() of {serving.cls.__qualname__} refuses the Origin {origin!r}."
    text = f": {body[:100].decode(errors='replace')}" if body and b"<html>" not in body else ""
    location = None if response is None else response.headers.get("Location")
    where = f" with a redirect to {location}" if location else ""
    return f"{serving} has answered{where} instead of upgrading the connection{text}."
