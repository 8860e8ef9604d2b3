"""Gives a test the time of its virtual clock."""

from collections.abc import Sequence
from typing import Any

from asynctest_tornado._clock.autojump import Passing
from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._loop import recycled_loop
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._timeouts import limits

__unittest = True


class TimeOfTest:
    """The virtual time of one test. The clock may go on from test to test, if it is the clock of the class.

    :param clock: the clock.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._began = clock.time()
        self._run_before = clock.run

    def end(self) -> None:
        """Give the clock back."""
        self.clock.run = self._run_before
        self.clock.drop_targets()

    def describe(self) -> str:
        """Describe the time that has passed, and why it may stand still."""
        clock = self.clock
        passed = f"Virtual time: {clock.time() - self._began:.15g} s have passed in this test"
        total = f", {clock.time():.15g} s in all" if self._began else ""
        hint = "" if clock.autojump else "; the clock stands still until advance() is called"
        return f"{passed}{total}{hint}{clock.describe_hindrance()}."


class VirtualTime(Feature):
    """Tests in virtual time. The option is the clock."""

    is_optional = True

    def opened(self, harness: Harness) -> None:
        """Raise ``TypeError`` for a loop on which time cannot pass."""
        clock: VirtualClock = harness.options[self]
        if harness.outer is None:
            _attach(clock, harness.loop)
        harness.trap.data[self] = TimeOfTest(clock)
        clock.run = lambda reach: harness.waits.run(reach, limits.limit(None, None))

    def closed(self, harness: Harness) -> None:
        harness.trap.data[self].end()

    def pending(self, loop: LoopOfTest, tasks: Sequence[Any], main: Any) -> str:
        time: TimeOfTest = loop.trap.data[self]
        return time.describe()


def _attach(clock: VirtualClock, loop: LoopOfTest) -> None:
    if loop.is_own and loop.selector is not None and isinstance(loop.loop, recycled_loop.RecyclingLoop):
        Passing(loop.io_loop, loop.loop, loop.selector, clock)
        return
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


VIRTUAL_TIME = VirtualTime()
