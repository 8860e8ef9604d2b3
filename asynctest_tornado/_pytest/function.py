"""One run of a test function of pytest on the harness. It does not import pytest."""

# Tested by tests/pytest/test_plugin.py.

import asyncio
import functools
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from tornado.ioloop import IOLoop

from asynctest_tornado._clock.feature import VIRTUAL_TIME
from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._errors import notes
from asynctest_tornado._features import loop_methods
from asynctest_tornado._features.all_features import FEATURES
from asynctest_tornado._features.loop_methods import LOOP_METHODS
from asynctest_tornado._features.skipped_coroutines import SKIPPED_COROUTINES
from asynctest_tornado._harness.by_hand import Entered
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.phase import explain, phase
from asynctest_tornado._harness.timeout_error import error_of
from asynctest_tornado._leaks import settle
from asynctest_tornado._leaks.closing import CLOSED_CONNECTIONS
from asynctest_tornado._loop import new_loop
from asynctest_tornado._network.feature import NETWORK, network_of
from asynctest_tornado._network.virtual_network import VirtualNetwork
from asynctest_tornado._pytest.reporter import Reporter, hide_own
from asynctest_tornado._pytest.scope import Scope
from asynctest_tornado._pytest.serve import SERVES
from asynctest_tornado._pytest.settings import Settings, command
from asynctest_tornado._pytest.variables import Variables
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search import hints
from asynctest_tornado._sources import handler_errors, installation, terminal_logs
from asynctest_tornado._sources.feature import GARBAGE
from asynctest_tornado._sources.place_in_run import Place, place_of
from asynctest_tornado._unittest import misspelled_settings
from asynctest_tornado._unittest.late_errors import PLUGIN
from asynctest_tornado._util import exception_notes

__unittest = True

add_note = notes.add
text_of = exception_notes.text_of
__tracebackhide__ = True


class Orders(Protocol):
    """The runs of a test function that has several orders."""

    #: The order of the current run.
    schedule: Schedule

    def examples_in_order(self, test: Any) -> AbstractContextManager[None]:
        """Let each example of hypothesis begin the order of the current run anew."""


