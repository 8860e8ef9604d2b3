"""The phases of a test case on its harness: setUp, the test, tearDown, cleanups."""

# Tested by tests/unittest/test_lifecycle.py.

import asyncio
import contextlib
import functools
import inspect
import unittest
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from tornado.ioloop import IOLoop

from asynctest_tornado._clock.feature import VIRTUAL_TIME
from asynctest_tornado._clock.virtual_clock import make_clock
from asynctest_tornado._features.all_features import FEATURES, PLAIN
from asynctest_tornado._features.skipped_coroutines import SKIPPED_COROUTINES
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import NEW, OPEN, Harness
from asynctest_tornado._harness.phase import explain
from asynctest_tornado._leaks import policy, settle
from asynctest_tornado._leaks.feature import LEAKS
from asynctest_tornado._loop import new_loop
from asynctest_tornado._network.feature import NETWORK
from asynctest_tornado._network.virtual_network import make_network
from asynctest_tornado._schedules.feature import ORDER
from asynctest_tornado._search import repeat
from asynctest_tornado._search.reports import Hidden, Report
from asynctest_tornado._sources.feature import GARBAGE
from asynctest_tornado._timeouts import limits
from asynctest_tornado._trace import feature as tracing
from asynctest_tornado._trace.feature import TRACE
from asynctest_tornado._unittest import (
    case_state,
    class_scope,
    late_errors,
    misspelled_settings,
    super_calls,
)
from asynctest_tornado._unittest.returned import check_is_no_coroutine, check_is_none
from asynctest_tornado._util import names, settings

__unittest = True


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


def new_harness(case: Any, *, is_by_hand: bool) -> Harness:
    """Make the harness of a test case, as its settings say. Raises the error of a bad setting.

    :param is_by_hand: see `State`.
    """
    if not misspelled_settings.has_looked:
        misspelled_settings.check_environment()
    cls = type(case)
    state: case_state.State = case._asynctest
    if is_by_hand or state is case_state.UNUSED:  # run() has made one, unless a subclass has its own run()
        state = case_state.own_state(case)
    if state.bad_setting is not None:
        error, state.bad_setting = state.bad_setting, None
        raise error
    # Set by unittest's run(), and not by its debug().
    result = getattr(getattr(case, "_outcome", None), "result", None) if not is_by_hand else None
    report = result
    if isinstance(report, Report):
        result = report.result
    reporter = late_errors.Reporter(case, result, report.late if isinstance(report, Report) else None)
    if isinstance(report, Report):
        reporter.is_held, reporter.is_hidden = True, isinstance(report, Hidden)
    scope = class_scope.of(cls)
    leaks = policy.policy(case.leaks, case.allowed_leaks)
    if (leaks.action == "warn" and state.has_warned) or (reporter.is_hidden and leaks.action == "note"):
        leaks = policy.Policy("ignore", leaks.allowed)
    if state.schedule is not None and state.schedule.hint is None and not is_by_hand:
        state.schedule.hint = repeat.hint(state.schedule, case, report)
    if state.schedule is not None and not is_by_hand:
        leaks = policy.Policy(leaks.action, leaks.allowed, state.schedule.hint)
    options: dict[Feature, Any] = {LEAKS: leaks}
    late: late_errors.Reporter | None = None
    if result is not None:
        options[GARBAGE] = reporter.place
        late = reporter
    # Mostly. A new option of a feature belongs to this condition, too: to look the features up costs 0.2 %.
    has_trace = cls.trace is not None or is_by_hand or state.has_variables
    trace = tracing.chosen(cls.trace) if has_trace else None
    if scope is None and trace is None and state.schedule is None and cls.clock_factory is cls.network_factory is None:
        harness = Harness(reporter.name, None, PLAIN, options, late)
    else:
        if trace is not None:
            options[TRACE] = trace
        harness = _harness_with(options, case, reporter, late)
    state.harness = harness
    state.is_by_hand, state.is_ending = is_by_hand, False
    return harness


def end_run_of(case: Any, error: BaseException) -> None:
    """End the run of a test after it, if each other test would fail of the same error."""
    if settings.is_of_run(error):
        late_errors.Reporter(case, case._outcome.result).end_run(error)


#: The optional features of a loop, which all tests of a class share if they share the loop.
_OF_LOOP = (VIRTUAL_TIME, NETWORK)


