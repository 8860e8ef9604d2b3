"""Awaits everything that Tornado lets a coroutine yield.

With this, a test that is a generator is cancelled, timed and traced like one that is an ``async def``.
"""

import asyncio
import concurrent.futures
import inspect
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeGuard, TypeVar

from tornado import gen

from asynctest_tornado._util import coroutines
from asynctest_tornado._util.names import name_of
from asynctest_tornado._util.real_time import turn

__unittest = True

_T = TypeVar("_T")
#: A coroutine, a future or the like, whose result has a known type.
Begun = Awaitable[_T] | Generator[Any, Any, _T]
#: Other things to wait for, whose result has an unknown type; or None.
Other = list[Any] | dict[Any, Any] | concurrent.futures.Future[Any] | None


def identity(value: _T) -> _T:
    return value


async def run(
    func: Callable[[], Any], must_wait: bool = False, on_end: Callable[[bool], object] = lambda was_future: None
) -> Any:
    """Call a function and wait for its result: a coroutine, a generator, or another thing that Tornado can yield.

    Any other result is returned as it is.

    :param must_wait: raise ``TypeError`` for a result that is nothing to wait for, except None.
    :param on_end: called at the very end, with true if a future was waited for: it was done a turn of the loop before.
    """
    was_future = False
    try:
        result = func()
        if isinstance(result, types.CoroutineType):
            return await result
        if _is_generator(result):
            return await _run_generator(result)
        was_future = isinstance(result, asyncio.Future) and not result.done()
        return await _run(func, result, must_wait)
    finally:
        on_end(was_future)


async def _run(func: Callable[[], Any], result: Any, must_wait: bool) -> Any:
    if isinstance(result, AsyncGenerator):
        raise TypeError(
            f"{name_of(func)} is an asynchronous generator: there is a 'yield' in an 'async def', so that nothing of "
            "it would run. Use 'await' instead."
        )
    if is_yieldable(result):
        return await as_awaitable(result)
    if must_wait and result is not None:
        source = "The argument of run_sync()" if getattr(func, "func", None) is identity else name_of(func)
        raise TypeError(
            f"{source} gave nothing to wait for: {result!r}. Give run_sync() a coroutine function and its arguments, "
            "or something that a coroutine could yield; call a function that is not asynchronous directly."
        )
    return result


def _is_generator(value: object) -> TypeGuard[Generator[Any, Any, Any]]:
    """Return whether it is to be run as a coroutine of Tornado, and not to be awaited."""
    if isinstance(value, types.GeneratorType):  # nearly always: to ask the abstract class takes 1 us
        return not value.gi_code.co_flags & inspect.CO_ITERABLE_COROUTINE
    # The result of __anext__() of an asynchronous generator has all the methods of a generator, too.
    return isinstance(value, Generator) and not inspect.isawaitable(value)


def is_yieldable(value: object) -> bool:
    """Return whether there is something in it to wait for."""
    if isinstance(value, (list, dict)):
        children = list(value.values()) if isinstance(value, dict) else value
        return bool(children) and all(is_yieldable(child) for child in children)
    dispatch = gen.convert_yielded.dispatch  # type: ignore[attr-defined]  # it is declared before it is decorated
    return (
        inspect.isawaitable(value)
        or isinstance(value, concurrent.futures.Future)
        or dispatch(type(value)) is not dispatch(object)
    )


def as_awaitable(value: Any) -> Awaitable[Any]:
    """Convert a value that Tornado can yield. Raises `tornado.gen.BadYieldError` for any other."""
    if value is None or value is gen.moment:
        return turn()
    if isinstance(value, asyncio.Future):
        return value
    if isinstance(value, concurrent.futures.Future):
        return asyncio.wrap_future(value)
    # Which makes a task of a coroutine, and has the loop take the turns for that.
    future = gen.convert_yielded(value)
    # None and gen.moment stand for a turn of the loop, and are no real futures.
    return future if inspect.isawaitable(future) else turn()


async def _run_generator(generator: Generator[Any, Any, Any]) -> Any:
    value: Any = None
    error: BaseException | None = None
    note = coroutines.begin(generator)
    try:
        while True:
            yielded = generator.send(value) if error is None else generator.throw(error)
            value = error = None
            try:
                value = await as_awaitable(yielded)
            except BaseException as raised:
                error = raised
    except (StopIteration, gen.Return) as end:
        return end.value
    finally:
        coroutines.end(note)
        del error  # or its traceback, which holds this frame, would be a reference cycle


def check_is_no_coroutine(result: object, method: str, cls: type) -> None:
    """Raise ``TypeError`` if the result of a ``setUp`` or ``tearDown`` is a coroutine, which nothing runs.

    :param method: its name.
    :param cls: the class of the test.
    """
    if isinstance(result, (Coroutine, Generator)):
        result.close()
        raise TypeError(
            f"{method}() of {cls.__qualname__} is a coroutine or generator, which nothing runs. Make it a plain method "
            f"that calls super().{method}() and self.run_sync(a coroutine function), or decorate it with @gen_test."
        )


def check_returned(result: object) -> None:
    """Raise ``TypeError`` for the result of a test method that is a coroutine, ``ValueError`` for another one."""
    if isinstance(result, (Coroutine, Generator)):
        result.close()
        raise TypeError(
            f"The test method returned a {type(result).__name__}, which nothing runs. Generator and coroutine test "
            "methods should be decorated with gen_test; an 'async def' needs no decorator."
        )
    if result is not None:
        raise ValueError(f"Return value from test method ignored: {result!r}. A test method has to return None.")
