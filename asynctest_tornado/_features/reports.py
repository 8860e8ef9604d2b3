"""Takes this library's frames, and notes of other tests, out of errors."""

# Tested by tests/errors/test_trap.py.

from asynctest_tornado._errors import notes
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._util import exception_notes
from asynctest_tornado._util.tracebacks import strip

__unittest = True


class Reports(Feature):
    """Makes the errors that a test fails of readable."""

    def recorded(self, trap: Trap, error: BaseException) -> None:
        notes.begin(error, trap)
        exception_notes.drop_own_lines(error)
        strip(error)

    def timed_out(self, wait: Deadline, error: BaseException) -> None:
        # The line at which the test waited is no line of a library; the line that has blocked the loop may be one.
        strip(error, from_end=wait.raised is None)
        exception_notes.unchain(error)
        if error.__cause__ is not None:
            strip(error.__cause__)


REPORTS = Reports()
