"""Runs a test in several orders of ready calls, and reports it as one test."""

import inspect
import sys
import unittest
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._schedules import settings
from asynctest_tornado._schedules.reports import Report
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


class Runs:
    """Runs a test case again and again, each time with the attributes of a new instance.

    :param run_once: runs it in the order of a schedule, for a result.
    """

    def __init__(self, case: unittest.TestCase, run_once: Callable[[Schedule, Any], object]) -> None:
        self.case = case
        self._run_once = run_once
        self._before = vars(case).copy()
        self._has_run = False

    def run(self, schedule: Schedule, report: Report, **attributes: object) -> None:
        """Run it once.

        :param attributes: attributes of the test case, for this run.
        """
        # No attribute may come from the run before: to rely on one is a mistake that other orders show.
        if self._has_run:
            _make_anew(self.case, self._before)
        self._has_run = True
        vars(self.case).update(attributes)
        try:
            self._run_once(schedule, report)
        finally:
            for name in attributes:
                vars(self.case).pop(name, None)


def run_replay(schedule: Schedule, result: Any, runs: Runs) -> None:
    """Run a test in the one order that the user asks for."""
    report = Report(result)
    try:
        runs.run(schedule, report)
    finally:
        report.finish(runs.case)


def run(result: Any, seeds: range, runs: Runs, *, is_required: bool) -> None:
    """Run a test under several orders, up to the first one in which it fails."""
    report = Report(result)
    fingerprints = set()
    try:
        for seed in seeds:
            schedule = Schedule.of_seed(seed, is_required)
            runs.run(schedule, report)
            fingerprints.add(schedule.fingerprint)
            if report.has_ended or getattr(result, "shouldStop", False):
                break
    finally:
        report.finish(runs.case)
    if not report.has_ended and len(seeds) > 1:
        _count(result, runs.case, len(fingerprints) and seed + 1 - seeds.start, len(fingerprints))


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
