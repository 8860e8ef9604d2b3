"""One run of a test case on its harness."""

# Tested by tests/unittest/test_lifecycle.py.

import functools
import inspect
import unittest
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tornado.ioloop import IOLoop

from asynctest_tornado._clock.virtual_clock import make_clock
from asynctest_tornado._errors import contexts
from asynctest_tornado._harness import yieldables
from asynctest_tornado._harness.harness import CLOSED, NEW, Harness
from asynctest_tornado._leaks import policy, reachable
from asynctest_tornado._loop import new_loop
from asynctest_tornado._schedules import repeat
from asynctest_tornado._schedules import settings as orders
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._timeouts import limits
from asynctest_tornado._unittest import case_state, class_scope, late_errors, super_calls
from asynctest_tornado._util import names

__unittest = True

_T = TypeVar("_T")
_Run = Callable[[Any], unittest.TestResult | None]

#: The attributes of any test, none of which is a future. A test in real time may have a "clock" of its own.
_PLAIN = frozenset((*vars(unittest.TestCase()), "_outcome", "io_loop", repeat.PRIVATE))


# Without these, unittest would take a coroutine for the result of a test, and let it pass.
for _hook in ("_callSetUp", "_callTestMethod", "_callTearDown", "_callCleanup"):
    if not hasattr(unittest.TestCase, _hook):
        raise ImportError(
            f"AsyncTestCase needs unittest.TestCase.{_hook}(), which this version of Python lacks. "
            "Take another version."
        )


class Defaults:
    """The hooks of AsyncTestCase as they are here: a suite may patch the class, and its own hooks are to be called.

    :param base: the class.
    """

    def __init__(self, base: Any) -> None:
        self.base = base
        self.set_up = base.setUp
        self.get_new_ioloop = base.get_new_ioloop
        self.async_set_up = base.asyncSetUp
        self.async_tear_down = base.asyncTearDown


def say_no_loop(cls: type) -> str:
    return (
        f"{cls.__qualname__} has no event loop: AsyncTestCase.setUp(), which makes it, has not been called. "
        f"Call super().setUp() first thing in the setUp() of {cls.__qualname__}."
    )


def harness_of(case: Any) -> Harness:
    """Return the harness of a test case. Raises ``RuntimeError`` if its ``setUp`` was not called."""
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
        try:
            seeds = orders.seeds(case.schedules)
        except (TypeError, ValueError) as error:
            seeds = None
            state.bad_setting = error
        if seeds is not None:
            return _run_in_orders(case, state, result, run_once, seeds)
    try:
        return run_once(result)
    finally:
        harness = state.harness
        if harness is not None:
            if harness.has_warned:
                state.has_warned = True
            if harness.state is not CLOSED:  # after a KeyboardInterrupt, which leaves out all that unittest would call
                harness.close()
            harness.trap.forget_reports()
            state.owner = contexts.Owner(harness.trap)
            state.harness = None
        if state.schedule is None:  # else it is one order of several, between startTest and stopTest
            late_errors.flush(result)


def _run_in_orders(
    case: Any, state: case_state.State, result: Any, run_once: _Run, seeds: range
) -> unittest.TestResult | None:
    if result is None:
        result = case.defaultTestResult()

    def run_in_order(seed: int, report: Any) -> Schedule:
        state.schedule = schedule = Schedule(seed, is_required=case.schedules is not None)
        try:
            run(case, report, run_once)
        finally:
            state.schedule = None
        return schedule

    repeat.run(case, result, seeds, run_in_order)
    late_errors.flush(result)
    chosen: unittest.TestResult = result
    return chosen


def debug(case: Any, run_once: Callable[[], None]) -> None:
    """Run a test without a result.

    :param run_once: ``debug`` of unittest.
    """
    state = case_state.own_state(case)
    seeds = orders.seeds(None)
    if seeds is not None and len(seeds) == 1:
        state.schedule = Schedule(seeds[0])
    try:
        run_once()
        finish(case)
    finally:
        harness = state.harness
        if harness is not None:
            harness.trap.forget_reports()
        if harness is not None and reachable.of(case):
            # After an error, these are left to the developer, who may still call doCleanups().
            harness.is_ending = True
        elif harness is not None:
            harness.close()


def new_harness(case: Any, *, has_shell: bool) -> Harness:
    """Make the harness of a test case, as its settings say. Raises the error of a bad setting.

    :param has_shell: True if unittest sets the test up, False if the test case is used by hand.
    """
    cls = type(case)
    state: case_state.State = case._asynctest if has_shell else case_state.own_state(case)
    if state.bad_setting is not None:
        raise state.bad_setting
    # Set by unittest's run(), and not by its debug().
    result = getattr(getattr(case, "_outcome", None), "result", None) if has_shell else None
    if isinstance(result, repeat.Report):
        result = result.result
    reporter = late_errors.Reporter(case, result)
    scope = class_scope.of(cls)
    leaks = policy.policy(case.leaks, case.allowed_leaks)
    if leaks.action == "warn" and state.has_warned:
        leaks = policy.IGNORE
    if scope is None:
        clock = None if cls.clock_factory is None else make_clock(cls.clock_factory)
        harness = Harness(reporter.name, None, clock, leaks, state.schedule)
    else:
        harness = scope.current = Harness(reporter.name, scope.harness, None, leaks, state.schedule)
    state.harness = harness
    harness.has_shell = has_shell
    if result is not None:
        harness.trap.report_late = reporter
        harness.trap.place = reporter.place
        harness.amend = reporter.amend
    if state.schedule is not None and has_shell:
        harness.trap.report.hint = repeat.hint(state.schedule.seed, case)
    return harness


