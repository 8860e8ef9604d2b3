"""Asynchronous fixtures, run on the loop of the test."""

# Tested by tests/pytest/test_plugin.py.

import functools
import inspect
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from asynctest_tornado._pytest import claims

if TYPE_CHECKING:
    from asynctest_tornado._pytest.function import Function

__unittest = True
__tracebackhide__ = True

#: Stands for the value of a fixture that has none.
_NOTHING = object()


def is_of_another(fixturedef: Any, request: Any) -> bool:
    """Return whether another plugin sets a fixture up, on a loop of its own."""
    is_shared = fixturedef.scope != "function"
    return (
        getattr(getattr(fixturedef.func, "__func__", fixturedef.func), "_force_asyncio_fixture", False)
        or (is_shared and claims.is_auto(request.config, "asyncio_mode"))
        or "anyio_backend" in request.fixturenames
    )


def on_loop(fixturedef: Any, request: Any, item: pytest.Item) -> Callable[..., Any]:
    """Return a function that sets a fixture up on the loop of a test, to be put in the place of its own."""
    func = fixturedef.func
    if inspect.ismethod(func) and isinstance(request.instance, type(func.__self__)):
        func = func.__func__.__get__(request.instance)

    def set_up(**kwargs: Any) -> Any:
        if fixturedef.scope != "function":
            # Or pytest would give its outcome to other tests as well, which may be tests of another plugin.
            item.addfinalizer(functools.partial(fixturedef.finish, request))
            _refuse_scope(fixturedef)
        function: Function = request.getfixturevalue(claims.ROOT)
        if function.io_loop.asyncio_loop.is_running():  # type: ignore[attr-defined]
            claims.refuse(
                f"The asynchronous fixture {fixturedef.argname!r} is asked for by getfixturevalue() in a coroutine, "
                "whose event loop is running, so that nothing can wait for it. Name it as an argument instead."
            )
        return _set_up(function, func, request.addfinalizer, **kwargs)

    return set_up


def _set_up(
    function: "Function",
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


def _tear_down(function: "Function", func: Any, generator: AsyncGenerator[Any, None]) -> None:
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


def _refuse_scope(fixturedef: Any) -> NoReturn:
    claims.refuse(
        f"The asynchronous fixture {fixturedef.argname!r} has the scope {fixturedef.scope!r}, and each test has an "
        "event loop of its own, which ends with it. Leave the scope out, or write a fixture that is not asynchronous; "
        "tests of a class share a loop in an AsyncTestCase with loop_scope = 'class'."
    )
