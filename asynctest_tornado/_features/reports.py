"""Takes this library's frames, and notes of other tests, out of errors."""

# Tested by tests/errors/test_trap.py.

from asynctest_tornado._errors import notes
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._util.tracebacks import strip

__unittest = True


class Reports(Feature):
    """Makes the errors that a test fails of readable."""

    def recorded(self, trap: Trap, error: BaseException) -> None:
        notes.begin(error, trap)
        strip(error)


REPORTS = Reports()
