"""Checks the values that test methods, hooks and functions to wait for return."""

# Tested by tests/unittest/test_case.py.

import concurrent.futures
import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeVar

from asynctest_tornado._harness import yieldables
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._harness.waits import Waits
from asynctest_tornado._util import names

__unittest = True

_T = TypeVar("_T")
#: A coroutine, a future or the like, whose result has a known type.
Begun = Awaitable[_T] | Generator[Any, Any, _T]
#: Other things to wait for, whose result has an unknown type; or None.
Other = list[Any] | dict[Any, Any] | concurrent.futures.Future[Any] | None


def identity(value: _T) -> _T:
    return value


def insisting(func: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function that raises ``TypeError`` if another one returns something that no code can wait for.

    :param func: the other one, maybe a ``functools.partial`` of `identity`. It may return None.
    """

    name = names.name_of(func)

    def call() -> Any:
        result = func()
        if result is None or isinstance(result, (Generator, AsyncGenerator)) or yieldables.is_yieldable(result):
            return result
        source = "The argument of run_sync()" if getattr(func, "func", None) is identity else name
        raise TypeError(
            f"{source} gave nothing to wait for: {result!r}. Give run_sync() a coroutine function and its arguments, "
            "or something that a coroutine could yield; call a function that is not asynchronous directly."
        )

    call.__qualname__ = name  # not read inside: a function that refers to itself is a reference cycle
    return call


def run_begun(waits: Waits, thing: Any, limit: Limit) -> Any:
    """Run the loop until a thing that was called already has ended; return its result."""
    try:
        return waits.run(insisting(functools.partial(identity, thing)), limit)
    finally:
        if inspect.iscoroutine(thing) and inspect.getcoroutinestate(thing) == inspect.CORO_CREATED:
            thing.close()  # or a second report would say that it was never awaited


def check_is_no_coroutine(result: object, method: str, cls: type) -> None:
    """Raise ``TypeError`` if the result of a ``setUp`` or ``tearDown`` is a coroutine, which nothing runs.

    :param method: its name.
    :param cls: the class of the test.
    """
    if isinstance(result, (Coroutine, Generator)):
        result.close()
        renamed = f"async{method[0].upper()}{method[1:]}()"
        raise TypeError(
            f"{method}() of {cls.__qualname__} is a coroutine or generator, which nothing runs. Name it {renamed}, "
            f"as an 'async def' without super().{method}(). Or make it a plain method that calls super().{method}() "
            "and self.run_sync(a coroutine function), or decorate it with @gen_test."
        )


def check_is_none(result: object) -> None:
    """Raise ``TypeError`` for the result of a test method that nothing runs, ``ValueError`` for another one."""
    if isinstance(result, (Coroutine, Generator)):
        result.close()
        raise TypeError(
            f"The test method returned a {type(result).__name__}, which nothing runs. Generator and coroutine test "
            "methods should be decorated with gen_test; an 'async def' needs no decorator."
        )
    if isinstance(result, AsyncGenerator):
        raise TypeError(yieldables.say_asynchronous_generator(result))
    if result is not None:
        raise ValueError(f"Return value from test method ignored: {result!r}. A test method has to return None.")
