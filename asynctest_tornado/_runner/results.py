"""unittest's runner and result, for complete reports, also of interrupted runs."""

# Tested by tests/runner/test_command_line.py.

import os
import sys
import traceback
import unittest
from typing import Any

from asynctest_tornado._runner import rerun
from asynctest_tornado._runner.durations import Durations
from asynctest_tornado._runner.junit import Journal
from asynctest_tornado._runner.progress import Progress
from asynctest_tornado._util.tracebacks import USER, end_at_user, owner_of

__unittest = True


class Result(unittest.TextTestResult):
    """A result that also reports its events to the progress and the journal."""

    progress: Progress | None = None
    journal: Journal | None = None
    slowest: Durations | None = None
    #: The test that a KeyboardInterrupt has ended.
    interrupted: unittest.TestCase | None = None

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        if self.slowest is not None:
            self.slowest.begin_test()
        if self.progress is not None:
            self.progress.begin_test(test)
        if self.journal is not None:
            self.journal.begin_test(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        if isinstance(sys.exc_info()[1], KeyboardInterrupt):
            self.interrupted = test
        if self.slowest is not None:
            self.slowest.end_test(test)
        if self.progress is not None:
            self.progress.end_test()
        if self.journal is not None:
            self.journal.end_test()
        super().stopTest(test)

    def printErrors(self) -> None:
        super().printErrors()
        if self.slowest is not None:
            self.stream.write("".join(f"{line}\n" for line in self.slowest.lines(self)))

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
    """A runner that writes JUnit XML, shows its progress on a terminal, and names the failed tests at the end.

    If the user interrupts it, it reports the tests so far.

    Takes the arguments of ``unittest.TextTestRunner``.
    """

    resultclass = Result  # type: ignore[assignment]  # takes the arguments of its base class
    #: The file to write JUnit XML to; None for none.
    junit: str | None = None
    #: How many of the slowest tests to show, 0 for all; None for none.
    slowest: int | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._journal = None if self.junit is None else Journal()
        self._progress = None
        is_lacking = self.slowest is not None and sys.version_info < (3, 12)  # later, unittest has them
        self._slowest = Durations(self.slowest or 0) if is_lacking else None
        is_quiet = args or kwargs.get("stream") is not None or kwargs.get("verbosity", 1) == 0
        if not is_quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            self._progress = kwargs["stream"] = Progress(sys.stderr)
        super().__init__(*args, **kwargs)

    def _makeResult(self) -> Any:
        result: Any = super()._makeResult()
        result.progress, result.journal, result.slowest = self._progress, self._journal, self._slowest
        return result

    def run(self, test: Any) -> Any:
        if self._progress is not None:
            self._progress.open()
        part = _Interruptible(test)
        try:
            result: Any = super().run(part)  # type: ignore[arg-type]  # it is called like a test
            self._write_end(result, part)
            if part.is_interrupted:
                sys.exit(INTERRUPTED)
            return result
        finally:
            if self._progress is not None:
                self._progress.close()
            if self._journal is not None and self.junit is not None:
                self._journal.write(self.junit)

    def _write_end(self, result: Any, part: "_Interruptible") -> None:
        found = rerun.lines(result)
        if part.is_interrupted:
            test = "" if result.interrupted is None else f" in {result.interrupted.id()}"
            found = [f"Interrupted{test}, after {result.testsRun} of {part.count} tests.", *found]
        if found:
            self.stream.write("".join(f"{line}\n" for line in ("", *found)))
            self.stream.flush()


#: The exit status if the user has interrupted the run: a shell has it for a program that SIGINT ends.
INTERRUPTED = 130


class _Interruptible:
    """A suite whose run ends at a KeyboardInterrupt, which is an error of the test that has got it."""

    def __init__(self, suite: Any) -> None:
        self._suite = suite
        self.count: int = suite.countTestCases()
        self.is_interrupted = False

    def __call__(self, result: Any) -> None:
        try:
            self._suite(result)
        except KeyboardInterrupt as error:
            self.is_interrupted = True
            if result.interrupted is not None:
                result.addError(result.interrupted, (type(error), _at_user(error), error.__traceback__))


def _at_user(error: BaseException) -> BaseException:
    """Let a traceback end at a line of the user. If it has none, the notes say where the test waited."""
    end_at_user(error)
    tb = error.__traceback__
    if all(owner_of(frame) is not USER for frame, _ in traceback.walk_tb(tb)):
        error.__traceback__ = None
    return error


def runner(junit: str | None, durations: int | None = None) -> type[Runner]:
    """Return a runner for ``unittest.main``, which takes a class.

    :param junit: the file to write JUnit XML to; None for none.
    :param durations: how many of the slowest tests to show, 0 for all, None for none; from Python 3.12 on,
        ``unittest.main`` hands it over.
    """
    return type("Runner", (Runner,), {"junit": junit, "slowest": durations})


def check_junit(path: str) -> None:
    """Check early that JUnit XML can be written to a file. Raises ``OSError`` if not."""
    with open(path, "ab"):
        pass
