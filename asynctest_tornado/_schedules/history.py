"""What the calls of a run were, in the order in which they were made."""

# Tested by tests/schedules/test_holds.py.

import asyncio
import functools
import weakref
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tornado import gen

from asynctest_tornado._schedules.call import Call
from asynctest_tornado._schedules.holds import Hold, Moment

__unittest = True


class Made(NamedTuple):
    """A call that was made."""

    moment: Moment
    #: The place in the history of the call that has registered this one; None if no call has.
    by: int | None
    #: Its number in the order of registration.
    number: int
    #: True for a step of a task that any policy may hold back.
    is_step: bool


class History:
    """Names the calls of one run, and keeps a record of them."""

    def __init__(self) -> None:
        self.calls: list[Made] = []
        #: The names of the calls that were made.
        self.moments: set[Moment] = set()
        self._counts: dict[str, int] = {}
        # The latest moment of each task, or coroutine of Tornado. Weak, as an error that no code has looked at is
        # reported when its task is dropped, and the error may refer to this history.
        self._latest: weakref.WeakKeyDictionary[Any, Moment] = weakref.WeakKeyDictionary()
        #: The place of the call that is being made, if any.
        self.current: int | None = None

    def restart(self) -> None:
        """Drop the record, and count tasks and callbacks from the beginning."""
        self.current = None
        for record in vars(self).values():  # subclasses have some of their own
            if isinstance(record, list | dict | set | weakref.WeakKeyDictionary):
                record.clear()

    def register(self, call: Call, task: Any) -> None:
        """Name a call.

        :param task: the task or coroutine that goes on by it, also if this is its first step; None for a callback.
        """
        call.by = self.current
        if task is None:
            actor = _name_of(call.callback)
            call.moment = Moment(actor, self._number(actor), 1)
            return
        latest = self._latest.get(task)
        if latest is None:
            actor = _name_of(task)
            latest = Moment(actor, self._number(actor), 0)
        call.moment = self._latest[task] = latest._replace(step=latest.step + 1)

    def _number(self, actor: str) -> int:
        number = self._counts[actor] = self._counts.get(actor, 0) + 1
        return number

    def offer(self, steps: Sequence[Call], callbacks: Iterable[Call]) -> None:
        """Learn which calls could be made next: steps up to the first callback, or this one."""

    def begin(self, call: Call) -> None:
        """Record a call that is about to be made."""
        self.current = len(self.calls)
        self.calls.append(Made(call.moment, call.by, call.number, call.task is not None))
        self.moments.add(call.moment)

    def end(self) -> None:
        """Record that the call has returned."""
        self.current = None

    def holds(self) -> tuple[Hold, ...]:
        """Return the deviations from the order of asyncio that lead to this run again.

        A step that others have passed is held until the call before it.
        """
        found = []
        latest = -1  # the greatest number so far: a smaller one was passed
        for place, made in enumerate(self.calls):
            if made.number < latest and made.is_step:
                found.append(Hold(made.moment, self.calls[place - 1].moment))
            latest = max(latest, made.number)
        return tuple(found)


def _name_of(call: Any) -> str:
    """Return the last part of the name of a task, a coroutine of Tornado, or a function."""
    # By its type alone: a mock has any attribute and any class, and records each use.
    if issubclass(type(call), asyncio.Task):
        call = call.get_coro()
    elif type(call) is gen.Runner:
        call = call.gen
    while issubclass(type(call), functools.partial):
        call = call.func
    name = getattr(call, "__qualname__", None)
    if not isinstance(name, str):
        name = type(call).__qualname__
    return "".join(letter for letter in name.rpartition(".")[2] if letter.isalnum() or letter == "_") or "unnamed"
