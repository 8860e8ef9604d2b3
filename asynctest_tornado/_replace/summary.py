"""Errors, leaks and waits that ``tornado.testing`` hides, for the end of a run."""

import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asynctest_tornado._util import settings
from asynctest_tornado._util.observer import Observer

__unittest = True

#: The number of tests that are named for each kind of event.
MOST_SHOWN = 3
#: Seconds from which on a wait is reported.
LEAST_WAIT = 0.1
#: Characters of an error or leak that are shown.
_WIDTH = 100


def _as_it_is(name: str) -> str:
    return name


class Summary(Observer):
    """The events of a run so far.

    :param name_in_run: returns the name of a test in this run, given the name that it has by itself.
    """

    # The suite is one for tornado.testing, where a seed has no effect.
    runner = f"-m asynctest_tornado --replace {Observer.runner}"

    def __init__(self, name_in_run: Callable[[str], str] = _as_it_is) -> None:
        self._name_in_run = name_in_run
        # Tests may run in several threads. An event may occur in a finalizer, in the middle of another one.
        self._lock = threading.RLock()
        self._tests = 0
        self._last_test = ""
        # The tests that were not searched for leaks.
        self._unsearched = 0
        self._errors: dict[str, list[str]] = {}
        self._leaks: dict[str, list[str]] = {}
        # By test: the seconds of its longest wait, and its limit.
        self._waits: dict[str, tuple[float, float]] = {}
        self._least = LEAST_WAIT

    def ended(self, test: str, leaks: Sequence[str], is_searched: bool, is_ordered: bool) -> None:
        name = self._name_in_run(test)
        with self._lock:
            # It is one test, in however many orders it runs.
            if is_ordered and name == self._last_test:
                return
            self._last_test = name
            self._tests += 1
            if not is_searched:
                self._unsearched += 1
            if leaks:
                self._leaks.setdefault(name, []).extend(map(_cut, leaks))

    def trapped(self, test: str, errors: Sequence[BaseException]) -> None:
        self._keep_errors(self._name_in_run(test), errors)

    def came_late(self, test: str, error: BaseException) -> None:
        # By its own name: another test may run now, and `name_in_run` would return the name of that.
        self._keep_errors(test, [error])

    def _keep_errors(self, name: str, errors: Sequence[BaseException]) -> None:
        lines = [_cut(traceback.format_exception_only(error)[0]) for error in errors]
        with self._lock:
            self._errors.setdefault(name, []).extend(lines)

    def waited(self, describe: Callable[[], str], seconds: float, limit: float) -> None:
        if seconds >= self._least:
            name = self._name_in_run(describe())
            with self._lock:
                self._keep_wait(name, seconds, limit)

    def _keep_wait(self, name: str, seconds: float, limit: float) -> None:
        self._waits[name] = max((seconds, limit), self._waits.get(name, (0.0, 0.0)))
        if len(self._waits) > MOST_SHOWN:
            del self._waits[min(self._waits, key=lambda each: self._waits[each][0])]
            self._least = min(seconds for seconds, _ in self._waits.values())

    def data(self) -> dict[str, Any]:
        """Return all events as plain values, for another process."""
        return {
            "tests": self._tests,
            "unsearched": self._unsearched,
            "errors": dict(self._errors),
            "leaks": dict(self._leaks),
            "waits": [[name, seconds, limit] for name, (seconds, limit) in self._waits.items()],
        }

    def merge(self, data: Mapping[str, Any]) -> None:
        """Add the events of another process."""
        self._tests += data["tests"]
        self._unsearched += data["unsearched"]
        for name, errors in data["errors"].items():
            self._errors.setdefault(name, []).extend(errors)
        for name, leaks in data["leaks"].items():
            self._leaks.setdefault(name, []).extend(leaks)
        for name, seconds, limit in data["waits"]:
            self._keep_wait(name, seconds, limit)

    def lines(self) -> list[str]:
        """Return the report."""
        if not self._tests and not self._errors:
            return [
                "No test ran on it: none was made of the classes of tornado.testing, or they ran in other processes."
            ]
        lines = [f"{_count(self._tests, 'test')} ran on it, in place of tornado.testing."]
        return lines + self._lines_of_errors() + self._lines_of_leaks() + self._lines_of_waits()

    def _lines_of_errors(self) -> list[str]:
        if not self._errors:
            return ["No errors trapped."]
        first = (
            f"Errors that had no caller to catch them: {_count_in(self._errors)}. tornado.testing logs these, if at "
            "all, and fails no test for them:"
        )
        return [first, *_shown(self._errors)]

    def _lines_of_leaks(self) -> list[str]:
        lines = []
        if self._leaks:
            advice = " ASYNC_TEST_LEAKS=fail makes these tests fail, and shows the lines that made these resources:"
            if settings.LEAKS.find()[0] == "fail":
                advice = " Their reports show the lines that made these resources:"
            lines.append(f"Leaks: {_count_in(self._leaks)}.{advice}")
            lines += _shown(self._leaks)
        elif self._unsearched < self._tests:
            lines.append("No leaks.")
        if self._unsearched:
            lines.append(
                f"Not searched for leaks, because their settings ignore them: {_count(self._unsearched, 'test')}."
            )
        return lines

    def _lines_of_waits(self) -> list[str]:
        if not self._waits:
            return []
        slowest = sorted(self._waits.items(), key=lambda item: item[1], reverse=True)
        return [
            "Slowest waits:",
            *(f"  {name}: {seconds:.3g} s{_of_limit(limit)}" for name, (seconds, limit) in slowest),
        ]


def _cut(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _count_in(found: Mapping[str, Sequence[str]]) -> str:
    return f"{sum(map(len, found.values()))} in {_count(len(found), 'test')}"


def _shown(found: Mapping[str, Sequence[str]]) -> list[str]:
    lines = []
    for name, things in list(found.items())[:MOST_SHOWN]:
        more = f", and {len(things) - 1} more" if len(things) > 1 else ""
        lines.append(f"  {name}: {things[0]}{more}")
    if len(found) > MOST_SHOWN:
        lines.append(f"  and in {_count(len(found) - MOST_SHOWN, 'more test')}")
    return lines


def _of_limit(limit: float) -> str:
    return f" of at most {limit:g} s" if 0 < limit < float("inf") else ""
