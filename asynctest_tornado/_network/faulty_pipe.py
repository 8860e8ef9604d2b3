"""One direction of a connection on which bytes take time, wait, or get lost.

Bytes that take time are under way: they are parcels in a queue, with the time of their arrival, and a timer of the loop
delivers the first one. A pipe keeps its order. The end of the stream and a reset are parcels as well, so they keep
their place behind the bytes before them.
"""

# Tested by tests/network/test_faults.py.

import errno
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from asynctest_tornado._network.pipe import CAPACITY, Pipe

__unittest = True

#: Bytes that one direction holds while some are under way: as much as they need, unless there is no end of them.
WINDOW = 16 * 1024 * 1024
#: Seconds for which a slow connection collects bytes, and delivers them at once.
_PIECE_SECONDS = 0.1

#: What happens behind the bytes of a parcel. The first three end the connection; the last one only loses the rest.
CUT, RESET, HALF_CLOSE, SILENCE = "cut", "reset", "half_close", "silence"


class Traffic(Protocol):
    """A connection, as its two pipes see it."""

    @property
    def is_calm(self) -> bool:
        """True if the test has set no fault."""

    def hear(self, data: memoryview) -> None:
        """Learn of bytes that the client sends."""

    def answer(self, data: bytes) -> tuple[bytes, str | None]:
        """Return the bytes of the host that arrive, of these, and what happens behind them."""
        ...

    def lose(self, size: int) -> None:
        """Learn of bytes that the host sends, and that are lost."""

    def pace(self, is_response: bool) -> tuple[float, float | None]:
        """Return the seconds that bytes take now, and how many arrive in a second; None for no limit."""
        ...

    def is_stuck(self, is_response: bool) -> bool:
        """Return whether bytes wait until a fault is over."""
        ...

    def passed(self) -> Callable[[int], object]:
        """Return the function that learns how many of the bytes that the host sends now have arrived."""
        ...

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[[], object]) -> Any:
        """Set a timer that is no part of the test. Return it; None after the end of the test."""


class _Parcel:
    """Bytes under way, or an end.

    :param begins: the time at which the first byte would arrive.
    :param rate: how many bytes arrive in a second; None for all at once.
    """

    __slots__ = ("begins", "data", "ending", "offset", "passed", "rate")

    def __init__(
        self, data: bytes, ending: str | None, begins: float, rate: float | None, passed: Callable[[int], object]
    ) -> None:
        self.data = data
        self.ending = ending
        self.begins = begins
        self.rate = rate
        self.passed = passed
        self.offset = 0

    @property
    def piece(self) -> int:
        """The number of bytes that arrive together next."""
        left = len(self.data) - self.offset
        return left if self.rate is None else min(left, max(1, int(self.rate * _PIECE_SECONDS)))

    @property
    def due(self) -> float:
        """The time at which they arrive."""
        return self.begins if self.rate is None else self.begins + (self.offset + self.piece) / self.rate

    @property
    def ends(self) -> float:
        """The time at which the last byte arrives."""
        return self.begins if self.rate is None else self.begins + len(self.data) / self.rate


