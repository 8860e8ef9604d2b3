"""Lets coroutines of a test wait for quiet moments of its loop.

A moment is quiet if no call is ready and the loop is about to sleep. The coroutine is woken in the hook before sleep,
before virtual time jumps. It waits for as long as the wait of the test that it is a part of, or for a time of its own.
Conditions can depend on things that do not wake the loop, such as threads and files, so that the loop sleeps for
`RECHECK_SECONDS` at most.

Loops without the hook, such as uvloop's, are looked at every `RECHECK_SECONDS`.
"""

# Tested by tests/timeouts/test_eventually.py.

import asyncio
import math
from collections.abc import Callable
from typing import Any

from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._timeouts import limits
from asynctest_tornado._util.real_time import monotonic

__unittest = True

#: Seconds of real time between two looks while no event comes.
RECHECK_SECONDS = 0.02


class Watch:
    """For a block of a coroutine that waits for quiet moments, up to a time limit.

    :param harness: the harness of the test.
    :param timeout: how long the block may take, in seconds of real time, 0 for no limit. None: as long as the wait of
        the test that it is a part of.
    :param error: returns the error to raise when the time is over, given the wait that has the facts.
    :param is_due: returns true if the coroutine is to be woken in this quiet moment.
    """

    def __init__(
        self,
        harness: Harness,
        timeout: float | None,
        error: Callable[[Any], BaseException],
        is_due: Callable[[], bool] = lambda: True,
    ) -> None:
        self._loop = loop = harness.loop
        self._error = error
        self._is_due = is_due
        #: The task that runs the block.
        self.task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]
        limit = None if timeout is None else limits.limit(timeout, None)
        # Not entered: the wait of the test has the alarm of the loop. But it has the facts for the error.
        self._own = limit and Deadline(loop, self._expire, limit, lambda: harness.waits.snapshot(self.task))
        self._future: asyncio.Future[None] | None = None
        self._may_sleep = False
        self._calls: dict[Callable[[], object], asyncio.TimerHandle] = {}

    @property
    def limit(self) -> Limit | None:
        """The time limit of the block, or of the wait of the test that it is a part of. None if there is none."""
        wait = self._own or self._outer()
        return None if wait is None else wait.limit

    def _outer(self) -> Deadline | None:
        waits = self._loop.trap.waits
        return waits[-1] if waits and isinstance(waits[-1], Deadline) else None

    def __enter__(self) -> "Watch":
        self._loop.trap.data.setdefault(QUIET, []).append(self)
        own = self._own
        if own is not None and own.limit.is_set and not has_virtual_time(self._loop.loop):
            # For a loop that has always something to do, and no quiet moment.
            self._call_later(own.limit.seconds, self._expire)
        return self

    def __exit__(self, cls: Any, error: BaseException | None, tb: Any) -> None:
        watches = self._loop.trap.data.get(QUIET, ())
        if self in watches:  # not if the garbage collector ends the block, after the test
            watches.remove(self)
        for call in self._calls.values():
            call.cancel()
        if not isinstance(error, asyncio.CancelledError):
            return
        wait, outer = self._own, self._outer()
        if wait is not None and wait.is_over:
            self.task.uncancel()
        elif outer is not None and outer.is_over and outer.reported is None:
            wait = outer
        else:
            return
        instead = self._error(wait)
        if wait is outer:
            outer.reported = instead
        instead.__suppress_context__ = True
        raise instead

    def _call_later(self, seconds: float, func: Callable[[], object]) -> None:
        self._calls[func] = self._loop.loop.call_later(seconds, func)

    def _expire(self) -> None:
        if self._own is not None and not self._own.is_over:
            self._own.is_over = True
            self._own.pending = self._own.describe()
            self.task.cancel()

    async def moment(self, may_sleep: bool = False) -> None:
        """Wait for a quiet moment.

        :param may_sleep: true if the present moment is quiet, so that the loop is to sleep before the next look.
        """
        self._future = future = self._loop.loop.create_future()
        self._may_sleep = may_sleep
        if self._loop.selector is None:
            self._call_later(RECHECK_SECONDS, self._poll)
        try:
            await future
        finally:
            self._future = None

    def _poll(self) -> None:
        if not self.look() and self._future is not None:
            self._call_later(RECHECK_SECONDS, self._poll)

    def look(self) -> bool:
        """Wake the coroutine if it is due, or if its time is over; return true then."""
        if self.rest() <= 0:
            self._expire()
            return True
        if self._future is None or self._future.done():
            return False
        if self._may_sleep:
            self._may_sleep = False
            return False
        if not self._is_due():
            return False
        self._future.set_result(None)
        return True

    def rest(self) -> float:
        """Return the seconds of real time up to the end of the own time limit."""
        own = self._own
        if own is None or own.ends_at is None or own.is_over:
            return math.inf
        return own.ends_at - monotonic()


def has_virtual_time(loop: Any) -> bool:
    """Return whether a `VirtualClock` gives a loop its time."""
    return "time" in getattr(loop, "__dict__", ())


class QuietMoments(Feature):
    """Wakes coroutines in quiet moments. The data are the watches."""

    def before_sleep(self, loop: LoopOfTest, timeout: float | None) -> float | None:
        watches: list[Watch] | None = loop.trap.data.get(self)
        if watches:
            woken = [watch.look() for watch in watches]
            return 0 if any(woken) else timeout
        return timeout


class Rechecks(Feature):
    """Limits the sleep of a loop while a coroutine waits for a quiet moment."""

    def before_sleep(self, loop: LoopOfTest, timeout: float | None) -> float | None:
        watches: list[Watch] | None = loop.trap.data.get(QUIET)
        if watches:
            seconds = min(RECHECK_SECONDS, *(max(0.0, watch.rest()) for watch in watches))
            return seconds if timeout is None else min(timeout, seconds)
        return timeout


QUIET = QuietMoments()
RECHECKS = Rechecks()


def watches_of(loop: LoopOfTest) -> list[Watch]:
    """Return the watches of the coroutines that wait now."""
    return list(loop.trap.data.get(QUIET, ()))
