"""VirtualClock: time that jumps instead of passing."""

import asyncio
import functools
import heapq
import itertools
import math
import numbers
import time
import weakref
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, Protocol

from asynctest_tornado._clock import dates as _dates
from asynctest_tornado._util import coroutines, spelling
from asynctest_tornado._util.settings import CLOCK_FACTORY

__unittest = True

#: The resolution of asyncio's loops, in seconds.
_RESOLUTION = 1e-9


_NANOSECONDS = 1_000_000_000
_OPTIONS = ("autojump", "autojump_threshold", "dates", "epoch")


_P = ParamSpec("_P")


def _with_suggestions(init: Callable[_P, None]) -> Callable[_P, None]:
    """Let an ``__init__`` suggest the option that a misspelled one stands for. It raises ``TypeError``."""

    @functools.wraps(init)
    def checked(*args: _P.args, **options: _P.kwargs) -> None:
        for name in options:
            if name not in _OPTIONS:
                meant = spelling.meant(name, _OPTIONS)
                advice = f"Did you mean {meant}?" if meant else f"The options are {', '.join(_OPTIONS)}."
                raise TypeError(f"VirtualClock has no option {name}. {advice}")
        init(*args, **options)

    return checked


class TestWithClock(Protocol):
    """A test that uses a clock."""

    def run(self, reach: Callable[[], Awaitable[None]]) -> None:
        """Run the loop until an awaitable is done, for synchronous code."""


class VirtualClock:
    """The time of an event loop in which sleeping costs nothing.

    ::

        class MyTest(AsyncTestCase):
            clock_factory = VirtualClock

            async def test_hour(self):
                await asyncio.sleep(3600)
                self.assertEqual(self.clock.time(), 3600)

    Time stands still while code runs. When the loop has nothing to do now, time jumps to the next deadline. It does not
    jump while a job runs in an executor, in a thread that waits for jobs, or in a subprocess of the loop. If files or
    connections are open that lead out of the test, they have to be quiet for a while before each jump. Time never goes
    back.

    It is the time of the ``asyncio`` loop and of ``IOLoop.time()``; with ``dates=True`` also of ``time.time()``,
    ``datetime.now()`` and the like, as long as the test runs. The time limits of this library are in real time: they
    end a test that goes on for ever in no time.

    :param autojump: true if time jumps by itself; else only `advance` moves it.
    :param autojump_threshold: how long foreign connections, and threads that wait for something else than a lock, have
        to be quiet before time jumps, in seconds of real time.
    :param epoch: the first value of ``IOLoop.time()``, in seconds since 1970, or as a ``datetime``. The greater it is,
        the less exact are the deadlines that are reckoned from it: with today's time, to a quarter of a microsecond.
        The default is 0, with ``dates`` the present.
    :param dates: true to let ``time.time()``, ``time.time_ns()``, ``time.localtime()``, ``datetime.now()``,
        ``date.today()`` and the like return ``IOLoop.time()``, by time-machine: ``pip install
        asynctest_tornado[dates]``.

    Raises ``TypeError`` or ``ValueError`` for arguments that are no times, ``ModuleNotFoundError`` if time-machine is
    missing.

    The idea comes from ``trio.testing.MockClock``. New in version 0.1.
    """

    @_with_suggestions
    def __init__(
        self,
        autojump: bool = True,
        *,
        autojump_threshold: float = 0.05,
        epoch: float | datetime | None = None,
        dates: bool = False,
    ) -> None:
        if not isinstance(autojump, bool):
            raise TypeError(
                f"autojump of VirtualClock is True or False, and not {autojump!r}. Give how long to wait for foreign "
                "connections as autojump_threshold."
            )
        if not isinstance(dates, bool):
            raise TypeError(f"dates of VirtualClock is True or False, and not {dates!r}. Give the first date as epoch.")
        if dates:
            _dates.check_installed()
        if epoch is None:
            epoch = round(time.time(), 6) if dates else 0.0
        self.autojump = autojump
        self.autojump_threshold: float = _seconds(autojump_threshold, "autojump_threshold of VirtualClock")
        self.epoch: float
        if isinstance(epoch, datetime):
            self.epoch, self._epoch_ns = epoch.timestamp(), _nanoseconds_of_date(epoch)
        else:
            self.epoch = _number(epoch, "epoch of VirtualClock")
            self._epoch_ns = _nanoseconds(self.epoch)
        self.dates = dates
        self._now = 0.0
        #: The times to advance to, with futures that are done then: weak, as a coroutine that is dropped moves no time.
        self._targets: list[tuple[float, int, weakref.ref[asyncio.Future[None]]]] = []
        self._count = itertools.count()
        #: The futures that coroutines await: nothing else may refer to these coroutines.
        self._awaited: set[asyncio.Future[None]] = set()
        #: The tests that use the clock, the innermost last.
        self.tests: list[TestWithClock] = []

    def time(self) -> float:
        """Return the seconds that have passed since the beginning.

        New in version 0.1.
        """
        return self._now

    def wall_time(self) -> float:
        """Return the value of ``IOLoop.time()``, in seconds: the epoch, and the time that has passed since.

        New in version 0.1.
        """
        return self.wall_time_ns() / _NANOSECONDS if self.dates else self.epoch + self._now

    def wall_time_ns(self) -> int:
        """Return the time that ``time.time_ns()`` returns if ``dates`` is true, in nanoseconds.

        New in version 0.1.
        """
        exact = self._epoch_ns + _nanoseconds(self._now)
        # Deadlines that are reckoned from the epoch are off by less than a microsecond.
        rounded = round(exact, -3)
        return rounded if rounded / _NANOSECONDS == exact / _NANOSECONDS else exact

    def advance(self, seconds: float | timedelta) -> Any:
        """Let time pass: each deadline on the way comes in order, at its own time, and its callbacks run.

        Callbacks that are ready run first, before any time passes. Callbacks that the last ones schedule run, too.

        :param seconds: the time to pass, in seconds or as a ``timedelta``.
        :return: None in synchronous code. In a coroutine, a coroutine: if it is not awaited, the test fails.

        Raises ``ValueError`` for a negative number, ``RuntimeError`` for a clock that no test uses; in synchronous
        code, also the errors of callbacks and tasks meanwhile.

        New in version 0.1.
        """
        if isinstance(seconds, timedelta):
            seconds = seconds.total_seconds()
        target = self._now + _seconds(seconds, "advance()")
        if not self.tests:
            raise RuntimeError(
                "This clock belongs to no test that runs. Set clock_factory = VirtualClock on the class of the test, "
                "and use self.clock."
            )
        try:
            future = self._future_of(target)
        except RuntimeError:  # no loop runs here
            return self.tests[-1].run(lambda: self._future_of(target))
        coro: Any = coroutines.traced(lambda: self._until(future))
        # For the report if nothing awaits it.
        coro.__qualname__ = VirtualClock.advance.__qualname__
        return coro

    def _future_of(self, target: float) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._targets, (target, next(self._count), weakref.ref(future)))
        return future

    async def _until(self, future: "asyncio.Future[None]") -> None:
        self._awaited.add(future)
        try:
            await future
        finally:
            self._awaited.discard(future)

    def _move(self, deadline: float | None) -> bool:
        """Go on to the next deadline or target; return whether there is one.

        Called when the loop has nothing to do now.

        :param deadline: the time of its next timer, or None.
        """
        if deadline == math.inf:
            deadline = None  # as good as none
        targets = self._targets
        while targets and _is_over(targets[0][2]()):
            heapq.heappop(targets)
        if not targets:
            if deadline is None or not self.autojump:
                return False
            self._now = max(self._now, deadline)
            return True
        target = targets[0][0]
        if deadline is not None and deadline <= target + self._tolerance():
            # For example, 0.1 three times is more than 0.3.
            self._now = max(self._now, target if 0 < deadline - target < _RESOLUTION else deadline)
            return True
        target, _, reference = heapq.heappop(targets)
        self._now = max(self._now, target)
        future = reference()
        if future is not None:
            future.set_result(None)
        return True

    def _tolerance(self) -> float:
        """Return by how much a deadline that was reckoned from the epoch may be off, in seconds."""
        return max(_RESOLUTION, 2 * math.ulp(self.epoch + self._now))

    def _drop_targets(self) -> None:
        """Cancel the calls of `advance` that a test has left."""
        for _, _, reference in self._targets:
            future = reference()
            if future is not None:
                future.cancel()
        self._targets.clear()

    def __repr__(self) -> str:
        return f"<VirtualClock at {self._now:g} seconds>"