def _harness_with(options: dict[Feature, Any], case: Any, known: late_errors.Reporter, late: Any) -> Harness:
    """Make the harness of a test that has optional features, or the loop of its class."""
    factory, scope = type(case).clock_factory, class_scope.of(type(case))
    if case._asynctest.schedule is not None:
        options[ORDER] = case._asynctest.schedule
    if scope is None:
        if factory is not None:
            options[VIRTUAL_TIME] = make_clock(factory)
        if type(case).network_factory is not None:
            schedule = case._asynctest.schedule
            seed = None if schedule is None else schedule.seed
            options[NETWORK] = make_network(type(case).network_factory, seed=seed)
        return Harness(known.name, None, FEATURES.of_test(options), options, late)
    options.update((feature, value) for feature, value in scope.harness.options.items() if feature in _OF_LOOP)
    scope.current = Harness(known.name, scope.harness, FEATURES.of_test(options), options, late)
    return scope.current


def set_up(case: Any, harness: Harness, defaults: Defaults) -> None:
    """Call the hooks that set a test up."""
    try:
        if getattr(case.setUp, "__func__", None) is defaults.set_up:
            harness.context.call(case.setUp)  # mostly
        else:
            harness.context.call(_call_own_set_up, case, harness, defaults)
        if getattr(case.asyncSetUp, "__func__", None) is not defaults.async_set_up:
            _call_hook(case, harness, case.asyncSetUp)
    except BaseException as error:
        case._asynctest.is_ending = True  # the cleanups are next
        if isinstance(error, unittest.SkipTest):
            SKIPPED_COROUTINES.record(harness.trap, error, vars(case).values())
        raise


def _call_own_set_up(case: Any, harness: Harness, defaults: Defaults) -> None:
    """Call ``setUp``, and open the loop if that does not: suites for ``IsolatedAsyncioTestCase`` rely on it."""
    cls = type(case)
    # Before setUp(), which may use the loop. But an overridden method may use attributes that setUp() sets.
    if cls.get_new_ioloop is defaults.get_new_ioloop and not super_calls.lead_to(defaults.base, cls):
        open_loop(case, harness, defaults)
    returned = case.setUp()
    if returned is not None:
        check_is_no_coroutine(returned, "setUp", cls)
    own = vars(case).get("io_loop")
    has_loop = harness.outer is not None or (harness.state is OPEN and harness.loop.io_loop is own)
    if isinstance(own, IOLoop) and not has_loop:
        harness.open(lambda: own)  # that setUp() has made by itself
    elif harness.state is NEW:
        open_loop(case, harness, defaults)


def open_loop(case: Any, harness: Harness, defaults: Defaults) -> None:
    """Make the loop and the clock of a test case, as its hooks and settings say."""
    case._asynctest.is_stopped = False  # by a stop() for another loop
    make = case.get_new_ioloop
    factory = type(case).loop_factory
    if getattr(make, "__func__", None) is not defaults.get_new_ioloop:
        case.io_loop = harness.open(functools.partial(_made_by, make))
    else:
        case.io_loop = harness.open(functools.partial(new_loop.new_ioloop, factory, harness.features))
    if VIRTUAL_TIME in harness.options:
        case.clock = harness.options[VIRTUAL_TIME]


def _made_by(make: Callable[[], Any]) -> IOLoop:
    made = make()
    if not isinstance(made, IOLoop):
        raise TypeError(
            f"get_new_ioloop() returned no IOLoop: {made!r}. Return one, for example super().get_new_ioloop() or "
            "IOLoop.current()."
        )
    return made


def _call_hook(case: Any, harness: Harness, hook: Callable[[], Any]) -> None:
    """Call a hook that is a coroutine function. Another one is just a method."""
    if inspect.iscoroutinefunction(hook):
        harness.waits.run(hook, limits.limit(None, case.async_test_timeout), shared=True)


def call_test(case: Any, harness: Harness, method: Callable[[], object]) -> None:
    """Call the test method. Run the coroutine of an ``async def``; any other result is an error."""
    try:
        if "hypothesis" in getattr(method, "__dict__", ()):  # cheaper than to ask for an attribute that is missing
            method = functools.partial(_call_with_examples, case, harness, method)
        returned: Any = harness.context.call(method)
        if returned is not None:
            if inspect.iscoroutine(returned) and inspect.iscoroutinefunction(method):
                returned = _run_coroutine(case, harness, method, returned)
            check_is_none(returned)
        if case.settle_at_end is not False:
            settle.at_end_of_test(harness, case.settle_at_end, case.async_test_timeout)
    except unittest.SkipTest as skip:
        SKIPPED_COROUTINES.record(harness.trap, skip, vars(case).values())
        raise
    finally:
        if getattr(getattr(case, "_outcome", None), "expecting_failure", False):
            # The verdict comes too late to be the failure that is expected.
            harness.loop.report_lost_errors()


