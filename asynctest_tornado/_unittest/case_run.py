"""Runs a test case, in one order or several, and closes its harness."""

# Tested by tests/unittest/test_lifecycle.py.

import unittest
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from asynctest_tornado._errors import owner
from asynctest_tornado._explanations.described_history import DescribedHistory
from asynctest_tornado._features.failure_hints import explain_interrupt
from asynctest_tornado._harness.harness import CLOSED, NEW, OPEN, Harness
from asynctest_tornado._leaks import reachable
from asynctest_tornado._leaks.feature import LEAKS
from asynctest_tornado._schedules import settings as orders
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search import repeat, runs
from asynctest_tornado._sources import installation
from asynctest_tornado._unittest import case_state, late_errors, run_end
from asynctest_tornado._util import fast_environ, settings
from asynctest_tornado._util.settings import All

__unittest = True

_T = TypeVar("_T")
_Run = Callable[[Any], unittest.TestResult | None]

#: The attributes of any test, none of which is a future. A test in real time may have a "clock" of its own.
_PLAIN = frozenset((*vars(unittest.TestCase()), "_outcome", "io_loop", runs.PRIVATE))

#: The variables that a test looks up once, before it looks for the value of each: mostly, none of them is set.
_RARELY_SET = frozenset(each.variable for each in (settings.ORDER, settings.SEED, settings.SCHEDULES, settings.TRACE))


def say_no_loop(cls: type) -> str:
    return (
        f"{cls.__qualname__} has no event loop: AsyncTestCase.setUp() makes it, and it is gone after the test. Use it "
        f"in between. Call super().setUp() first thing in the setUp() of {cls.__qualname__}."
    )


def harness_of(case: Any) -> Harness:
    """Return the harness of a test case. Raises ``RuntimeError`` before its ``setUp`` and after its end."""
    harness: Harness | None = case._asynctest.harness
    if harness is None or harness.state is NEW:
        raise RuntimeError(say_no_loop(type(case)))
    return harness


def run(case: Any, result: Any, run_once: _Run) -> unittest.TestResult | None:
    """Run a test, in several orders if its settings say so.

    :param result: the result, or None for the default.
    :param run_once: ``run`` of unittest.
    """
    state = case_state.own_state(case)
    if state.schedule is None:
        if result is None or run_end.latest() is not result:
            run_end.begin(case if result is None else result)
        state.has_variables = fast_environ.is_any_set(_RARELY_SET)
        if state.has_variables or case.schedules is not None:
            chosen = _chosen_orders(case, state)
            if chosen is not None:
                return _run_in_orders(case, state, result, run_once, chosen)
    try:
        return run_once(result)
    except KeyboardInterrupt as error:
        if state.harness is not None and state.harness.state is OPEN:
            explain_interrupt(state.harness, error)
        raise
    finally:
        harness = state.harness
        if harness is not None:
            if LEAKS in harness.trap.data and LEAKS.has_warned(harness):
                state.has_warned = True
            if harness.state is not CLOSED:  # after a KeyboardInterrupt, which leaves out all that unittest would call
                harness.close()
                harness.trap.close()
            harness.trap.forget_reports()
            state.owner = owner.Owner(harness.trap)
            state.harness = state.stop_value = None
        if state.schedule is None:  # else it is one order of several, between startTest and stopTest
            late_errors.flush(result)
            if result is None:
                run_end.end(case)


def _chosen_orders(case: Any, state: case_state.State) -> range | All | Schedule | None:
    """Return the orders to run a test in; None for the order of asyncio. The next run raises the error of a setting."""
    try:
        replayed = orders.replayed(case.schedules is not None, DescribedHistory)
        return orders.seeds(case.schedules) if replayed is None else replayed
    except (TypeError, ValueError) as error:
        state.bad_setting = error
        return None


def _run_in_orders(
    case: Any, state: case_state.State, result: Any, run_once: _Run, chosen: range | All | Schedule
) -> unittest.TestResult | None:
    if result is None:
        result = case.defaultTestResult()

    def run_in_order(schedule: Schedule, report: Any) -> None:
        state.schedule = schedule
        try:
            run(case, report, run_once)
        finally:
            state.schedule = None

    own_runs = runs.Runs(case, run_in_order)
    if isinstance(chosen, Schedule):
        repeat.run_replay(chosen, result, own_runs)
    elif isinstance(chosen, All):
        from asynctest_tornado._search import repeat_all  # rarely

        repeat_all.run(result, chosen.bound, own_runs, is_required=case.schedules is not None)
    else:
        repeat.run(result, chosen, own_runs, is_required=case.schedules is not None)
    late_errors.flush(result)
    own: unittest.TestResult = result
    return own


def debug(case: Any, run_once: Callable[[], None]) -> None:
    """Run a test without a result.

    :param run_once: ``debug`` of unittest.
    """
    state = case_state.own_state(case)
    state.has_variables = True
    state.schedule = orders.replayed()
    seeds = orders.seeds(None)
    if state.schedule is None and isinstance(seeds, range) and len(seeds) == 1:
        state.schedule = Schedule.of_seed(seeds[0])
    installation.begin(case)
    try:
        run_once()
        finish(case)
    finally:
        installation.discard(case)
        harness = state.harness
        if harness is not None:
            harness.trap.forget_reports()
        if harness is not None and reachable.of(case):
            # After an error, these are left to the developer, who may still call doCleanups().
            state.is_ending = True
        elif harness is not None:
            harness.close()


def look_for_tasks(case: Any) -> bool:
    """Look for tasks that are left. Return False if asynchronous cleanups may still wait for them."""
    cleanups = reachable.of(case)
    if cleanups and reachable.has_coroutines(cleanups):
        return False
    harness_of(case).end(lambda: reachable.within_reach(cleanups))
    return True


def finish(case: Any) -> None:
    """Close the loop, and raise the errors that no part of the test has raised."""
    harness: Harness | None = case._asynctest.harness
    if harness is not None:
        harness.finish(values_of(case))


def values_of(case: Any) -> Collection[object]:
    """Return the attributes of a test: an error in a future there would be reported only when the test is gone."""
    attributes = vars(case)
    return () if attributes.keys() <= _PLAIN else attributes.values()  # mostly, none is a future
