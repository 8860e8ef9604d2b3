"""Runs a test function in several orders, and reports it once."""

# Tested by tests/pytest/test_orders.py.

import contextlib
from typing import Any, Literal, NamedTuple

import pytest

from asynctest_tornado._explanations.described_history import DescribedHistory
from asynctest_tornado._pytest import claims
from asynctest_tornado._pytest.settings import Settings, command, without_order
from asynctest_tornado._schedules import settings as orders
from asynctest_tornado._schedules.feature import ORDER
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search import hints, rerun, shrink
from asynctest_tornado._search.all_orders import Explorer
from asynctest_tornado._search.reports import out_of_sight
from asynctest_tornado._search.shrink import Way
from asynctest_tornado._util.real_time import monotonic
from asynctest_tornado._util.settings import All

__unittest = True
__tracebackhide__ = True

_NAME = f"{claims.NAME} in several orders"
#: The title of the lines about the order, in a report that was written before they were known.
_TITLE = "order"
#: Which tests have failed, by their names without the seed, and by the ways in which they have failed.
_FAILED: pytest.StashKey[dict[tuple[str, Way], str]] = pytest.StashKey()
_When = Literal["setup", "call", "teardown"]


def register(config: pytest.Config) -> None:
    """Let this run the tests that have several orders, from now on."""
    if not config.pluginmanager.has_plugin(_NAME):
        config.pluginmanager.register(Protocol(), _NAME)


def _param_of(item: Any) -> Any:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get(claims.ROOT)


