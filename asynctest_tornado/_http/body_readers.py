"""Iterates over the chunks, the lines or the events of a body that arrives."""

# Tested by tests/http/test_streaming.py.

import collections
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

__unittest = True

_T = TypeVar("_T")


class Reading(Protocol[_T]):
    """Makes things of another kind out of chunks."""

    def feed(self, chunk: bytes) -> list[_T]: ...

    def end(self) -> list[_T]: ...

    @property
    def has_unfinished(self) -> bool: ...


class Chunks(AsyncIterator[bytes]):
    """The chunks. No generator: one that is cancelled would be at its end."""

    def __init__(self, get: Callable[[], Coroutine[Any, Any, bytes | None]]) -> None:
        self._get = get

    async def __anext__(self) -> bytes:
        chunk = await self._get()
        if chunk is None:
            raise StopAsyncIteration
        return chunk


class Items(AsyncIterator[_T], Generic[_T]):
    """The lines or events that chunks make.

    :param name: the name of the method that gives them.
    """

    def __init__(self, name: str, get: Callable[[], Coroutine[Any, Any, bytes | None]], reading: Reading[_T]) -> None:
        self.name = name
        self.reading = reading
        self._get = get
        self._ready: collections.deque[_T] = collections.deque()

    async def __anext__(self) -> _T:
        while not self._ready:
            chunk = await self._get()
            self._ready.extend(self.reading.end() if chunk is None else self.reading.feed(chunk))
            if chunk is None and not self._ready:
                raise StopAsyncIteration
        return self._ready.popleft()
