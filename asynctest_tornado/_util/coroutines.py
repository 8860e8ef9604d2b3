"""The generators that coroutines of this library run, and the things that they wait for, as these say: for reports.

Their local variables would say it, too, but nothing would show that a report needs their names.
"""

import sys
import types
import weakref
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

_T = TypeVar("_T")

#: By the number of the frame that runs it. Weak: a generator that is never ended would be there for ever.
_generators: "dict[int, weakref.ref[Any]]" = {}
_things: WeakNotes[str] = WeakNotes()
#: Lines of this library, and of the user, that may lead to a coroutine.
_ORIGIN_DEPTH = 10


def begin(generator: Generator[Any, Any, Any]) -> int:
    """Note that the caller, a coroutine, runs a generator; return the number of that note, for `end`."""
    key = id(sys._getframe(1))
    try:
        _generators[key] = weakref.ref(generator)
    except TypeError:
        return 0  # one of the user's own class, which has no line either
    return key


def end(key: int) -> None:
    """Note that the coroutine has ended."""
    _generators.pop(key, None)


def generator_of(frame: types.FrameType) -> Any:
    """Return the generator that the coroutine of a frame runs; None if there is none."""
    reference = _generators.get(id(frame))
    return None if reference is None else reference()


def waiting_for(thing: str, coro: Coroutine[Any, Any, _T]) -> Coroutine[Any, Any, _T]:
    """Note which thing of the user a coroutine is going to wait for; return the coroutine."""
    _things.note(coro, thing)
    return coro


def thing_of(coro: object) -> str:
    """Return the thing that a coroutine waits for; empty if it has not said so."""
    return _things.of(coro, "")


def traced(make: Callable[[], _T]) -> _T:
    """Return a new coroutine whose ``cr_origin`` has the lines that led to it, for the report that it was dropped."""
    depth = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(max(depth, _ORIGIN_DEPTH))
    try:
        return make()
    finally:
        sys.set_coroutine_origin_tracking_depth(depth)
