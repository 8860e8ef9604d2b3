"""WebSocket: the client's end of a websocket."""

import asyncio
import collections
import contextlib
import json
import unittest
from collections.abc import AsyncIterator, Coroutine
from typing import Any, NamedTuple, TypeVar

from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
)

from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._http.websocket_inbox import Inbox
from asynctest_tornado._util import coroutines

__unittest = True

_T = TypeVar("_T")
_Expected = str | bytes | dict[str, Any] | list[Any] | None

#: Seconds that the server gets to close its end.
CLOSE_SECONDS = 2.0
#: How many messages a failure shows, and how much of each.
_KEPT, _SHOWN = 10, 100
#: The close code for a message above a limit.
_TOO_BIG = 1009
#: Close codes that say that the other end is done, and nothing is wrong; None stands for a close frame without one.
_ORDERLY = (None, 1000, 1001)


class Serving(NamedTuple):
    """The handler that a request has reached."""

    cls: type
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.cls.__qualname__}, which serves {self.method} {self.path},"


class Server:
    """The facts that a client has to know about the server."""

    def errors_of(self, key: str) -> list[ServerError]:
        """Return the errors that the handler of the websocket with this key has raised."""
        raise NotImplementedError

    def closing_of(self, key: str) -> "asyncio.Future[None] | None":
        """Return a future that is done when the handler has ended, after ``on_close``; None if it has ended."""
        raise NotImplementedError

    def take_handler(self, key: str) -> Serving | None:
        """Return the handler that the request with this key has reached, the last one of several, and forget it."""
        raise NotImplementedError

    def describe(self) -> str:
        """Return the tasks, timers and requests of the server, as text."""
        raise NotImplementedError


