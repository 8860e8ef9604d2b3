"""The delay example: its suite passes, and each test that goes wrong reports what is in ``examples/delay/reports``.

Where a report changes for a good reason, record it anew, from the project root::

    python -m tests.test_example_delay --record
"""

import os
import re
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "examples" / "delay" / "reports"
GOING_WRONG = "examples.delay.going_wrong"

#: The last line of each report.
OUTCOMES = {
    "BlockingTest.test_twice_as_long": "FAILED (failures=1)",
    "NobodyRunsTheLoopTest.test_delay_async": "OK",
    "LoopByHandTest.test_twice_as_long": "FAILED (failures=1)",
    "ErrorHandlerTest.test_twice_as_long": "FAILED (failures=1)",
    "WaitAndStopTest.test_twice_as_long": "FAILED (failures=1)",
    "WaitAndStopTest.test_callback_with_assertion": "FAILED (failures=1)",
    "WaitAndStopTest.test_nobody_stops": "FAILED (failures=1)",
}


def run_python(*args: str) -> "subprocess.CompletedProcess[str]":
    """Run the interpreter as a reader would; neither colours nor our environment reach it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ASYNC_TEST", "FORCE_COLOR"))}
    env.update(PYTHON_COLORS="0")
    return subprocess.run([sys.executable, *args], env=env, cwd=ROOT, capture_output=True, text=True)


def run_going_wrong(name: str) -> str:
    """Return what unittest says to one of the tests, with paths as seen from the project root."""
    report = run_python("-m", "unittest", f"{GOING_WRONG}.{name}").stderr.replace(f"{ROOT}{os.sep}", "")
    return re.sub(r'File "/.*/(tornado/.*\.py)"', r'File ".../\1"', report)


def read(name: str) -> str:
    """Return the recorded report."""
    path = REPORTS / f"{name}.txt"
    return path.read_text() if path.exists() else ""


def normalise(report: str) -> str:
    """Leave out of a report what may differ: durations, line numbers in Tornado, carets."""
    report = re.sub(r"\d+\.\d{3,}", "N.NNN", report)
    report = re.sub(r'(File "\.\.\..*", line) \d+', r"\1 N", report)
    return re.sub(r"^ *[~^]+\n", "", report, flags=re.MULTILINE)


def record() -> None:
    """Write the reports that changed."""
    for name in OUTCOMES:
        report = run_going_wrong(name)
        if normalise(report) != normalise(read(name)):
            (REPORTS / f"{name}.txt").write_text(report)


def names(suite: unittest.TestSuite) -> Iterator[str]:
    """Return the full name of each test."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from names(test)
        else:
            yield test.id()


class DelayExampleTest(unittest.TestCase):
    maxDiff = None

    def test_suite_passes(self) -> None:
        """The suite of the example passes, and warns of nothing."""
        done = run_python("-W", "error", "-m", "unittest", "discover", "-t", ".", "-s", "examples/delay")
        self.assertRegex(done.stderr, r"\A\.{8}\n-+\nRan 8 tests in [\d.]+s\n\nOK\n\Z")
        self.assertEqual(done.returncode, 0)

    def test_going_wrong_is_as_recorded(self) -> None:
        """Each test that goes wrong reports what was recorded, as a reader of the example will see it."""
        for name in OUTCOMES:
            with self.subTest(name):
                self.assertEqual(normalise(run_going_wrong(name)), normalise(read(name)))

    def test_going_wrong_is_complete(self) -> None:
        """There is one report for each of the tests, and it ends with the outcome of the test."""
        tests = names(unittest.defaultTestLoader.loadTestsFromName(GOING_WRONG))
        self.assertEqual(set(tests), {f"{GOING_WRONG}.{name}" for name in OUTCOMES})
        self.assertEqual({path.name for path in REPORTS.iterdir()}, {f"{name}.txt" for name in OUTCOMES})
        self.assertEqual({name: read(name).splitlines()[-1] for name in OUTCOMES}, OUTCOMES)


if __name__ == "__main__":
    if sys.argv[1:] == ["--record"]:
        record()
    else:
        unittest.main()
