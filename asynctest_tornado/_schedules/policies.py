"""Choose between the steps of tasks that could go on, and the next callback."""

import random
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from asynctest_tornado._schedules.call import Call

__unittest = True

#: The average number of calls for which one task runs ahead of the others, or falls behind.
_SPELL = 8


class Policy:
    """The order of asyncio itself: calls are made as they were registered. Subclasses have other orders."""

    def choose(self, steps: Sequence[Call], count: int, total: int) -> int:
        """Return the place of the call to make, of at least two.

        :param steps: steps of tasks, in the order of their registration. The first ``count`` could go on.
        :param count: stands for the next callback, if ``total`` is greater. It was registered after these steps.
        :param total: the number of calls to choose from.
        """
        return 0


class Uniform(Policy):
    """Gives the same chance to each call, which mixes them well."""

    def __init__(self, seed: int) -> None:
        # Of its methods, Python promises only for random() that its values are the same in all versions.
        self._random = random.Random(seed).random

    def choose(self, steps: Sequence[Call], count: int, total: int) -> int:
        return int(self._random() * total)


class Favourite(Policy):
    """Lets one task after the other run ahead, or fall behind, as if it had to wait for slow work."""

    def __init__(self, seed: int, is_ahead: bool) -> None:
        self._random = random.Random(seed).random
        self._is_ahead = is_ahead
        self._favourite: Callable[[], Any] = lambda: None

    def choose(self, steps: Sequence[Call], count: int, total: int) -> int:
        place = int(self._random() * total)
        favourite = self._place_of_favourite(steps, count, total)
        if favourite is None or self._random() * _SPELL < 1:
            self._favourite = (lambda: None) if place >= count else weakref.ref(steps[place].task)
            favourite = place
        if self._is_ahead:
            return favourite
        return place if place != favourite else (place + 1) % total

    def _place_of_favourite(self, steps: Sequence[Call], count: int, total: int) -> int | None:
        task = self._favourite()
        if task is None:
            return count if count < total else None
        return next((place for place in range(count) if steps[place].task is task), None)
