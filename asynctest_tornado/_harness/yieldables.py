"""Awaits everything that Tornado lets a coroutine yield.

With this, a test that is a generator is cancelled, timed and traced like one that is an ``async def``.
"""

import asyncio
import concurrent.futures
import inspect
import types
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from sys import _getframe  # a test may replace it
from typing import Any, TypeGuard

from tornado import gen

from asynctest_tornado._util.real_time import turn

__unittest = True

#: The generators that coroutines run, by the numbers of their frames, for reports. Weak, as not all of them end.
generators: "dict[int, weakref.ref[types.GeneratorType[Any, Any, Any]]]" = {}


async def run(func: Callable[[], Any], on_end: Callable[[bool], object] = lambda was_future: None) -> Any:
    """Call a function and wait for its result: a coroutine, a generator, or another thing that Tornado can yield.

    Any other result is returned as it is.

    :param on_end: called at the very end, with true if a future was waited for: it was done a turn of the loop before.
    """
    was_future = False
    try:
        result = func()
        if isinstance(result, types.CoroutineType):
            return await result
        if _is_generator(result):
            return await run_generator(result)
        if isinstance(result, AsyncGenerator):
            raise TypeError(say_asynchronous_generator(result))
        was_future = isinstance(result, asyncio.Future) and not result.done()
        return await as_awaitable(result) if is_yieldable(result) else result
    finally:
        on_end(was_future)


def say_asynchronous_generator(value: object) -> str:
    """Return the message for a result that is an asynchronous generator."""
    name = getattr(value, "__qualname__", type(value).__qualname__)
    return (
        f"{name} is an asynchronous generator: there is a 'yield' in an 'async def', so that nothing of it would run. "
        "Use 'await' instead."
    )


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


async def run_generator(generator: Generator[Any, Any, Any]) -> Any:
    """Run a generator as a coroutine of Tornado."""
    value: Any = None
    error: BaseException | None = None
    key = id(_getframe())
    if isinstance(generator, types.GeneratorType):  # else it is of a class of the user, without a line to show
        generators[key] = weakref.ref(generator)
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
        generators.pop(key, None)
        del error  # or its traceback, which holds this frame, would be a reference cycle
