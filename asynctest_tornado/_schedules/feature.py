"""Gives the loop of a test the order of a schedule."""

import asyncio
import weakref
from collections.abc import Callable

from asynctest_tornado._errors import notes
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._loop.user_runs import interruptible
from asynctest_tornado._schedules import settings as orders
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._util import names
from asynctest_tornado._util.real_time import monotonic

__unittest = True

#: The seconds of a wait for which no time is left: 0 would stand for no limit.
_LEAST = 0.001


class OrderedLoop(WatchedLoop):
    """The methods of a loop that keeps to a schedule."""

    def run_forever(self) -> None:
        super().run_forever()
        trap = self._asynctest.trap
        waits = trap.waits
        if _detach_of(trap) is not None and waits and isinstance(waits[-1], Deadline):
            self._catch_up(waits[-1])

    def _catch_up(self, wait: Deadline) -> None:
        """Make the calls that were ready when the loop was stopped, as asyncio does."""
        left = weakref.WeakSet(self.ready_calls())  # weak, as a call that was made lets go of its task
        while not (left.isdisjoint(self.ready_calls()) or wait.is_over):
            self.call_soon(self.stop)
            with interruptible(self, lambda: None):
                super().run_forever()


def _detach_of(trap: Trap) -> Callable[[], None] | None:
    """Return the function that gives the loop its own order back; None if the loop has that."""
    detach: Callable[[], None] | None = trap.data.get(ORDER, (None, None))[1]
    return detach


class Order(Feature):
    """Tests whose loops keep to the order of a schedule. The option is the schedule."""

    is_optional = True
    loop_class = OrderedLoop

    def opened(self, harness: Harness) -> None:
        """Raise ``TypeError`` for a loop that cannot have another order, if the schedule is required."""
        schedule: Schedule = harness.options[self]
        loop = harness.loop.loop
        harness.trap.data[self] = schedule, None
        if isinstance(loop, asyncio.BaseEventLoop):
            harness.trap.data[self] = schedule, schedule.attach(loop)
            if harness.loop.selector is not None:
                harness.loop.selector.is_ordered = True
        elif schedule.is_required:
            raise TypeError(
                f"{names.class_of_loop(loop)} runs ready callbacks in its own order only: schedules are for loops of "
                "asyncio. Leave out schedules, or loop_factory, get_new_ioloop() and policies of your own."
            )

    def wait_began(self, wait: Deadline) -> None:
        """Let no wait of a run that looks for a cause take longer than there is time, also if it has its own limit."""
        schedule: Schedule | None = wait.loop.trap.data.get(self, (None, None))[0]
        end = None if schedule is None else schedule.ends_at
        if end is not None and (wait.ends_at is None or wait.ends_at > end):
            left = max(end - monotonic(), _LEAST)
            wait.limit, wait.ends_at = Limit(left, "the time that is left to shrink the order"), end

    def notes(self, harness: Harness, error: BaseException) -> None:
        schedule: Schedule = harness.options[self]
        if schedule.hint is not None:
            notes.add(error, schedule.hint, harness.trap, once=True)
        missing = schedule.missing()
        if missing:
            notes.add(error, f"{orders.say_missing(missing)}, or has failed before.", harness.trap, once=True)

    def closed(self, harness: Harness) -> None:
        """Give the loop its own order back."""
        detach = _detach_of(harness.trap)
        harness.trap.data.pop(self, None)
        if detach is not None:
            detach()
            if harness.loop.selector is not None:
                harness.loop.selector.is_ordered = False


ORDER = Order()
