"""Errors that surface after their test, reported through the result that ran it."""

import unittest
import unittest.util
import weakref
from typing import Any

from asynctest_tornado import _notes, _summary
from asynctest_tornado._places import Place

__unittest = True


#: The name under which pytest knows the plugin.
PLUGIN = "asynctest_tornado_tests"


class Report:
    """Stands for a test that is gone, in the result that ran it. It does not keep the test alive.

    :param other: the name of another test that the error may belong to instead.
    """

    failureException = AssertionError  # the name that results look for

    def __init__(self, cls: type[unittest.TestCase], method: str, other: str | None = None) -> None:
        self._cls = cls
        self._method = method
        self._other = other

    def id(self) -> str:
        return f"{unittest.util.strclass(self._cls)}.{self._method}"

    def shortDescription(self) -> None:
        return None

    def __str__(self) -> str:
        own = f"{self._method} ({self.id()})"
        if self._other is None:
            return own
        return f"{self._other.rpartition('.')[2]} ({self._other}) or a later test up to {own}"


_Pending = tuple[unittest.TestResult, Report, BaseException]
_pending: list[_Pending] = []


def _no_result() -> None:
    return None


class Reporter:
    """Takes the late errors of one test, and tells its name. It does not keep the test alive.

    :param result: the one that runs the test, if there is one.
    """

    def __init__(self, case: unittest.TestCase, result: unittest.TestResult | None) -> None:
        self._cls = type(case)
        self._method = case._testMethodName
        # Weak, since the result of a test that failed holds the test.
        self._result = _no_result if result is None else weakref.ref(result)
        self._case = weakref.ref(case)
        self._reported: set[tuple[type, str, object]] = set()

    def name(self) -> str:
        """Return the name of the test."""
        case = self._case()
        return f"{unittest.util.strclass(self._cls)}.{self._method}" if case is None else case.id()

    def place(self) -> Place | None:
        """Return where the test stands in its run now, if that is known."""
        result = self._result()
        plugin = _plugin_of(result)
        run, number = (result, getattr(result, "testsRun", None)) if plugin is None else (plugin, plugin.number)
        return Place(run, number, (self._cls, self._method)) if isinstance(number, int) else None

    def __call__(self, error: BaseException, other: str | None) -> bool:
        """Return whether there is still somebody to report to."""
        result = self._result()
        plugin = _plugin_of(result)
        if plugin is None and not hasattr(result, "stopTestRun"):
            return False  # gone, or one that takes no more after its test
        key = (type(error), str(error), _last_line(error))
        if key in self._reported:
            return True  # a timer, say, that goes on for as long as its loop
        self._reported.add(key)
        # Not now: another test may be running, and a result that prints would mix the two up.
        assert result is not None
        report = Report(self._cls, self._method, other)
        if _summary.current is not None:
            _summary.current.add_errors(other or report.id(), [error])
        if plugin is not None:
            plugin.add_late(result, error)
            return True
        _pending.append((result, report, error))
        _flush_at_end_of(result)
        return True

    def amend(self, error: BaseException, text: str) -> None:
        """Add to the report of the test, which has failed of this error already."""
        # For a result that formats it later, as that of pytest does.
        _notes.add(error, text)
        case, result = self._case(), self._result()
        if _plugin_of(result) is not None and not any(
            each.value is error for each in vars(result).get("_excinfo") or ()
        ):
            # That of a subtest, which it has formatted already.
            result.add_report_section("teardown", "leaks", text)  # type: ignore[union-attr]
        for reports in (getattr(result, "errors", ()), getattr(result, "failures", ())):
            # A subtest refers to its test.
            if reports and getattr(reports[-1][0], "test_case", reports[-1][0]) is case and text not in reports[-1][1]:
                reports[-1] = (reports[-1][0], f"{reports[-1][1]}{text}\n")


def _plugin_of(result: object) -> Any:
    """Return the plugin of this library for pytest, if that runs the test: it is pytest's item then."""
    manager = getattr(getattr(result, "config", None), "pluginmanager", None)
    return None if manager is None else manager.get_plugin(PLUGIN)


def _last_line(error: BaseException) -> tuple[object, int] | None:
    tb = error.__traceback__
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    return None if tb is None else (tb.tb_frame.f_code, tb.tb_lineno)


def flush() -> None:
    """Report what is pending; to be called where no test is running."""
    while _pending:
        result, report, error = _pending.pop(0)
        exc_info: Any = (type(error), error, error.__traceback__)
        add = result.addFailure if isinstance(error, AssertionError) else result.addError
        add(report, exc_info)  # type: ignore[arg-type]  # a stand-in for a test, as unittest itself has for a module


def _flush_at_end_of(result: unittest.TestResult) -> None:
    stop = getattr(result, "stopTestRun", None)
    if stop is None or getattr(stop, "__name__", None) == "_flush_and_stop":
        return

    def _flush_and_stop() -> None:
        flush()
        stop()

    result.stopTestRun = _flush_and_stop  # type: ignore[method-assign]
