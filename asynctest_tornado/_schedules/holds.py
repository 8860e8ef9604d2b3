"""Deviations from the order of asyncio: steps of tasks that wait for other calls.

asyncio makes ready calls in the order of their registration. Callbacks keep that order in each schedule. So each other
order is one in which steps of tasks are held back while other calls go first, and a list of holds can name it, without
anything that has to do with the rest of the run.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from asynctest_tornado._schedules.call import Call
from asynctest_tornado._schedules.policies import Policy

__unittest = True

#: The number of calls that go before a held step at most, so that code that polls does not wait for ever.
_MOST_PASSED = 10_000
_TEXT = re.compile(r"(\w+)\.(\d+)\.(\d+)-after-(\w+)\.(\d+)\.(\d+)")


class Moment(NamedTuple):
    """The name of a call, the same in each order in which the task or callback has come as far."""

    #: The name of the coroutine function of the task, or of the callback.
    actor: str
    #: Its number among the tasks or callbacks of this name, from 1.
    which: int
    #: The number of the call among those of the task, from 1.
    step: int


class Hold(NamedTuple):
    """A deviation from the order of asyncio: a step of a task waits for another call, and for nothing else."""

    moment: Moment
    until: Moment


def text_of(holds: Iterable[Hold]) -> str:
    """Return the text that stands for holds in ``ASYNC_TEST_ORDER``."""
    return ",".join(f"{'.'.join(map(str, moment))}-after-{'.'.join(map(str, until))}" for moment, until in holds)


def of_text(text: str) -> tuple[Hold, ...]:
    """Return the holds that a text stands for. Raises ``ValueError`` if it stands for none."""
    return tuple(map(_hold, filter(None, text.split(","))))


def _hold(text: str) -> Hold:
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} names no deviation")
    actor, which, step, other, number, last = found.groups()
    return Hold(Moment(actor, int(which), int(step)), Moment(other, int(number), int(last)))


class Held(Policy):
    """The order of asyncio, but for steps that are held back.

    :param holds: the deviations.
    :param made: the calls that were made so far, which the schedule keeps up to date.
    """

    def __init__(self, holds: Sequence[Hold], made: "set[Moment]") -> None:
        self.holds = holds
        self._made = made
        self._until: dict[Moment, list[Moment]] = {}
        for moment, until in holds:
            self._until.setdefault(moment, []).append(until)
        self._passed = 0

    def choose(self, steps: Sequence[Call], count: int, total: int) -> int:
        for place in range(count):
            if not self._is_held(steps[place].moment):
                return place
        return count if total > count else 0

    def _is_held(self, moment: Moment) -> bool:
        untils = self._until.get(moment)
        if untils is None or self._made.issuperset(untils):
            return False
        self._passed += 1
        return self._passed < _MOST_PASSED
