"""Faults of hosts in test functions: seeds, reports, verdicts."""

import unittest

from tests.pytest.test_plugin import run_pytest, verdicts

SAMPLE = "tests/samples/functions_with_faults.py"


class FaultsTest(unittest.TestCase):
    def test_each_order_has_random_faults_of_its_own_and_missing_ones_fail(self) -> None:
        done = run_pytest(SAMPLE)
        found = verdicts(done)
        random = {name: words for name, words in found.items() if name.startswith("test_random")}
        self.assertEqual({tuple(words) for words in random.values()}, {("FAILED",), ("PASSED",)}, done.stdout)
        self.assertEqual(len(random), 4)
        self.assertEqual((found["test_broken"], found["test_missing"]), (["PASSED"], ["ERROR", "PASSED"]))
        self.assertIn("1 skipped", done.stdout)
        self.assertRegex(
            done.stdout,
            r"E +Faults of the network:\nE +GET https://payments.example/hello: \d+ of \d+ bytes of the response, then "
            r"cut\nE +by faults=\{'cut': 0.5\}, drawn from the seed \d\n",
        )
        self.assertIn("cut(after=10) has not come into effect, because no response was sent after it.", done.stdout)
