"""One test's life: open loop and trap, run code with a time limit, end what is left, close, give the verdict."""

import asyncio
import contextlib
import contextvars
import enum
import functools
import math
import sys
import types
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

from tornado import gen
from tornado.ioloop import IOLoop

from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._errors import contexts, hints
from asynctest_tornado._errors.trap import Trap, raise_as_it_was
from asynctest_tornado._harness import misspelled_settings, time_and_order, yieldables
from asynctest_tornado._leaks import client_requests, kinds, policy, tracking
from asynctest_tornado._leaks.check import LeakCheck
from asynctest_tornado._loop import managed_loop, new_loop
from asynctest_tornado._loop.instrumented_loop import create_main
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._sources import interpreter_hooks, loggers, request_handlers, thread_pools, unawaited_coroutines
from asynctest_tornado._timeouts import deadlock, limits, pending_report
from asynctest_tornado._timeouts.deadline import Deadline
from asynctest_tornado._timeouts.loop_driver import Running
from asynctest_tornado._util import names, observer
from asynctest_tornado._util.real_time import get_running_loop
from asynctest_tornado._util.tracebacks import strip

__unittest = True

_T = TypeVar("_T")

# At import, and not for each test: an ExceptionStackContext works outside of tests, too.
loggers.watch_loggers()
interpreter_hooks.watch_hooks()
thread_pools.watch()
request_handlers.watch_handlers()
tracking.watch_tornado()
client_requests.watch()


class State(enum.Enum):
    NEW = "not open yet"
    OPEN = "open"
    CLOSED = "closed"


# Each test asks for these eight times, and CPython looks the members of an enumeration up the long way.
NEW, OPEN, CLOSED = State


_new_ioloop = functools.partial(new_loop.new_ioloop, is_watched=True)


def _amend_nothing(error: BaseException, text: str) -> None:
    """Stand in where no framework has a report."""


