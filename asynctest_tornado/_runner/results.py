"""unittest's runner and result, with progress and JUnit XML."""

# Tested by tests/runner/test_command_line.py.

import os
import sys
import unittest
from typing import Any

from asynctest_tornado._runner.junit import Journal
from asynctest_tornado._runner.progress import Progress

__unittest = True


class Result(unittest.TextTestResult):
    """A result that also reports its events to the progress and the journal."""

    progress: Progress | None = None
    journal: Journal | None = None

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        if self.progress is not None:
            self.progress.begin_test(test)
        if self.journal is not None:
            self.journal.begin_test(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        if self.progress is not None:
            self.progress.end_test()
        if self.journal is not None:
            self.journal.end_test()
        super().stopTest(test)

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        if self.journal is not None:
            self.journal.add_success(test)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        if self.journal is not None:
            self.journal.add_report(test, err[1], (self.errors, len(self.errors) - 1), is_failure=False)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        if self.journal is not None:
            self.journal.add_report(test, err[1], (self.failures, len(self.failures) - 1), is_failure=True)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if self.journal is not None and err is not None:
            is_failure = issubclass(err[0], test.failureException)
            reports = self.failures if is_failure else self.errors
            self.journal.add_report(subtest, err[1], (reports, len(reports) - 1), is_failure)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        if self.journal is not None:
            self.journal.add_skip(test, reason)

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        if self.journal is not None:
            place = (self.expectedFailures, len(self.expectedFailures) - 1)
            self.journal.add_expected_failure(test, err[1], place)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        if self.journal is not None:
            self.journal.add_unexpected_success(test)


class Runner(unittest.TextTestRunner):
    """A runner that writes JUnit XML, and shows its progress on a terminal.

    Takes the arguments of ``unittest.TextTestRunner``.
    """

    resultclass = Result  # type: ignore[assignment]  # takes the arguments of its base class
    #: The file to write JUnit XML to; None for none.
    junit: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._journal = None if self.junit is None else Journal()
        self._progress = None
        is_quiet = args or kwargs.get("stream") is not None or kwargs.get("verbosity", 1) == 0
        if not is_quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            self._progress = kwargs["stream"] = Progress(sys.stderr)
        super().__init__(*args, **kwargs)

    def _makeResult(self) -> Any:
        result: Any = super()._makeResult()
        result.progress, result.journal = self._progress, self._journal
        return result

    def run(self, test: Any) -> Any:
        if self._progress is not None:
            self._progress.open()
        try:
            return super().run(test)
        finally:
            if self._progress is not None:
                self._progress.close()
            if self._journal is not None and self.junit is not None:
                self._journal.write(self.junit)


def runner(junit: str | None) -> type[Runner]:
    """Return a runner for ``unittest.main``, which takes a class.

    :param junit: the file to write JUnit XML to; None for none.
    """
    return type("Runner", (Runner,), {"junit": junit})


def check_junit(path: str) -> None:
    """Check early that JUnit XML can be written to a file. Raises ``OSError`` if not."""
    with open(path, "ab"):
        pass
