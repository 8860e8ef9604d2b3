"""One test: open the loop and the trap, end its leftovers, give the verdict."""

import contextlib
import enum
import functools
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from tornado.ioloop import IOLoop

from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.trap import Trap, raise_as_it_was
from asynctest_tornado._harness import misspelled_settings, time_and_order
from asynctest_tornado._harness.shared_context import SharedContext
from asynctest_tornado._harness.waits import Waits
from asynctest_tornado._leaks import client_requests, policy, tracking
from asynctest_tornado._leaks.check import LeakCheck
from asynctest_tornado._loop import managed_loop, new_loop
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._sources import interpreter_hooks, loggers, pool_contexts, request_handlers, unawaited_coroutines
from asynctest_tornado._timeouts import deadlock
from asynctest_tornado._util import observer
from asynctest_tornado._util.real_time import get_running_loop

__unittest = True

_T = TypeVar("_T")

# At import, and not for each test: an ExceptionStackContext works outside of tests, too.
loggers.watch_loggers()
interpreter_hooks.watch_hooks()
pool_contexts.watch()
request_handlers.watch_handlers()
tracking.watch_tornado()
client_requests.watch()


class State(enum.Enum):
    NEW = "not open yet"
    OPEN = "open"
    CLOSED = "closed"


# For speed: a test uses these eight times, and CPython looks the members of an enumeration up in a slow way.
NEW, OPEN, CLOSED = State


_new_ioloop = functools.partial(new_loop.new_ioloop, is_watched=True)


def _amend_nothing(error: BaseException, text: str) -> None:
    """Stand in where no framework has a report."""


