"""Errors after the end of their test, reported through its result."""

import contextlib
import traceback
import types
import unittest
import unittest.util
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from asynctest_tornado._errors import contexts, notes
from asynctest_tornado._sources.place_in_run import Place, place_of
from asynctest_tornado._unittest import result_protocol
from asynctest_tornado._unittest.stand_in import StandIn, stand_in
from asynctest_tornado._util import exception_notes, observer, process_end
from asynctest_tornado._util.tracebacks import strip

__unittest = True


#: The name under which pytest knows the plugin.
PLUGIN = "asynctest_tornado_tests"


def _report_of(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except ImportError:
        # From 3.13 on, lines are looked up by a module that is imported then, and the interpreter has let go of all.
        places = [
            f'  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_name}\n'
            for frame, line in traceback.walk_tb(error.__traceback__)
        ]
        return "".join((*places, *traceback.format_exception_only(error)))


class _Late:
    """An error that waits until its result can take it.

    :param result: returns the result that has run the test, if that is still there.
    :param kind: the class of the result. Some runners make a new one for each test, or for each class of tests.
    """

    #: The place where the result keeps it, if the result may still drop it.
    place: object = None

    def __init__(self, test: StandIn, error: BaseException, result: Callable[[], Any], kind: type) -> None:
        self.test = test
        self.error = error
        self.result = result
        self._kind = kind

    def is_for(self, result: object) -> bool:
        own = self.result()
        return own is result or (own is None and type(result) is self._kind)

    def text(self) -> str:
        kind = "FAIL" if isinstance(self.error, self.test.failureException) else "ERROR"
        return f"{kind}: {self.test}\n{_report_of(self.error)}"


_pending: list[_Late] = []
#: The owner of the notes of late errors, which is not the test that runs now.
_nobody = contexts.Context()


#: The type of a late error, its text, and the line that has raised it.
Key = tuple[type, str | None, object]


class Reporter:
    """Reports the late errors of one test, and knows its name. It does not keep the test alive.

    :param result: the result that the test runs for, if any.
    :param reported: the late errors of earlier runs of the test that were reported, if it has several runs.
    """

    #: True if the outcome of the test is held back: the result gets it later.
    is_held = False
    #: True if the result gets nothing of the test at all.
    is_hidden = False

    def __init__(
        self, case: unittest.TestCase, result: unittest.TestResult | None, reported: set[Key] | None = None
    ) -> None:
        self._reported = reported
        self._cls = type(case)
        self._method = getattr(case, "_testMethodName", None) or case.id().rpartition(".")[2]
        self._kind = type(result)
        self._result: Callable[[], Any]
        try:
            # Weak, since the result of a test that failed refers to the test.
            self._result = types.NoneType if result is None else weakref.ref(result)
        except TypeError:  # it has __slots__
            self._result = lambda: result
        self._case = weakref.ref(case)

    def name(self) -> str:
        """Return the name of the test."""
        case = self._case()
        if case is not None:
            # It may be code of the user, and need attributes that the test has lost by now.
            with contextlib.suppress(Exception):
                return case.id()
        return f"{unittest.util.strclass(self._cls)}.{self._method}"

    def place(self) -> Place | None:
        """Return where the test stands in its run now, if that is known."""
        reference: Any = self._result
        run: Any = reference()
        number = getattr(run, "testsRun", None)
        if type(reference) is weakref.ref and isinstance(number, int):
            return reference, number, (self._cls, self._method)  # mostly; see `place_of`
        if not isinstance(number, int):
            run = plugin_of(run)
            if run is None:
                return None
            number = run.number
        try:
            return place_of(run, number, (self._cls, self._method))
        except TypeError:  # it has __slots__, and cannot be referred to weakly
            return None

    def late(self, error: BaseException, other: str | None) -> bool:
        """Report an error. Return true: that happens at the end of the process, if not before."""
        if self.is_hidden and other in (None, self.name()):
            return True
        strip(error)
        key = (type(error), exception_notes.text_of(error), _last_line(error))
        if self._reported is None:
            self._reported = set()
        if key in self._reported:
            return True  # for example of a timer that goes on for as long as its loop
        self._reported.add(key)
        test = stand_in(self._cls, self._method, self.name(), other)
        if (current := observer.current) is not None:
            current.came_late(other or test.id(), error)
        result = self._result()
        plugin = plugin_of(result)
        if plugin is not None and plugin.add_late(result, error, other):
            return True
        if other is None:
            notes.add(error, f"It surfaced after the end of its test, {test.id()}.", _nobody)
        exception_notes.unchain(error)
        late = _Late(test, error, self._result, self._kind)
        if plugin is not None or process_end.has_begun():
            process_end.fail_later(late.text())
        else:
            # Not now: another test may be running, and a result that prints would mix the two up.
            _keep(late)
        return True

    def end_run(self, error: BaseException) -> None:
        """End the run after this test, whose error each other test would get, too. For pytest, a hook does so."""
        stop = getattr(self._result(), "stop", None)
        if callable(stop):
            notes.add(error, "The run ends here: each test would fail of that.")
            stop()

    def amend(self, error: BaseException, text: str) -> None:
        """Add to the report of the test, which has failed of this error already."""
        # For a result that formats it later, for example in pytest.
        notes.add(error, text)
        if self.is_held:
            return  # each result does so
        case, result = self._case(), self._result()
        if plugin_of(result) is not None and not any(
            each.value is error for each in vars(result).get("_excinfo") or ()
        ):
            # The failure of a subtest, which it has formatted already.
            result.add_report_section("teardown", "leaks", text)
        for reports in (getattr(result, "errors", ()), getattr(result, "failures", ())):
            # A subtest refers to its test.
            if reports and getattr(reports[-1][0], "test_case", reports[-1][0]) is case and text not in reports[-1][1]:
                reports[-1] = (reports[-1][0], f"{reports[-1][1]}{text}\n")


def plugin_of(result: object) -> Any:
    """Return the plugin of this library for pytest, if pytest runs the test: the result is its item then."""
    manager = getattr(getattr(result, "config", None), "pluginmanager", None)
    return None if manager is None else manager.get_plugin(PLUGIN)


def _last_line(error: BaseException) -> tuple[object, int] | None:
    tb = error.__traceback__
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    return None if tb is None else (tb.tb_frame.f_code, tb.tb_lineno)


def _keep(late: _Late) -> None:
    _pending.append(late)
    process_end.add(_report_rest)
    result = late.result()
    if result is not None:
        result_protocol.watch(result, _flush_own)


def _report_rest() -> None:
    rest, _pending[:] = [late for late in _pending if late.place is None], []
    for late in rest:
        process_end.fail(late.text())


def flush(result: Any) -> None:
    """Report pending errors to a result that runs no test now; also if their result is gone and was of its kind."""
    if _pending and result is not None:
        result_protocol.unwatch(result)
        for late in _taken(lambda each: each.is_for(result)):
            _report(late, result, result_protocol.report)


def _flush_own(result: Any, is_verdict: bool) -> None:
    result_protocol.unwatch(result)
    for late in _taken(lambda each: each.result() is result):
        _report(late, result, result_protocol.report)
        if is_verdict and not hasattr(result, "errors"):
            # Its runner has printed all reports before, and others cannot read them from it.
            process_end.write(late.text())


def flush_class(cls: type[unittest.TestCase]) -> None:
    """Report pending errors when unittest ends a class: many a result cannot report anything later."""
    _flush_where_ended(lambda last: last is cls)
    if process_end.is_worker():
        # Its results are read when the module is over, and none of their methods is called then.
        unittest.addModuleCleanup(_flush_where_ended, lambda last: last.__module__ == cls.__module__)


def _flush_where_ended(is_meant: Callable[[type], bool]) -> None:
    def fits(late: _Late) -> bool:
        last = getattr(late.result(), "_previousTestClass", None)  # set by unittest
        return last is not None and is_meant(last)

    for late in _taken(fits):
        result = late.result()
        if _report(late, result, result_protocol.report_at_class_end) and process_end.is_worker():
            late.place = result_protocol.last_report(result)
            if late.place is not None:
                _keep(late)


def _report(late: _Late, result: Any, report: Callable[[Any, StandIn, BaseException], None]) -> bool:
    try:
        report(result, late.test, late.error)
    except Exception as refusal:
        if process_end.is_worker():
            raise  # as if the test itself failed: the exit status of a worker is not looked at
        notes.add(late.error, f"The result that has run the test does not take it: {refusal!r}", _nobody)
        process_end.fail_later(late.text())
        return False
    return True


def _taken(fits: Callable[[_Late], bool]) -> Iterator[_Late]:
    for late in [each for each in _pending if fits(each)]:
        try:
            _pending.remove(late)
        except ValueError:
            continue  # another thread has taken it
        if late.place is None or not result_protocol.keeps(late.result(), late.place):
            yield late
