"""Runs a test case again and again, as if each run had a new instance."""

# Tested by tests/search/test_repeat.py.

import contextlib
import unittest
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search.reports import Hidden, Report

if TYPE_CHECKING:
    from asynctest_tornado._schedules.examples import Examples

__unittest = True

#: The attribute of a test case for the private data of this library.
PRIVATE = "_asynctest"
#: The arguments of a constructor.
Arguments = tuple[tuple[Any, ...], dict[str, Any]]


class Runs:
    """Runs a test case again and again, each time with the attributes of a new instance.

    :param run_once: runs it in the order of a schedule, for a result.
    """

    def __init__(self, case: unittest.TestCase, run_once: Callable[[Schedule, Any], object]) -> None:
        self.case = case
        self._run_once = run_once
        self._before = vars(case).copy()
        self._has_run = False
        self._examples = _examples_of(case)

    def run(self, schedule: Schedule, report: Report) -> None:
        """Run it once."""
        schedule.is_reported = not isinstance(report, Hidden)
        # No attribute may come from the run before: to rely on one is a mistake that other orders show.
        if self._has_run:
            _make_anew(self.case, self._before)
        self._has_run = True
        examples = self._examples
        try:
            with contextlib.nullcontext() if examples is None else examples.in_order(schedule):
                self._run_once(schedule, report)
        finally:
            if examples is not None:
                examples.are_known = examples.are_known or report.has_ended


def _examples_of(case: unittest.TestCase) -> "Examples | None":
    """Return the examples of a test method under ``given`` of hypothesis; None for any other."""
    method = getattr(case, getattr(case, "_testMethodName", ""), None)
    if not hasattr(method, "hypothesis"):
        return None
    from asynctest_tornado._schedules.examples import Examples

    return Examples(method)


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
