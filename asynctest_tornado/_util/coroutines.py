"""Records the objects that our coroutines wait for, and their lines of origin."""

# Tested by tests/http/test_websocket.py.

import sys
import types
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

_T = TypeVar("_T")

#: How to wait for a coroutine of this library, by its code, if the report of a dropped one has to say more than usual.
ways_to_wait: dict[types.CodeType, str] = {}
_things: WeakNotes[str] = WeakNotes()
#: Lines of this library, and of the user, that may lead to a coroutine.
_ORIGIN_DEPTH = 10


def waiting_for(thing: str, coro: Coroutine[Any, Any, _T]) -> Coroutine[Any, Any, _T]:
    """Record the object of the user that a coroutine is going to wait for; return the coroutine."""
    _things.note(coro, thing)
    return coro


def thing_of(coro: object) -> str:
    """Return the object that a coroutine waits for, as text; empty if none is recorded."""
    return _things.of(coro, "")


def traced(make: Callable[[], _T]) -> _T:
    """Return a new coroutine whose ``cr_origin`` has the lines that led to it, for the report if it is dropped."""
    depth = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(max(depth, _ORIGIN_DEPTH))
    try:
        return make()
    finally:
        sys.set_coroutine_origin_tracking_depth(depth)
