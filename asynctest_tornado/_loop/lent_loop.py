"""What runs on a loop that a test was lent, and no test has begun: it belongs to those that have left it there."""

# Tested by tests/loop/test_managed_loop.py.

from asynctest_tornado._errors import contexts, exception_notes
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._sources import garbage

__unittest = True


class _Others(contexts.Context):
    """Stands for those who use the loop besides the tests of this library."""

    is_trap = True
    is_sure = True

    def handle(self, error: BaseException) -> bool:
        text = "No test of this library has begun what raised it: it was on the event loop before the test, perhaps."
        exception_notes.add(error, text, once=True)
        return False


#: The contexts of what has no others there: the code of a test always has.
OTHERS: contexts.Chain = (_Others(),)


class _OneOf(contexts.Context):
    """Stands for the tests of a class, one of which has left garbage on the loop of the class."""

    is_trap = True
    is_sure = True

    def __init__(self, first: Trap, last: Trap) -> None:
        self._first, self._last = first, last

    def handle(self, error: BaseException) -> bool:
        return garbage.report_for_one_of(garbage.suspects_between(self._first, self._last), error)


def owners(lender: Trap | None, trap: Trap) -> contexts.Chain | None:
    """Return the contexts of the garbage on a loop that a test was lent; None if it may be that of others.

    :param lender: the trap of the class, if the loop is that of a class.
    :param trap: that of the test.
    """
    return None if lender is None else (_OneOf(lender, trap),)
