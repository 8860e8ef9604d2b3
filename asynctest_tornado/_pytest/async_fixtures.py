"""Asynchronous fixtures, run on the loop of the test."""

# Tested by tests/pytest/test_plugin.py.

import functools
import inspect
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

import pytest

from asynctest_tornado._pytest import claims

if TYPE_CHECKING:
    from asynctest_tornado._pytest.function import Function
    from asynctest_tornado._pytest.scope import Scope

__unittest = True
__tracebackhide__ = claims.is_hidden

#: Stands for the value of a fixture that has none.
_NOTHING = object()


def is_of_another(fixturedef: Any, request: Any) -> bool:
    """Return whether another plugin sets a fixture up, on a loop of its own.

    :param request: the request for it, or the test.
    """
    is_shared = fixturedef.scope != "function"
    return (
        getattr(getattr(fixturedef.func, "__func__", fixturedef.func), "_force_asyncio_fixture", False)
        or (is_shared and claims.is_auto(request.config, "asyncio_mode"))
        or "anyio_backend" in request.fixturenames
    )


def drop_refused(fixturedef: Any) -> None:
    """Forget an asynchronous fixture that pytest has refused to set up, for want of a plugin.

    pytest keeps the finalizers of the attempt, and the next test that asks for the fixture fails of an assertion in
    pytest.
    """
    if fixturedef.cached_result is None and claims.is_async(fixturedef.func):
        getattr(fixturedef, "_finalizers", []).clear()


def on_loop(fixturedef: Any, request: Any, item: pytest.Item) -> Callable[..., Any]:
    """Return a function that sets a fixture up on the loop of a test, to be put in the place of its own."""
    func = fixturedef.func
    if inspect.ismethod(func) and isinstance(request.instance, type(func.__self__)):
        func = func.__func__.__get__(request.instance)

    def set_up(**kwargs: Any) -> Any:
        runner: Function | Scope
        if fixturedef.scope == "function":
            runner = request.getfixturevalue(claims.ROOT)
        else:
            # Or pytest would give its outcome to tests of another loop as well, which may be tests of another plugin.
            finish = functools.partial(fixturedef.finish, request)
            kind = _check_scope(fixturedef, item, finish)
            runner = scope = request.getfixturevalue(claims.SCOPES[kind])
            scope.dependents.append(finish)
        if runner.io_loop.asyncio_loop.is_running():  # type: ignore[attr-defined]
            claims.refuse(
                f"The asynchronous fixture {fixturedef.argname!r} is asked for by getfixturevalue() in a coroutine, "
                "whose event loop is running, so that nothing can wait for it. Name it as an argument instead."
            )
        before, runner.add_finalizer = runner.add_finalizer, request.addfinalizer
        try:
            return _set_up(runner, func, request.addfinalizer, **kwargs)
        finally:
            runner.add_finalizer = before

    return set_up


def _set_up(
    function: "Function | Scope",
    func: Callable[..., Any],
    add_finalizer: Callable[[Callable[[], None]], None],
    **kwargs: Any,
) -> Any:
    if not inspect.isasyncgenfunction(func):
        return function.run(functools.partial(func, **kwargs))
    generator = func(**kwargs)

    async def begin() -> Any:
        async for value in generator:  # which goes on in `_tear_down`
            return value
        return _NOTHING

    value = function.run(_named(func, begin))
    if value is _NOTHING:
        claims.refuse(
            f"{_describe(generator)} has ended without a 'yield'. Let each way through it yield the value once, None "
            "for no value."
        )
    add_finalizer(functools.partial(_tear_down, function, func, generator))
    return value


def _tear_down(function: "Function | Scope", func: Any, generator: AsyncGenerator[Any, None]) -> None:
    async def end() -> bool:
        async for _ in generator:
            await generator.aclose()
            return False
        return True

    if not function.run(_named(func, end)):
        claims.refuse(
            f"{_describe(generator)} yields more than once. Let it yield its value once, and clean up after that "
            "'yield'."
        )


def _describe(generator: Any) -> str:
    code = generator.ag_code
    return f"The asynchronous fixture '{generator.__name__}' ({code.co_filename}:{code.co_firstlineno})"


def _named(fixture: Callable[..., Any], part: Callable[[], Any]) -> Callable[[], Any]:
    """Let reports call a part of a fixture by the name of the fixture."""
    return functools.update_wrapper(part, fixture, ("__name__", "__qualname__"), ())


def _check_scope(fixturedef: Any, item: pytest.Item, finish: Callable[[], object]) -> str:
    """Return the scope of the loop that a fixture runs on, which several tests share. Fail a test with a narrower one.

    :param finish: drops the outcome of the fixture.
    """
    kind = item.stash.get(claims.LOOP_SCOPE, "function")
    wanted = "session" if fixturedef.scope == "package" else fixturedef.scope
    if claims.LOOP_SCOPES.index(kind) < claims.LOOP_SCOPES.index(wanted):
        item.addfinalizer(finish)
        claims.refuse(
            f"The asynchronous fixture {fixturedef.argname!r} has the scope {fixturedef.scope!r}, and the event loop "
            f"of this test ends with the {kind}. Name the fixture as an argument of the test, or mark the test with "
            f"@pytest.mark.{claims.markers(item.config)[-1]}(loop_scope={wanted!r})."
        )
    return kind
