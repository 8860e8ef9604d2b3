"""Records which calls of a run could have been other ones, and what they touch."""

# Tested by tests/search/test_all_orders.py.

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from asynctest_tornado._schedules.call import Call
from asynctest_tornado._schedules.history import History
from asynctest_tornado._schedules.holds import Moment
from asynctest_tornado._search import footprints

__unittest = True


class Option(NamedTuple):
    """A call that could be made at some point of a run."""

    moment: Moment
    #: True if it is the step of a task, which may be held back.
    is_step: bool
    #: True if it touches nothing, so that no order passes over it.
    is_inert: bool


class Choices(History):
    """The history of a run, with the calls that could have been made instead.

    :param is_reduced: False if each step may be passed over.
    """

    def __init__(self, is_reduced: bool = True) -> None:
        super().__init__()
        self._is_reduced = is_reduced
        #: By the place of a call in the history: the calls to choose from, in the order of their registration.
        self.options: dict[int, list[Option]] = {}
        #: The tasks that were cancelled, by name. A step of such a task is not inert: it meets the cancellation.
        self.cancelled: set[tuple[str, int]] = set()
        self._inert: dict[Moment, bool] = {}
        #: By the place of a call: the calls that it has registered, and whether each is a step that may be held back.
        self._registered: dict[int, list[tuple[Moment, bool]]] = {}
        self._count = 0
        #: True if a timer, a file or a thread has registered a call while others were waiting. Then the time matters
        #: that the others have taken so far.
        self.is_disturbed = False
        #: True if the record is that of the last one of several examples of hypothesis.
        self.is_of_example = False

    def restart(self) -> None:
        super().restart()
        self._count = 0
        self.is_disturbed = False
        self.is_of_example = True

    def register(self, call: Call, task: Any) -> None:
        super().register(call, task)
        if call.by is not None:
            self._registered.setdefault(call.by, []).append((call.moment, call.task is not None))
        elif self.calls and self._count > len(self.calls):
            self.is_disturbed = True
        self._count += 1

    def offer(self, steps: Sequence[Call], callbacks: Iterable[Call]) -> None:
        found = []
        # A copy, as other threads add to them.
        callback = next((call for call in tuple(callbacks) if not call.cancelled()), None)
        for step in steps:
            if callback is not None and step.number > callback.number:
                break
            if not step.cancelled():
                found.append(step)
        if callback is not None:
            found.append(callback)
        if len(found) > 1:
            self.options[len(self.calls)] = list(map(self._option, found))

    def _option(self, call: Call) -> Option:
        is_step = call.task is not None
        if is_step and self._is_reduced and call.moment not in self._inert:
            self._inert[call.moment] = footprints.is_inert(call.task)
        return Option(call.moment, is_step, self.is_inert(call.moment))

    def is_inert(self, moment: Moment) -> bool:
        """Return whether a call is known to be a step that touches nothing."""
        return self._inert.get(moment, False)

    def begin(self, call: Call) -> None:
        super().begin(call)
        if footprints.is_cancelled(call.task):
            self.cancelled.add(call.moment[:2])

    def mistaken(self) -> set[tuple[str, int]]:
        """Return the names of tasks with a step that was thought to be inert, and was not."""
        wrong = set()
        for place, (moment, *_) in enumerate(self.calls):
            expected = [(moment._replace(step=moment.step + 1), True)]
            if self._inert.get(moment) and self._registered.get(place) != expected:
                wrong.add(moment[:2])
        return wrong | self.cancelled

    def is_movable(self, place: int) -> bool:
        """Return whether a call has registered at most one call, a step that may be held back."""
        registered = self._registered.get(place, [])
        return len(registered) <= 1 and all(is_step for _, is_step in registered)
