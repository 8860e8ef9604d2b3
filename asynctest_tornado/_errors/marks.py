"""What a test knows of an exception, for as long as the exception exists.

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
    """What one test knows of an exception.

    :param error: the exception.
    :param owner: the number of the test.
    """

    __slots__ = ("_error", "is_done", "is_known", "owner", "shows_pending", "siblings")

    def __init__(self, error: BaseException, owner: int) -> None:
        self._error = id(error)
        self.owner = owner
        #: Whether the test fails of it.
        self.is_known = False
        #: Whether it was raised or expected.
        self.is_done = False
        #: Whether it is that of a timeout, whose report shows what was pending.
        self.shows_pending = False
        #: The errors that ``gather`` has dropped for it.
        self.siblings: list[BaseException] = []

    def is_of(self, error: BaseException) -> bool:
        """Return whether it is that of the exception, and not of one that this is a copy of."""
        return self._error == id(error)

    def __reduce__(self) -> Any:
        return bool, ()  # another process need not have this library


class Marks:
    """What one test knows of exceptions."""

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
            # Among the attributes only of those that allow nothing else, as the classes of Python do. One of the user's
            # may show all of its attributes, as its text or to a comparison.
            if not self._notes.note(error, mark):
                exceptions.attributes_of(error)[_NAME] = mark
        return mark

    def forget(self) -> None:
        """Forget all that refers to other exceptions."""
        self._notes.clear()
