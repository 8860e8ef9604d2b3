"""AsyncTestCase: unittest's hooks, mapped onto the harness."""

import asyncio
import contextlib
import functools
import inspect
import re
import unittest
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar, overload

from tornado.ioloop import IOLoop

from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._errors import collection, contexts
from asynctest_tornado._errors.raising import raise_as_it_was
from asynctest_tornado._expect import expect_log
from asynctest_tornado._features import loop_methods
from asynctest_tornado._harness import by_hand
from asynctest_tornado._harness.harness import CLOSED
from asynctest_tornado._harness.phase import phase
from asynctest_tornado._logs.logs import Logs
from asynctest_tornado._loop import new_loop
from asynctest_tornado._network.feature import network_of
from asynctest_tornado._network.virtual_network import VirtualNetwork
from asynctest_tornado._search import repeat
from asynctest_tornado._sources import installation
from asynctest_tornado._timeouts import limits
from asynctest_tornado._unittest import (
    case_phases,
    case_run,
    case_state,
    class_scope,
    late_errors,
    misspelled_settings,
    own_names,
    returned,
    stop_and_wait,
)
from asynctest_tornado._unittest.case_run import harness_of
from asynctest_tornado._unittest.descriptors import Missing, computed
from asynctest_tornado._unittest.returned import Begun, Other
from asynctest_tornado._unittest.settling import Settling

__unittest = True

_P = ParamSpec("_P")
_T = TypeVar("_T")
#: Some declare their generators to return an ``Iterator``, and Tornado its hooks to return an awaitable or None.
_Other = Other | Iterator[Any] | Awaitable[None]