def set_up(case: Any, harness: Harness, defaults: Defaults) -> None:
    """Call the hooks that set a test up."""
    try:
        if getattr(case.setUp, "__func__", None) is defaults.set_up:
            harness.context.call(case.setUp)  # mostly
        else:
            harness.context.call(_call_own_set_up, case, harness, defaults)
        if getattr(case.asyncSetUp, "__func__", None) is not defaults.async_set_up:
            _call_hook(case, harness, case.asyncSetUp)
    except BaseException:
        harness.is_ending = True  # the cleanups are next
        raise


def _call_own_set_up(case: Any, harness: Harness, defaults: Defaults) -> None:
    """Call ``setUp``, and open the loop if that does not: suites for ``IsolatedAsyncioTestCase`` rely on it."""
    cls = type(case)
    # Before setUp(), which may use the loop. But an overridden method may use attributes that setUp() sets.
    if cls.get_new_ioloop is defaults.get_new_ioloop and not super_calls.lead_to(defaults.base, cls):
        open_loop(case, harness, defaults)
    returned = case.setUp()
    if returned is not None:
        yieldables.check_is_no_coroutine(returned, "setUp", cls)
    own = vars(case).get("io_loop")
    if isinstance(own, IOLoop) and not harness.has_loop(own):
        harness.open(lambda: own)  # that setUp() has made by itself
    elif harness.state is NEW:
        open_loop(case, harness, defaults)


def open_loop(case: Any, harness: Harness, defaults: Defaults) -> None:
    """Make the loop and the clock of a test case, as its hooks and settings say."""
    make = case.get_new_ioloop
    factory = type(case).loop_factory
    if getattr(make, "__func__", None) is not defaults.get_new_ioloop:
        case.io_loop = harness.open(make)
    elif factory is None:
        case.io_loop = harness.open()
    else:
        case.io_loop = harness.open(functools.partial(new_loop.new_ioloop, factory, is_watched=True))
    if harness.clock is not None:
        case.clock = harness.clock


def _call_hook(case: Any, harness: Harness, hook: Callable[[], Any]) -> None:
    """Call a hook that is a coroutine function. Another one is just a method."""
    if inspect.iscoroutinefunction(hook):
        harness.waits.run(hook, limits.limit(None, case.async_test_timeout), shared=True)


def call_test(case: Any, harness: Harness, method: Callable[[], object]) -> None:
    """Call the test method. Run the coroutine of an ``async def``; any other result is an error."""
    try:
        returned: Any = harness.context.call(method)
        if returned is not None:
            if inspect.iscoroutine(returned) and inspect.iscoroutinefunction(method):
                returned = _run_coroutine(case, harness, method, returned)
            yieldables.check_returned(returned)
    finally:
        if getattr(getattr(case, "_outcome", None), "expecting_failure", False):
            # The verdict comes too late to be the failure that is expected.
            harness.loop.report_lost_errors()


def tear_down(case: Any, harness: Harness, defaults: Defaults) -> None:
    """Call the hooks that tear a test down: the second one also if the first one fails."""
    try:
        if getattr(case.asyncTearDown, "__func__", None) is not defaults.async_tear_down:
            _call_hook(case, harness, case.asyncTearDown)
    finally:
        harness.trap.hold()
        returned: Any = harness.context.call(case.tearDown)
        if returned is not None:
            yieldables.check_is_no_coroutine(returned, "tearDown", type(case))


def call_cleanup(case: Any, harness: Harness, func: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Call a cleanup, which may be a coroutine function."""
    result = harness.context.call(functools.partial(func, *args, **kwargs) if args or kwargs else func)
    if inspect.iscoroutine(result):
        _run_coroutine(case, harness, func, result)


def _run_coroutine(case: Any, harness: Harness, func: Callable[..., Any], coro: Coroutine[Any, Any, Any]) -> Any:
    """Run the coroutine of a function. Reports call it by the name of the function."""

    def begin() -> Coroutine[Any, Any, Any]:
        return coro

    begin.__qualname__ = names.name_of(func)
    try:
        return harness.waits.run(begin, limits.limit(None, case.async_test_timeout), shared=True)
    finally:
        coro.close()  # or a second report would say that it was never awaited


def look_for_tasks(case: Any) -> bool:
    """Look for tasks that are left. Return False if asynchronous cleanups may still wait for them."""
    cleanups = reachable.of(case)
    if cleanups and reachable.has_coroutines(cleanups):
        return False
    harness_of(case).look_for_tasks(lambda: reachable.within_reach(cleanups))
    return True


def finish(case: Any) -> None:
    """Close the loop, and raise the errors that no part of the test has raised."""
    harness: Harness | None = case._asynctest.harness
    if harness is not None:
        # An error in an attribute of the test would be reported only when the test is gone. Most keep nothing.
        attributes = vars(case)
        harness.finish(() if attributes.keys() <= _PLAIN else attributes.values())


async def wait_for(func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
    """Call a function that is no coroutine function, but may return something to wait for."""
    result = func(*args, **kwargs)
    if inspect.isawaitable(result):
        await result


def identity(value: _T) -> _T:
    return value
