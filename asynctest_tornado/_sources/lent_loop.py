"""Stands for the owners of errors on a lent loop that no test may own."""

# Tested by tests/loop/test_managed_loop.py.

from asynctest_tornado._errors import contexts, notes
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._loop.error_routing import Use
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


def name_owners(use: Use) -> None:
    """Set the owners of errors on a loop that a test has not made.

    Garbage on the loop of a class belongs to the class, or to one of its tests. Other code may have left the garbage on
    any other loop.
    """
    if use.outer is None:
        use.others = OTHERS
    else:
        use.of_garbage = use.outer.of_garbage = (_OneOf(use.outer.trap, use.trap),)