class WebSocket:
    """The client's end of a websocket, as `AsyncHTTPTestCase.ws_connect` makes it.

    ``async for`` gives the messages until the server closes the connection.

    :param connection: the connection of Tornado.

    New in version 0.1.
    """

    def __init__(self, connection: WebSocketClientConnection, url: str, server: Server) -> None:
        self.connection = connection
        self.url = url
        self._server = server
        self._key = connection.key.decode()
        server.take_handler(self._key)
        protocol: Any = connection.protocol
        self._protocol = protocol
        #: The subprotocol that the server has chosen, or None.
        self.selected_subprotocol: str | None = protocol.selected_subprotocol
        self._inbox = Inbox(connection)
        #: The beginnings of the latest messages that were read.
        self._latest: collections.deque[str | bytes] = collections.deque(maxlen=_KEPT)
        self._is_closing = self._has_failed = self._is_too_big = False
        self._got_close_frame: bool = protocol.client_terminated
        close = protocol.close

        def watched_close(code: int | None = None, reason: str | None = None) -> None:
            # Called for a close frame, to answer it; also, but with both ends terminated, where there was none.
            if protocol.client_terminated and not protocol.server_terminated:
                self._got_close_frame = True
            elif code == _TOO_BIG and not protocol.client_terminated and not self._is_closing:
                self._is_too_big = True
            close(code, reason)

        protocol.close = watched_close

    @property
    def close_code(self) -> int | None:
        """The code with which the server has closed the connection, or None. New in version 0.1."""
        return self.connection.close_code

    @property
    def close_reason(self) -> str | None:
        """The reason that it gave, or None. New in version 0.1."""
        return self.connection.close_reason

    async def write_message(self, message: str | bytes | dict[str, Any], binary: bool = False) -> None:
        """Send a message. A dictionary is sent as JSON.

        Raises `tornado.websocket.WebSocketClosedError` if the connection has ended.

        As in ``tornado.websocket``. New in version 0.1.
        """
        try:
            await self.connection.write_message(message, binary)
        except WebSocketClosedError:
            # The reason of the server may still be on its way, behind messages that the test may yet read.
            await self._named(self._inbox.fill())
            self._fail("and the test writes to it")

    async def read_message(self, timeout: float | None = None) -> str | bytes | None:
        """Return the next message, or None if the server, or the test, has closed the connection in good order.

        :param timeout: the time limit, in seconds; by default, the time limit of the test. With 0, a message has to
            have arrived already. If one arrives too late, or its reader is cancelled, the next call returns it.

        A close frame of the server is in good order without a code, with 1000, 1001, or a code from 3000 on, which are
        the application's own.

        Raises `tornado.websocket.WebSocketClosedError` if the connection ends in another way: without a close frame,
        for example because the handler raises, or with another code, such as 1008 or 1011. The exception of the handler
        is its cause. ``TimeoutError``, which shows where the server stood, if the time is over.

        As in ``tornado.websocket``, which returns None in any case. New in version 0.1.
        """
        try:
            message = await self._named(self._inbox.get_within(timeout))
        except TimeoutError:
            error = TimeoutError(f"No message came from {self.url} within {timeout:g} seconds")
            error.add_note(self._server.describe())
            raise error from None
        if message is not None:
            self._latest.append(message[:_SHOWN])
            return message
        if not self._is_closing and not self._is_orderly():
            self._fail("while the test waits for a message")
        return None

    async def expect(
        self, message: str | bytes | dict[str, Any] | list[Any] | None, timeout: float | None = None
    ) -> None:
        """Read the next message, and fail unless it is this one::

            await socket.write_message({"item": "tea"})
            await socket.expect({"price": 3})

        The failure shows the message that has come, and the ones before it.

        :param message: text; bytes; a dictionary or list, which the message has to be as JSON; or None for the end of
            the connection, in good order.
        :param timeout: the time limit, as for `read_message`.

        Raises ``AssertionError`` for another message, and the errors of `read_message`.

        New in version 0.1.
        """
        got: Any = await self.read_message(timeout)
        text = got
        if isinstance(message, (dict, list)) and got is not None:
            with contextlib.suppress(ValueError):  # the failure shows a text that is no JSON
                got = json.loads(got)
        case = unittest.TestCase()
        case.maxDiff = None
        try:
            if {type(got), type(message)} == {str, bytes}:  # Python may be told to refuse to compare these
                case.fail(f"{got!r} != {message!r}")
            case.assertEqual(got, message)
        except AssertionError as error:
            *before, _ = (*self._latest, None) if text is None else self._latest
            came = f"came {text!r}" if text is not None else f"the connection ended ({self.close_code})"
            after = f", after {', '.join(map(repr, before))}" if before else ""
            error.add_note(f"From {self.url}, {came}{after}.")
            raise error.with_traceback(None) from None

    def _is_orderly(self) -> bool:
        code = self.close_code
        return self._got_close_frame and (code in _ORDERLY or code >= 3000) and not self._errors()

    def _errors(self) -> list[ServerError]:
        return [failure for failure in self._server.errors_of(self._key) if not failure.is_expected]

    def _fail(self, when: str) -> None:
        if self._is_closing:
            raise WebSocketClosedError(f"The test has closed the websocket {self.url}, {when}.")
        self._has_failed = True
        errors = self._server.errors_of(self._key)
        cause = errors[0].error if errors else None
        raise WebSocketClosedError(f"{self._reason_of_end()}, {when}.{self._hint()}") from cause

    def _reason_of_end(self) -> str:
        if self._is_too_big:
            return (
                f"The client has ended the websocket {self.url}, because a message of the server is above its own limit"
            )
        how = "without a close frame"
        if self._got_close_frame:
            reason = f" ({self.close_reason})" if self.close_reason else ""
            how = f"with the close code {self.close_code}{reason}" if self.close_code else "with a close frame"
        return f"The server has ended the websocket {self.url} {how}"

    def _hint(self) -> str:
        if self._is_too_big:
            limit = getattr(getattr(self._protocol, "params", None), "max_message_size", None)
            return f" Give ws_connect() a max_message_size above {limit} bytes."
        if self.close_code == _TOO_BIG:
            return (
                " A message of the test may be above the limit of the server, the setting websocket_max_message_size "
                "of the application."
            )
        return ""

    async def _read_to_end(self) -> None:
        """Read and drop all messages that are still to come."""
        while await self._inbox.get() is not None:
            pass

    def _let_go(self) -> None:
        """Let go of readers that wait for a message: none will come."""
        self._inbox.end()

    def abort(self) -> None:
        """End the connection as a broken network would: without a close frame.

        New in version 0.1.
        """
        self._is_closing = True
        self._protocol.stream.close()

    async def _end(self) -> None:
        """Close a connection that the test has left open, without any report."""
        self._is_closing = True
        self.connection.close()
        closing = self._server.closing_of(self._key)
        await self._read_to_end()
        if closing is not None:
            await asyncio.wait([closing])

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection, and wait until the ``on_close`` of the server's handler has run.

        :param code: the close code.
        :param reason: the close reason, a text for the server.

        Raises `tornado.websocket.WebSocketClosedError` if the handler has raised, and no other call has reported that;
        ``TimeoutError`` if it does not end.

        New in version 0.1.
        """
        self._is_closing = True
        self.connection.close(code, reason)
        closing = self._server.closing_of(self._key)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._named(self._until_closed(closing))
        except TimeoutError:
            error = TimeoutError(
                f"The handler of {self.url} goes on {CLOSE_SECONDS:g} seconds after the test has closed the websocket, "
                "and its on_close() has not run. End the operation that it waits for."
            )
            error.add_note(self._server.describe())
            raise error from None
        if not self._has_failed and any(failure.is_answered for failure in self._errors()):
            self._is_closing = False
            self._fail("as the test finds when it closes it")

    async def _until_closed(self, closing: "asyncio.Future[None] | None") -> None:
        # The connection has room for one message: any later one would wait for ever.
        await self._read_to_end()
        if closing is not None:
            await closing

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while (message := await self.read_message()) is not None:
            yield message

    def _named(self, coro: Coroutine[Any, Any, _T]) -> Coroutine[Any, Any, _T]:
        """Let reports say that a coroutine waits for this websocket."""
        return coroutines.waiting_for(f"the websocket {self.url}", coro)

    def __repr__(self) -> str:
        end = "" if self.close_code is None else f", closed with {self.close_code} ({self.close_reason})"
        return f"<WebSocket {self.url}{end}>"