class Protocol:
    """The hooks that run tests with several orders."""

    _running: "Ordered | None" = None

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        order = _param_of(item)
        # A test that is ours, and whose order is replayed, has no such parameter.
        if not isinstance(item, pytest.Function) or (order is None and claims.LOOP_SCOPE not in item.stash):
            return None
        option = item.config.option
        is_rerun_by_others = bool(getattr(option, "reruns", None)) or item.get_closest_marker("flaky") is not None
        # What the user watches, or what has reports of its own meanwhile, is not run again.
        is_watched = option.usepdb or option.trace or option.setupshow or "subtests" in item.fixturenames
        if (is_rerun_by_others or is_watched) and not isinstance(order, All):
            return None
        try:
            ordered = Ordered(item, nextitem)
            replayed = orders.replayed(ordered.is_required, DescribedHistory) if order is None else None
        except (TypeError, ValueError):
            return None  # the test itself says so
        if order is None and replayed is None:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        self._running = ordered
        try:
            if isinstance(order, All):
                ordered.run_all(order.bound)
            elif replayed is not None:
                ordered.run_replay(replayed)
            else:
                ordered.run_seed(order)
        finally:
            self._running = None
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Learn of a report that comes while a test runs: of a subtest."""
        if self._running is not None:
            self._running.has_failed_subtest |= report.failed


class _Run(NamedTuple):
    """The outcome of one run."""

    reports: list[pytest.TestReport]
    #: The way in which it has failed first, if it has.
    way: Way | None
    seconds: float
    has_failed_subtest: bool

    @property
    def has_passed(self) -> bool:
        """True if the test may still fail in another order."""
        # A success that is not expected, of which pytest makes a failure, is none before all orders were tried.
        return not self.has_failed_subtest and all(
            report.passed or str(report.longrepr).startswith("[XPASS(strict)]") for report in self.reports
        )


class Ordered:
    """The runs of one test function.

    :param nextitem: the next test, as the hooks of pytest have it.
    """

    #: The order of the current run.
    schedule: Schedule
    #: True if a subtest of the current run has failed. pytest reports it at once, beside the test.
    has_failed_subtest = False

    def __init__(self, item: pytest.Function, nextitem: pytest.Item | None) -> None:
        self._item = item
        self._nextitem = nextitem
        order = _param_of(item)
        self._name, self._command = without_order(item.nodeid, order), command(item, order)
        self._has_run = False
        self._is_hidden = False
        settings = Settings(item, list(claims.markers_of(item)))
        self.is_required = settings.is_required
        self.has_faults = settings.network_factory()[0] is not None
        self._examples: Any = None

    def run_seed(self, seed: int) -> None:
        """Run the test in the order of a seed. Shrink the order if the test fails."""
        schedule = Schedule.of_seed(seed, self.is_required)
        run = self._once(schedule, is_last=True)
        reports = run.reports
        try:
            if run.way is not None:
                reports = self._explained(run, run.way, seed, run.seconds / (schedule.restarts or 1))
        finally:
            self._finish(reports)

    def run_replay(self, schedule: Schedule) -> None:
        """Run the test in the one order that the user asks for."""
        schedule.hint = hints.hint_of(schedule, self._command)
        run = self._once(schedule, is_last=True)
        reports = run.reports
        try:
            if run.way is not None:
                again = rerun.Rerun(self, schedule.seed, run.way, is_required=self.is_required)
                reports = _add(run, again.explained_replay(schedule))
            elif run.has_passed and schedule.missing():
                said = f"passed, but {orders.say_missing(schedule.missing())}"
                setattr(reports[1], claims.EXPLORED, (False, said))
        finally:
            self._finish(reports)

    def _explained(self, run: _Run, way: Way, seed: int, seconds: float) -> list[pytest.TestReport]:
        """Return the reports of a test that fails, in as few deviations as possible."""
        failed = self._item.session.stash.setdefault(_FAILED, {})
        known = failed.setdefault((self._name, way), self._item.nodeid)
        if known != self._item.nodeid:
            return _add(run, f"It fails in the same way as {known}, whose report says more.")
        if not seed:
            return run.reports
        again = rerun.Rerun(self, seed, way, is_required=self.is_required)
        shrunk = again.shrink(seconds)
        if isinstance(shrunk, str):
            return _add(run, rerun.IN_ASYNCIOS_ORDER if shrunk == rerun.FAILS_ALWAYS else shrunk)
        schedule = again.schedule(shrunk.holds)
        text = again.explanation(shrunk)
        schedule.hint = hints.hint_shrunk(shrunk, seed, schedule, self._command, text)
        sections = self._item._report_sections[:]
        del self._item._report_sections[:]
        final = self._once(schedule)
        if final.way == way:
            return final.reports
        self._item._report_sections[:] = sections
        return _add(run, again.why_not(final.way))

    def run_all(self, bound: int | None) -> None:
        """Run the test in all orders, up to the first one in which it does not pass."""
        explorer = Explorer(bound)
        reports: list[pytest.TestReport] = []
        try:
            for holds in explorer:
                history = explorer.history()
                schedule = Schedule.of_holds(holds, self.is_required, history)
                schedule.token = orders.token_of(holds)
                if holds:
                    tried = explorer.explored().orders - 1
                    schedule.hint = hints.hint_explored(len(holds), tried, schedule, self._command)
                del self._item._report_sections[:]
                run = self._once(schedule)
                reports = run.reports
                if run.way is not None and holds and "subtests" not in self._item.fixturenames:
                    again = rerun.Rerun(self, 0, run.way, is_required=self.is_required)
                    reports = _add(run, again.explained(holds))
                if not run.has_passed:
                    return
                if not schedule.has_loop:
                    break
                explorer.record(history)
            explored = explorer.explored()
            is_proof = explored.is_complete and schedule.has_loop
            said = (
                str(explored) if schedule.has_loop else "1 order, which is no proof: its loop has an order of its own"
            )
            setattr(reports[1], claims.EXPLORED, (is_proof, said))
        finally:
            self._finish(reports)

    # The target of a rerun.

    def is_stopped(self) -> bool:
        return bool(self._item.session.shouldstop)

    def run_out_of_sight(self, schedule: Schedule, seconds: float) -> Way | None:
        """Run the test once, and report nothing; return the way in which it fails, if it does."""
        schedule.is_reported = False
        sections = self._item._report_sections[:]
        schedule.ends_at = monotonic() + seconds
        self._is_hidden = True
        try:
            with out_of_sight():
                return self._once(schedule).way
        finally:
            self._is_hidden = False
            self._item._report_sections[:] = sections

    # The runs.

    def _once(self, schedule: Schedule, *, is_last: bool = False) -> _Run:
        """Run the test once.

        :param is_last: true to tear down fixtures of wider scopes that the next test does not need, if it passes.
        """
        item = self._item
        if self._has_run:
            _make_anew(item)
        self._has_run = True
        self.has_failed_subtest = False
        self.schedule = schedule
        item.stash[claims.ORDERED] = self
        ways: list[Way] = []
        began = monotonic()
        try:
            reports = [self._phase(ways, "setup")]
            if reports[0].passed:
                reports.append(self._phase(ways, "call"))
            # To pytest, all but the test itself is needed again: the test has a parent, which is no test.
            following: Any = item.parent if ways or not is_last else self._following
            reports.append(self._phase(ways, "teardown", nextitem=following))
        finally:
            item.funcargs, request = {}, "_request"
            setattr(item, request, False)
            del item.stash[claims.ORDERED]
        if self._examples is not None and ways:
            self._examples.are_known = True
        way = ways[0] if ways else None
        return _Run(reports, way, monotonic() - began, self.has_failed_subtest)

    @property
    def _following(self) -> pytest.Item | None:
        """The next test; None if there is none, so that all fixtures are torn down."""
        session = self._item.session
        return None if session.shouldfail or session.shouldstop else self._nextitem

    def _phase(self, ways: list[Way], when: _When, **kwargs: Any) -> pytest.TestReport:
        item = self._item
        hook = getattr(item.ihook, f"pytest_runtest_{when}")
        call = pytest.CallInfo.from_call(
            lambda: hook(item=item, **kwargs), when, reraise=(pytest.exit.Exception, KeyboardInterrupt)
        )
        report = item.ihook.pytest_runtest_makereport(item=item, call=call)
        if call.excinfo is not None and report.failed:
            ways.append(shrink.way_of(call.excinfo.value))
            hint = self.schedule.hint or ""
            # An error of the end of the test, such as a leak, has no notes.
            if hint.partition("\n")[0] not in report.longreprtext:
                report.sections.append((_TITLE, hint))
            if not self._is_hidden:
                item.ihook.pytest_exception_interact(node=item, call=call, report=report)
        own: pytest.TestReport = report
        return own

    def _finish(self, reports: list[pytest.TestReport]) -> None:
        """Tear down the fixtures that the next test does not need, and report the test."""
        item = self._item
        call = pytest.CallInfo.from_call(
            lambda: item.session._setupstate.teardown_exact(self._following),
            "teardown",
            reraise=(pytest.exit.Exception, KeyboardInterrupt),
        )
        if call.excinfo is not None:
            reports = [*reports[:-1], *(report for report in reports[-1:] if report.failed)]
            reports.append(item.ihook.pytest_runtest_makereport(item=item, call=call))
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)

    @contextlib.contextmanager
    def examples_in_order(self, test: Any) -> Any:
        """Let each example of hypothesis begin the order of the current run anew."""
        from asynctest_tornado._schedules.examples import Examples

        if self._examples is None:
            self._examples = Examples(test)
        with self._examples.in_order(self.schedule):
            yield


def examples_in_order(item: Any, function: Any) -> contextlib.AbstractContextManager[None]:
    """Let each example of hypothesis begin the order of the test anew, if the test has one."""
    ordered = item.stash.get(claims.ORDERED, None)
    schedule = function.harness.options.get(ORDER)
    if schedule is None:
        return contextlib.nullcontext()
    if ordered is not None:
        found: contextlib.AbstractContextManager[None] = ordered.examples_in_order(item.obj)
        return found
    from asynctest_tornado._schedules.examples import Examples

    return Examples(item.obj).in_order(schedule)


def _make_anew(item: Any) -> None:
    """Give a test that was run new fixtures, and a new instance of its class."""
    if claims.FUNCTION in item.stash:
        del item.stash[claims.FUNCTION]
    item._initrequest()
    if item.cls is not None:
        item._obj = None
        vars(item).pop("_instance", None)


def _add(run: _Run, text: str) -> list[pytest.TestReport]:
    """Return the reports of a run, with lines below the first failure."""
    failed = next(report for report in run.reports if report.failed)
    if text:
        failed.sections.append((_TITLE, text))
    return run.reports