class AsyncTestCase(Settling):
    """A `unittest.TestCase` for code that runs on Tornado's ``IOLoop``.

    Each test has a loop of its own, ``self.io_loop``, which is current, but not running, in ``setUp``, the test and
    ``tearDown``. There are three ways to make a test wait::

        class MyTestCase(AsyncTestCase):
            async def test_coroutine(self):
                self.assertEqual(await double(21), 42)

            @gen_test(timeout=10)
            def test_generator(self):
                response = yield AsyncHTTPClient().fetch(URL)
                self.assertEqual(response.code, 200)

            def test_callback(self):
                double(21, callback=self.stop)
                self.assertEqual(self.wait(), 42)

    An exception in any callback, timer or task that a test set off fails that test with the exception's own
    traceback, at once if the test is still waiting. For an error that the test expects, there are `ExpectError`,
    `ExpectLog`, ``assertLogs`` and `ExceptionStackContext`.

    The class attribute ``async_test_timeout`` sets how long each wait may take, in seconds; see
    `get_async_test_timeout` for the default. 0 stands for no limit.

    From ``tornado.testing``. New in version 0.1.
    """

    #: The time limit of each wait, in seconds, if the call sets none.
    async_test_timeout: float | None = None

    #: The loop of the test, from ``setUp`` on.
    io_loop: IOLoop

    #: Makes the asyncio loop, such as ``uvloop.new_event_loop``. As in ``IsolatedAsyncioTestCase``.
    loop_factory: ClassVar[Callable[[], asyncio.AbstractEventLoop] | None] = None

    #: Makes the clock of the test: `VirtualClock`, or a function that returns one. None stands for real time.
    clock_factory: ClassVar[Callable[[], VirtualClock] | None] = None

    #: The clock, if there is a ``clock_factory``.
    clock: VirtualClock

    #: Makes the network of the test: `VirtualNetwork`, or a function that returns one. None stands for real sockets.
    network_factory: ClassVar[Callable[[], VirtualNetwork] | None] = None

    #: "test" for a loop for each test, "class" for one that all tests of the class share. With the latter, errors,
    #: tasks and timers still belong to the test that set them off, and end with it.
    loop_scope: ClassVar[str] = "test"

    #: The consequence of leaks, such as tasks, timers, streams or threads. "fail": the test fails. "warn": there is a
    #: ``ResourceWarning``. "note": they are reported only if the test fails anyhow, in that report, as with the two
    #: others. "ignore": nothing. None stands for the environment variable ``ASYNC_TEST_LEAKS``, else "warn".
    leaks: str | None = None

    #: The leaks that are allowed: types, and regular expressions that are searched for in the names of tasks,
    #: callbacks, threads and the like.
    allowed_leaks: Sequence[type | str | re.Pattern[str]] = ()

    #: True to wait, after the body of each test, until all that the test has set off has ended, as by `settle`; or the
    #: seconds that this may take. What ``tearDown`` and cleanups set off is not waited for.
    settle_at_end: bool | float = False

    #: The number of orders of ready tasks that each test runs under, each with a new instance of the test case. The
    #: order that asyncio promises is kept. ``"all"`` for all orders, ``"all:2"`` for those with at most 2 deviations
    #: from the order of asyncio. None stands for the environment variable ``ASYNC_TEST_SCHEDULES``, else for the order
    #: of asyncio alone.
    schedules: int | str | None = None

    #: ``"failures"`` to write, for each test that fails, a page and trace events that show what has happened in it;
    #: ``"all"`` for each test; a ``Path`` for the folder of these files. None stands for the environment variable
    #: ``ASYNC_TEST_TRACE``, else for ``"off"``.
    trace: str | Path | None = None

    _asynctest: case_state.State = case_state.UNUSED

    if not TYPE_CHECKING:  # unittest and the subclasses have the constructor

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            if installation.has_ended:
                installation.look()
            new = super().__new__
            case = new(cls) if new is object.__new__ else new(cls, *args, **kwargs)
            if cls.__init__ is not unittest.TestCase.__init__ or kwargs or len(args) != 1:
                # Each of several orders begins with a call of the constructor. Most have only the name of the method.
                case_state.own_state(case).made_by = args, kwargs
            return case

        __signature__ = repeat.SignatureOfInit(__new__)

    def __init_subclass__(cls, *args: Any, **kwargs: Any) -> None:
        super().__init_subclass__(*args, **kwargs)
        misspelled_settings.check_class(cls, AsyncTestCase)
        own_names.give_way(cls)
        installation.look()

    @classmethod
    def setUpClass(cls) -> None:
        """Make the loop, if the ``loop_scope`` is "class", and call `asyncSetUpClass`.

        Raises ``ValueError`` for another ``loop_scope``, ``TypeError`` if it and the methods of the class do not go
        together, and the error of the coroutine.

        As in `unittest.TestCase`. New in version 0.1.
        """
        super().setUpClass()
        class_scope.open_for(cls, AsyncTestCase)

    @classmethod
    def tearDownClass(cls) -> None:
        """Call `asyncTearDownClass`. The loop is closed after the cleanups of the class.

        As in `unittest.TestCase`. New in version 0.1.
        """
        scope = class_scope.of(cls)
        if scope is not None:
            scope.tear_down()
        super().tearDownClass()

    @classmethod
    def doClassCleanups(cls) -> None:
        """Run the cleanups of the class, and report errors that have occurred after its tests.

        As in `unittest.TestCase`. New in version 0.1.
        """
        super().doClassCleanups()
        late_errors.flush_class(cls)

    @classmethod
    async def asyncSetUpClass(cls) -> None:
        """Prepare the resources that all tests of the class share, on their loop; for a ``loop_scope`` of "class".

        New in version 0.1.
        """

    @classmethod
    async def asyncTearDownClass(cls) -> None:
        """Clean up after all tests of the class, on their loop; called if `asyncSetUpClass` succeeded.

        New in version 0.1.
        """

    def setUp(self) -> None:
        """Make the loop. From ``tornado.testing``. New in version 0.1."""
        super().setUp()
        harness = self._asynctest.harness
        if harness is None or harness.state is CLOSED:
            # Without run() or debug(): the test case is used by hand, as a fixture.
            harness = case_phases.new_harness(self, is_by_hand=True)
            installation.begin(harness)
        case_phases.open_loop(self, harness, _DEFAULTS)
        if self._asynctest.is_by_hand:
            self._asynctest.entered = by_hand.Entered(harness.context)

    def tearDown(self) -> None:
        """Cancel the tasks that still run, and close the loop: here, or after the cleanups of the test if it has some.

        Tasks are cancelled here in any case, unless there are asynchronous cleanups, which may still await them.

        From ``tornado.testing``. New in version 0.1.
        """
        harness = harness_of(self)
        if harness.loop.may_have_pending_tasks():
            harness.trap.hold()
            if case_run.look_for_tasks(self):
                harness.drain()
        super().tearDown()
        if harness.loop.why_closed is not None:
            loop_methods.check_not_closed(harness, vars(self).get("io_loop"))
        if self._asynctest.is_by_hand:
            installation.discard(harness)
            by_hand.finish(harness, self._asynctest.entered, case_run.values_of(self))

    async def asyncSetUp(self) -> None:
        """Prepare the test; called after ``setUp``, on the loop of the test.

        Raises the errors of `run_sync`. An ``asyncSetUp`` that is no coroutine function is just a method.

        As in `unittest.IsolatedAsyncioTestCase`. New in version 0.1.
        """

    async def asyncTearDown(self) -> None:
        """Clean up; called before ``tearDown``, on the loop of the test. ``tearDown`` is called in any case.

        As in `unittest.IsolatedAsyncioTestCase`. New in version 0.1.
        """

    def addAsyncCleanup(self, func: Callable[_P, Awaitable[object]], /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Add a coroutine function to the cleanups, which are called after ``tearDown``, the last one first.

        As in `unittest.IsolatedAsyncioTestCase`; ``addCleanup`` takes coroutine functions as well. New in version 0.1.
        """
        if inspect.iscoroutinefunction(func):
            self.addCleanup(func, *args, **kwargs)
        else:
            self.addCleanup(case_phases.wait_for, func, *args, **kwargs)

    async def enterAsyncContext(self, cm: contextlib.AbstractAsyncContextManager[_T]) -> _T:
        """Enter an asynchronous context manager; it is left in the cleanups.

        :return: the value that the context manager gives to ``as``.

        Raises ``TypeError`` if it is no asynchronous context manager.

        As in `unittest.IsolatedAsyncioTestCase`. New in version 0.1.
        """
        cls = type(cm)
        if not (hasattr(cls, "__aenter__") and hasattr(cls, "__aexit__")):
            raise TypeError(
                f"{cls.__module__}.{cls.__qualname__} does not support the asynchronous context manager protocol. "
                "Give enterAsyncContext() an asynchronous context manager, or use enterContext()."
            )
        result: _T = await cls.__aenter__(cm)
        self.addAsyncCleanup(cls.__aexit__, cm, None, None, None)
        return result

    def get_new_ioloop(self) -> IOLoop:
        """Return the loop for the test. By default it is a new one, which is closed in the end.

        Override it to use a loop that is there already, such as ``IOLoop.current()``; that one is left open.

        From ``tornado.testing``, which deprecates it. New in version 0.1.
        """
        # From the class: a plain function is to be called without the test as its argument.
        return new_loop.new_ioloop(type(self).loop_factory)

    def stop(self, _arg: Any = None, **kwargs: Any) -> None:
        """End the call of `wait` that is in progress, or else the next one.

        ``wait`` returns the argument, or the dictionary of keyword arguments. May be called from any thread.

        Raises ``TypeError`` for both at once.

        From ``tornado.testing``. New in version 0.1.
        """
        if _arg is not None and kwargs:
            raise TypeError(
                f"stop() got a positional argument, {_arg!r}, and keyword arguments, {kwargs!r}; wait() could return "
                "only one of them. Give all by keyword."
            )
        stop_and_wait.stop(self, kwargs or _arg)

    def wait(self, condition: Callable[..., bool] | None = None, timeout: float | None = None) -> Any:
        """Run the loop until `stop` is called.

        :param condition: called without arguments after each ``stop``; unless it returns true, the loop runs on.
        :param timeout: how long that may take, in seconds, 0 for no limit. The default is the class attribute
            ``async_test_timeout``, else the environment variable ``ASYNC_TEST_TIMEOUT``, else 5.
        :return: the argument of ``stop``.

        Raises the error of a callback or task, if there is one, and ``failureException`` when the time is over.

        From ``tornado.testing``. New in version 0.1.
        """
        limit = limits.limit(timeout, self.async_test_timeout)
        return stop_and_wait.wait(self, condition, limit, self.failureException)

    # With a timeout, the arguments are not checked: no type stands for the arguments of func and one more.
    @overload
    def run_sync(self, func: Callable[..., Begun[_T]], /, *args: Any, timeout: float | None, **kwargs: Any) -> _T: ...
    @overload
    def run_sync(self, func: Callable[_P, Begun[_T]], /, *args: _P.args, **kwargs: _P.kwargs) -> _T: ...
    @overload
    def run_sync(self, func: Callable[..., _Other], /, *args: Any, timeout: float | None, **kwargs: Any) -> Any: ...
    @overload
    def run_sync(self, func: Callable[_P, _Other], /, *args: _P.args, **kwargs: _P.kwargs) -> Any: ...
    @overload
    def run_sync(self, func: Begun[_T] | Future[_T], /, *, timeout: float | None = None) -> _T: ...
    @overload
    def run_sync(self, func: list[Any] | dict[Any, Any], /, *, timeout: float | None = None) -> Any: ...
    def run_sync(  # type: ignore[misc]  # a timeout is never handed to func
        self, func: Callable[..., Any] | Any, /, *args: Any, timeout: float | None = None, **kwargs: Any
    ) -> Any:
        """Run a coroutine to its end, from code that is not one: ``setUp``, ``tearDown``, a cleanup.

        ::

            def setUp(self):
                super().setUp()
                self.connection = self.run_sync(connect, "localhost", port=27017)

        :param func: a coroutine function of either kind, or another one that returns something to wait for; or
            something that Tornado can yield, such as a future or a list of futures.
        :param timeout: how long that may take, in seconds, 0 for no limit. The default is as for `wait`.
        :return: the result.

        All other arguments are handed to the function.

        Raises the error of the function, or of a callback or task meanwhile; ``TimeoutError`` when the time is over;
        ``TypeError`` if there is nothing to wait for.

        New in version 0.1.
        """
        limit = limits.limit(timeout, self.async_test_timeout)
        if callable(func):
            func = functools.partial(func, *args, **kwargs) if args or kwargs else func
        elif args or kwargs:
            raise TypeError(
                f"run_sync() cannot call {func!r} with arguments: it is no function. Give a coroutine function and "
                "its arguments, or the result of a call and no arguments."
            )
        else:
            return returned.run_begun(harness_of(self).waits, func, limit)
        return harness_of(self).waits.run(returned.insisting(func), limit)

    @computed
    def logs(self) -> Logs:
        """The log records of this test so far, of all code that it has set off: threads and handlers included.

        The first record is ``self.logs[0]``, and ``self.logs.messages`` are the messages of all. A record is there if
        the level of its logger lets it pass, ``WARNING`` by default: ``self.logs.set_level("INFO", "shop")`` sets
        another one for the test. Records that `ExpectLog`, ``assertLogs`` or ``assertNoLogs`` take are not there. The
        page :doc:`logs` has all of its names.

        Raises ``RuntimeError`` if the test does not run.

        New in version 0.1.
        """
        harness = self._asynctest.harness
        if harness is None:
            raise RuntimeError("self.logs is there while a test runs, from setUp() to the cleanups. Use it there.")
        return Logs(harness)

    @computed
    def network(self) -> VirtualNetwork:
        """The network of this test: ``self.network.serve(url, app)`` serves an application under a name.

        ::

            async def asyncSetUp(self):
                self.payments = self.network.serve("https://payments.example", PaymentsStub())

        From then on, each client of the application finds that host, up to the end of the test: see
        :doc:`network`. If the test has no ``network_factory``, its network uses real sockets, and has only the methods
        ``serve`` and ``allow``.

        Raises ``RuntimeError`` if the test has no loop.

        New in version 0.1.
        """
        return network_of(harness_of(self))

    def assertNoLogs(self, logger: Any = None, level: Any = None) -> Any:
        """Fail if anything is logged in the block, as in `unittest.TestCase`. An error in the trap is reported once."""
        return expect_log.NoLogs(super().assertNoLogs(logger, level))

    def subTest(self, *args: Any, **params: Any) -> contextlib.AbstractContextManager[None]:
        """Report the errors of the block separately, as in `unittest.TestCase`; also an error that ends its waiting."""
        return case_phases.subtest(self._asynctest.harness, super().subTest(*args, **params))

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        return case_run.run(self, result, super().run)

    def __del__(self) -> None:
        # An attribute that goes with the test belongs to the test. In a garbage collection, no owner is certain.
        owner = self._asynctest.owner
        if owner is not None and (contexts.collector is None or not collection.is_collecting()):
            token = contexts.contexts.set((owner,))
            vars(self).clear()
            contexts.contexts.reset(token)

    def debug(self) -> None:
        case_run.debug(self, super().debug)

    def doCleanups(self) -> Any:
        good: Any = super().doCleanups()
        harness = self._asynctest.harness
        if harness is not None and self._asynctest.is_ending:  # else the test itself calls this
            self._asynctest.is_ending = False
            try:
                harness.context.call(case_run.finish, self)
            except BaseException as error:
                # By a cleanup, so that unittest reports it.
                self.addCleanup(raise_as_it_was, error)
                good = super().doCleanups() and good
        return good

    def _callSetUp(self) -> None:
        try:
            harness = case_phases.new_harness(self, is_by_hand=False)
        except (TypeError, ValueError) as error:
            case_phases.end_run_of(self, error)
            raise
        phase(harness, case_phases.set_up, self, harness, _DEFAULTS)

    def _callTestMethod(self, method: Callable[[], object]) -> None:
        harness = self._asynctest.harness
        assert harness is not None
        phase(harness, case_phases.call_test, self, harness, method, is_main=True)

    def _callTearDown(self) -> None:
        harness = self._asynctest.harness
        assert harness is not None
        self._asynctest.is_ending = True
        phase(harness, case_phases.tear_down, self, harness, _DEFAULTS)

    def _callCleanup(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        harness = self._asynctest.harness
        if harness is None:
            super()._callCleanup(function, *args, **kwargs)  # type: ignore[misc]  # not in the stubs
            return
        harness.trap.hold()
        phase(harness, case_phases.call_cleanup, self, harness, function, args, kwargs)


_DEFAULTS = case_phases.Defaults(AsyncTestCase)


def _say_no_clock(cls: type[unittest.TestCase]) -> str:
    return f"The tests of {cls.__qualname__} run in real time, without a clock. Set clock_factory = VirtualClock."


if not TYPE_CHECKING:
    AsyncTestCase.io_loop = Missing(case_run.say_no_loop)
    AsyncTestCase.clock = Missing(_say_no_clock)
