"""An error or timeout in a subtest of pytest is reported for that subtest."""

import re
import unittest
from typing import ClassVar

from tests.pytest.test_plugin import run_pytest, verdicts

SUBTESTS = "tests/samples/subtests.py"


class SubtestsTest(unittest.TestCase):
    maxDiff = None
    output: str
    found: dict[str, list[str]]
    #: The test, and the first line of the error of each subtest that fails.
    expected: ClassVar = {
        "test_timeout": ["[first] TimeoutError: Operation timed out after 0.1 seconds"],
        "test_timeout_below": ["[first] TimeoutError: Operation timed out after 0.1 seconds"],
        "test_deadlock": ["[first] TimeoutError: Operation would have timed out"],
        "test_failure_at_the_timeout": [
            "[first] KeyError: 'in the end'",
            "[second] TimeoutError: Operation timed out after 0.1 seconds",
        ],
        "test_blocked": ["[first] TimeoutError: Operation timed out after 0.1 seconds"],
        "test_callback": ["[first] ValueError: planted", "[second] ValueError: planted"],
        "test_synchronous": ["[first] ValueError: planted"],
        "test_leak_of_a_failure": ["[first] KeyError: 'tea'"],
    }

    @classmethod
    def setUpClass(cls) -> None:
        # In one line each, however wide the terminal is.
        done = run_pytest(SUBTESTS, COLUMNS="1000")
        cls.output, cls.found = done.stdout, verdicts(done)

    def report(self, title: str) -> str:
        parts = re.split(r"^_{3,} (.*?) _{3,}$", self.output, flags=re.MULTILINE)
        return parts[parts.index(title) + 1]

    def test_each_error_is_that_of_its_subtest(self) -> None:
        lines = re.findall(r"^SUBFAILED(\[\w+\]) \S+::(\w+) - (.*)$", self.output, re.MULTILINE)
        found: dict[str, list[str]] = {}
        for (subtest, name, error), whole in zip(lines, map(" ".join, lines), strict=True):
            wanted = self.expected[name][len(found.get(name, []))]
            self.assertTrue(f"{subtest} {error}".startswith(wanted), whole)
            found.setdefault(name, []).append(wanted)
        self.assertEqual(found, self.expected)

    def test_the_test_itself_fails_for_its_subtests_alone(self) -> None:
        for name, errors in self.expected.items():
            self.assertEqual(self.found[name], ["FAILED"])
            self.assertIn(f"contains {len(errors)} failed subtest", self.report(name))
        self.assertEqual(self.found["test_passes"], ["PASSED"])
        self.assertEqual(self.found["test_cancellation"], ["PASSED"])
        self.assertEqual(self.found.keys(), {*self.expected, "test_passes", "test_cancellation"})

    def test_a_timeout_shows_the_line_at_which_the_subtest_stood(self) -> None:
        report = self.report("test_timeout [first]")
        self.assertRegex(report, r"> +await asyncio\.sleep\(3600\)\n")
        self.assertRegex(report, r"at tests/samples/subtests.py:\d+ in test_timeout: await asyncio.sleep\(3600\)")
        self.assertRegex(self.report("test_deadlock [first]"), r"> +await stand_still\(\)\n")
        self.assertRegex(self.report("test_blocked [first]"), r"> +threading\.Event\(\)\.wait\(3600\)\n")

    def test_no_report_shows_our_lines(self) -> None:
        self.assertNotIn("asynctest_tornado/", self.output)
        self.assertEqual(self.output.count("; this line blocked the event loop"), 1 + 1)  # and in the summary

    def test_leaks_are_in_the_report_of_a_subtest_that_has_failed(self) -> None:
        report = self.report("test_leak_of_a_failure [first]")
        self.assertRegex(report, r"Captured leaks teardown -+\n.*\n\s+pending timer boom")

    def test_the_first_failure_ends_the_run_where_that_is_wanted(self) -> None:
        done = run_pytest("-x", SUBTESTS, "-k", "test_callback", COLUMNS="1000")
        self.assertIn("SUBFAILED[first] tests/samples/subtests.py::test_callback - ValueError: planted", done.stdout)
        self.assertNotIn("second", done.stdout.partition("short test summary info")[2])