def _call_with_examples(case: Any, harness: Harness, method: Any) -> object:
    """Call a test method under ``given`` of hypothesis, which runs no coroutines: run those of an ``async def``."""
    handle = method.hypothesis
    inner: Any = getattr(handle, "inner_test", None)
    # In several orders, another function wraps it. With `execute_example`, the user runs coroutines.
    if not inspect.iscoroutinefunction(inspect.unwrap(inner)) or hasattr(case, "execute_example"):
        return method()

    @functools.wraps(inner)
    def run_example(*args: Any, **kwargs: Any) -> object:
        if harness.loop.loop.is_running():
            raise TypeError(
                "@gen_test stands above @given of hypothesis, which runs no coroutine as a whole. Write @given above "
                "@gen_test, or leave @gen_test out."
            )
        returned = inner(*args, **kwargs)
        return _run_coroutine(case, harness, inner, returned) if inspect.iscoroutine(returned) else returned

    handle.inner_test = run_example
    try:
        return method()
    finally:
        handle.inner_test = inner


def tear_down(case: Any, harness: Harness, defaults: Defaults) -> None:
    """Call the hooks that tear a test down: the second one also if the first one fails."""
    try:
        if getattr(case.asyncTearDown, "__func__", None) is not defaults.async_tear_down:
            _call_hook(case, harness, case.asyncTearDown)
    finally:
        harness.trap.hold()
        returned: Any = harness.context.call(case.tearDown)
        if returned is not None:
            check_is_no_coroutine(returned, "tearDown", type(case))


def call_cleanup(case: Any, harness: Harness, func: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Call a cleanup, which may be a coroutine function."""
    _check_is_function(func)
    result = harness.context.call(functools.partial(func, *args, **kwargs) if args or kwargs else func)
    if inspect.iscoroutine(result):
        _run_coroutine(case, harness, func, result)


def _check_is_function(cleanup: Any) -> None:
    """Raise ``TypeError`` for a cleanup that was called too early, as in ``addCleanup(self.close())``."""
    if inspect.iscoroutine(cleanup):
        cleanup.close()  # or a second report would say that it was never awaited
        code = cleanup.cr_code
        place = names.line_at(code.co_filename, code.co_firstlineno, code.co_name)
        raise TypeError(
            f"A cleanup is no function, but the coroutine that {cleanup.__qualname__}() has returned ({place}). Give "
            f"the function itself, and its arguments after it, as in addAsyncCleanup({code.co_name})."
        )


def _run_coroutine(case: Any, harness: Harness, func: Callable[..., Any], coro: Coroutine[Any, Any, Any]) -> Any:
    """Run the coroutine of a function. Reports call it by the name of the function."""

    def begin() -> Coroutine[Any, Any, Any]:
        return coro

    begin.__qualname__ = names.name_of(func)
    try:
        return harness.waits.run(begin, limits.limit(None, case.async_test_timeout), shared=True)
    finally:
        # One that was abandoned may catch each exception, and would then never end.
        if inspect.getcoroutinestate(coro) == inspect.CORO_CREATED:
            coro.close()  # or a second report would say that it was never awaited


@contextlib.contextmanager
def subtest(harness: Harness | None, block: contextlib.AbstractContextManager[Any]) -> Generator[None, None, None]:
    """Report an error that ends the waiting of a subtest as the error of the subtest, and explain its errors.

    :param block: the context manager that unittest makes.
    """
    cancellation: asyncio.CancelledError | None = None
    with block:
        try:
            try:
                yield
            except asyncio.CancelledError as error:
                cancellation = error
            if cancellation is not None and harness is not None and harness.trap.has_errors:
                cancellation = None
                harness.trap.raise_errors()
        except BaseException as error:
            if harness is not None:
                explain(error, harness)
            raise
    if cancellation is not None:
        # The time is over for the test as a whole; or the test has cancelled itself, as in any other block.
        raise cancellation


async def wait_for(func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
    """Call a function that is no coroutine function, but may return something to wait for."""
    _check_is_function(func)
    result = func(*args, **kwargs)
    if inspect.isawaitable(result):
        await result
