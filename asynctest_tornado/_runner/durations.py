"""The slowest tests of a run, as unittest shows them from Python 3.12 on."""

import unittest
from typing import Any

from asynctest_tornado._util.real_time import monotonic

__unittest = True

#: Seconds below which a test is shown only if each test is shown by its name.
_LEAST = 0.001


class Durations:
    """Measures the tests of a run.

    :param most: how many to show, 0 for all.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._began = 0.0
        self._all: list[tuple[float, unittest.TestCase]] = []

    def begin_test(self) -> None:
        """Record that a test begins."""
        self._began = monotonic()

    def end_test(self, test: unittest.TestCase) -> None:
        """Record that the test has ended."""
        if test.countTestCases():  # else it stands for a late report
            self._all.append((monotonic() - self._began, test))

    def lines(self, result: Any) -> list[str]:
        """Return the slowest tests as unittest shows them from Python 3.12 on."""
        slowest = sorted(self._all, key=lambda each: each[0], reverse=True)[: self._most or None]
        shown = [each for each in slowest if result.showAll or each[0] >= _LEAST]
        found = [f"{f'{seconds:.3f}s':<10} {test}" for seconds, test in shown]
        hidden = "\n(durations < 0.001s were hidden; use -v to show these durations)"
        return ["Slowest test durations", result.separator2, *found, hidden if len(shown) < len(slowest) else ""]
