"""Walks a failing order back to the order of asyncio.

It ends when no deviation can be spared. A run is made again and again, with fewer deviations each time. It is known by
the way in which it fails: the type of its error, and the line of the user that has raised it. Which tests these are,
and how they are run, is no matter here.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from asynctest_tornado._schedules.history import History
from asynctest_tornado._schedules.holds import Hold, Moment
from asynctest_tornado._util import exception_notes, tracebacks
from asynctest_tornado._util.real_time import monotonic

__unittest = True

#: How many runs, and how many seconds, shrinking may take.
MOST_RUNS = 300
MOST_SECONDS = 10.0
#: A run that takes longer, in seconds, is not made again: few of them would fit into the budget.
LONGEST_RUN = 2.0


class Way(NamedTuple):
    """The way in which a run fails. Two runs that fail in the same way have equal ones."""

    #: The name of the type of the error: each run has a type of its own if the test defines it.
    error: str
    #: The file and the number of the innermost line of the user. Without such a line: the message, without numbers.
    line: tuple[str, int] | str
    #: The ways of the errors in an exception group.
    inner: "tuple[Way, ...]" = ()


class Outcome(NamedTuple):
    """The end of a run."""

    #: None if the run has passed, or has neither passed nor failed.
    way: Way | None
    #: The calls of the run.
    history: History
    #: True if the time for the run was over before its end.
    is_cut_off: bool = False


class Budget:
    """Counts runs and seconds, and says when they are used up. The time begins now.

    :param seconds: of the computer's time.
    """

    def __init__(self, runs: int = MOST_RUNS, seconds: float = MOST_SECONDS) -> None:
        self.runs = 0
        self._most = runs
        self._end = monotonic() + seconds

    def stop(self) -> None:
        """Use up the runs that are left."""
        self.runs = self._most

    def left(self) -> float:
        """Return the seconds that are left; 0 if the runs are used up."""
        return max(0.0, self._end - monotonic()) if self.runs < self._most else 0.0


class Shrunk(NamedTuple):
    """A failing order that was shrunk."""

    holds: tuple[Hold, ...]
    #: The number of runs that it took.
    runs: int
    #: The number of deviations before.
    before: int
    #: False if the budget was used up first, so that some deviations could perhaps be spared.
    is_complete: bool
    #: The calls of the last run with these deviations.
    history: History


Run = Callable[[Sequence[Hold]], Outcome]


def way_of(error: BaseException) -> Way:
    """Return the way in which a run fails whose error this is."""
    line: tuple[str, int] | str = ""
    tb = error.__traceback__
    while tb is not None:
        if tracebacks.owner_of(tb.tb_frame) is tracebacks.USER:
            line = tb.tb_frame.f_code.co_filename, tb.tb_lineno
        tb = tb.tb_next
    line = line or re.sub(r"0x[0-9a-f]+|[\d.]+", "", exception_notes.text_of(error) or "")
    inner = tuple(map(way_of, error.exceptions)) if isinstance(error, BaseExceptionGroup) else ()
    return Way(f"{type(error).__module__}.{type(error).__qualname__}", line, inner)


def shrink(holds: Sequence[Hold], run: Run, way: Way, budget: Budget) -> Shrunk | None:
    """Return the fewest deviations that still fail in some way; None if these do not.

    :param holds: the deviations of a failing run.
    :param run: runs the test with deviations, and returns its end. It may raise whatever it likes.
    :param way: the way in which the test fails with all of them.
    """
    search = _Search(run, way, budget)
    if not search.fails(holds):
        return None
    search.drop()
    search.shorten()
    search.drop()
    assert search.history is not None
    return Shrunk(search.holds, budget.runs, len(holds), search.is_complete, search.history)


class _Search:
    """The search for fewer deviations."""

    def __init__(self, run: Run, way: Way, budget: Budget) -> None:
        self._run = run
        self._way = way
        self._budget = budget
        self._known: set[tuple[Hold, ...]] = set()
        self.is_complete = True
        #: The fewest deviations so far.
        self.holds: tuple[Hold, ...] = ()
        self.history: History | None = None

    def fails(self, holds: Sequence[Hold]) -> bool:
        """Return whether the run fails with some deviations, which are the fewest so far if it does."""
        holds = tuple(holds)
        if holds in self._known:
            return False
        if not self._budget.left():
            self.is_complete = False
            return False
        self._known.add(holds)
        outcome = self._run(holds)
        self._budget.runs += 1
        if outcome.way != self._way:
            return False
        # Another list of deviations may lead to the same run: one with calls that came, and none too many.
        same = outcome.history.holds()
        self.holds = same if len(same) <= len(holds) else holds
        self.history = outcome.history
        return True

    def drop(self) -> None:
        """Leave out deviations until none can be spared: by delta debugging, many at a time at first."""
        parts = 2
        while self.holds:
            parts = min(parts, len(self.holds))
            if self._keep_one_of(parts):
                parts = 2
            elif self._leave_out_one_of(parts):
                parts = max(parts - 1, 2)
            elif parts == len(self.holds):
                return
            else:
                parts *= 2

    def _keep_one_of(self, count: int) -> bool:
        return count > 1 and any(self.fails(self.holds[part]) for part in _parts(len(self.holds), count))

    def _leave_out_one_of(self, count: int) -> bool:
        holds = self.holds
        return any(self.fails(holds[: part.start] + holds[part.stop :]) for part in _parts(len(holds), count))

    def shorten(self) -> None:
        """Let each step that is held go on as early as it may."""
        for moment, _ in self.holds:
            self._shorten_one(moment)

    def _shorten_one(self, moment: Moment) -> None:
        assert self.history is not None
        calls = passed(self.history, moment)
        first, last = 0, len(calls) - 1
        while first < last:
            middle = (first + last) // 2
            holds = [Hold(moment, calls[middle]) if hold.moment == moment else hold for hold in self.holds]
            if self.fails(holds):
                last = middle
            else:
                first = middle + 1


def _parts(length: int, count: int) -> list[slice]:
    ends = [length * number // count for number in range(count + 1)]
    return [slice(start, end) for start, end in itertools.pairwise(ends)]


def passed(history: History, moment: Moment) -> list[Moment]:
    """Return the calls that were made while a step was held back, in their order; none if it was not held back."""
    calls = history.calls
    place = next((place for place, made in enumerate(calls) if made.moment == moment), 0)
    first = next((before for before in range(place) if calls[before].number > calls[place].number), place)
    return [made.moment for made in calls[first:place]]
