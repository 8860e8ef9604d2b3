"""Stands for the owners of errors on a lent loop that no test may own."""

# Tested by tests/loop/test_managed_loop.py.

from asynctest_tornado._errors import contexts, notes
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._sources import garbage

__unittest = True


class _Others(contexts.Context):
    """Stands for the code that uses the loop besides the tests of this library."""

    is_trap = True
    is_sure = True

    def handle(self, error: BaseException) -> bool:
        text = "No test of this library has begun its code: that was on the event loop before the test, perhaps."
        notes.add(error, text, once=True)
        return False


#: The chain of errors that have no chain: the code of a test always has a chain.
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
    """Return the chain of garbage on a lent loop; None if other code may have left it.

    :param lender: the trap of the class, if the loop was made for a class.
    :param trap: the trap of the test.
    """
    return None if lender is None else (_OneOf(lender, trap),)
