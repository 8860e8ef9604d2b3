"""The objects that the cleanups of a test are still going to close."""

# Tested by tests/leaks/test_search.py.

import gc
import inspect
import types
import unittest
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from asynctest_tornado._util.tracebacks import OURS, owner_of_module

__unittest = True

#: How many objects to look at: a cleanup that leads to more than this is taken to lead to all.
_MOST_LOOKED_AT = 20_000
_NOT_LOOKED_INTO = (types.ModuleType, type, types.CodeType, types.FrameType, str, bytes, int, float)

_Cleanup = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def of(case: unittest.TestCase) -> list[_Cleanup]:
    """Return the cleanups that are still to be called, as unittest keeps them."""
    cleanups: list[_Cleanup] = vars(case).get("_cleanups", [])
    return cleanups


def has_coroutines(cleanups: list[_Cleanup]) -> bool:
    """Return whether one of them runs on the loop."""
    return any(inspect.iscoroutinefunction(func) for func, _, _ in cleanups)


def _module_of(func: Any) -> str:
    return str(getattr(func, "__module__", None) or type(getattr(func, "__self__", None)).__module__)


def _is_harmless(func: Any) -> bool:
    """Return whether a cleanup ends nothing, though it knows the test: ours, or one of unittest, as of assertLogs()."""
    module = _module_of(func)
    return module.startswith("unittest.") or owner_of_module(module) is OURS


class _Everything(set[int]):
    """The ids of all objects, if the cleanups lead to too many."""

    def __contains__(self, number: object) -> bool:
        return True


def within_reach(cleanups: list[_Cleanup]) -> set[int]:
    """Return the ids of the objects that the cleanups can reach.

    They are the arguments and variables of the functions, and all objects that these refer to in turn.
    """
    left: deque[Any] = deque(cleanup for cleanup in cleanups if not _is_harmless(cleanup[0]))
    seen: set[int] = set()
    while left and len(seen) < _MOST_LOOKED_AT:
        thing = left.popleft()
        if id(thing) in seen or isinstance(thing, _NOT_LOOKED_INTO):
            continue
        seen.add(id(thing))
        if isinstance(thing, types.FunctionType):
            # Not all global variables of its module, but those that it uses.
            names = thing.__code__.co_names
            left += [thing.__globals__[name] for name in names if name in thing.__globals__]
            left += [thing.__closure__, thing.__defaults__, thing.__kwdefaults__, vars(thing)]
        elif isinstance(thing, weakref.WeakSet):
            left += list(thing)
        else:
            left += gc.get_referents(thing)
    return _Everything() if left else seen
