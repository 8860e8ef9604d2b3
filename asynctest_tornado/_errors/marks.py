"""Marks exceptions: recorded, expected or reported by which test.

A mark exists for as long as its exception.

A list of exceptions would keep them, with all that their frames refer to, alive for as long as the test.
"""

# Tested by tests/errors/test_lifetimes.py.

import itertools
from typing import Any

from asynctest_tornado._util import exceptions
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

_NAME = "_asynctest_mark"
_owners = itertools.count(1)


class Mark:
    """The mark of one test for an exception.

    :param error: the exception.
    :param owner: the number of the test.
    """

    __slots__ = ("_error", "data", "is_done", "is_known", "owner")

    def __init__(self, error: BaseException, owner: int) -> None:
        self._error = id(error)
        self.owner = owner
        #: True if the test fails of it.
        self.is_known = False
        #: True if it was raised or expected.
        self.is_done = False
        #: The data that features have for the exception.
        self.data: dict[object, Any] = {}

    def is_of(self, error: BaseException) -> bool:
        """Return true if it is the mark of this exception, and not of another one that this is a copy of."""
        return self._error == id(error)

    def __reduce__(self) -> Any:
        return bool, ()  # another process need not have this library


class Marks:
    """The marks of one test."""

    def __init__(self) -> None:
        self._owner = next(_owners)
        self._notes: WeakNotes[Mark] = WeakNotes()

    def find(self, error: BaseException) -> Mark | None:
        """Return the mark of an exception, if there is one."""
        mark: object = self._notes.of(error, None)
        if mark is None:
            mark = exceptions.attributes_of(error).get(_NAME)
        return mark if isinstance(mark, Mark) and mark.owner == self._owner and mark.is_of(error) else None

    def of(self, error: BaseException) -> Mark:
        """Return the mark of an exception, to be changed."""
        mark = self.find(error)
        if mark is None:
            mark = Mark(error, self._owner)
            # An attribute only if the exception allows no weak reference, as the classes of Python do not. A class of
            # the user may show all attributes, in its text or to a comparison.
            if not self._notes.note(error, mark):
                exceptions.attributes_of(error)[_NAME] = mark
        return mark

    def forget(self) -> None:
        """Drop all marks: they refer to other exceptions."""
        self._notes.clear()
