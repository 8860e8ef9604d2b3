"""Records the generators that our coroutines run, and the objects they wait for.

Their local variables show the same, but no reader could see that a report needs these names.
"""

import sys
import types
import weakref
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

_T = TypeVar("_T")

#: By the number of the frame that runs it. Weak, because a generator that never ends would stay for ever.
_generators: "dict[int, weakref.ref[Any]]" = {}
_things: WeakNotes[str] = WeakNotes()
#: Lines of this library, and of the user, that may lead to a coroutine.
_ORIGIN_DEPTH = 10


def begin(generator: Generator[Any, Any, Any]) -> int:
    """Record that the caller, a coroutine, runs a generator; return a key for `end`."""
    key = id(sys._getframe(1))
    try:
        _generators[key] = weakref.ref(generator)
    except TypeError:
        return 0  # of a class of the user, without a line to show
    return key


def end(key: int) -> None:
    """Record that the coroutine has ended."""
    _generators.pop(key, None)


def generator_of(frame: types.FrameType) -> Any:
    """Return the generator that the coroutine of a frame runs; None if there is none."""
    reference = _generators.get(id(frame))
    return None if reference is None else reference()


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
