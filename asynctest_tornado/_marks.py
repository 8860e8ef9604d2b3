"""What a test knows of an exception, kept with the exception.

A list of exceptions would keep them, with all that their frames refer to, alive for as long as the test.
"""

from typing import Any

__unittest = True

_NAME = "_asynctest_mark"


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
        """Tell whether it is that of the exception, and not of one that this is a copy of."""
        return self._error == id(error)

    def __reduce__(self) -> Any:
        return bool, ()  # another process need not have this library


def of(error: BaseException, owner: int) -> Mark:
    """Return the mark of a test, to be changed."""
    mark = find(error, owner)
    if mark is None:
        mark = vars(error)[_NAME] = Mark(error, owner)
    return mark


def find(error: BaseException, owner: int) -> Mark | None:
    """Return the mark of a test, if there is one."""
    mark = vars(error).get(_NAME)
    return mark if isinstance(mark, Mark) and mark.owner == owner and mark.is_of(error) else None
