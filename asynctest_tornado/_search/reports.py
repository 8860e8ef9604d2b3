"""Stands between unittest, which runs a test several times, and its result."""

# Tested by tests/search/test_repeat.py.

import contextlib
import logging
import os
import sys
import unittest
import warnings
from collections.abc import Iterator
from typing import Any, TextIO

from asynctest_tornado._search import shrink
from asynctest_tornado._util import exception_notes, observer

__unittest = True


class Report:
    """Stands for the result while unittest runs a test several times: for the result, it is one test.

    The outcome of each run is held back until `finish`, or until the next run.

    :param result: the result.
    """

    def __init__(self, result: Any) -> None:
        self.result = result
        #: The command that runs the test, once it was asked for.
        self.command: str | None = None
        self._has_started = False
        self._seconds = 0.0
        #: The late errors that were reported, of all runs of the test.
        self.late: set[Any] = set()
        self._begin()
        # If a result does not have one of these, unittest does without.
        for name in ("addSubTest", "addExpectedFailure", "addUnexpectedSuccess"):
            if hasattr(result, name):
                setattr(self, name, getattr(self, f"_{name}"))

    def _begin(self) -> None:
        self.drop()
        #: True if the last run has ended in any other way than success, so that no other order is tried.
        self.has_ended = False
        self._is_unexpected = False
        #: The way in which it has failed first, if it has.
        self.way: shrink.Way | None = None

    def drop(self) -> None:
        """Drop the outcome of the last run: the traceback of its error refers to this report."""
        #: The methods of the result to call, with their arguments.
        self._held: list[tuple[str, tuple[Any, ...]]] = []
        self._error: BaseException | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.result, name)

    def startTest(self, test: unittest.TestCase) -> None:
        if not self._has_started:
            self._has_started = True
            self.result.startTest(test)
        self._begin()

    def stopTest(self, test: unittest.TestCase) -> None:
        self._hold("stopTest", test)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._hold("addSuccess", test)

    @property
    def has_passed(self) -> bool:
        """True if the last run has ended in success, which was expected."""
        return not self.has_ended and not self._is_unexpected

    def _addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._is_unexpected = True
        self._hold("addUnexpectedSuccess", test)

    def _addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, error: Any) -> None:
        if error is not None:
            self._fail(error)
        self._hold("addSubTest", test, subtest, error)

    def addDuration(self, test: unittest.TestCase, elapsed: float) -> None:
        self._seconds += elapsed

    def addError(self, test: unittest.TestCase, error: Any) -> None:
        self._fail(error)
        self._hold("addError", test, error)

    def addFailure(self, test: unittest.TestCase, error: Any) -> None:
        self._fail(error)
        self._hold("addFailure", test, error)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        if not hasattr(test, "test_case"):  # else it is a subtest, and no reason to end the test
            self.has_ended = True
        self._hold("addSkip", test, reason)

    def _addExpectedFailure(self, *args: Any) -> None:
        self.has_ended = True
        self._hold("addExpectedFailure", *args)

    def _fail(self, error: Any) -> None:
        self.has_ended = True
        if self.way is None:
            self.way = shrink.way_of(error[1])
            self._error = error[1]

    def _hold(self, method: str, *args: Any) -> None:
        self._held.append((method, args))

    def add_note(self, text: str) -> None:
        """Add a line to the report of the error of the last run."""
        assert self._error is not None
        exception_notes.notes_of(self._error).append(text)

    def explain(self, text: str, hint: str) -> None:
        """Add an explanation to the report of the error of the last run.

        :param text: the explanation, which may be empty.
        :param hint: the note whose last line says how to replay the order. It stays the last one.
        """
        assert self._error is not None
        found = exception_notes.notes_of(self._error)
        if text and hint in found:
            begin, _, end = hint.rpartition("\n")
            found[found.index(hint)] = "\n".join(filter(None, (begin, text, end)))
        elif text:
            found.append(text)

    def successor(self) -> "Report":
        """Return a report for one more run, which may be finished in the place of this one."""
        other = Report(self.result)
        other._has_started, other._seconds, other.late = self._has_started, self._seconds, self.late
        return other

    def finish(self, test: unittest.TestCase) -> None:
        """Report the outcome of the last run."""
        held = self._held
        self.drop()
        if hasattr(self.result, "addDuration"):
            self.result.addDuration(test, self._seconds)
        for method, args in held:
            getattr(self.result, method)(*args)


class Hidden(Report):
    """Takes the outcome of a run, and reports nothing to the result."""

    def startTest(self, test: unittest.TestCase) -> None:
        self._begin()

    def _hold(self, method: str, *args: Any) -> None:
        """Drop the outcome at once, and with it the objects of the run."""
        self._error = None


@contextlib.contextmanager
def out_of_sight() -> Iterator[None]:
    """Let the block print and log nothing, warn of nothing, stop at no breakpoint, and report no event.

    Log handlers that write to a file go on.
    """
    # Not by filters of warnings: to change these lets each warning be shown once more.
    places: list[tuple[Any, str]] = [(warnings, "showwarning"), (sys, "breakpointhook")]
    if "pdb" in sys.modules:
        places.append((sys.modules["pdb"], "set_trace"))
    before = [getattr(owner, name) for owner, name in places]
    for owner, name in places:
        setattr(owner, name, _do_nothing)
    try:
        with (
            open(os.devnull, "w", encoding="utf-8") as muted,
            contextlib.redirect_stdout(muted),
            contextlib.redirect_stderr(muted),
            observer.attached(None),
            _muted_handlers(muted),
        ):
            yield
    finally:
        for (owner, name), func in zip(places, before, strict=True):
            if getattr(owner, name) is _do_nothing:
                setattr(owner, name, func)


@contextlib.contextmanager
def _muted_handlers(muted: TextIO) -> Iterator[None]:
    """Let log handlers of standard output and standard error write to another stream."""
    loggers = [logging.getLogger(), *list(logging.root.manager.loggerDict.values())]
    handlers: list[Any] = [handler for logger in loggers for handler in getattr(logger, "handlers", ())]
    standard = (sys.__stdout__, sys.__stderr__)
    found = [(each, each.stream) for each in handlers if any(vars(each).get("stream") is stream for stream in standard)]
    for handler, _ in found:
        handler.stream = muted
    try:
        yield
    finally:
        for handler, stream in found:
            if handler.stream is muted:
                handler.stream = stream


def _do_nothing(*args: Any, **kwargs: Any) -> None:
    pass
