"""Remembers the work for which settle() did not wait, for the report of leaks."""

# Tested by tests/leaks/test_settle.py.

from collections.abc import Iterable, Sequence
from typing import Any

from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._leaks.policy import Leak
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

_PASSED_OVER = object()


def remember(trap: Trap, operation: str, work: Iterable[tuple[Any, str]]) -> None:
    """Remember work that a ``settle`` of a test has passed over.

    :param operation: the name of that ``settle``.
    :param work: the timers and tasks, each with the reason.
    """
    notes: WeakNotes[str] = trap.data.setdefault(_PASSED_OVER, WeakNotes())
    for thing, reason in work:
        notes.note(thing, f"{operation} did not wait for it: {reason}")


def explained(trap: Trap, leaks: Sequence[Leak]) -> list[Leak]:
    """Return leaks with a line about each that a ``settle`` has passed over."""
    notes: WeakNotes[str] | None = trap.data.get(_PASSED_OVER)
    if notes is None:
        return list(leaks)
    return [leak._replace(passed_over=notes.of(leak.thing, "")) for leak in leaks]
