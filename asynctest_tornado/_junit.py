"""Writes what became of each test as JUnit XML, for the programs of build servers."""

import re
import traceback
import unittest
from typing import Any
from unittest.util import strclass

from asynctest_tornado._real import monotonic

__unittest = True

#: What cannot stand in XML, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: How a report begins its lines that was written for a terminal with colours, from Python 3.14 on; and these.
_COLOURED = re.compile(r"^\W*File \x1b", re.MULTILINE)
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
#: The reports that a result keeps, and the place of one of these: others may still add to it.
Place = tuple[list[tuple[Any, str]], int]


class _Case:
    """What is told of one test.

    :param test: the test, or what unittest has in its place.
    """

    def __init__(self, test: Any) -> None:
        self.cls, self.method = _names_of(test)
        self.seconds = 0.0
        self.has_passed = False
        #: The class of the element, its message, and where the text is kept, if there is one.
        self.outcomes: list[tuple[Any, str, Place | None]] = []


class Journal:
    """How long the tests of a run took, and what became of them.

    Raises ``ModuleNotFoundError`` where there is no library that writes the format.
    """

    def __init__(self) -> None:
        try:
            import junitparser
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                "JUnit XML is written by the package junitparser, which is not installed. Install "
                "asynctest_tornado[junit], or leave out the option --junit."
            ) from None
        self._library = junitparser
        self._cases: list[_Case] = []
        self._running: tuple[unittest.TestCase, _Case] | None = None
        self._began = 0.0

    def begin_test(self, test: unittest.TestCase) -> None:
        """Learn which test begins now."""
        self._running = (test, self._new_case(test))
        self._began = monotonic()

    def end_test(self) -> None:
        """Learn that it has ended."""
        if self._running is not None:
            test, case = self._running
            case.seconds = monotonic() - self._began
            if not (case.outcomes or case.has_passed):
                # Or what reads it would count it as passed.
                self._add(test, self._library.Error, "The test did not come to its end: the run was interrupted.")
            self._running = None

    def _new_case(self, test: Any) -> _Case:
        case = _Case(test)
        self._cases.append(case)
        return case

    def _add(self, test: Any, kind: Any, message: str, place: Place | None = None) -> None:
        running = self._running
        # A class that fails in setUpClass, and what comes late, have not begun.
        is_of_running = running is not None and getattr(test, "test_case", test) is running[0]
        case = running[1] if running is not None and is_of_running else self._new_case(test)
        case.outcomes.append((kind, message, place))

    def add_success(self, test: unittest.TestCase) -> None:
        """Note that a test has passed."""
        if self._running is not None and self._running[0] is test:
            self._running[1].has_passed = True

    def add_report(self, test: Any, error: BaseException, place: Place, is_failure: bool) -> None:
        """Note an error.

        :param test: the test, or one of its subtests.
        :param place: where its report is.
        :param is_failure: whether an assertion has failed.
        """
        kind = self._library.Failure if is_failure else self._library.Error
        message = traceback.format_exception_only(error)[0].strip()
        if hasattr(test, "test_case"):
            message = f"{test.id().removeprefix(test.test_case.id()).strip()} {message}"
        self._add(test, kind, message, place)

    def add_skip(self, test: Any, reason: str, place: Place | None = None) -> None:
        """Note that a test was skipped, or has failed as expected."""
        self._add(test, self._library.Skipped, reason, place)

    def add_unexpected_success(self, test: Any) -> None:
        """Note that a test has not failed as expected."""
        self._add(test, self._library.Failure, "unexpected success")

    def write(self, path: str) -> None:
        """Write it into a file."""
        suite = self._library.TestSuite("asynctest_tornado")
        for case in self._cases:
            suite.add_testcase(self._element(case))
        xml = self._library.JUnitXml()
        xml.add_testsuite(suite)
        xml.update_statistics()  # type: ignore[no-untyped-call]
        xml.write(path)

    def _element(self, case: _Case) -> Any:
        element = self._library.TestCase(_clean(case.method), _clean(case.cls), time=round(case.seconds, 6))
        results = []
        for kind, message, place in case.outcomes:
            outcome = kind(_clean(message))
            if place is not None:
                reports, index = place
                outcome.text = _clean(_plain(reports[index][1]))
            results.append(outcome)
        if results:
            element.result = results
        return element


def _plain(report: str) -> str:
    return _COLOURS.sub("", report) if _COLOURED.search(report) else report


def _names_of(test: Any) -> tuple[str, str]:
    """Return the names of the class and the method."""
    name = test.id()
    prefix = f"{strclass(type(test))}."
    if name.startswith(prefix):
        return prefix[:-1], name.removeprefix(prefix)  # which may be any text, where a program has made it
    method, is_class, cls = name.partition(" (")
    if is_class:
        return cls.removesuffix(")"), method  # such as "setUpClass (module.Class)"
    cls, _, method = name.rpartition(".")
    return cls, method


def _clean(text: str) -> str:
    return _ILLEGAL.sub(lambda match: ascii(match[0])[1:-1], text)
