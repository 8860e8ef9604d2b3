"""Messages of a websocket that were not read yet; a cancelled reader loses none."""

import asyncio
import collections
from typing import Any

from tornado.websocket import WebSocketClientConnection

from asynctest_tornado._util.real_time import turn

__unittest = True

#: Turns of the loop until all frames that have arrived were read, in any order of callbacks.
_TURNS = 50


class Inbox:
    """The messages of a connection, in their order, for any number of readers.

    :param connection: the connection of Tornado, which has room for one message.
    """

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unread: collections.deque[str | bytes] = collections.deque()
        # One reader at a time, or one that is cancelled could put a message behind a later one.
        self._reading = asyncio.Lock()

    async def get_within(self, timeout: float | None) -> str | bytes | None:
        """Return the next message, or None at the end. Raises ``TimeoutError`` after this time, in seconds."""
        try:
            async with asyncio.timeout(timeout):
                return await self.get()
        except TimeoutError:
            for _ in range(_TURNS):
                if self._is_ready():
                    return self._pop()
                await turn()
            raise

    async def get(self) -> str | bytes | None:
        """Return the next message, or None at the end: to all who wait for one, and again and again."""
        async with self._reading:
            if not self._unread and not self._end.done():
                await self._receive()
            return self._pop()

    async def fill(self) -> None:
        """Wait for the end. Messages that come before it can be read later."""
        async with self._reading:
            while not self._end.done():
                await self._receive()

    def end(self) -> None:
        """Let go of readers that wait for a message: none will come."""
        if not self._end.done():
            self._end.set_result(None)

    async def _receive(self) -> None:
        """Wait for a message or the end. A message is kept even if this is cancelled in the turn in which it comes."""
        getter = asyncio.ensure_future(self._connection.read_message())
        try:
            if not getter.done():
                ends: set[asyncio.Future[Any]] = {getter, self._end}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if getter.done():
                self._keep(getter.result())
            else:
                getter.cancel()

    def _is_ready(self) -> bool:
        """Return whether there is a message or the end, and no other reader who waits for it."""
        if not self._unread and not self._reading.locked() and not self._connection.read_queue.empty():
            getter = asyncio.ensure_future(self._connection.read_message())
            self._keep(getter.result())
        return self._end.done() or bool(self._unread)

    def _keep(self, message: str | bytes | None) -> None:
        if message is None:
            self.end()
        else:
            self._unread.append(message)

    def _pop(self) -> str | bytes | None:
        return self._unread.popleft() if self._unread else None
