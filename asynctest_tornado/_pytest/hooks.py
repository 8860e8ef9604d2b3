"""The hooks: which tests run on Tornado's loop, and how."""

# Tested by tests/pytest/test_plugin.py.

import contextlib
import functools
import inspect
import sys
import unittest
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from asynctest_tornado._pytest import advice, async_fixtures, claims, loop_scopes, subtests

__unittest = True
__tracebackhide__ = claims.is_hidden


class Hooks:
    """Finds the tests that are ours, and hands them and their asynchronous fixtures to the harness."""

    def __init__(self, config: pytest.Config) -> None:
        self._is_auto = config.getini("asynctest_tornado_mode") == "auto"
        self._late: list[tuple[pytest.Item, BaseException, str | None]] = []
        #: How many tests have begun, of any kind.
        self.number = 0
        self._reported: set[tuple[str, type, str | None]] = set()
        self._is_over = False
        # pytest calls the one that came first as the last one.
        config.add_cleanup(_watch_again)
        #: The test that runs, of any kind.
        self.current: pytest.Item | None = None
        # Of the test case that runs or has just run.
        self._failed_subtests = 0
        self._is_called = False

    def _is_ours(self, item: object) -> bool:
        if not isinstance(item, pytest.Function) or claims.is_case(item) or claims.other(item) is not None:
            return False
        if not {claims.ROOT, claims.SERVE}.isdisjoint(item.fixturenames) or claims.is_marked(item):
            return True
        if claims.PORTS in item.fixturenames and claims.is_async(item.obj):
            return True
        definitions = item._fixtureinfo.name2fixturedefs.values()
        return self._is_auto and (
            claims.is_async(item.obj) or any(claims.is_async(each[-1].func) for each in definitions)
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, collector: Any, name: str, obj: Any) -> Any:
        if not (inspect.isgeneratorfunction(obj) and collector.istestfunction(obj, name)):
            return None
        markers = [*getattr(obj, "pytestmark", ()), *collector.iter_markers()]
        names = claims.markers(collector.config)
        if not any(getattr(each, "name", None) in names for each in markers):
            return None
        # pytest itself refuses tests that are generators.
        return list(collector._genfunctions(name, obj))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if self._is_ours(metafunc.definition):
            from asynctest_tornado._pytest import settings

            try:
                chosen = settings.params(metafunc.definition, list(claims.markers_of(metafunc.definition)))
            except (TypeError, ValueError):
                return  # the test itself says so, and its module can be collected
            if chosen or settings.is_replayed():
                from asynctest_tornado._pytest import ordered

                ordered.register(metafunc.config)
            if chosen:
                if claims.ROOT not in metafunc.fixturenames:
                    metafunc.fixturenames.append(claims.ROOT)
                metafunc.parametrize(claims.ROOT, chosen, indirect=True, ids=map(settings.id_of, chosen))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        loop_scopes.assign([item for item in items if isinstance(item, pytest.Function) and self._is_ours(item)])
        for item in items:
            if claims.LOOP_SCOPE in item.stash:
                assert isinstance(item, pytest.Function)
                definitions = item._fixtureinfo.name2fixturedefs
                names = item.fixturenames
                if claims.ROOT in names:
                    names.remove(claims.ROOT)
                # Before all fixtures that are set up for each test, and after those that several tests share.
                own = [name for name in names if name in definitions and definitions[name][-1].scope == "function"]
                names.insert(names.index(own[0]) if own else len(names), claims.ROOT)
                scope = item.stash[claims.LOOP_SCOPE]
                if scope != "function":
                    names.insert(0, claims.SCOPES[scope])
                if claims.is_marked(item) and "io_loop" not in names and not claims.is_explicit(item):
                    # As in pytest-tornado. One that is not ours is asked for as the test begins.
                    names += ["io_loop"] if claims.leads_to_ours(item, "io_loop") else []
            elif isinstance(item, pytest.Function) and not claims.is_case(item) and claims.is_asked_for(item):
                # Another plugin runs the test, which this fixture refuses.
                item.fixturenames.append(claims.ROOT)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self.current = item
        self.number += 1
        try:
            return (yield)
        finally:
            self.current = None
            if claims.FUNCTION in item.stash:
                del item.stash[claims.FUNCTION]
            self._report_late()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        try:
            return (yield)
        finally:
            self._report_late()

    # The innermost: others write their reports in there, and the terminal and xdist around that.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        self._report_late()
        try:
            return (yield)
        finally:
            self._report_late()
            # It is there if a test was ours.
            installation = sys.modules.get("asynctest_tornado._sources.installation")
            if installation is not None:
                installation.end(self, self._report_late)
            self._is_over = True
            if session.testsfailed and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def add_late(self, item: pytest.Item, error: BaseException, other: str | None = None) -> bool:
        """Report an error that has surfaced after its test, once and when no test is running.

        :param other: the name of another test that it may belong to; its notes say so.
        :return: whether pytest still takes reports.
        """
        from asynctest_tornado._pytest import function as _function

        key = item.nodeid, type(error), _function.text_of(error)
        if key not in self._reported:  # a timer, say, that goes on for as long as its loop
            self._reported.add(key)
            if self._is_over:
                return False
            self._late.append((item, error, other))
        return True

    def _report_late(self) -> None:
        while self._late:
            from asynctest_tornado._pytest import function as _function

            item, error, other = self._late.pop(0)
            if other is None:
                _function.add_note(error, "It surfaced after the end of this test.")
            info = _info_of(error)
            call: pytest.CallInfo[None] = pytest.CallInfo(None, info, 0.0, 0.0, 0.0, "teardown", _ispytest=True)
            report = item.ihook.pytest_runtest_makereport(item=item, call=call)
            with _as_current(item):
                item.ihook.pytest_runtest_logreport(report=report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, object, object]:
        func, item = fixturedef.func, self.current
        if fixturedef.argname == subtests.FIXTURE and item is not None and self._is_ours(item):
            value = yield
            subtests.watch(value, item)
            return value
        if not (claims.is_async(func) and self._is_ours(item)) or async_fixtures.is_of_another(fixturedef, request):
            try:
                return (yield)
            except pytest.fail.Exception:
                async_fixtures.drop_refused(fixturedef)
                raise
        assert item is not None
        # Here, and not for good: pytest cannot set a fixture up again for another test that has failed before.
        fixturedef.func = async_fixtures.on_loop(fixturedef, request, item)
        try:
            return (yield)
        finally:
            fixturedef.func = func

    # After the hook of --trace, which replaces the test by a function that runs it in a debugger, and returns None.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        function = pyfuncitem.stash.get(claims.FUNCTION, None)
        if function is None:
            return (yield)
        holder, name = pyfuncitem, "obj"
        in_order: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        if hasattr(pyfuncitem.obj, "hypothesis"):
            from asynctest_tornado._pytest import ordered

            holder, name = pyfuncitem.obj.hypothesis, "inner_test"
            in_order = ordered.examples_in_order(pyfuncitem, function)
        test = original = getattr(holder, name)
        if pyfuncitem.config.option.trace and holder is pyfuncitem:
            original = test.__wrapped__
        waits = claims.is_async(original) or claims.is_marked(pyfuncitem)
        called = claims.traced(original) if waits and original is not test else test

        def call(**kwargs: Any) -> Any:
            try:
                return function.call(called, waits, **kwargs)
            except TimeoutError as error:
                if error is not function.unsettled:
                    raise
                unsettled = error
            return claims.refuse("\n".join([str(unsettled), *getattr(unsettled, "__notes__", ())]), unsettled)

        # hypothesis knows a test by its name and its source.
        setattr(holder, name, call if holder is pyfuncitem else functools.wraps(test)(call))
        try:
            with in_order:
                return (yield)
        finally:
            setattr(holder, name, test)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        if not claims.is_own_case(item):
            return (yield)
        option = item.config.option
        # Or pytest would put tearDown() off, but not the cleanups, and that would find its loop closed.
        before = option.usepdb, option.trace
        option.usepdb = False
        if option.trace and claims.is_async(item.obj):  # type: ignore[attr-defined]
            option.trace = False  # as for test functions
            setattr(item.instance, item.name, claims.traced(item.obj))  # type: ignore[attr-defined]
        self._failed_subtests, self._is_called = 0, True
        try:
            return (yield)
        finally:
            option.usepdb, option.trace = before
            self._is_called = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: "pytest.CallInfo[None]"
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        function = item.stash.get(claims.FUNCTION, None)
        if function is not None and call.excinfo is not None:
            is_skip = call.excinfo.errisinstance((pytest.skip.Exception, unittest.SkipTest))
            function.ends_with(call.excinfo.value, not is_skip)
        if call.excinfo is not None:
            advice.improve(item, call)
            if function is not None:
                from asynctest_tornado._pytest import reporter

                if call.when != "call":
                    reporter.hide_our_frames(call)
                reporter.drop_own_lines(call.excinfo.value)
        report = yield
        if function is not None:
            advice.tidy(report)
        if call.excinfo is not None and "asynctest_tornado._sources.installation" in sys.modules:  # a test was ours
            from asynctest_tornado._pytest import settings

            settings.shorten_report(report, item, call.excinfo, claims.is_case(item))
        if self._is_called:
            self._failed_subtests += report.failed
        elif self._failed_subtests and report.when == "call":
            # As for pytest's own subtests; or --lf would leave the test out.
            if report.passed:
                report.outcome = "failed"
                report.longrepr = f"{self._failed_subtests} of its subtests failed"
            self._failed_subtests = 0
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        function = item.stash.get(claims.FUNCTION, None)
        if function is not None:
            function.begin_to_end()
        return (yield)


def _watch_again() -> None:
    """Learn of errors that surface when pytest has ended, and has put back the hooks that it found."""
    interpreter = sys.modules.get("asynctest_tornado._sources.interpreter_hooks")
    if interpreter is not None:
        interpreter.Patch.put_in_again(interpreter.patches)


def _info_of(error: BaseException) -> pytest.ExceptionInfo[BaseException]:
    """Return an error as one that pytest has caught. One that was set on a future may never have been raised."""
    if error.__traceback__ is None:
        __tracebackhide__ = False  # pytest says so of a report that shows no line at all
        with contextlib.suppress(type(error)):
            raise error
    return pytest.ExceptionInfo.from_exception(error)


@contextlib.contextmanager
def _as_current(item: pytest.Item) -> Iterator[None]:
    """Make a test the current one for a worker of pytest-xdist, which refuses reports of another one."""
    plugins = item.config.pluginmanager.get_plugins() if hasattr(item.config, "workerinput") else ()
    worker: Any = next((each for each in plugins if hasattr(each, "item_index")), None)
    if worker is None:
        yield
        return
    before, worker.item_index = worker.item_index, item.session.items.index(item)
    try:
        yield
    finally:
        worker.item_index = before