class Function:
    """One run of a test function, with its fixtures.

    :param item: the test, as pytest knows it.
    :param markers: its markers that are for this library, the closest one first.
    :param seed: the seed of the order to run in, if it is not the order of asyncio; ``All`` for one of all orders.
    :param report_late: see `Reporter`.
    :param scope: the scope whose loop the test shares, if any.
    :param order: the order to run in, if the test is run several times.

    Raises ``TypeError`` or ``ValueError`` for a setting that does not exist, or has a wrong value.
    """

    io_loop: IOLoop

    def __init__(
        self,
        item: Any,
        markers: Sequence[Any],
        seed: Any,
        report_late: Callable[[Any, BaseException, str | None], bool],
        scope: Scope | None = None,
        order: Orders | None = None,
    ) -> None:
        misspelled_settings.check_environment()
        settings = Settings(item, markers)
        schedule = settings.schedule(seed) if order is None else order.schedule
        self.limit = settings.limit()
        if schedule is not None and schedule.hint is None:
            schedule.hint = hints.hint_of(schedule, command(item, seed))
        if schedule is not None and not schedule.is_reported:
            report_late = _report_nothing

        def place() -> Place | None:
            plugin = item.config.pluginmanager.get_plugin(PLUGIN)
            return None if plugin is None else place_of(plugin, plugin.number, item.nodeid)

        settings.loop_scope()  # at collection, an error of it would be an error of the module
        options = settings.options(schedule) | {GARBAGE: place}
        self._settles = settings.settle_at_end()
        #: The error of a test whose work has not ended in time: it is of no line of the test.
        self.unsettled: TimeoutError | None = None
        self._loop_factory, self._place_of_factory = settings.loop_factory()
        self.scope = scope
        if scope is not None:
            scope.check(settings.of_loop())
            for feature in (VIRTUAL_TIME, NETWORK):
                options.pop(feature, None)
            shared = scope.harness.options
            options.update({each: shared[each] for each in (LOOP_METHODS, VIRTUAL_TIME, NETWORK) if each in shared})
        outer = None if scope is None else scope.harness
        reporter = Reporter(item, report_late)
        self.harness = Harness(lambda: str(item.nodeid), outer, FEATURES.of_test(options), options, reporter)
        self._item = item
        self._is_ending = False
        #: True while pytest reports a subtest.
        self.is_in_subtest = False
        # The error of a timeout that a subtest has reported.
        self._reported: BaseException | None = None
        self._variables = Variables(self.harness.context.variables)
        #: The servers that the fixture ``serve`` has made.
        self.servers: list[Any] = []
        # Called before the loop is closed, the last one first.
        self._dependents: list[Callable[[], object]] = []
        self.add_finalizer: Callable[[Callable[[], object]], object] = item.addfinalizer
        if settings.fails_on_server_error():
            handler_errors.strict.add(self.harness.trap)

    @property
    def clock(self) -> VirtualClock | None:
        """The clock of the test; None if its time is real."""
        clock: VirtualClock | None = self.harness.options.get(VIRTUAL_TIME)
        return clock

    @property
    def network(self) -> VirtualNetwork:
        """The network of the test: in memory, or on real sockets."""
        return network_of(self.harness)

    @property
    def needs_own_loop(self) -> bool:
        """Whether the settings of the test are for a loop that this library makes."""
        return (
            self.scope is not None
            or self._loop_factory is not None
            or self.clock is not None
            or NETWORK in self.harness.options
        )

    def open(self, lent: object = None) -> None:
        """Make the loop. From now on, all code that pytest runs is code of the test, up to `finish`.

        :param lent: the value of the fixture ``io_loop``, if it is the user's. A test runs on it if it is an
            ``IOLoop``.
        """
        run = self._item.config.pluginmanager.get_plugin(PLUGIN)
        if run is not None:
            installation.begin(run)
            terminal_logs.add_pytest(self._item.config)
        if isinstance(lent, IOLoop):
            self.io_loop = self.harness.open(lambda: lent, is_lent=True)
        else:
            self.io_loop = self.harness.open(
                lambda: new_loop.new_ioloop(self._loop_factory, self.harness.features, self._place_of_factory)
            )
        self.harness.trap.data[SERVES] = self
        if self.scope is not None:
            self.scope.begin_test(self, self._item)
        self._entered = Entered(self.harness.context)

    def call(self, func: Callable[..., Any], waits: bool, **kwargs: Any) -> Any:
        """Call the test itself.

        :param waits: True if its result is something to wait for.
        :return: the result.

        Raises the error of the test, else the errors in the trap.
        """
        call = functools.partial(func, **kwargs)

        def call_test() -> Any:
            try:
                inside = functools.partial(self.harness.context.call, call)
                result = self.run(call) if waits else self._variables.inside(inside)
                if self._settles[0]:
                    at_end = functools.partial(settle.at_end, self.harness, self.limit, *self._settles)
                    try:
                        self._variables.inside(at_end)
                    except TimeoutError as error:
                        self.unsettled = error
                        raise
                return result
            except BaseException as error:
                if error is not self._reported:
                    raise
                self.harness.trap.record_failure(error)
                return None  # pytest itself fails a test for its subtests

        return phase(self.harness, call_test, is_main=True)

    def run(self, func: Callable[[], Any]) -> Any:
        """Run the loop until a coroutine of the test or of a fixture has ended; return its result."""
        if self._is_ending:
            self.harness.trap.hold()
        run = functools.partial(self.harness.waits.run, func, self.limit, shared=True)
        return phase(self.harness, self._variables.inside, run)

    def error_of_subtest(self, error: BaseException) -> BaseException | None:
        """Return the error that a subtest has to report, if any, given the error that has left its block."""
        trap = self.harness.trap
        own: BaseException | None = error
        if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
            is_cancelled = isinstance(error, asyncio.CancelledError)
            if is_cancelled and trap.has_errors:
                own = trap.take()
            elif self._reported is None:
                own = self._reported = self._error_of_wait(error)
            else:
                own = None
            if own is None and not is_cancelled:
                own = error  # the user's
        if own is not None:
            explain(own, self.harness)
        return own

    def _wait(self) -> Deadline | None:
        """Return the wait of the test that runs the loop."""
        return next((wait for wait in reversed(self.harness.trap.waits) if wait.is_of_test), None)

    def _error_of_wait(self, outcome: asyncio.CancelledError | KeyboardInterrupt) -> BaseException | None:
        """Return the error of a timeout, with which the wait ends as well; None if the time is not over.

        :param outcome: the exception that has left the block.
        """
        wait = self._wait()
        is_interruption = isinstance(outcome, KeyboardInterrupt)
        if wait is None or not (is_interruption or wait.is_over):
            return None
        features = self.harness.features
        for feature in features.run_ended:
            feature.run_ended(wait)  # no interruption may come into the report
        if is_interruption and not any(feature.interrupted(wait, outcome) for feature in features.interrupted):
            return None
        wait.reported = error_of(wait, TimeoutError, "Operation", outcome)
        return wait.reported

    def end_report(self, is_made: bool) -> None:
        """Record that pytest has made the report of a subtest, or has failed to make it."""
        self.is_in_subtest = False
        if self._reported is not None:
            if not is_made:
                self._reported = None  # the test itself fails of it
            wait = self._wait()
            if wait is not None and wait.raised is None:
                for feature in self.harness.features.run_began:
                    feature.run_began(wait)  # to watch the rest of it

    def ends_with_subtest(self, error: BaseException | None, own: BaseException | None) -> bool:
        """Return whether the test ends at the end of a subtest.

        :param error: the error that has left its block.
        :param own: the error that was reported instead.
        """
        return error is not None and own is not error and (own is None or own is self._reported)

    def ends_with(self, error: BaseException, is_failure: bool) -> None:
        """Record the outcome that pytest gives to an error. An error that skips the test is no failure."""
        trap = self.harness.trap
        if is_failure:
            trap.failure = trap.failure or error
        elif not self.is_in_subtest:
            trap.failure = None
            SKIPPED_COROUTINES.record(trap, error, (self._item.funcargs or {}).values())

    def begin_closing(self) -> None:
        """Record that connections are closed from now on."""
        CLOSED_CONNECTIONS.begin(self.harness, self._futures())

    def _futures(self) -> Iterable[object]:
        """Return objects that may have failed futures: the values of the fixtures."""
        return (self._item.funcargs or {}).values()

    def begin_to_end(self) -> None:
        """Defer errors to the verdict from now on: they must not prevent fixtures from cleaning up."""
        self._is_ending = True
        self.add_finalizer = self._dependents.append  # pytest takes no more finalizers
        self.harness.trap.hold()

    def finish(self) -> None:
        """Close the loop. Raises the errors that were not reported yet."""
        while self._dependents:
            self._dependents.pop()()
        try:
            loop_methods.check_not_closed(self.harness, self.io_loop)
        except RuntimeError as error:
            self.harness.trap.add(error)
        try:
            self.harness.finish(self._futures())
        except BaseException as error:
            hide_own(error)
            raise
        finally:
            self._variables.restore()
            self._entered.leave()
            self.harness.trap.forget_reports()
            self._reported = self.unsettled = None  # they refer to frames
            if self.scope is not None:
                self.scope.end_test()


def _report_nothing(item: Any, error: BaseException, other: str | None) -> bool:
    return True
