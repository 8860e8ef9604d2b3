"""Attaches the clock and the schedule of a test to its loop."""

import asyncio
from collections.abc import Awaitable, Callable

from asynctest_tornado._clock.autojump import Passing
from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._loop import recycled_loop
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._schedules.schedule import Schedule

__unittest = True


def attach_clock(loop: LoopOfTest, clock: VirtualClock) -> None:
    """Let a clock give the time of a loop, up to its end.

    Closes a loop on which it cannot pass time, and raises ``TypeError``.
    """
    selector = loop.own_selector
    if selector is not None:
        Passing(loop.io_loop, loop.loop, selector, clock)
        return
    loop.close()
    missing = recycled_loop.missing()
    if missing:
        raise TypeError(
            "A VirtualClock cannot pass time on this version of Python, whose asyncio lacks "
            f"{', '.join(missing)}. Leave out clock_factory, or take another version."
        )
    raise TypeError(
        f"A VirtualClock cannot pass time on {loop.loop!r}: it is for the loops that this library makes. Leave out "
        "loop_factory, get_new_ioloop() and policies of your own, or clock_factory."
    )


class TimeOfTest:
    """The virtual time of one test. The clock may go on from test to test, if it is the clock of the class.

    :param clock: the clock.
    :param run: runs the loop of the test until a function has ended.
    """

    def __init__(self, clock: VirtualClock, run: Callable[[Callable[[], Awaitable[None]]], None]) -> None:
        self._clock = clock
        self._began = clock.time()
        self._run_before, clock.run = clock.run, run

    def end(self) -> None:
        """Give the clock back."""
        self._clock.run = self._run_before
        self._clock.drop_targets()

    def describe(self) -> str:
        """Describe the time that has passed, and why it may stand still."""
        clock = self._clock
        passed = f"Virtual time: {clock.time() - self._began:.15g} s have passed in this test"
        total = f", {clock.time():.15g} s in all" if self._began else ""
        hint = "" if clock.autojump else "; the clock stands still until advance() is called"
        return f"{passed}{total}{hint}{clock.describe_hindrance()}."


def attach_schedule(loop: LoopOfTest, schedule: Schedule) -> Callable[[], None] | None:
    """Let a loop keep to the order of a schedule. Return the function that ends that, if the loop can.

    Closes a loop that cannot, and raises ``TypeError``, if the schedule is required.
    """
    asyncio_loop = loop.loop
    if isinstance(asyncio_loop, asyncio.BaseEventLoop):
        use = asyncio_loop._asynctest
        use.ready = schedule.pending
        detach = schedule.attach(asyncio_loop)

        def end() -> None:
            detach()
            use.ready = None

        return end
    if not schedule.is_required:
        return None
    loop.close()
    raise TypeError(
        f"{asyncio_loop!r} runs ready callbacks in its own order only: schedules are for loops of asyncio. "
        "Leave out schedules, or loop_factory, get_new_ioloop() and policies of your own."
    )
