"""Where a test stands in its run: the way to know whether tests that are none of ours have run in between."""

import weakref

__unittest = True


class Place:
    """The place of one test in a run.

    :param run: what counts the tests, such as the result of unittest.
    :param number: how many tests have begun, with this one.
    :param name: that of the test.
    """

    def __init__(self, run: object, number: int, name: object) -> None:
        self._run = weakref.ref(run)
        self._number = number
        self._name = name

    def _is_in_run_of(self, other: "Place") -> bool:
        return self._run() is not None and self._run() is other._run()

    def is_that_of(self, other: "Place | None") -> bool:
        """Tell whether no test has begun in between."""
        return other is not None and self._is_in_run_of(other) and self._number == other._number

    def follows(self, other: "Place | None") -> bool:
        """Tell whether this test comes right after the other one, or is the same in another order."""
        if other is None or not self._is_in_run_of(other):
            return False
        return self._number == other._number + 1 or (self._number == other._number and self._name == other._name)
