"""The policy of PCT: tasks have priorities, which change at a few random calls.

The search comes from "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs" (Burckhardt, Kothari,
Musuvathi, Nagarakatte; ASPLOS 2010). A race that needs one task to fall far behind another one is as likely to be found
as one that needs a single step. Two things differ here. The length of a run is not known in advance, since a seed has
to mean the same order whatever ran before. So a change comes at each call with the same chance, which the seed decides.
And no task waits for ever, because code that polls relies on others to go on.
"""

# Tested by tests/schedules/test_policies.py.

import random
import weakref
from collections.abc import Sequence
from typing import Any

from asynctest_tornado._schedules.call import Call
from asynctest_tornado._schedules.policies import Policy

__unittest = True

_FIRST = float("inf")
#: The calls that pass the step that waits for longest, at most.
_MOST_PASSED = 60
#: The steps that are compared, the first ones: more would make the time for a choice grow with the number of tasks.
_MOST_COMPARED = 100
#: The chances of a change at a call, of which the seed chooses one.
_CHANCES = (0.0, 0.0, 0.0, 0.03)
#: How much a task's priority exceeds that of the task made before, on average; the seed chooses one. A task that was
#: made later goes on later in the order of asyncio, so that the opposite is what luck has never tried.
_SLOPES = (0.0, 0.0, 0.5)
#: The share of seeds in which callbacks come first, as if they were quick, like callbacks of libraries.
_QUICK = 0.9


class Pct(Policy):
    """Makes the call of the task with the highest priority. Callbacks have one priority for all.

    :param seed: decides the priorities, and when they change.
    :param is_reversed: true for the opposite priorities, so that one of two seeds finds a race of two tasks.
    """

    def __init__(self, seed: int, is_reversed: bool) -> None:
        # Of its methods, Python promises only for random() that its values are the same in all versions.
        self._random = random.Random(seed).random
        self._is_reversed = is_reversed
        self._chance = _CHANCES[int(self._random() * len(_CHANCES))]
        self._slope = _SLOPES[int(self._random() * len(_SLOPES))]
        self._of_callbacks = _FIRST if self._random() < _QUICK else self._draw()
        self._of_tasks: weakref.WeakKeyDictionary[Any, float] = weakref.WeakKeyDictionary()
        self._made = 0
        #: Below all others, and lower each time.
        self._lowest = 0.0
        # The number of the step that waits for longest, and how many calls have passed it.
        self._oldest = -1
        self._passed = 0

    def choose(self, steps: Sequence[Call], count: int, total: int) -> int:
        place = self._highest(steps, count, total)
        # A callback does not wait for long: steps that are registered after it do not go before it.
        is_over = bool(place) and self._has_waited(steps[0])
        if is_over or (self._chance and self._random() < self._chance):
            self._lower(steps[place] if place < count else None)
            place = 0 if is_over else self._highest(steps, count, total)
        return place

    def _has_waited(self, step: Call) -> bool:
        """Count how often the oldest step was passed; return true if that is often enough."""
        if step.number != self._oldest:
            self._oldest, self._passed = step.number, 0
        self._passed += 1
        return self._passed > _MOST_PASSED

    def _highest(self, steps: Sequence[Call], count: int, total: int) -> int:
        best, highest = (count, self._of_callbacks) if total > count else (0, -_FIRST)
        for place in range(count if count < _MOST_COMPARED else _MOST_COMPARED):
            step = steps[place]
            # A step is looked at several times.
            priority = step.priority
            if priority is None:
                priority = step.priority = self._priority(step.task)
            if priority > highest:
                best, highest = place, priority
        return best

    def _priority(self, task: Any) -> float:
        priority = self._of_tasks.get(task)
        if priority is None:
            self._made += 1
            priority = self._of_tasks[task] = self._draw() + self._slope * self._made
        return priority

    def _draw(self) -> float:
        drawn = self._random()
        return 1 - drawn if self._is_reversed else drawn

    def _lower(self, step: Call | None) -> None:
        self._lowest -= 1
        if step is None:
            self._of_callbacks = self._lowest
        else:
            step.priority = self._of_tasks[step.task] = self._lowest
