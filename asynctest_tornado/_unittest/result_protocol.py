"""How results of all kinds learn of an error after its test."""

# Tested by tests/unittest/test_late_errors.py.

import contextlib
import unittest
import weakref
from collections.abc import Callable
from typing import Any

from asynctest_tornado._util import process_end

__unittest = True

#: The methods by which runners end a run. ``done`` belongs to trial.
_RUN_ENDS = ("stopTestRun", "done")
#: The methods by which runners end a test or a run.
_ENDS = ("stopTest", "stopTestRun", "printErrors", "done", "wasSuccessful")


def report(result: Any, test: unittest.TestCase, error: BaseException) -> None:
    """Report an error to a result that runs no test, as the error of a whole test: all results know these.

    Raises the error of the result, if it refuses.
    """
    if process_end.is_worker():
        # Another process reads it, which may know tests by their order or number: none can begin that it has not sent.
        _call(result, "_setupStdout")
        try:
            _add(result, test, error)
        finally:
            _call(result, "_restoreStdout")
        return
    count = getattr(result, "testsRun", None)
    result.startTest(test)
    try:
        _add(result, test, error)
    finally:
        result.stopTest(test)
        _set(result, "testsRun", count)


def report_at_class_end(result: Any, test: unittest.TestCase, error: BaseException) -> None:
    """Report an error when unittest itself would report one of ``tearDownClass``: it has redirected the output then.

    Raises the error of the result, if it refuses.
    """
    if process_end.is_worker():
        _add(result, test, error)
        return
    _call(result, "_restoreStdout")
    try:
        report(result, test, error)
    finally:
        _call(result, "_setupStdout")


def _add(result: Any, test: unittest.TestCase, error: BaseException) -> None:
    is_worker = process_end.is_worker()
    count = getattr(result, "testsRun", None)
    if is_worker:
        # As if no test had begun. The result of Django sends the number of the last test that has begun; and only if
        # there was none, the name of the test that has failed.
        _set(result, "testsRun", 0)
    add = result.addFailure if isinstance(error, test.failureException) else result.addError
    try:
        add(test, (type(error), error, error.__traceback__))
    finally:
        if is_worker:
            _set(result, "testsRun", count)


def _call(result: Any, name: str) -> None:
    method = getattr(result, name, None)
    if method is not None:
        method()


def _set(result: Any, name: str, value: object) -> None:
    if value is not None or hasattr(result, name):
        with contextlib.suppress(AttributeError):  # computed from others
            setattr(result, name, value)


def last_report(result: object) -> object:
    """Return the text or the like of the last report that a result keeps, if it keeps any."""
    reports = getattr(result, "errors", None)
    return reports[-1][1] if isinstance(reports, list) and reports else None


def keeps(result: object, report: object) -> bool:
    """Return whether a result still has a report. The result of green drops reports from between two tests."""
    reports = getattr(result, "errors", None)
    return isinstance(reports, list) and any(each[1] is report for each in reports)


class _End:
    """Stands in the place of a method of a result by which runners end something."""

    def __init__(self, result: Any, name: str, flush: Callable[[Any, bool], None]) -> None:
        self._result = result
        self._name = name
        self._flush = flush
        self._is_own = name in getattr(result, "__dict__", ())
        self._method = getattr(result, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._name == "stopTest":
            try:
                return self._method(*args, **kwargs)
            finally:
                self._flush(self._result, False)
        # Some tests ask for that as well.
        if self._name != "wasSuccessful" or not getattr(self._result, "_testRunEntered", False):
            self._flush(self._result, self._name == "wasSuccessful")
        return self._method(*args, **kwargs)

    def remove(self) -> None:
        if getattr(self._result, self._name, None) is not self:
            return  # another one stands in its place, and calls it
        if self._is_own:
            setattr(self._result, self._name, self._method)
        else:
            delattr(self._result, self._name)


def watch(result: Any, flush: Callable[[Any, bool], None]) -> None:
    """Call a function when a runner ends a test or the run, with the result and true if it asks for the verdict."""
    for name in _ENDS:
        if not isinstance(getattr(result, name, _End), (_End, type)):
            with contextlib.suppress(AttributeError):  # it has __slots__, and gets errors at another moment
                setattr(result, name, _End(result, name, flush))


def unwatch(result: Any) -> None:
    """Undo `watch`."""
    for name in _ENDS:
        end = getattr(result, name, None)
        if isinstance(end, _End):
            end.remove()


class _RunEnd:
    """Stands in the place of a method of a result by which runners end a run. It does not keep the result alive.

    :param end: called with the result, before the method.
    """

    def __init__(self, result: Any, name: str, end: Callable[[Any], None]) -> None:
        self._result = weakref.ref(result)
        self._name = name
        self._end = end
        self._is_own = name in getattr(result, "__dict__", ())
        method = getattr(result, name)
        #: True if the method is bound to the result.
        self._is_bound = getattr(method, "__self__", None) is result
        self._method = method.__func__ if self._is_bound else method

    def _bound(self, result: Any) -> Any:
        return self._method.__get__(result) if self._is_bound else self._method

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result: Any = self._result()
        self._end(result)
        if getattr(result, self._name, None) is self:  # else another one stands in its place, and calls it
            if self._is_own:
                setattr(result, self._name, self._bound(result))
            else:
                delattr(result, self._name)
        return self._bound(result)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._method, name)  # of a mock

    def __reduce__(self) -> Any:
        # A copy of the result has its own method.
        return (getattr, (self._result(), self._name)) if self._is_bound else (_identity, (self._method,))


def _identity(method: Any) -> Any:
    return method


def watch_run(result: Any, end: Callable[[Any], None]) -> bool:
    """Call a function with the result when a runner ends its run. Return False if that is not possible."""
    is_watched = False
    for name in _RUN_ENDS:
        found = getattr(result, name, None)
        if found is None or isinstance(found, type):
            continue
        with contextlib.suppress(AttributeError, TypeError):  # it has __slots__
            if not isinstance(found, _RunEnd):
                setattr(result, name, _RunEnd(result, name, end))
            is_watched = True
    return is_watched
