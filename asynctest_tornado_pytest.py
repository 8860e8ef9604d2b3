"""The plugin for pytest: its hooks and fixtures.

Beside the package and not in it, so that pytest, which imports this in every project, does not import the package with
it. The first test that needs the library imports that.
"""

import inspect
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from tornado.httpclient import AsyncHTTPClient
    from tornado.httpserver import HTTPServer
    from tornado.ioloop import IOLoop

    from asynctest_tornado import VirtualClock
    from asynctest_tornado._function import Function, Served

__unittest = True
__tracebackhide__ = True

#: The name by which a late error of a test case finds the plugin.
NAME = "asynctest_tornado_tests"
#: The fixture that all of ours lead to.
_ROOT = "_asynctest_tornado"
_MARKER = "gen_test"
_FUNCTION: "pytest.StashKey[Function]" = pytest.StashKey()
#: Before what the user says of warnings, which wins for that.
_FILTER = "always:.* leaks what it has begun and not ended:ResourceWarning"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if not _is_there(pluginmanager, "pytest_tornado"):
        parser.getgroup("asynctest_tornado").addoption(
            "--async-test-timeout",
            metavar="SECONDS",
            help="how long each asynchronous test or fixture may take, 0 for no limit; those of TestCases go by "
            "ASYNC_TEST_TIMEOUT",
        )
    parser.addini(
        "asynctest_tornado_mode",
        "'strict': only tests with one of its fixtures or its marker run on Tornado's loop; 'auto': all asynchronous "
        "tests do, but those of other plugins",
        default="strict",
    )
    parser.addini("asynctest_tornado_timeout", "as --async-test-timeout", default="")
    parser.addini("asynctest_tornado_leaks", "'ignore', 'note', 'warn' or 'fail' for tests that leak", default="")
    parser.addini("asynctest_tornado_clock", "'real' or 'virtual': the time of tests on Tornado's loop", default="")


def _is_there(manager: pytest.PytestPluginManager, package: str) -> bool:
    """Tell whether pytest loads the plugin of a package, which may come after us."""
    if any(getattr(plugin, "__name__", "").partition(".")[0] == package for plugin in manager.get_plugins()):
        return True
    from importlib.metadata import entry_points

    found = [each for each in entry_points(group="pytest11") if each.value.partition(".")[0] == package]
    return any(not manager.is_blocked(each.name) for each in found)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(timeout=None, clock_factory=None, leaks=None, allowed_leaks=(), schedules=None, "
        "fail_on_server_error=False, loop_factory=None): run the test, which may be a generator, on Tornado's loop "
        "(asynctest_tornado)",
    )
    if not sys.warnoptions:
        config.getini("filterwarnings").insert(0, _FILTER)
    mode = config.getini("asynctest_tornado_mode")
    if mode not in ("auto", "strict"):
        raise pytest.UsageError(f"asynctest_tornado_mode cannot be {mode!r}. Set it to 'auto' or 'strict'.")
    if _is_there(config.pluginmanager, "pytest_tornado"):
        return  # the same fixtures and marker: whoever has both has tests that were written for that one
    config.pluginmanager.register(Tests(config), NAME)
    if not _is_there(config.pluginmanager, "pytest_base_url"):
        config.pluginmanager.register(BaseURL(), f"{NAME}_base_url")


def pytest_report_header(config: pytest.Config) -> str | None:
    if config.pluginmanager.has_plugin(NAME):
        return None
    return "asynctest_tornado: leaves the fixtures to pytest-tornado; run pytest with -p no:tornado to use its own"


def _is_auto(config: pytest.Config, name: str) -> bool:
    """Tell whether another plugin takes all asynchronous tests."""
    value = config.getoption(name, None)
    if value is None:
        try:
            value = config.getini(name)
        except (KeyError, ValueError):
            return False  # it is not there
    return str(getattr(value, "value", value)) == "auto"


def _is_async(func: Any) -> bool:
    func = getattr(getattr(func, "hypothesis", None), "inner_test", func)
    return inspect.iscoroutinefunction(func) or inspect.isasyncgenfunction(func)


def _other(item: pytest.Function) -> str | None:
    """Return the name of another plugin that runs a test."""
    if not _is_async(item.obj):
        return None
    if item.get_closest_marker("asyncio") or _is_auto(item.config, "asyncio_mode"):
        return "pytest-asyncio"
    if item.get_closest_marker("anyio") or "anyio_backend" in item.fixturenames or _is_auto(item.config, "anyio_mode"):
        return "anyio"
    return "pytest-trio" if item.get_closest_marker("trio") else None


def _refuse(message: str) -> NoReturn:
    """Fail a test of how it is written."""
    __tracebackhide__ = False  # pytest says so of a report that shows no line at all
    pytest.fail(message, pytrace=False)


def _is_case(item: object) -> bool:
    return isinstance(item, pytest.Function) and hasattr(item, "addFailure")


