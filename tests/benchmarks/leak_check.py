"""Measure the cost of the leak check in an empty test: by default, beside a class that asks for none.

python -m tests.benchmarks.leak_check [ROUNDS]

Prints the median of the differences, in microseconds of CPU time per test. The two take turns in one run.
"""

import statistics
import sys
import time
import unittest

from asynctest_tornado import AsyncTestCase, gen_test

TESTS = 300


class Looking(AsyncTestCase):
    leaks = "warn"

    @gen_test
    async def test(self) -> None:
        pass


class Ignoring(Looking):
    leaks = "ignore"


def cost(cls: type[AsyncTestCase]) -> float:
    """Return the microseconds that a test of the class takes."""
    suite = unittest.TestSuite(cls("test") for _ in range(TESTS))
    result = unittest.TestResult()
    began = time.process_time()
    suite.run(result)
    spent = time.process_time() - began
    assert result.wasSuccessful(), result.errors
    return spent / TESTS * 1e6


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    for cls in Looking, Ignoring:
        cost(cls)
    differences = [cost(Looking) - cost(Ignoring) for _ in range(rounds)]
    print(f"The leak check costs {statistics.median(differences):.1f} us per empty test.")


if __name__ == "__main__":
    main()
