import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import junitparser

from tests.support import run_code, run_python

SAMPLES = "tests.samples.outcomes"


def elements_of(*args: str, **environment: str) -> dict[str, Any]:
    """Run tests, and return what is written of each."""
    with TemporaryDirectory() as folder:
        out = Path(folder, "out.xml")
        done = run_python(
            "-W", "error", "-m", "asynctest_tornado", "--leaks=note", f"--junit={out}", *args, **environment
        )
        assert out.stat().st_size, done.stderr
        (suite,) = junitparser.JUnitXml.fromfile(str(out))
    elements = list(suite)
    assert suite.tests == len(elements)
    found = {element.name: element for element in elements}
    assert len(found) == len(elements), "one for each test"
    return found


class JUnitTest(unittest.TestCase):
    elements: ClassVar[dict[str, Any]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.elements = elements_of(f"{SAMPLES}.Outcomes", f"{SAMPLES}.BadClass")

    def outcomes(self, name: str) -> list[tuple[str, str]]:
        return [(type(each).__name__, each.message) for each in self.elements[name].result]

    def test_each_outcome_has_its_element(self) -> None:
        for name, outcome in {
            "test_error": ("Error", "ZeroDivisionError: division by zero"),
            "test_skipped": ("Skipped", "not today"),
            "test_expected": ("Skipped", "expected failure"),
            "test_unexpected": ("Failure", "unexpected success"),
            "setUpClass": ("Error", "OSError: no database"),
        }.items():
            self.assertEqual(self.outcomes(name), [outcome])
        self.assertEqual(self.outcomes("test_passes"), [])

    def test_subtests_are_outcomes_of_their_test(self) -> None:
        self.assertEqual(
            self.outcomes("test_subtests"),
            [("Failure", f"(number={number}) AssertionError: {number} != 1") for number in (0, 2)],
        )

    def test_the_text_is_the_report(self) -> None:
        (failure,) = self.elements["test_error"].result
        self.assertIn("outcomes.py", failure.text)
        self.assertIn("self.wait()", failure.text)

    def test_what_is_added_to_a_report_later_is_there(self) -> None:
        (failure,) = self.elements["test_late"].result
        self.assertIn("pending timer", failure.text)

    def test_what_xml_cannot_hold_is_spelled_out(self) -> None:
        (failure,) = self.elements["test_fails"].result
        self.assertIn(r"not the same \x1b[1m", failure.text)

    def test_what_a_terminal_shows_in_colours_is_told_without(self) -> None:
        (failure,) = elements_of(f"{SAMPLES}.Outcomes.test_error", PYTHON_COLORS="1")["test_error"].result
        self.assertRegex(failure.text, r'  File ".*outcomes.py", line \d+, in')
        self.assertNotIn("[0m", failure.text)

    def test_one_that_was_interrupted_has_not_passed(self) -> None:
        elements = elements_of(f"{SAMPLES}.Interrupted")
        self.assertEqual(elements["test_1_passes"].result, [])
        (error,) = elements["test_2_is_interrupted"].result
        self.assertIn("the run was interrupted", error.message)

    def test_names_classes_and_seconds_are_told(self) -> None:
        self.assertEqual(self.elements["test_passes"].classname, f"{SAMPLES}.Outcomes")
        self.assertEqual(self.elements["setUpClass"].classname, f"{SAMPLES}.BadClass")
        self.assertGreater(self.elements["test_error"].time, 0)
        self.assertEqual(self.elements["test GET /a.b (json)"].classname, f"{SAMPLES}.Outcomes")


class OptionTest(unittest.TestCase):
    def test_without_the_library_it_names_the_extra(self) -> None:
        code = "import sys; sys.modules['junitparser'] = None; import asynctest_tornado as a; a.main()"
        done = run_code(code, "--junit=out.xml", f"{SAMPLES}.Outcomes")
        self.assertEqual(done.returncode, 2)
        self.assertIn("Install asynctest_tornado[junit]", done.stderr)

    def test_a_file_that_cannot_be_written_is_told_before_the_tests_run(self) -> None:
        done = run_python("-m", "asynctest_tornado", "--junit=nowhere/out.xml", f"{SAMPLES}.Outcomes")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--junit=nowhere/out.xml: [Errno 2]", done.stderr)
        self.assertNotIn("Ran", done.stderr)

    def test_a_program_with_a_runner_of_its_own_is_told(self) -> None:
        code = "import unittest, asynctest_tornado as a; a.main(testRunner=unittest.TextTestRunner)"
        done = run_code(code, "--junit=out.xml", f"{SAMPLES}.Outcomes")
        self.assertEqual(done.returncode, 2)
        self.assertIn("and the program has another", done.stderr)