class Harness:
    """A context manager that owns what one asynchronous test needs. It knows nothing of unittest.

    ::

        with Harness(lambda: "my test") as harness:
            harness.run(my_coroutine_function, timeout)

    :param describe: returns the name of the test, for reports.
    :param outer: that of the class, whose loop, clock and context variables the test gets.
    :param clock: gives the time of the loop, if it is not that of the computer.
    :param leaks: what it means that something is left in the end.
    :param schedule: the order of what is ready, if it is not that of asyncio.
    """

    _outer_chain: contexts.Chain = ()
    _end_schedule: Callable[[], None] | None = None
    #: References to the streams that were open at the end of the last wait for a coroutine.
    _open_streams: Sequence[Callable[[], object]] = ()

    def __init__(
        self,
        describe: Callable[[], str],
        outer: "Harness | None" = None,
        clock: VirtualClock | None = None,
        leaks: policy.Policy = policy.IGNORE,
        schedule: Schedule | None = None,
    ) -> None:
        misspelled_settings.check_environment()
        self.state = NEW
        #: Whether a test framework drives it; else it is used by hand, between ``open`` and ``finish``.
        self.has_shell = False
        #: Closes the loop, for messages.
        self.closer = "tearDown()"
        #: Whether the test is over, up to its cleanups.
        self.is_ending = False
        #: Whether there was a warning of leaks.
        self.has_warned = False
        #: Adds to the report of the failure that was told last.
        self.amend: Callable[[BaseException, str], object] = _amend_nothing
        self.describe = describe
        self.trap = Trap(describe)
        unawaited_coroutines.watch(self.trap)
        #: HTTP clients whose requests a report tells of.
        self.clients: list[object] = []
        self._leaks = leaks
        self._schedule = schedule
        self._outer = outer
        self.clock: VirtualClock | None = clock if outer is None else outer.clock
        #: In which all parts of the test run.
        self.context: contextvars.Context = contextvars.copy_context() if outer is None else outer.context.copy()
        self.context.run(contexts.contexts.set, (self.trap,))
        self._is_inside = False
        self._resources: contextlib.ExitStack | None = None
        # What looks for what is left, once there may be something.
        self._tidying: LeakCheck | None = None
        self._is_stopped = self._is_waiting = False
        self._stop_value: Any = None
        # For the report of a failure that comes of it: what ended no wait() or another one than it was meant for.
        self._early_stop: tuple[types.CodeType, int] | None = None
        self._second_stop: Callable[[], str] | None = None
        # That of the operation that runs.
        self._deadline: Deadline | None = None

    def open(self, make_loop: Callable[[], IOLoop] = _new_ioloop, is_lent: bool = False) -> IOLoop:
        """Make the loop and watch it; return it. It is current, and does not run.

        :param make_loop: returns the loop.
        :param is_lent: whether others use the loop as well, so that the test ends nothing but what it has begun.
        """
        if self.state is OPEN:
            # A test that calls tearDown() and setUp(), or a setUp() that is reached twice: it goes on with a new loop.
            self.close()
            self._is_stopped = False
            self._stop_value = None
            self._open_streams = ()
        else:
            assert self.state is NEW, self.state
        if self._outer is None:
            loop = managed_loop.LoopOfTest(make_loop, self.trap, is_lent)
            if self.clock is not None:
                time_and_order.attach_clock(loop, self.clock)
        else:
            lent = self._outer._loop.io_loop
            loop = managed_loop.LoopOfTest(lambda: lent, self.trap, is_lent=True)
        if self._schedule is not None:
            self._end_schedule = time_and_order.attach_schedule(loop, self._schedule)
        self._loop: managed_loop.LoopOfTest = loop
        deadlock.watch(loop)
        self._running = Running(loop, self.trap)
        self._tidying = None
        interpreter_hooks.watch(self.trap)
        self.trap.report_lost = functools.partial(loop.report_lost_errors, ())
        loop.stand_in("run_sync", self.run_sync)
        loop.watch_close(self.closer)
        if self.clock is not None:
            self._clock_before, self._run_before = self.clock.time(), self.clock.run
            self.clock.run = self._run_clock
        if not self.has_shell and contexts.contexts.get()[:1] != (self.trap,):
            # The caller's code is that of the test, up to `finish`.
            self._outer_chain = contexts.contexts.get()
            contexts.contexts.set((self.trap,))
        self.state = OPEN
        return loop.io_loop

    def has_loop(self, io_loop: IOLoop) -> bool:
        """Return whether this is the loop of the test, or the test has to take the loop of the class."""
        return self._outer is not None or (self.state is OPEN and self._loop.io_loop is io_loop)

    @property
    def resources(self) -> contextlib.ExitStack:
        """Servers, clients and the like; closed before the loop, while it can still run."""
        if self._resources is None:
            self._resources = contextlib.ExitStack()
        return self._resources

    def _tidy(self) -> LeakCheck:
        if self._tidying is None:
            outer = None if self._outer is None else self._outer.trap
            self._tidying = LeakCheck(self._loop, self._running, self.trap, self._leaks, outer, self.amend)
        return self._tidying

    def __enter__(self) -> "Harness":
        self.open()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.finish()

    def finish(self, futures: Iterable[object] = ()) -> None:
        """Close, and raise what is in the trap.

        :param futures: objects, among which the failed futures are looked for whose error nobody has seen.
        """
        self.close(futures)
        if not self.has_shell:
            contexts.contexts.set(self._outer_chain)
            self.trap.forget_reports()
        error = self.trap.close()
        if self._tidying is not None or (observer.current is not None and self.state is CLOSED):
            tidying = self._tidy()
            try:
                error = tidying.report(self.describe(), error)
            finally:  # a filter may make an error of the warning
                self.has_warned |= tidying.has_warned
        if error is not None:
            raise_as_it_was(error)

    def call(self, func: Callable[..., _T], *args: Any, **kwargs: Any) -> _T:
        """Call synchronous code of the test, in the one context that all parts of the test share."""
        if self._is_inside:
            return func(*args, **kwargs)
        self._is_inside = True
        try:
            return self.context.run(func, *args, **kwargs)
        finally:
            self._is_inside = False

    def run(
        self,
        func: Callable[[], Any],
        limit: limits.Limit,
        *,
        shared: bool = False,
        must_wait: bool = False,
        ends_with_future: bool = False,
    ) -> Any:
        """Run the loop until the function, and the coroutine or whatever else it returns, has ended.

        Ends at the first error in the trap, or when the time is over: the coroutine is cancelled, so that its
        ``finally`` blocks run.

        :param shared: run in the context that all parts of the test share, not in a copy of the current one.
        :param must_wait: a function that returns neither None nor anything to wait for is an error.
        :param ends_with_future: the last that the coroutine waits for is a future, and stands for it all.
        :return: the result.

        Raises what the coroutine raises, else what is in the trap; ``TimeoutError`` when the time is over.
        """
        self._check_idle()
        self.trap.raise_errors()
        loop = self._loop.loop
        context = self.context if shared and not self._is_inside else contextvars.copy_context()

        def end(was_future: bool) -> None:
            if self.trap.made:
                self._open_streams = kinds.open_streams(thing for thing, _ in self.trap.made.known())
            self._running.end(was_future or ends_with_future)

        use = loop._asynctest
        main = create_main(loop, yieldables.run(func, must_wait, end), context)

        def cancel() -> None:
            self.trap.has_cancelled = True
            self._running.cancel(main)

        with Deadline(self._loop, cancel, limit, functools.partial(self.snapshot, main)) as deadline:
            self._deadline = deadline
            use.main = main, func
            try:
                self._running.until_done(main, deadline)
            finally:
                self._deadline = use.main = None
        if (current := observer.current) is not None:
            current.waited(self.describe, deadline.spent(), limit.seconds)
        if context is not self.context:
            _copy_variables(context)
        if not main.done():
            self._running.abandoned.add(main)
            names.keep_name(main.get_coro(), func)
        return self._outcome(main, deadline)

    def snapshot(self, main: "asyncio.Task[Any] | None" = None) -> str:
        """Tell what the loop still has to do.

        :param main: the task that the test waits for.
        """
        tasks = [task for task in self._loop.all_tasks() if task not in self._running.abandoned]
        jobs = [name for _, name in self._loop.pending_jobs()]
        text = pending_report.describe(self._loop.io_loop, tasks, main, jobs, self.clients)
        return text if self.clock is None else f"{text}\n{self._describe_clock(self.clock)}"

    def _describe_clock(self, clock: VirtualClock) -> str:
        passed = f"Virtual time: {clock.time() - self._clock_before:.15g} s have passed in this test"
        total = f", {clock.time():.15g} s in all" if self._clock_before else ""
        hint = "" if clock.autojump else "; the clock stands still until advance() is called"
        return f"{passed}{total}{hint}{clock.describe_hindrance()}."

    def error_of_block(self, outcome: asyncio.CancelledError | KeyboardInterrupt) -> BaseException | None:
        """Return the error that tells that the time is over, for a block that reports it; None if it is not.

        The operation that runs then ends with that very error.

        :param outcome: has left the block.
        """
        deadline = self._deadline
        if deadline is None:
            return None
        if not (deadline.owns(outcome) if isinstance(outcome, KeyboardInterrupt) else deadline.is_over):
            return None
        deadline.reported = self._timeout(deadline.report.error(TimeoutError, "Operation", outcome))
        deadline.pause()  # no interruption may come into the report
        return deadline.reported

    def go_on_after_report(self) -> None:
        """Watch the rest of the operation, once a block has reported that the time is over."""
        if self._deadline is not None:
            self._deadline.go_on()

    def _run_clock(self, reach: Callable[[], Any]) -> None:
        self.run(reach, limits.limit(None, None))

    def _outcome(self, main: "asyncio.Task[Any]", deadline: Deadline) -> Any:
        error: BaseException | None = None
        result = None
        try:
            result = main.result()
        except asyncio.InvalidStateError:
            assert deadline.is_hopeless
        except BaseException as raised:
            error = strip(raised)
        try:
            if deadline.is_over:
                if deadline.reported is not None:
                    raise deadline.reported
                went_on = "; it caught the CancelledError and went on" if error is None and main.done() else ""
                raise self._timeout(deadline.report.error(TimeoutError, "Operation", error, went_on))
            if error is None or isinstance(error, asyncio.CancelledError):
                self.trap.raise_errors()
            if error is not None:
                self.trap.record_failure(error)
                raise error
            return result
        finally:
            del error  # or its traceback, which holds this frame, would be a reference cycle

    def wait(self, condition: Callable[..., bool] | None, limit: limits.Limit, failure: type[BaseException]) -> Any:
        """Run the loop until `stop`, and on until the condition holds; return what ``stop`` was given.

        Raises what is in the trap, or ``failure`` when the time is over.
        """
        self._check_idle()
        loop = self._loop.loop
        is_early = self._is_stopped
        with Deadline(self._loop, loop.stop, limit, self.snapshot) as deadline:
            is_done = self._is_stopped
            try:
                while not (is_done or deadline.is_over or self.trap.has_errors):
                    self._is_waiting = True
                    if not self._is_stopped:
                        self._running.run(deadline)
                    if self._is_stopped:
                        # Another stop() may come from a thread while the condition is looked at.
                        self._is_stopped = False
                        is_done = condition is None or condition()
            finally:
                self._is_stopped = self._is_waiting = False
        if (current := observer.current) is not None:
            current.waited(self.describe, deadline.spent(), limit.seconds)
        self.trap.raise_errors()
        if deadline.is_over:
            reason = "; self.stop() was not called"
            if condition is not None:
                reason = f"; the condition {names.name_of(condition)} did not hold"
            raise self._timeout(deadline.report.error(failure, "Async operation", addition=reason))
        value, self._stop_value = self._stop_value, None
        self.trap.report.remark = self._second_stop if condition is None else None
        if is_early and self.trap.report.remark is None:
            self.trap.report.remark = functools.partial(hints.early_stop, self._early_stop)
        self._second_stop = None
        return value

    def _timeout(self, error: BaseException) -> BaseException:
        self.trap.mark(error).shows_pending = True
        return error

    def run_sync(self, func: Callable[[], Any], timeout: float | None = None) -> Any:
        """Stand in for the method of the ``IOLoop``: the same, and it ends at an error, and shows where it stood."""
        if not callable(func):
            raise hints.called_already(func)
        limit = limits.Limit(math.inf if timeout is None else timeout, "the argument timeout")

        def call() -> Any:
            result = func()
            return None if result is None else gen.convert_yielded(result)

        return self.run(call, limit)

    def stop(self, value: Any) -> None:
        """End the current call of `wait`, or the next one; may be called by any thread."""
        if self._is_stopped:
            self._second_stop = functools.partial(hints.second_stop, hints.brief(self._stop_value), hints.brief(value))
        elif not self._is_waiting:
            frame = sys._getframe(1).f_back
            # None: a thread calls stop(), and nothing else.
            self._early_stop = frame and (frame.f_code, frame.f_lineno)
        self._stop_value = value
        self._is_stopped = True
        if self._is_waiting:
            self._is_waiting = False
            loop = self._loop.loop
            try:
                own_thread = get_running_loop() is loop
            except RuntimeError:
                own_thread = False
            if own_thread:
                loop.stop()
            else:
                loop.call_soon_threadsafe(loop.stop)

    def look_for_tasks(self, get_held: Callable[[], Collection[int]] = tuple) -> None:
        """Find the tasks that the test has left, before they are cancelled or what they wait for is closed.

        :param get_held: returns the ids of objects which the test is still going to end.
        """
        if self.may_have_pending_tasks():
            self._tidy().look_for_tasks(get_held)

    def look_for_requests(self, get_held: Callable[[], Collection[int]] = tuple) -> None:
        """Find the requests that nobody waits for, before the server is closed that they are made to.

        :param get_held: see `look_for_tasks`.
        """
        if self.may_have_pending_tasks():
            self._tidy().look_for_requests(get_held)

    def may_have_pending_tasks(self) -> bool:
        """Return whether there may be tasks to look for and to drain, at little cost."""
        return self._loop.may_have_pending_tasks()

    def may_go_on(self) -> bool:
        """Return whether the loop would do something, were it run once more."""
        return not self._loop.has_nothing_to_do()

    def drain(self) -> None:
        """Cancel the tasks that still run, and let them end. What they raise goes into the trap."""
        if self.may_have_pending_tasks():
            self._running.drain()

    def close(self, futures: Iterable[object] = ()) -> None:
        """End all that is left, and close the loop. Afterwards the trap has all that there is to be told."""
        if self.state is not OPEN:
            return
        self.trap.hold()
        try:
            # Most tests have left nothing that could go on: one look instead of one before and after each step.
            if self._resources is not None or self._loop.may_have_pending_tasks():
                self.look_for_tasks()
                self.close_resources(futures)
                self.drain()
            if self.trap.made or not self._loop.is_tidy():
                self.begin_closing(futures)
                self._tidy().look_for_all(self._open_streams)
                self.trap.closing.have_cut_off()
            if self._loop.has_async_generators() and not self._running.to_end(self._loop.loop.shutdown_asyncgens()):
                self.trap.add(
                    RuntimeError(
                        f"An asynchronous generator of {self.describe()} was closed at the end of the test, and does "
                        "not end. It is abandoned. Let it end when it gets a GeneratorExit."
                    ),
                    is_own=True,
                )
            self._loop.report_lost_errors(futures)
        finally:
            self.state = CLOSED
            for task in self._running.abandoned:
                self._loop.forget(task)
            if self.clock is not None:
                self.clock.run = self._run_before
                self.clock.drop_targets()
            self._loop.close()
            if self._end_schedule is not None:
                self._end_schedule()
            self.trap.closing.end()
            self.trap.release()

    def begin_closing(self, futures: Iterable[object] = ()) -> None:
        """Note that connections are closed from now on: what fails of that is no error of the test.

        :param futures: objects, among which the failed futures are looked for whose error nobody has seen.
        """
        if not self.trap.closing.is_under_way:
            under_way = [future for future, _ in self._loop.own_futures()]
            self.trap.closing.begin(self._loop.lost_errors(futures), under_way)

    def close_resources(self, futures: Iterable[object] = ()) -> None:
        """Close what was registered with `resources`, now and not with the loop.

        :param futures: see `begin_closing`.
        """
        if self._resources is not None:
            self._resources.close()
            self.begin_closing(futures)
        self.trap.closing.have_cut_off()

    def report_lost_errors(
        self, futures: Iterable[object] = (), wanted: Callable[[BaseException], bool] = lambda error: True
    ) -> None:
        """Put the errors of tasks that nobody looked at, and of these futures, into the trap.

        :param wanted: leave out those for which this returns false.
        """
        self._loop.report_lost_errors(futures, wanted)

    def is_running_here(self) -> bool:
        """Return whether the loop runs, and called the caller."""
        try:
            return self.state is OPEN and get_running_loop() is self._loop.loop
        except RuntimeError:
            return False

    def check_not_closed(self, io_loop: IOLoop | None) -> None:
        """Raise ``RuntimeError`` if the test has closed its loop by Tornado's method, and does not know by an error.

        ``tornado.testing`` cannot close it once more, and fails with a ``KeyError``.

        :param io_loop: that of the test now, which may have replaced it.
        """
        if self._loop.closed_at is not None and io_loop is self._loop.io_loop:
            self._check_not_closed()

    def _check_not_closed(self) -> None:
        if self._loop.closed_at is not None:
            message = self._loop.describe_close()
            self._loop.closed_at = None
            raise RuntimeError(message)

    def _check_idle(self) -> None:
        if self.state is not OPEN:
            raise RuntimeError(
                f"The event loop of {self.describe()} is {self.state.value}. setUp() makes it and tearDown() closes "
                "it: call this in between, and super().setUp() first thing in a setUp() of your own."
            )
        if self._loop.loop.is_closed():
            self._check_not_closed()
            raise RuntimeError(
                f"The event loop of {self.describe()} was closed, and not by its tearDown(). Do not close "
                "self.io_loop: it is closed at the end of the test."
            )
        if self._loop.loop.is_running():
            raise RuntimeError(
                f"The event loop of {self.describe()} is running already, so that nothing can wait for it "
                "synchronously. In a coroutine, use 'await' (or 'yield') instead of wait(), run_sync() or fetch()."
            )


def _copy_variables(context: contextvars.Context) -> None:
    """Bring what a coroutine set back to the code that waited for it, as if it had been one piece of code."""
    for variable, value in context.items():
        if variable is not contexts.contexts and variable.get(context) is not value:
            variable.set(value)