def _is_over(future: "asyncio.Future[None] | None") -> bool:
    """Return whether the coroutine that waits for a future was cancelled or dropped."""
    return future is None or future.done()


def make_clock(factory: Callable[[], VirtualClock], where: str = CLOCK_FACTORY.by_attribute) -> VirtualClock:
    """Call a ``clock_factory``. Raises ``TypeError`` if it makes no clock.

    :param where: the place that sets it.
    """
    clock: VirtualClock = CLOCK_FACTORY.made(factory, where, VirtualClock)
    return clock


def _nanoseconds(seconds: float) -> int:
    """Return a time in nanoseconds: whole microseconds, if the float is the nearest one to these.

    For example, 1e9 + 0.1 is a tiny bit less than that, and ``datetime`` would show 99,999 microseconds.
    """
    rounded = round(seconds * 1e6) * 1000
    return rounded if rounded / _NANOSECONDS == seconds else round(seconds * _NANOSECONDS)


def _nanoseconds_of_date(date: datetime) -> int:
    return (date.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def _number(value: Any, name: str) -> float:
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{name} is not a number: {value!r}. Give seconds as an int or float.")
    if not math.isfinite(value):
        raise ValueError(f"{name} cannot be {value!r}. Give a finite number of seconds.")
    return float(value)


def _seconds(value: Any, name: str) -> float:
    seconds = _number(value, name)
    if seconds < 0:
        raise ValueError(f"{name} cannot be {value!r}: time does not go back. Give 0 or more seconds.")
    return seconds
