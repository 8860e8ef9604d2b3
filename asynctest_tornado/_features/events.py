"""Reports the waits of a test to the observer of the run."""

# Tested by tests/util/test_observer.py.

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


EVENTS = Events()
