"""The parts of a streamed response that have arrived, and were not read yet."""

# Tested by tests/http/test_streaming.py.

import asyncio
import collections
from collections.abc import Awaitable

from tornado.httputil import HTTPHeaders, ResponseStartLine

__unittest = True

#: How many bytes may wait to be read by the test before the connection stops to read.
_MOST_UNREAD = 65536
#: How many of the latest chunks a report shows, how many bytes of each, and how many headers.
_MOST_SHOWN = 3
_MOST_BYTES = 200
_MOST_HEADERS = 10
#: Headers that Tornado adds to each response.
_OF_ALL = frozenset(("Connection", "Date", "Server"))


class Arrivals:
    """The parts of a response, as they arrive."""

    def __init__(self) -> None:
        self.status: ResponseStartLine | None = None
        self.headers: HTTPHeaders = HTTPHeaders()
        self.has_ended: bool = False
        #: The reason why it has ended early.
        self.error: BaseException | None = None
        self.count: int = 0
        self.size: int = 0
        self.latest: collections.deque[bytes] = collections.deque(maxlen=_MOST_SHOWN)
        self._unread: collections.deque[bytes] = collections.deque()
        self._unread_size = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()

    def progress(self) -> str:
        """Return how much has arrived of the body, as text."""
        return f"{self.count} chunk{'' if self.count == 1 else 's'} of {self.size} bytes" if self.count else "no bytes"

    def summary(self) -> str:
        """Return how much has arrived, in one line."""
        if self.status is None:
            return "no headers yet"
        latest = f", the latest {_shown(self.latest[-1])}" if self.latest else ""
        return f"{self.status.code} {self.status.reason}, {self.progress()}{latest}"

    def describe(self) -> str:
        """Return all that a report shows, in several lines."""
        headers = [f"{name}: {value}" for name, value in self.headers.get_all() if name not in _OF_ALL]
        if len(headers) > _MOST_HEADERS:
            headers[_MOST_HEADERS:] = [f"... and {len(headers) - _MOST_HEADERS} more headers"]
        state = "cut off" if self.error is not None else "and its end" if self.has_ended else "and no end yet"
        more = ["..."] if self.count > len(self.latest) else []
        chunks = map(_shown, self.latest)
        status = [f"{self.status.code} {self.status.reason}"] if self.status else []
        return "\n".join(f"  {line}" for line in (*status, *headers, f"{self.progress()}, {state}", *more, *chunks))

    def begin(self, status: ResponseStartLine, headers: HTTPHeaders) -> None:
        self.status, self.headers = status, headers
        self._changed.set()

    def put(self, chunk: bytes) -> Awaitable[object] | None:
        """Add a chunk. The sender has to wait for the result before it adds another one."""
        self.count += 1
        self.size += len(chunk)
        self.latest.append(chunk)
        if self.has_ended:
            return None
        self._unread.append(chunk)
        self._unread_size += len(chunk)
        self._changed.set()
        if self._unread_size < _MOST_UNREAD:
            return None
        self._room.clear()
        return self._room.wait()

    def end(self, error: BaseException | None = None) -> None:
        """Record the end. A second one has no effect."""
        if not self.has_ended:
            self.has_ended, self.error = True, error
            self._changed.set()

    def drop(self) -> None:
        """Drop all that was not read, and let the sender go on."""
        self.end()
        self._unread.clear()
        self._room.set()

    @property
    def is_ready(self) -> bool:
        """True if there is a chunk to be read, or no other one comes."""
        return bool(self._unread) or self.has_ended

    async def until_begun(self) -> None:
        """Wait for the headers, or for the end."""
        while self.status is None and not self.has_ended:
            await self._wait()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def get(self) -> bytes | None:
        """Return the next chunk, or None at the end. A reader that is cancelled takes none."""
        while not self._unread:
            if self.has_ended:
                return None
            await self._wait()
        chunk = self._unread.popleft()
        self._unread_size -= len(chunk)
        if self._unread_size < _MOST_UNREAD:
            self._room.set()
        return chunk


def _shown(chunk: bytes) -> str:
    return repr(chunk) if len(chunk) <= _MOST_BYTES else f"{chunk[:_MOST_BYTES]!r} ... {len(chunk)} bytes"
