"""Shrinks the failing order of a test, by running it again out of sight."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

from asynctest_tornado._explanations import explain
from asynctest_tornado._explanations.described_history import DescribedHistory
from asynctest_tornado._schedules import settings as orders
from asynctest_tornado._schedules.history import History
from asynctest_tornado._schedules.holds import Hold
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search.progress_line import ProgressLine
from asynctest_tornado._search.reports import Hidden, out_of_sight
from asynctest_tornado._search.runs import Runs
from asynctest_tornado._search.shrink import LONGEST_RUN, Budget, Outcome, Shrunk, Way, shrink
from asynctest_tornado._util import debuggers, settings
from asynctest_tornado._util.real_time import monotonic

__unittest = True

#: Lines for the report of an order that was not shrunk.
_PASSES = (
    "This order was not shrunk: run in it once more, the test passed. So it matters to the test what threads, sockets, "
    "real time or earlier runs do."
)
_FAILS_OTHERWISE = _PASSES.replace("the test passed", "the test failed in another way")
_TAKES_LONGER = (
    "This order was not shrunk: run in it once more, the test had not ended after {:.3g} seconds. Either it has many "
    "steps, whose record takes time, or it matters to the test what threads, sockets, real time or earlier runs do."
)
FAILS_ALWAYS = (
    "This order was not shrunk: the test fails in asyncio's own order by now, in which it has passed before. So an "
    "earlier run has left something behind that matters, such as an attribute of the class."
)
IN_ASYNCIOS_ORDER = "It fails in asyncio's own order as well, if it is run again."
_IS_SLOW = (
    "This order was not shrunk: a run of the test takes {:.3g} seconds, and at most {:g} are short enough to run it "
    "again many times. With VirtualClock, time passes faster."
)
_IS_DEBUGGED = "This order was not shrunk: a debugger is attached, which would stop in runs that are not shown."
_HAD_NO_TIME = (
    "This order was not shrunk: the time for it was used up, or the run was stopped, before the failure had come once "
    "more."
)


#: How much longer than the failing run any other one may take, which perhaps hangs.
_TIMES_LONGER = 3


class Target(Protocol):
    """A test that can be run again."""

    @property
    def has_faults(self) -> bool:
        """True if its network may have random faults."""

    def is_stopped(self) -> bool:
        """Return whether the user has stopped the run of all tests."""

    def run_out_of_sight(self, schedule: Schedule, seconds: float) -> Way | None:
        """Run the test once, and report nothing; return the way in which it fails, if it does.

        :param seconds: the time limit of the run.
        """


class Case:
    """A test case that can be run again.

    :param result: the result of the run of all tests.
    """

    def __init__(self, runs: Runs, result: Any) -> None:
        self._runs = runs
        self._result = result
        self.has_faults = getattr(type(runs.case), settings.NETWORK_FACTORY.attribute, None) is not None

    def is_stopped(self) -> bool:
        return bool(getattr(self._result, "shouldStop", False))

    def run_out_of_sight(self, schedule: Schedule, seconds: float) -> Way | None:
        hidden = Hidden(self._result)
        schedule.ends_at = monotonic() + seconds
        with out_of_sight():
            self._runs.run(schedule, hidden)
        return hidden.way


class Rerun:
    """Runs a test out of sight, to shrink an order in which it has failed.

    :param seed: the seed of the order.
    :param way: the way in which it has failed.
    """

    def __init__(self, target: Target, seed: int, way: Way, *, is_required: bool) -> None:
        self._target = target
        self._seed = seed
        self._way = way
        self._is_required = is_required
        self._budget = Budget()
        self._line = ProgressLine()
        #: The seconds that one run may take.
        self._longest = math.inf
        #: The seed of the random faults of a network; 0 if the failure does not need them.
        self.faults = 0
        #: The calls of a run in the order of asyncio.
        self.plain = DescribedHistory()

    def shrink(self, seconds: float) -> Shrunk | str:
        """Return the order, shrunk; or why it was not.

        :param seconds: how long the run took that has failed.
        """
        try:
            return self._shrunk(seconds)
        finally:
            self._line.wipe()

    def _shrunk(self, seconds: float) -> Shrunk | str:
        if debuggers.are_attached():
            return _IS_DEBUGGED
        if seconds > LONGEST_RUN:
            return _IS_SLOW.format(seconds, LONGEST_RUN)
        self._longest = max(LONGEST_RUN, _TIMES_LONGER * seconds)
        self._budget.runs += 2  # these two; the others are counted by shrink()
        plain = self._run(Schedule.of_seed(0, self._is_required, DescribedHistory()))
        if plain.way == self._way:
            return FAILS_ALWAYS
        self.plain = _told(plain.history)
        again = self._run(Schedule.of_seed(self._seed, self._is_required, DescribedHistory()))
        if again.is_cut_off and self._budget.left():
            return _TAKES_LONGER.format(self._longest)
        if again.way != self._way:
            return self.why_not(again.way)
        holds = again.history.holds()
        return self._shrink(holds) or self._shrink_with_faults(holds) or self.why_not(None)

    def explanation(self, shrunk: Shrunk) -> str:
        """Return sentences about the deviations of an order that was shrunk."""
        return explain.text(_told(shrunk.history), self.plain, shrunk.holds)

    def explained(self, holds: Sequence[Hold]) -> str:
        """Return sentences about the deviations of an order that fails; empty if it does not fail again."""
        if debuggers.are_attached():
            return ""
        plain = self._run(Schedule.of_seed(0, self._is_required, DescribedHistory()))
        again = self._run(self.schedule(holds))
        if plain.is_cut_off or again.way != self._way:
            return ""
        return explain.text(_told(again.history), _told(plain.history), holds)

    def explained_replay(self, schedule: Schedule) -> str:
        """Return sentences about the deviations of an order that a visible run has failed in.

        If the test fails in the order of asyncio as well, these make no difference, and the text says so. It is empty
        if the test takes too long, or if a debugger is attached, which would stop in a run that is not shown.
        """
        if debuggers.are_attached():
            return ""
        plain = self._run(Schedule.of_seed(0, self._is_required, DescribedHistory()))
        if plain.way == self._way:
            return IN_ASYNCIOS_ORDER
        history = schedule.history
        if plain.is_cut_off or not isinstance(history, DescribedHistory):
            return ""
        return explain.text(history, _told(plain.history), schedule.holds())

    def why_not(self, way: Way | None) -> str:
        """Return why the order was not shrunk, if a run in it ends in some way."""
        if not self._budget.left():
            return _HAD_NO_TIME
        return _PASSES if way is None else _FAILS_OTHERWISE

    def _shrink(self, holds: Sequence[Hold]) -> Shrunk | None:
        return shrink(holds, lambda fewer: self._run(self.schedule(fewer)), self._way, self._budget)

    def _shrink_with_faults(self, holds: Sequence[Hold]) -> Shrunk | None:
        if not self._target.has_faults:
            return None
        self.faults = self._seed
        return self._shrink(holds)

    def schedule(self, holds: Sequence[Hold]) -> Schedule:
        """Return the schedule of some deviations, with its token."""
        schedule = Schedule.of_holds(holds, self._is_required, DescribedHistory())
        schedule.seed = self.faults
        schedule.token = orders.token_of(holds, self.faults)
        return schedule

    def _run(self, schedule: Schedule) -> Outcome:
        """Run the test once, out of sight, for no longer than one run may take, or than there is time left."""
        history, left = schedule.history, min(self._budget.left(), self._longest)
        assert history is not None
        if not left or self._target.is_stopped():
            self._budget.stop()
            return Outcome(None, history, is_cut_off=True)
        self._line.show(lambda: f"shrinks the order in which it fails: run {self._budget.runs}")
        began = monotonic()
        way = self._target.run_out_of_sight(schedule, left)
        is_over = monotonic() - began >= left  # perhaps it has failed of that
        return Outcome(None if is_over else way, history, is_over)


def _told(history: History) -> DescribedHistory:
    assert isinstance(history, DescribedHistory)
    return history
