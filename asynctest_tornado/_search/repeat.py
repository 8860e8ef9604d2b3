"""Runs a test in several orders of ready calls, and reports it as one test."""

import inspect
import unittest
from collections.abc import Callable
from typing import Any

from asynctest_tornado._schedules import settings
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search import hints
from asynctest_tornado._search.reports import Report
from asynctest_tornado._search.rerun import Case, Rerun
from asynctest_tornado._search.runs import Runs
from asynctest_tornado._search.shrink import Way
from asynctest_tornado._util import commands, observer
from asynctest_tornado._util.real_time import monotonic

__unittest = True

_TALLY = "_asynctest_tally"


def command_of(case: unittest.TestCase, result: Any) -> str:
    """Return the command that runs a test case."""
    runner = observer.Observer.runner if (current := observer.current) is None else current.runner
    return commands.command(case, result, runner)


def hint(schedule: Schedule, case: unittest.TestCase, result: Any) -> str:
    """Return the note about its order for the report of a test case.

    :param result: the result, or the `Report` of several runs, which have the same command.
    """
    if not isinstance(result, Report):
        return hints.hint_of(schedule, command_of(case, result))
    if result.command is None:
        result.command = command_of(case, result.result)
    return hints.hint_of(schedule, result.command)


class _Tally:
    """The counts for the last lines of a run."""

    def __init__(self) -> None:
        self.tests = self.orders = self.different = 0
        #: About tests: for verbose results, and for all.
        self.lines: list[str] = []
        self.shown: list[str] = []
        #: About tests that have passed in an order that no longer exists.
        self.replays: list[str] = []


def run_replay(schedule: Schedule, result: Any, runs: Runs) -> None:
    """Run a test in the one order that the user asks for."""
    report = Report(result)
    try:
        runs.run(schedule, report)
        if report.way is not None:
            rerun = Rerun(Case(runs, result), schedule.seed, report.way, is_required=schedule.is_required)
            report.explain(rerun.explained_replay(schedule), schedule.hint or "")
    finally:
        report.finish(runs.case)
    missing = schedule.missing()
    if missing and report.has_passed:
        _tally_of(result).replays.append(f"{runs.case} has passed, but {settings.say_missing(missing)}.")


def run(result: Any, seeds: range, runs: Runs, *, is_required: bool) -> None:
    """Run a test under several orders, up to the first one in which it fails. That is shrunk."""
    report = Report(result)
    fingerprints = set()
    tried = 0
    try:
        for seed in seeds:
            schedule = Schedule.of_seed(seed, is_required)
            began = monotonic()
            runs.run(schedule, report)
            seconds = (monotonic() - began) / (schedule.restarts or 1)  # of one example, if it has several
            tried += 1
            fingerprints.add(schedule.fingerprint)
            if report.has_ended or getattr(result, "shouldStop", False):
                break
        if report.way is not None and seed > 0 and len(seeds) > 1:
            report = _shrunk(report, report.way, seed, seconds, runs, is_required=is_required)
    finally:
        report.finish(runs.case)
    if report.has_passed and len(seeds) > 1:
        line = f"{runs.case}: {tried} orders, {len(fingerprints)} different"
        count(result, tried, len(fingerprints), line)


def _shrunk(report: Report, way: Way, seed: int, seconds: float, runs: Runs, *, is_required: bool) -> Report:
    """Return the report of a run in the fewest deviations that fail; the report given, if there is no such run.

    :param way: the way in which its run has failed.
    :param seconds: how long that took.
    """
    rerun = Rerun(Case(runs, report.result), seed, way, is_required=is_required)
    shrunk = rerun.shrink(seconds)
    if isinstance(shrunk, str):
        report.add_note(shrunk)
        return report
    schedule = rerun.schedule(shrunk.holds)
    schedule.hint = hints.hint_shrunk(
        shrunk, seed, schedule, command_of(runs.case, report.result), rerun.explanation(shrunk)
    )
    final = report.successor()
    with observer.attached(None):  # it knows of the failure by the run before
        runs.run(schedule, final)
    if final.way == way:
        report.drop()
        return final
    report.add_note(rerun.why_not(final.way))
    final.drop()
    return report


def count(result: Any, tried: int, different: int, line: str, *, is_shown: bool = False) -> None:
    """Add a test that has passed to the last lines of a run.

    :param line: the line for this test.
    :param is_shown: True if it stands there in any case, and not only if the result is verbose.
    """
    tally = _tally_of(result)
    tally.tests += 1
    tally.orders += tried
    tally.different += different
    (tally.shown if is_shown else tally.lines).append(line)


def _tally_of(result: Any) -> _Tally:
    tally: _Tally | None = vars(result).get(_TALLY)
    if tally is None:
        tally = _Tally()
        vars(result)[_TALLY] = tally
        _report_at_end_of(result, tally)
    return tally


def _report_at_end_of(result: Any, tally: _Tally) -> None:
    stop = getattr(result, "stopTestRun", None)
    write = getattr(getattr(result, "stream", None), "write", None)
    if stop is None or write is None:
        return

    def report_and_stop() -> None:
        tests = "1 test" if tally.tests == 1 else f"{tally.tests} tests"
        if tally.tests:
            write(f"\nSchedules: {tests} passed in {tally.orders} orders, {tally.different} of them different.\n")
        lines = [*(tally.lines if getattr(result, "showAll", False) else ()), *tally.shown]
        write("".join(f"  {line}\n" for line in lines))
        if tally.replays:
            write("".join(["\n", *(f"{line}\n" for line in tally.replays)]))
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
