"""Runs a test in several orders of ready calls, and reports it as one test."""

import inspect
import sys
import unittest
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._schedules import settings
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._util import observer

__unittest = True

#: The attribute of a test case for the private data of this library.
PRIVATE = "_asynctest"
#: The arguments of a constructor.
Arguments = tuple[tuple[Any, ...], dict[str, Any]]
_TALLY = "_asynctest_tally"


def hint(seed: int, case: unittest.TestCase) -> str:
    """Return the note of `settings.hint`, with the command that runs a test case."""
    runner = observer.Observer.runner if (current := observer.current) is None else current.runner
    command = f"{runner} {case.id()}"
    if type(case).__module__ == "__main__":
        command = f"{sys.argv[0]} {case.id().removeprefix('__main__.')}"
    return settings.hint(seed, command)


class _Tally:
    """The counts for the last lines of a run."""

    def __init__(self) -> None:
        self.tests = self.orders = self.different = 0
        self.lines: list[str] = []


class Report:
    """Stands between unittest, which runs a test several times, and the result, for which it is one test.

    :param result: the result.
    """

    def __init__(self, result: Any) -> None:
        self.result = result
        #: True if the test has ended in any other way than success, so that no other order is tried.
        self.has_ended = False
        self._has_started = False
        self._held: list[Callable[[], object]] = []
        self._seconds = 0.0
        # If a result does not have one of these, unittest does without.
        for name in ("addSubTest", "addExpectedFailure", "addUnexpectedSuccess"):
            if hasattr(result, name):
                setattr(self, name, getattr(self, f"_{name}"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.result, name)

    def startTest(self, test: unittest.TestCase) -> None:
        if not self._has_started:
            self._has_started = True
            self.result.startTest(test)
        self._held.clear()

    def stopTest(self, test: unittest.TestCase) -> None:
        self._held.append(lambda: self.result.stopTest(test))

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._held.append(lambda: self.result.addSuccess(test))

    def _addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._held.append(lambda: self.result.addUnexpectedSuccess(test))

    def _addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, error: Any) -> None:
        if error is None:
            self._held.append(lambda: self.result.addSubTest(test, subtest, None))
        else:
            self.has_ended = True
            self.result.addSubTest(test, subtest, error)

    def addDuration(self, test: unittest.TestCase, elapsed: float) -> None:
        self._seconds += elapsed

    def addError(self, *args: Any) -> None:
        self._end("addError", *args)

    def addFailure(self, *args: Any) -> None:
        self._end("addFailure", *args)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        if hasattr(test, "test_case"):  # a subtest, and no reason to end the test
            self._held.append(lambda: self.result.addSkip(test, reason))
        else:
            self._end("addSkip", test, reason)

    def _addExpectedFailure(self, *args: Any) -> None:
        self._end("addExpectedFailure", *args)

    def _end(self, method: str, *args: Any) -> None:
        self.has_ended = True
        getattr(self.result, method)(*args)

    def finish(self, test: unittest.TestCase) -> None:
        """Report the outcome of the last run, which was held back."""
        if hasattr(self.result, "addDuration"):
            self.result.addDuration(test, self._seconds)
        for report in self._held:
            report()


def run(case: unittest.TestCase, result: Any, seeds: range, run_once: Callable[[int, Any], Schedule]) -> None:
    """Run a test under several orders, up to the first one in which it fails.

    :param run_once: runs it in the order of a seed, for a result; returns the schedule.
    """
    report = Report(result)
    before = vars(case).copy()
    fingerprints = set()
    tried = 0
    try:
        for seed in seeds:
            # No attribute may come from the run before: to rely on one is a mistake that other orders show.
            if tried:
                _make_anew(case, before)
            schedule = run_once(seed, report)
            tried += 1
            fingerprints.add(schedule.fingerprint)
            if report.has_ended or getattr(result, "shouldStop", False):
                break
    finally:
        report.finish(case)
    if not report.has_ended and len(seeds) > 1:
        _count(result, case, tried, len(fingerprints))


#: The types of values that need no new object: an equal one is as good.
_PLAIN = (type(None), bool, int, float, complex, str, bytes)


def _make_anew(case: unittest.TestCase, before: dict[str, Any]) -> None:
    """Restore the attributes of a test, with new objects for the attributes that its constructor has set.

    Attributes that were set later, for example by a loader of tests, keep their objects.
    """
    name = getattr(case, "_testMethodName", None) or case.id().rpartition(".")[2]
    state = before[PRIVATE]
    args, kwargs = state.made_by or ((name,), {})
    # An attribute that is dropped here belongs to the test.
    token = contexts.contexts.set(() if state.owner is None else (state.owner,))
    vars(case).clear()
    contexts.contexts.reset(token)
    vars(case)[PRIVATE] = state
    try:
        type(case).__init__(case, *args, **kwargs)
        made = vars(case).copy()
    except Exception:
        made = {}  # it can be called only once
    vars(case).clear()
    vars(case).update(before)
    for name, value in made.items():
        if name not in before or (type(before[name]) is type(value) and not isinstance(value, _PLAIN)):
            vars(case)[name] = value


def _count(result: Any, case: unittest.TestCase, tried: int, different: int) -> None:
    tally: _Tally | None = vars(result).get(_TALLY)
    if tally is None:
        tally = _Tally()
        vars(result)[_TALLY] = tally
        _report_at_end_of(result, tally)
    tally.tests += 1
    tally.orders += tried
    tally.different += different
    tally.lines.append(f"{case}: {tried} orders, {different} different")


def _report_at_end_of(result: Any, tally: _Tally) -> None:
    stop = getattr(result, "stopTestRun", None)
    write = getattr(getattr(result, "stream", None), "write", None)
    if stop is None or write is None:
        return

    def report_and_stop() -> None:
        tests = "1 test" if tally.tests == 1 else f"{tally.tests} tests"
        write(f"\nSchedules: {tests} passed in {tally.orders} orders, {tally.different} of them different.\n")
        if getattr(result, "showAll", False):
            write("".join(f"  {line}\n" for line in tally.lines))
        stop()

    result.stopTestRun = report_and_stop


class SignatureOfInit:
    """The signature of a class by its ``__init__``, for `inspect`, which would use a ``__new__`` with any arguments.

    :param new: this ``__new__``. A subclass that defines another one has the signature of the latter.
    """

    def __init__(self, new: Callable[..., Any]) -> None:
        self._new = new

    def __get__(self, case: object, cls: type) -> inspect.Signature:
        if case is not None or cls.__new__ is not self._new:
            raise AttributeError("__signature__")
        signature = inspect.signature(cls.__init__)  # type: ignore[misc]
        return signature.replace(parameters=list(signature.parameters.values())[1:])
