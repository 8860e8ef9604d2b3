"""What runs on a loop that a test was lent, and no test has begun: it belongs to those that have left it there."""

# Tested by tests/loop/test_managed_loop.py.

from asynctest_tornado._errors import contexts, exception_notes

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