class Harness:
    """A context manager that owns the loop, the trap and the clock of one test. It knows nothing of unittest.

    ::

        with Harness(lambda: "my test") as harness:
            harness.waits.run(my_coroutine_function, timeout)

    :param describe: returns the name of the test, for reports.
    :param outer: the harness of the class, whose loop, clock and context variables the test gets.
    :param clock: the clock of the loop, if its time is virtual.
    :param leaks: the consequence of leaks.
    :param schedule: the order of ready callbacks, if it is not the order of asyncio.
    """

    _outer_chain: contexts.Chain = ()
    _end_schedule: Callable[[], None] | None = None

    def __init__(
        self,
        describe: Callable[[], str],
        outer: "Harness | None" = None,
        clock: VirtualClock | None = None,
        leaks: policy.Policy = policy.IGNORE,
        schedule: Schedule | None = None,
    ) -> None:
        if not misspelled_settings.has_looked:
            misspelled_settings.check_environment()
        self.state = NEW
        #: True if a test framework drives it; else it is used by hand, between ``open`` and ``finish``.
        self.has_shell = False
        #: The name of the function that closes the loop, for messages.
        self.closer = "tearDown()"
        #: True if the test is over, up to its cleanups.
        self.is_ending = False
        #: True if there was a warning of leaks.
        self.has_warned = False
        #: Adds to the report of the failure that was reported last.
        self.amend: Callable[[BaseException, str], object] = _amend_nothing
        self.describe = describe
        self.trap = Trap(describe)
        unawaited_coroutines.watch(self.trap)
        self._leaks = leaks
        self._schedule = schedule
        self._outer = outer
        self.clock: VirtualClock | None = clock if outer is None else outer.clock
        self.context: SharedContext = SharedContext(self.trap, None if outer is None else outer.context)
        self._resources: contextlib.ExitStack | None = None
        # Made once there may be leaks.
        self._leak_check: LeakCheck | None = None

    def open(self, make_loop: Callable[[], IOLoop] = _new_ioloop, is_lent: bool = False) -> IOLoop:
        """Make the loop and watch it; return it. It is current, and does not run.

        :param make_loop: returns the loop.
        :param is_lent: True if others use the loop as well: the test then ends only its own tasks and timers.
        """
        if self.state is OPEN:
            # A test that calls tearDown() and setUp(), or a setUp() that is reached twice: it goes on with a new loop.
            self.close()
        else:
            assert self.state is NEW, self.state
        outer = self._outer
        if outer is not None:
            make_loop, is_lent = lambda: outer.loop.io_loop, True
        loop = managed_loop.LoopOfTest(make_loop, self.trap, is_lent)
        if self.clock is not None and outer is None:
            time_and_order.attach_clock(loop, self.clock)
        if self._schedule is not None:
            self._end_schedule = time_and_order.attach_schedule(loop, self._schedule)
        self.loop: managed_loop.LoopOfTest = loop
        self._leak_check = None
        deadlock.watch(loop)
        #: Run the loop, from now on.
        self.waits = Waits(loop, self.trap, self.describe, self.context)
        interpreter_hooks.watch(self.trap)
        self.trap.report_lost = functools.partial(loop.report_lost_errors, ())
        loop.stand_in("run_sync", self.waits.run_sync)
        loop.watch_close(self.closer)
        if self.clock is not None:
            self.waits.time = time_and_order.TimeOfTest(self.clock, self.waits.run_for_clock)
        if not self.has_shell and contexts.contexts.get()[:1] != (self.trap,):
            # The caller's code is code of the test, up to `finish`.
            self._outer_chain = contexts.contexts.get()
            contexts.contexts.set((self.trap,))
        self.state = OPEN
        return loop.io_loop

    def has_loop(self, io_loop: IOLoop) -> bool:
        """Return whether this is the loop of the test, or the test has to take the loop of the class."""
        return self._outer is not None or (self.state is OPEN and self.loop.io_loop is io_loop)

    @property
    def resources(self) -> contextlib.ExitStack:
        """Servers, clients and the like; closed before the loop, while it can still run."""
        if self._resources is None:
            self._resources = contextlib.ExitStack()
        return self._resources

    def _get_leak_check(self) -> LeakCheck:
        if self._leak_check is None:
            outer = None if self._outer is None else self._outer.trap
            self._leak_check = LeakCheck(self.loop, self.waits.running, self.trap, self._leaks, outer, self.amend)
        return self._leak_check

    def __enter__(self) -> "Harness":
        self.open()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.finish()

    def finish(self, futures: Iterable[object] = ()) -> None:
        """Close, and raise the errors in the trap.

        :param futures: objects. Those of them that are failed futures are reported, unless the test has seen the error.
        """
        self.close(futures)
        if not self.has_shell:
            contexts.contexts.set(self._outer_chain)
            self.trap.forget_reports()
        error = self.trap.close()
        if self._leak_check is not None or (observer.current is not None and self.state is CLOSED):
            leak_check = self._get_leak_check()
            try:
                error = leak_check.report(self.describe(), error)
            finally:  # a filter may make an error of the warning
                self.has_warned |= leak_check.has_warned
        if error is not None:
            raise_as_it_was(error)

    def look_for_tasks(self, get_held: Callable[[], Collection[int]] = tuple) -> None:
        """Find the tasks that the test has left, before they are cancelled or the things that they wait for are closed.

        :param get_held: returns the ids of objects which the test is still going to end.
        """
        if self.loop.may_have_pending_tasks():
            self._get_leak_check().look_for_tasks(get_held)

    def look_for_requests(self, get_held: Callable[[], Collection[int]] = tuple) -> None:
        """Find the requests that the test does not wait for, before their server is closed.

        :param get_held: see `look_for_tasks`.
        """
        if self.loop.may_have_pending_tasks():
            self._get_leak_check().look_for_requests(get_held)

    def drain(self) -> None:
        """Cancel the tasks that still run, and let them end. Their errors go into the trap."""
        if self.loop.may_have_pending_tasks():
            self.waits.running.drain()

    def close(self, futures: Iterable[object] = ()) -> None:
        """End the tasks and the like that are left, and close the loop. Afterwards the trap has all errors."""
        if self.state is not OPEN:
            return
        self.trap.hold()
        try:
            # Most tests have left nothing that could go on: one check instead of one before and after each step.
            if self._resources is not None or self.loop.may_have_pending_tasks():
                self.look_for_tasks()
                self.close_resources(futures)
                self.drain()
            if self.trap.made or not self.loop.is_tidy():
                self.begin_closing(futures)
                self._get_leak_check().look_for_all(self.waits.open_streams)
                self.trap.closing.have_cut_off()
            if self.loop.has_async_generators():
                self._end_async_generators()
            self.loop.report_lost_errors(futures)
        finally:
            self.state = CLOSED
            self.waits.is_closed = True
            for task in self.waits.running.abandoned:
                self.loop.forget(task)
            if self.waits.time is not None:
                self.waits.time.end()
            self.loop.close()
            if self._end_schedule is not None:
                self._end_schedule()
            self.trap.closing.end()
            self.trap.release()

    def _end_async_generators(self) -> None:
        if not self.waits.running.to_end(self.loop.loop.shutdown_asyncgens()):
            self.trap.add(
                RuntimeError(
                    f"An asynchronous generator of {self.describe()} was closed at the end of the test, and does "
                    "not end. It is abandoned. Let it end when it gets a GeneratorExit."
                ),
                is_own=True,
            )

    def begin_closing(self, futures: Iterable[object] = ()) -> None:
        """Record that connections are closed from now on. A consequence of that is no error of the test.

        :param futures: see `finish`.
        """
        if not self.trap.closing.is_under_way:
            under_way = [future for future, _ in self.loop.own_futures()]
            self.trap.begin_closing(self.loop.lost_errors(futures), under_way)

    def close_resources(self, futures: Iterable[object] = ()) -> None:
        """Close the `resources` now, and not with the loop.

        :param futures: see `begin_closing`.
        """
        if self._resources is not None:
            self._resources.close()
            self.begin_closing(futures)
        self.trap.closing.have_cut_off()

    def is_running_here(self) -> bool:
        """Return whether the loop runs, and called the caller."""
        try:
            return self.state is OPEN and get_running_loop() is self.loop.loop
        except RuntimeError:
            return False
