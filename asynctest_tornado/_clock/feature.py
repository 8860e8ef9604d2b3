"""Gives a test the time of its virtual clock."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from asynctest_tornado._clock.autojump import Passing
from asynctest_tornado._clock.dates import Dates
from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.waits import Waits
from asynctest_tornado._loop import recycled_loop
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._timeouts import limits
from asynctest_tornado._util import names

__unittest = True


class TimeOfTest:
    """The virtual time of one test. The clock may go on from test to test, if it is the clock of the class.

    :param clock: the clock.
    :param passing: lets time pass on the loop of the test.
    :param waits: run that loop.
    :param dates: follow the clock up to the end of the test; None if they are real, or another test ends them.
    """

    def __init__(self, clock: VirtualClock, passing: Passing, waits: Waits, dates: Dates | None) -> None:
        self.clock = clock
        self._dates = dates
        self.passing = passing
        self._waits: Waits | None = waits
        self._began = clock.time()
        clock.tests.append(self)

    def run(self, reach: Callable[[], Awaitable[None]]) -> None:
        assert self._waits is not None
        self._waits.run(reach, limits.limit(None, None))

    def end(self) -> None:
        """Give the clock and the dates back."""
        if self._dates is not None:
            self._dates.stop()
        self._waits = None  # it refers to this object
        self.clock.tests.remove(self)
        self.clock._drop_targets()

    def describe(self) -> str:
        """Describe the time that has passed, and why it may stand still."""
        clock = self.clock
        passed = f"Virtual time: {clock.time() - self._began:.15g} s have passed in this test"
        total = f", {clock.time():.15g} s in all" if self._began else ""
        hint = "" if clock.autojump else "; the clock stands still until advance() is called"
        return f"{passed}{total}{hint}{self.passing.describe_hindrance()}."


class VirtualTime(Feature):
    """Tests in virtual time. The option is the clock."""

    is_optional = True

    def opened(self, harness: Harness) -> None:
        """Raise ``TypeError`` for a loop on which time cannot pass, ``RuntimeError`` for dates that cannot."""
        clock: VirtualClock = harness.options[self]
        outer = harness.outer
        passing = _attach(clock, harness.loop) if outer is None else outer.trap.data[self].passing
        dates = Dates(clock) if clock.dates and outer is None else None
        harness.trap.data[self] = TimeOfTest(clock, passing, harness.waits, dates)

    def closed(self, harness: Harness) -> None:
        harness.trap.data[self].end()

    def before_sleep(self, loop: LoopOfTest, timeout: float | None) -> float | None:
        selector: Selector = loop.selector
        if selector.rest() <= 0:
            return timeout  # the alarm comes first
        if selector.has_events():
            return 0
        passing: Passing = loop.trap.data[self].passing
        return passing()

    def pending(self, loop: LoopOfTest, tasks: Sequence[Any], main: Any) -> str:
        time: TimeOfTest = loop.trap.data[self]
        return time.describe()


def _attach(clock: VirtualClock, loop: LoopOfTest) -> Passing:
    if loop.is_own and loop.selector is not None and isinstance(loop.loop, recycled_loop.RecyclingLoop):
        return Passing(loop.io_loop, loop.loop, loop.selector, clock)
    missing = recycled_loop.missing()
    if missing:
        raise TypeError(
            "A VirtualClock cannot pass time on this version of Python, whose asyncio lacks "
            f"{', '.join(missing)}. Leave out clock_factory, or take another version."
        )
    raise TypeError(
        f"A VirtualClock cannot pass time on {names.class_of_loop(loop.loop)}: it is for the loops that this library "
        "makes. Leave out loop_factory, get_new_ioloop() and policies of your own, or clock_factory."
    )


VIRTUAL_TIME = VirtualTime()
