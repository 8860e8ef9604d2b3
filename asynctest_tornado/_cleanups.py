"""What the cleanups of a test are going to end."""

import contextlib
import functools
import inspect
import types
import unittest
from collections.abc import Callable, Iterator
from typing import Any

__unittest = True

_Cleanup = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def of(case: unittest.TestCase) -> list[_Cleanup]:
    """Return the cleanups that are still to be called, as unittest keeps them."""
    cleanups: list[_Cleanup] = vars(case).get("_cleanups", [])
    return cleanups


def has_coroutines(cleanups: list[_Cleanup]) -> bool:
    """Tell whether one of them runs on the loop."""
    return any(inspect.iscoroutinefunction(func) for func, _, _ in cleanups)


def within_reach(cleanups: list[_Cleanup]) -> Iterator[object]:
    """Return the objects that cleanups have to do with: arguments and variables, and what is in these."""
    for func, args, kwargs in cleanups:
        for thing in (*_bound(func), *args, *kwargs.values()):
            yield thing
            for inner in _inside(thing):
                yield inner
                yield from _inside(inner)


def _bound(func: Any) -> Iterator[object]:
    while isinstance(func, functools.partial):
        yield from func.args
        yield from func.keywords.values()
        func = func.func
    yield getattr(func, "__self__", None)
    for cell in getattr(func, "__closure__", None) or ():
        with contextlib.suppress(ValueError):  # a cell that is empty yet
            yield cell.cell_contents


def _inside(thing: Any) -> list[object]:
    """Return what is in a container, the attributes of an object, the variables of a generator."""
    if isinstance(thing, dict):
        return list(thing.values())
    if isinstance(thing, (list, tuple, set, frozenset)):
        return list(thing)
    if isinstance(thing, types.GeneratorType):
        return [] if thing.gi_frame is None else list(thing.gi_frame.f_locals.values())
    return list(getattr(thing, "__dict__", {}).values())
