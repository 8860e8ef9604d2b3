"""Whose test it is: ours or another plugin's."""

# Tested by tests/pytest/test_neighbours.py.

import functools
import inspect
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from asynctest_tornado._pytest.function import Function, Orders

__unittest = True

#: The name by which a late error of a test case finds the plugin.
NAME = "asynctest_tornado_tests"
#: The fixture that all of ours lead to which need a loop.
ROOT = "_asynctest_tornado"
#: The fixture that those lead to which are no more than the number of a port.
PORTS = "_asynctest_tornado_ports"
#: The fixture that the fixtures lead to which serve applications on the loop of any scope.
SERVE = "_asynctest_tornado_serve"
#: The scopes of loops, from the narrowest to the widest.
LOOP_SCOPES = ("function", "class", "module", "session")
#: The beginning of errors about the application that the server serves.
APP_ORIGIN = "The result of the fixture app"
#: The fixtures that have the loops which several tests share.
SCOPES = {scope: f"_asynctest_tornado_{scope}" for scope in LOOP_SCOPES[1:]}
#: The beginning of the names of our fixtures that no other plugin can have.
PREFIX = "asynctest_tornado_"
#: Those to which the fixtures lead by either name.
SHARED = {"asynctest_tornado_app", "asynctest_tornado_ssl_options"}
#: The marker as pytest-tornado calls it, and the name that is ours alone.
MARKER = "gen_test"
OWN_MARKER = "asynctest_tornado"
#: The end of the lines in which the plugin describes its markers.
SIGNATURE = "(asynctest_tornado)"
FUNCTION: "pytest.StashKey[Function]" = pytest.StashKey()
#: The attribute of the report of a test that has passed in all orders: whether that is a proof, and their number.
EXPLORED = "asynctest_tornado_orders"
#: The runs of a test that has several orders, while one of them runs.
ORDERED: "pytest.StashKey[Orders]" = pytest.StashKey()
#: The scope whose tests share the loop that a test runs on.
LOOP_SCOPE: pytest.StashKey[str] = pytest.StashKey()
_MARKERS: "pytest.StashKey[tuple[str, ...]]" = pytest.StashKey()


def has_package(config: pytest.Config, package: str) -> bool:
    """Return whether a plugin of a package is loaded."""
    plugins = config.pluginmanager.get_plugins()
    return any(str(getattr(plugin, "__name__", "")).partition(".")[0] == package for plugin in plugins)


def markers(config: pytest.Config) -> tuple[str, ...]:
    """Return the names of the markers that are for this library. To be called once all plugins are loaded."""
    names = config.stash.get(_MARKERS, None)
    if names is None:
        is_theirs = has_package(config, "pytest_tornado")
        names = config.stash[_MARKERS] = (OWN_MARKER,) if is_theirs else (OWN_MARKER, MARKER)
    return names


def markers_of(item: pytest.Item) -> Iterator[pytest.Mark]:
    """Return the markers of a test that are for this library, the closest one first."""
    names = markers(item.config)
    return (marker for marker in item.iter_markers() if marker.name in names)


def is_marked(item: pytest.Item) -> bool:
    return next(markers_of(item), None) is not None


def loop_of_user(request: Any) -> Any:
    """Return the value of the fixture ``io_loop`` where that is the user's and a test is to run on its loop; or None.

    As in pytest-tornado, where all depends on that fixture. A test with a name of our own is about our loop.
    """
    if is_explicit(request.node) or leads_to_ours(request.node, "io_loop"):
        return None
    return request.getfixturevalue("io_loop")


def shared_loop_of_user(request: Any, item: Any) -> Any:
    """Return the value of the fixture ``io_loop`` where that is the user's and tests of a scope are to run on it.

    :param request: the request for the loop of the scope.
    :param item: the test that asks for it. It fails if ``io_loop`` has a narrower scope.
    """
    if is_explicit(item) or leads_to_ours(item, "io_loop"):
        return None
    scope = item.session._fixturemanager.getfixturedefs("io_loop", item)[-1].scope
    if scope != "package" and LOOP_SCOPES.index(scope) < LOOP_SCOPES.index(request.scope):
        refuse(
            f"Asynchronous fixtures or a loop_scope let tests share a loop for the {request.scope}, and your fixture "
            f"io_loop has the scope {scope!r}. Give io_loop the scope {request.scope!r}, or leave it out."
        )
    return request.getfixturevalue("io_loop")


