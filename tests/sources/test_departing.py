"""The output of a test whose client goes away in the middle of a response."""

import re
import unittest

from tests.support import run_python


class DepartingTest(unittest.TestCase):
    def run_sample(self, name: str) -> str:
        return run_python("-W", "error", "-m", "unittest", f"tests.samples.departing.Departing.{name}").stderr

    def test_a_test_that_passes_prints_nothing(self) -> None:
        for name in "test_before_the_end", "test_at_the_end", "test_a_log_has_the_rest":
            with self.subTest(name):
                self.assertRegex(self.run_sample(name), r"\A\.\n-+\nRan 1 test in \S+\n\nOK\n\Z")

    def test_one_that_fails_has_the_error_in_its_report(self) -> None:
        said = self.run_sample("test_a_failure_has_it_in_its_report")
        self.assertRegex(
            said, r"AssertionError: planted\nWhile serving GET / by [^$]*StreamClosedError: Stream is closed"
        )
        self.assertEqual(len(re.findall("StreamClosedError", said)), 1, said)
        self.assertNotIn("Cannot send", said)
