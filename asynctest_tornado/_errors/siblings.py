"""Errors that ``gather`` drops because they are not its first."""

from typing import Any

from asynctest_tornado._errors.trap import Trap

__unittest = True

#: The key for the dropped errors, in the data of the mark of the first one.
_SIBLINGS: Any = object()


def add(trap: Trap, first: BaseException, error: BaseException) -> None:
    """Record an error that ``gather`` drops for an earlier one. A test that fails of the first fails of both."""
    trap.mark(first).data.setdefault(_SIBLINGS, []).append(error)
    if trap.fails_of(first):
        promote(trap, first)


def of(trap: Trap, error: BaseException) -> list[BaseException]:
    """Return the errors that ``gather`` has dropped for this one."""
    mark = trap.marks.find(error)
    return [] if mark is None else list(mark.data.get(_SIBLINGS, ()))


def promote(trap: Trap, cause: BaseException | None) -> None:
    """Record the siblings of an error that a test fails of, and of its causes and contexts."""
    causes: list[BaseException] = []
    while cause is not None and not any(each is cause for each in causes):
        causes.append(cause)
        cause = cause.__context__ if cause.__cause__ is None else cause.__cause__
    for error in [sibling for each in causes for sibling in of(trap, each)]:
        trap.record(error)
