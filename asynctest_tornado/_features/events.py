"""Reports the waits, errors and leaks of a test to the observer of the run."""

# Tested by tests/util/test_observer.py.

from collections.abc import Sequence

from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import CLOSED, Harness
from asynctest_tornado._leaks import policy
from asynctest_tornado._leaks.feature import LEAKS
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

    def verdict(self, harness: Harness, error: BaseException | None) -> BaseException | None:
        current = observer.current
        if current is not None:
            leaks = LEAKS.reported_for(harness)
            if leaks is not None or harness.state is CLOSED:
                chosen: policy.Policy = harness.options.get(LEAKS, policy.IGNORE)
                is_searched, is_ordered = chosen.action != "ignore", chosen.hint is not None
                current.ended(harness.trap.describe(), leaks or (), is_searched, is_ordered)
        return error


EVENTS = Events()
