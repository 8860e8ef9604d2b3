"""Reports of tests that go wrong on purpose, compared with recorded ones."""

import os
import re
import sys
import sysconfig
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from tests.support import ROOT, run_each, run_python

#: Where packages are installed.
_PACKAGES = sysconfig.get_path("purelib")
_UNITTEST = os.path.dirname(unittest.__file__)


class RecordedReports:
    """A mixin for a test of an example: of its module ``going_wrong`` and its folder ``reports``."""

    #: The folder of the example, from the root of the project.
    example: ClassVar[str]
    #: The last line of the report of each test that goes wrong.
    outcomes: ClassVar[dict[str, str]]
    #: Further reports, which are not of tests in ``going_wrong``: ``report`` has to be overridden for them.
    others: ClassVar[tuple[str, ...]] = ()
    #: A pattern of lines that are in a report or not, depending on how busy the computer is.
    by_chance: ClassVar[str] = "(?!)"
    #: Variables that the tests need.
    environment: ClassVar[dict[str, str]] = {}

    @classmethod
    def module(cls) -> str:
        return f"{cls.example.replace('/', '.')}.going_wrong"

    @classmethod
    def path(cls, name: str) -> Path:
        return ROOT / cls.example / "reports" / f"{name}.txt"

    @classmethod
    def report(cls, name: str) -> str:
        """Return unittest's report of one of the tests, with paths as seen from the project root."""
        return cls.seen_from_the_root(run_python("-m", "unittest", f"{cls.module()}.{name}", **cls.environment).stderr)

    @classmethod
    def seen_from_the_root(cls, said: str) -> str:
        return said.replace(_PACKAGES, "...").replace(_UNITTEST, ".../unittest").replace(f"{ROOT}{os.sep}", "")

    @classmethod
    def recorded(cls, name: str) -> str:
        return cls.path(name).read_text() if cls.path(name).exists() else ""

    @classmethod
    def comparable(cls, report: str) -> str:
        return re.sub(cls.by_chance, "", normalise(report))

    @classmethod
    def main(cls) -> None:
        """Record the reports that have changed, or run the tests."""
        if sys.argv[1:] != ["--record"]:
            unittest.main()
        for name in (*cls.outcomes, *cls.others):
            report = cls.report(name)
            if cls.comparable(report) != cls.comparable(cls.recorded(name)):
                cls.path(name).write_text(report)

    def test_going_wrong_is_as_recorded(self) -> None:
        """The report of each test that goes wrong is the recorded one, as a reader of the example will see it."""
        assert isinstance(self, unittest.TestCase)
        names = (*self.outcomes, *self.others)
        for name, report in zip(names, run_each(self.report, names), strict=True):
            with self.subTest(name):
                self.assertEqual(self.comparable(report), self.comparable(self.recorded(name)), report)

    def test_going_wrong_is_complete(self) -> None:
        """There is one report for each of the tests, and it ends with the outcome of the test."""
        assert isinstance(self, unittest.TestCase)
        tests = names(unittest.defaultTestLoader.loadTestsFromName(self.module()))
        self.assertEqual(set(tests), {f"{self.module()}.{name}" for name in self.outcomes})
        files = {path.name for path in self.path("").parent.iterdir()}
        self.assertEqual(files, {f"{name}.txt" for name in (*self.outcomes, *self.others)})
        self.assertEqual({name: self.recorded(name).splitlines()[-1] for name in self.outcomes}, self.outcomes)


def normalise(report: str) -> str:
    """Leave out all that may differ: durations, line numbers in Tornado, and the carets, which depend on Python."""
    report = re.sub(r"\d+\.\d{3,}|(?<=due in )[\d.]+|[\d.e-]+(?= seconds: this is a deadlock)", "N.NNN", report)
    report = re.sub(r"[\d,]+(?= bytes of the response)", "N", report)  # the version of Tornado is in its header
    report = re.sub(r'(File "\.\.\..*", line) \d+', r"\1 N", report)
    return re.sub(r"^ *[~^]+\n", "", report, flags=re.MULTILINE)


def names(suite: unittest.TestSuite) -> Iterator[str]:
    """Return the full name of each test."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from names(test)
        else:
            yield test.id()