def _is_own_case(item: object) -> bool:
    """Tell whether a test is a method of an AsyncTestCase, without importing that."""
    cls = getattr(sys.modules.get("asynctest_tornado._case"), "AsyncTestCase", None)
    return cls is not None and isinstance(getattr(item, "instance", None), cls)


class Tests:
    """What is registered where nobody else has these fixtures."""

    def __init__(self, config: pytest.Config) -> None:
        self._is_auto = config.getini("asynctest_tornado_mode") == "auto"
        self._late: list[tuple[pytest.Item, BaseException]] = []
        self._current: pytest.Item | None = None

    def _is_ours(self, item: object) -> bool:
        if not isinstance(item, pytest.Function) or _is_case(item) or _other(item) is not None:
            return False
        if _ROOT in item.fixturenames or item.get_closest_marker(_MARKER) is not None:
            return True
        definitions = item._fixtureinfo.name2fixturedefs.values()
        return self._is_auto and (_is_async(item.obj) or any(_is_async(each[-1].func) for each in definitions))

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, collector: Any, name: str, obj: Any) -> Any:
        if not (inspect.isgeneratorfunction(obj) and collector.istestfunction(obj, name)):
            return None
        markers = [*getattr(obj, "pytestmark", ()), *collector.iter_markers()]
        if not any(getattr(each, "name", None) == _MARKER for each in markers):
            return None
        # pytest itself refuses tests that are generators.
        return list(collector._genfunctions(name, obj))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if self._is_ours(metafunc.definition):
            from asynctest_tornado import _function

            try:
                seeds = _function.seeds(metafunc.definition)
            except (TypeError, ValueError):
                return  # the test itself says so, and its module can be collected
            if seeds is not None and len(seeds) > 1:
                if _ROOT not in metafunc.fixturenames:
                    metafunc.fixturenames.append(_ROOT)
                metafunc.parametrize(_ROOT, seeds, indirect=True, ids=[f"seed{seed}" for seed in seeds])

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if self._is_ours(item):
                assert isinstance(item, pytest.Function)
                definitions = item._fixtureinfo.name2fixturedefs
                names = item.fixturenames
                if _ROOT in names:
                    names.remove(_ROOT)
                # Before all fixtures that are set up for each test, and after those that several tests share.
                own = [name for name in names if name in definitions and definitions[name][-1].scope == "function"]
                names.insert(names.index(own[0]) if own else len(names), _ROOT)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._current = item
        try:
            return (yield)
        finally:
            self._current = None
            if _FUNCTION in item.stash:
                del item.stash[_FUNCTION]
            self._report_late()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        try:
            return (yield)
        finally:
            self._report_late()

    def add_late(self, item: pytest.Item, error: BaseException) -> None:
        """Report an error that has surfaced after its test, when no test is running."""
        self._late.append((item, error))

    def _report_late(self) -> None:
        while self._late:
            item, error = self._late.pop(0)
            error.add_note("It surfaced after the end of this test.")
            info = pytest.ExceptionInfo.from_exception(error)
            call: pytest.CallInfo[None] = pytest.CallInfo(None, info, 0.0, 0.0, 0.0, "teardown", _ispytest=True)
            report = item.ihook.pytest_runtest_makereport(item=item, call=call)
            item.ihook.pytest_runtest_logreport(report=report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, object, object]:
        func = fixturedef.func
        if not _is_async(func) or self._belongs_to_another(func, request) or not self._is_ours(self._current):
            return (yield)
        if fixturedef.scope != "function":
            _refuse(
                f"The asynchronous fixture {fixturedef.argname!r} has the scope {fixturedef.scope!r}, and each test "
                "has an event loop of its own, which ends with it. Leave the scope out, or write a fixture that is not "
                "asynchronous; tests of a class share a loop in an AsyncTestCase with loop_scope = 'class'."
            )
        function: Function = request.getfixturevalue(_ROOT)
        if inspect.ismethod(func) and isinstance(request.instance, type(func.__self__)):
            func = func.__func__.__get__(request.instance)

        def set_up(**kwargs: Any) -> Any:
            return function.set_up(func, request.addfinalizer, **kwargs)

        before, fixturedef.func = fixturedef.func, set_up
        try:
            return (yield)
        finally:
            fixturedef.func = before

    def _belongs_to_another(self, func: Any, request: Any) -> bool:
        func = getattr(func, "__func__", func)
        return getattr(func, "_force_asyncio_fixture", False) or "anyio_backend" in request.fixturenames

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        function = pyfuncitem.stash.get(_FUNCTION, None)
        if function is None:
            return (yield)
        holder, name = pyfuncitem, "obj"
        if hasattr(pyfuncitem.obj, "hypothesis"):
            holder, name = pyfuncitem.obj.hypothesis, "inner_test"
        test = getattr(holder, name)
        waits = _is_async(test) or pyfuncitem.get_closest_marker(_MARKER) is not None

        def call(**kwargs: Any) -> Any:
            return function.call(test, waits, **kwargs)

        setattr(holder, name, call)
        try:
            return (yield)
        finally:
            setattr(holder, name, test)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        option = item.config.option
        if not (option.usepdb and _is_own_case(item)):
            return (yield)
        # Or pytest would put tearDown() off, but not the cleanups, and that would find its loop closed.
        option.usepdb = False
        try:
            return (yield)
        finally:
            option.usepdb = True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        function = item.stash.get(_FUNCTION, None)
        if function is not None:
            function.begin_to_end()
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: "pytest.CallInfo[None]") -> None:
        function = item.stash.get(_FUNCTION, None)
        skipped = pytest.skip.Exception
        if function is not None and call.excinfo is not None and not isinstance(call.excinfo.value, skipped):
            function.fails_of(call.excinfo.value)

    @pytest.fixture(name=_ROOT)
    def _root(self, request: Any) -> Generator["Function", None, None]:
        item = request.node
        other = _other(item) if isinstance(item, pytest.Function) else None
        if other is not None:
            _refuse(
                f"{item.name} asks for a fixture of asynctest_tornado, and {other} runs it, on an event loop of its "
                f"own. Take the marker or mode of {other} away from the test, or the fixture."
            )
        if _is_own_case(item):
            _refuse(
                f"{item.name} is a method of an AsyncTestCase, which has a loop, and asks for another one. Use "
                "self.io_loop, and the server and client of AsyncHTTPTestCase, instead of fixtures."
            )
        from asynctest_tornado._function import Function

        function = item.stash[_FUNCTION] = Function(item, getattr(request, "param", None), self.add_late)
        function.open()
        yield function
        function.finish()

    @pytest.fixture
    def io_loop(self, _asynctest_tornado: "Function") -> "IOLoop":
        """Tornado's event loop, for this test."""
        return _asynctest_tornado.io_loop

    @pytest.fixture
    def clock(self, _asynctest_tornado: "Function") -> "VirtualClock":
        """The clock of a test whose time is virtual: ``@pytest.mark.gen_test(clock_factory=VirtualClock)``."""
        clock = _asynctest_tornado.harness.clock
        if clock is None:
            _refuse(
                "This test runs in real time, without a clock. Mark it with @pytest.mark.gen_test(clock_factory="
                "VirtualClock), or set asynctest_tornado_clock = virtual."
            )
        return clock

    @pytest.fixture
    def _asynctest_tornado_http(self, _asynctest_tornado: "Function", app: Any) -> Generator["Served", None, None]:
        served = _asynctest_tornado.serve(app)
        yield served
        served.close()

    @pytest.fixture
    def http_server(self, _asynctest_tornado_http: "Served") -> "HTTPServer":
        """A server for what the fixture ``app`` returns."""
        return _asynctest_tornado_http.http_server

    @pytest.fixture
    def http_port(self, _asynctest_tornado_http: "Served") -> int:
        """The port of the server, which no other test has."""
        return _asynctest_tornado_http.site.port

    @pytest.fixture
    def http_client(self, _asynctest_tornado_http: "Served") -> "AsyncHTTPClient":
        """A client."""
        return _asynctest_tornado_http.make_client()

    @pytest.fixture
    def ssl_options(self) -> Any:
        """Those of the HTTPS server. By default it has a test certificate, which the client trusts."""
        from asynctest_tornado._function import ssl_options_of_tests

        return ssl_options_of_tests()

    @pytest.fixture
    def _asynctest_tornado_https(
        self, _asynctest_tornado: "Function", app: Any, ssl_options: Any
    ) -> Generator["Served", None, None]:
        served = _asynctest_tornado.serve(app, ssl_options)
        yield served
        served.close()

    @pytest.fixture
    def https_server(self, _asynctest_tornado_https: "Served") -> "HTTPServer":
        """An HTTPS server for what the fixture ``app`` returns."""
        return _asynctest_tornado_https.http_server

    @pytest.fixture
    def https_port(self, _asynctest_tornado_https: "Served") -> int:
        """The port of the HTTPS server, which no other test has."""
        return _asynctest_tornado_https.site.port

    @pytest.fixture
    def https_client(self, _asynctest_tornado_https: "Served") -> "AsyncHTTPClient":
        """A client that verifies the certificate of the server."""
        return _asynctest_tornado_https.make_client()


class BaseURL:
    """What is registered where pytest-base-url is not."""

    @pytest.fixture
    def base_url(self, request: Any, _asynctest_tornado: "Function") -> str:
        """The URL of the server, without a path: that of HTTPS if the test uses that."""
        is_https = any(name in request.fixturenames for name in ("https_server", "https_client", "https_port"))
        scheme = "https" if is_https else "http"
        served: Served = request.getfixturevalue(f"_asynctest_tornado_{scheme}")
        return served.site.url("", scheme, served.site.port)