class FaultyPipe(Pipe):
    """One direction of a connection to a host.

    :param traffic: the connection.
    :param is_response: true for the direction from the host.
    """

    #: The other direction.
    other: "FaultyPipe"

    def __init__(self, traffic: Traffic, is_response: bool) -> None:
        super().__init__()
        self._traffic = traffic
        self._is_response = is_response
        self._queue: deque[_Parcel] = deque()
        #: The number of bytes under way.
        self._size = 0
        self._is_severed = False
        self._due = 0.0
        #: The timer of the first parcel.
        self.timer: Any = None

    @property
    def underway(self) -> int:
        """The number of bytes under way, or 1 for an end alone."""
        return self._size or len(self._queue)

    @property
    def is_writable(self) -> bool:
        return self._is_severed or self.is_shut or self.is_abandoned or self._room() > 0

    def _room(self) -> int:
        return (WINDOW if self._queue else CAPACITY) - len(self.data) - self._size

    def write(self, data: memoryview) -> int:
        if not self._is_response:
            self._traffic.hear(data)
        if self._is_severed:
            if self._is_response:
                self._traffic.lose(len(data))
            return len(data)
        if self._traffic.is_calm and not self._queue:
            return super().write(data)
        room = self._room()
        if room <= 0:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        sent = bytes(data[:room])
        arriving, ending = self._traffic.answer(sent) if self._is_response else (sent, None)
        if arriving:
            self._put(arriving)
        if ending is not None:
            self._is_severed = True
            if ending != SILENCE:
                self._put(b"", ending)
        return len(sent)

    def write_handshake(self, data: memoryview) -> int:
        is_partitioned = self._traffic.is_stuck(False)
        if self._is_severed or self._queue or is_partitioned:
            return self.write(data)
        return super().write(data)

    def end(self) -> None:
        self._close(HALF_CLOSE)

    def reset(self) -> None:
        self._close(RESET)

    def _close(self, ending: str) -> None:
        if not self.is_shut:
            self.is_shut = True
            if not self._is_severed:
                self._put(b"", ending)
            self.writer_changed()

    def sever(self, ending: str) -> None:
        """End this direction now; all that is under way is lost."""
        self._drop()
        self._is_severed = True
        if not self.has_ended:
            self.arrive_end(errno.ECONNRESET if ending == RESET else None)

    def _put(self, data: bytes, ending: str | None = None) -> None:
        """Send bytes, or an end, on their way."""
        traffic = self._traffic
        passed = traffic.passed() if self._is_response else _ignore
        seconds, rate = traffic.pace(self._is_response)
        is_stuck = traffic.is_stuck(self._is_response)
        if not (seconds or rate or is_stuck or self._queue):
            self._arrive(data, ending, passed)
            return
        begins = max(traffic.time() + seconds, self._due)
        parcel = _Parcel(data, ending, begins, rate if data else None, passed)
        self._due = parcel.ends
        self._queue.append(parcel)
        self._size += len(data)
        if self.timer is None and not is_stuck:
            self._wait()

    def _wait(self) -> None:
        if self._queue:
            self.timer = self._traffic.call_at(self._queue[0].due, self._deliver)

    def _deliver(self) -> None:
        """Deliver all that is due."""
        # asyncio may call a timer a tiny bit early.
        now = max(self._traffic.time(), self._queue[0].due)
        self.timer = None
        if self._traffic.is_stuck(self._is_response):
            return
        self._deliver_until(now)
        self._wait()

    def _deliver_until(self, now: float) -> None:
        queue = self._queue
        while queue and queue[0].due <= now:
            parcel = queue[0]
            offset, piece = parcel.offset, parcel.piece
            parcel.offset += piece
            self._size -= piece
            if parcel.offset == len(parcel.data):
                queue.popleft()
            self._arrive(parcel.data[offset : parcel.offset], parcel.ending, parcel.passed)

    def _arrive(self, data: bytes, ending: str | None, passed: Callable[[int], object]) -> None:
        if data:
            passed(len(data))
            if not self.is_abandoned:
                self.arrive(data)
        if ending is not None:
            self.arrive_end(errno.ECONNRESET if ending == RESET else None)
            if self._is_severed and ending != HALF_CLOSE:
                self.other.sever(ending)

    def resume(self) -> None:
        """Go on: a fault that held bytes back may be over."""
        if self.timer is None and self._queue and not self._traffic.is_stuck(self._is_response):
            self._deliver_until(self._traffic.time())
            self._wait()

    def _drop(self) -> None:
        self._queue.clear()
        self._size = 0
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def _ignore(size: int) -> None:
    """Learn of the bytes of a request that have arrived."""
