"""Reports the waits and trapped errors of a test to the observer of the run."""

# Tested by tests/util/test_observer.py.

from collections.abc import Sequence

from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._util import observer

__unittest = True


class Events(Feature):
    """Events for the observer of a run."""

    def wait_ended(self, wait: Deadline) -> None:
        current = observer.current
        if current is not None and wait.is_of_test:
            current.waited(wait.loop.trap.describe, wait.spent(), wait.limit.seconds)

    def failing(self, trap: Trap, errors: Sequence[BaseException]) -> None:
        current = observer.current
        if current is not None:
            current.trapped(trap.describe(), errors)


EVENTS = Events()