def is_explicit(item: Any) -> bool:
    """Return whether a test asks for this library by a name that no other plugin has."""
    names = {name for name in item.fixturenames if name.startswith(PREFIX)} - SHARED
    return bool(names) or has_own_marker(item)


def has_own_marker(item: pytest.Item) -> bool:
    return item.get_closest_marker(OWN_MARKER) is not None


def is_asked_for(item: pytest.Item) -> bool:
    """Return whether a test has a marker that can be for no other plugin.

    One that registers ``gen_test``, too, may be the one that runs the test.
    """
    if has_own_marker(item):
        return True
    if not is_marked(item):
        return False
    lines = (str(line) for line in item.config.getini("markers"))
    return not any(re.match(rf"{MARKER}\b", line) and not line.endswith(SIGNATURE) for line in lines)


def leads_to_ours(item: Any, name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Return whether a fixture, as a test sees it, needs the loop of this library. Yes if pytest does not say."""
    find = getattr(getattr(item.session, "_fixturemanager", None), "getfixturedefs", None)
    if find is None or name == ROOT:
        return True
    for definition in reversed(() if name in seen else find(name, item) or ()):
        names = definition.argnames
        if any(leads_to_ours(item, each, seen | {name}) for each in names if each != name):
            return True
        if name not in names:
            break  # it does not extend the one that it overrides
    return False


def is_auto(config: pytest.Config, name: str) -> bool:
    """Return whether another plugin takes all asynchronous tests."""
    value = config.getoption(name, None)
    if value is None:
        try:
            value = config.getini(name)
        except (KeyError, ValueError):
            return False  # it is not there
    return str(getattr(value, "value", value)) == "auto"


def is_async(func: Any) -> bool:
    func = getattr(getattr(func, "hypothesis", None), "inner_test", func)
    return inspect.iscoroutinefunction(func) or inspect.isasyncgenfunction(func)


def traced(test: Any) -> Any:
    """Return a test that begins in the debugger: the coroutine that it returns does not run yet."""

    def begin(**kwargs: Any) -> Any:
        pytest.set_trace()
        return test(**kwargs)

    def begin_generator(**kwargs: Any) -> Any:
        pytest.set_trace()
        return (yield from test(**kwargs))

    async def begin_coroutine(**kwargs: Any) -> Any:
        pytest.set_trace()
        return await test(**kwargs)

    if is_async(test):
        return functools.wraps(test)(begin_coroutine)
    return functools.wraps(test)(begin_generator if inspect.isgeneratorfunction(test) else begin)


def other(item: pytest.Function) -> str | None:
    """Return the name of another plugin that runs a test."""
    if MARKER not in markers(item.config) and item.get_closest_marker(MARKER) is not None:
        return "pytest-tornado"
    if not is_async(item.obj):
        return None
    if item.get_closest_marker("asyncio") or is_auto(item.config, "asyncio_mode"):
        return "pytest-asyncio"
    if item.get_closest_marker("anyio") or "anyio_backend" in item.fixturenames or is_auto(item.config, "anyio_mode"):
        return "anyio"
    return "pytest-trio" if item.get_closest_marker("trio") else None


def is_hidden(info: "pytest.ExceptionInfo[BaseException] | None") -> bool:
    """Return whether pytest is to hide our frames in the report of an error.

    If the error shows no line of code, and no frame is left, pytest would say that all are hidden.
    """
    return info is None or getattr(info.value, "pytrace", True)


def refuse(message: str, error: BaseException | None = None) -> NoReturn:
    """Fail a test of how it is written.

    :param error: the error that says so, which the report leaves out. The failure gets its attributes.
    """
    failure = pytest.fail.Exception(message, pytrace=False)
    vars(failure).update({} if error is None else vars(error))
    raise failure


def is_case(item: object) -> bool:
    return isinstance(item, pytest.Function) and hasattr(item, "addFailure")


def is_own_case(item: object) -> bool:
    """Return whether a test is a method of an AsyncTestCase, without importing that."""
    cls = getattr(sys.modules.get("asynctest_tornado._unittest.case"), "AsyncTestCase", None)
    return cls is not None and isinstance(getattr(item, "instance", None), cls)


def add_late(item: pytest.Item, error: BaseException, other: str | None = None) -> bool:
    """Report an error that has surfaced after its test, when no test is running; return whether that will be.

    :param other: the name of another test, or of a scope, that the error may belong to; its notes say so.
    """
    plugin: Any = item.config.pluginmanager.get_plugin(NAME)
    return plugin is not None and bool(plugin.add_late(item, error, other))


__tracebackhide__ = is_hidden
