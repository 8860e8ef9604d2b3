"""Write the outcomes of tests as JUnit XML, for build servers."""

import platform
import re
import socket
import time
import traceback
import unittest
from typing import Any, NamedTuple
from unittest.util import strclass
from xml.etree import ElementTree

import tornado

from asynctest_tornado._util.real_time import monotonic, wall_time

__unittest = True

#: Characters that XML cannot contain, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: The beginning of a line in a report for a terminal with colours, from Python 3.14 on; and the colours.
_COLOURED = re.compile(r"^\W*File \x1b", re.MULTILINE)
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
#: The reports that a result keeps, and the index of a report among them: its text may still be added to.
Place = tuple[list[tuple[Any, str]], int]

#: The elements for outcomes, the gravest first.
_ERROR, _FAILURE, _SKIPPED = _KINDS = ("error", "failure", "skipped")


class _Outcome(NamedTuple):
    kind: str
    """The name of its element."""
    type: str
    message: str
    place: Place | None
    """The place of the text, if there is one."""

    def text(self) -> str:
        if self.place is None:
            return ""
        reports, index = self.place
        return _plain(reports[index][1])


class _Case:
    """The outcomes of one test.

    :param test: the test, or the object by which unittest stands in for it.
    """

    def __init__(self, test: Any) -> None:
        self.cls, self.method = _names_of(test)
        self.seconds = 0.0
        self.has_passed = False
        self.outcomes: list[_Outcome] = []

    def element(self) -> ElementTree.Element:
        """Return the element of the test. It has one outcome at most, with the others in its text."""
        found = ElementTree.Element(
            "testcase", name=_clean(self.method), classname=_clean(self.cls), time=_decimal(self.seconds)
        )
        if self.outcomes:
            # The first outcome of the gravest kind goes first.
            first, *others = sorted(self.outcomes, key=lambda outcome: _KINDS.index(outcome.kind))
            message, text = first.message, first.text()
            if others:
                message = f"{message} (and {len(others)} more)"
                text = "\n".join(f"{outcome.message}\n{outcome.text()}" for outcome in (first, *others))
            outcome = ElementTree.SubElement(found, first.kind, type=_clean(first.type), message=_clean(message))
            outcome.text = _clean(text)
        return found


class Journal:
    """The tests of a run, with their times and outcomes."""

    def __init__(self) -> None:
        self._cases: list[_Case] = []
        #: The last case of each test, by its name.
        self._last: dict[str, _Case] = {}
        self._running: tuple[unittest.TestCase, _Case] | None = None
        self._began = 0.0
        # In UTC, without saying so, as the schemas have it.
        self._timestamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall_time()))

    def begin_test(self, test: unittest.TestCase) -> None:
        """Record that a test begins."""
        # A test that counts as none stands for a late report, of a test that is over.
        case = self._last.get(test.id()) if test.countTestCases() == 0 else None
        self._running = (test, case or self._new_case(test))
        self._began = monotonic()

    def end_test(self) -> None:
        """Record that the test has ended."""
        if self._running is not None:
            test, case = self._running
            case.seconds += monotonic() - self._began
            if not (case.outcomes or case.has_passed):
                # Otherwise, build servers would count it as passed.
                message = "The test did not come to its end: the run was interrupted."
                self._add(test, _Outcome(_ERROR, "KeyboardInterrupt", message, None))
            self._running = None

    def _new_case(self, test: Any) -> _Case:
        case = self._last[test.id()] = _Case(test)
        self._cases.append(case)
        return case

    def _add(self, test: Any, outcome: _Outcome) -> None:
        test = getattr(test, "test_case", test)  # of a subtest
        if self._running is not None and test is self._running[0]:
            case = self._running[1]
        else:
            # A late outcome belongs to its test. A class that fails in setUpClass has not begun.
            case = self._last.get(test.id()) or self._new_case(test)
        case.outcomes.append(outcome)

    def add_success(self, test: unittest.TestCase) -> None:
        """Record that a test has passed."""
        if self._running is not None and self._running[0] is test:
            self._running[1].has_passed = True

    def add_report(self, test: Any, error: BaseException, place: Place, is_failure: bool) -> None:
        """Record an error.

        :param test: the test, or one of its subtests.
        :param place: the place of its report.
        :param is_failure: True if an assertion has failed.
        """
        message = traceback.format_exception_only(error)[0].strip()
        if hasattr(test, "test_case"):
            message = f"{test.id().removeprefix(test.test_case.id()).strip()} {message}"
        self._add(test, _Outcome(_FAILURE if is_failure else _ERROR, _name_of_type(error), message, place))

    def add_skip(self, test: Any, reason: str) -> None:
        """Record that a test was skipped."""
        self._add(test, _Outcome(_SKIPPED, "unittest.SkipTest", reason, None))

    def add_expected_failure(self, test: Any, error: BaseException, place: Place) -> None:
        """Record that a test has failed as expected."""
        self._add(test, _Outcome(_SKIPPED, _name_of_type(error), "expected failure", place))

    def add_unexpected_success(self, test: Any) -> None:
        """Record that a test has passed, and a failure was expected."""
        self._add(test, _Outcome(_FAILURE, "UnexpectedSuccess", "unexpected success", None))

    def write(self, path: str) -> None:
        """Write the XML into a file. It is valid by Ant's schema and by the schema of Jenkins."""
        cases = [case.element() for case in self._cases]
        outcomes = [outcome.tag for case in cases for outcome in case]
        root = ElementTree.Element("testsuites")
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name="asynctest_tornado",
            id="0",
            package="",
            hostname=_clean(socket.gethostname()) or "localhost",
            timestamp=self._timestamp,
            tests=str(len(cases)),
            errors=str(outcomes.count(_ERROR)),
            failures=str(outcomes.count(_FAILURE)),
            skipped=str(outcomes.count(_SKIPPED)),
            time=_decimal(sum(float(case.attrib["time"]) for case in cases)),
        )
        properties = ElementTree.SubElement(suite, "properties")
        for name, value in ("python", platform.python_version()), ("tornado", tornado.version):
            ElementTree.SubElement(properties, "property", name=name, value=value)
        suite.extend(cases)
        for name in "system-out", "system-err":
            ElementTree.SubElement(suite, name)
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _decimal(seconds: float) -> str:
    """Return seconds as the schemas demand: without an exponent, with three decimals at most."""
    return f"{seconds:.3f}"


def _name_of_type(error: BaseException) -> str:
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _plain(report: str) -> str:
    return _COLOURS.sub("", report) if _COLOURED.search(report) else report


def _names_of(test: Any) -> tuple[str, str]:
    """Return the names of the class and the method."""
    name = test.id()
    prefix = f"{strclass(type(test))}."
    if name.startswith(prefix):
        return prefix[:-1], name.removeprefix(prefix)  # the rest may be any text, if a program has made it
    method, is_class, cls = name.partition(" (")
    if is_class:
        return cls.removesuffix(")"), method  # such as "setUpClass (module.Class)"
    cls, _, method = name.rpartition(".")
    return cls or strclass(type(test)), method  # a FunctionTestCase has only a name


def _clean(text: str) -> str:
    return _ILLEGAL.sub(lambda match: ascii(match[0])[1:-1], text)
