"""The verdicts under pytest are those under unittest."""

import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

from tests.samples import cases
from tests.support import ROOT, run_case

#: The words of pytest for the words of unittest; it has no errors apart from failures.
WORDS = {
    "addSuccess": "passed",
    "addError": "failed",
    "addFailure": "failed",
    "addSkip": "skipped",
    "addExpectedFailure": "skipped",
    "addUnexpectedSuccess": "failed",
}
#: An interrupt would end the run.
LEFT_OUT = {cases.InterruptInCallback}


def verdicts_of_pytest(path: str) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.xml"
        names = " or ".join(cls.__name__ for cls in LEFT_OUT)
        options = ["-q", "-p", "no:cacheprovider", f"--junitxml={out}", "-k", f"not ({names})"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, path], cwd=ROOT, capture_output=True, text=True
        )
        assert out.exists(), done.stdout + done.stderr
        verdicts = {}
        for case in xml.etree.ElementTree.parse(out).iter("testcase"):
            outcomes = {child.tag for child in case}
            word = "failed" if outcomes & {"failure", "error"} else "skipped" if "skipped" in outcomes else "passed"
            verdicts[f"{case.get('classname', '').rpartition('.')[2]}.{case.get('name')}"] = word
        return verdicts


def verdicts_of_unittest() -> dict[str, str]:
    verdicts = {}
    for cls in vars(cases).values():
        if isinstance(cls, type) and issubclass(cls, unittest.TestCase) and cls not in LEFT_OUT:
            for name in unittest.defaultTestLoader.getTestCaseNames(cls):
                words = {WORDS[event] for event in run_case(cls, name).verdicts}
                verdicts[f"{cls.__name__}.{name}"] = "failed" if "failed" in words else words.pop()
    return verdicts


class PytestTest(unittest.TestCase):
    maxDiff = None

    def test_each_sample_has_the_same_verdict(self) -> None:
        ours = verdicts_of_unittest()
        self.assertGreater(len(ours), 40)
        self.assertEqual(verdicts_of_pytest("tests/samples/cases.py"), ours)
