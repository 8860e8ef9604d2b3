# A run with a clock, a network and a seed is the same in each process, byte for byte.

import unittest

from tests.support import run_each, run_python

PROCESSES = 8


def run_of(hash_seed: int) -> str:
    done = run_python("-W", "error", "-m", "tests.samples.seeded_network", PYTHONHASHSEED=str(hash_seed))
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


class DeterminismTest(unittest.TestCase):
    """Tests of the loop, the clock, the network and the seed together."""

    def test_a_seed_fixes_the_whole_run_in_each_process(self) -> None:
        first, *others = run_each(run_of, range(PROCESSES))
        self.assertEqual(others, [first] * (PROCESSES - 1))
        # The test above could not fail if the runs had nothing in them, or if their order were the same anyway.
        orders = [line for line in first.splitlines() if "fingerprint" in line]
        self.assertEqual(len(orders), 3)
        self.assertEqual(len({line.split()[-1] for line in orders}), 3)
        self.assertGreater(first.count("\n"), 100)
        self.assertIn("failed:", first)
        self.assertRegex(first, r"response [cdef] 200")
