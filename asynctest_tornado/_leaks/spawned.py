"""Finds the line that has begun a coroutine by ``IOLoop.spawn_callback``."""

# Tested by tests/leaks/test_search.py.

import functools
import types
from sys import _getframe  # a test may replace it
from typing import Any

from tornado.ioloop import IOLoop

from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._util import names, origins
from asynctest_tornado._util.patching import Patch
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

#: By the function that Tornado hands to the loop.
_lines: WeakNotes[origins.Origin] = WeakNotes()
#: The number of frames between the function that runs a callback and the loop's that makes the task of its coroutine.
_MOST_FRAMES = 12


def _spawn_and_record(self: Any, callback: Any, *args: Any, **kwargs: Any) -> Any:
    returned = _spawn.found(self, callback, *args, **kwargs)
    origin = origins.find(frozenset()) if _spawn.is_active else origins.LIBRARY
    loop = getattr(self, "asyncio_loop", None)
    if origin is not origins.LIBRARY and origin is not None and isinstance(loop, WatchedLoop):
        _record(loop, callback, origin)
    return returned


_spawn = Patch(IOLoop, "spawn_callback", _spawn_and_record)
#: They record the lines.
patches = [_spawn]


def _record(loop: WatchedLoop, callback: Any, origin: origins.Origin) -> None:
    calls = loop.ready_calls()
    _, args = names.call_of(calls[-1]) if calls else (None, None)
    while isinstance(callback, functools.partial):
        callback = callback.func
    # It is another one if another thread has registered a call meanwhile.
    if args and isinstance(args[0], functools.partial) and args[0].func is callback:
        _lines.note(args[0], origin)


def line_of_running() -> origins.Origin:
    """Return the line that has spawned the callback which the loop runs now; None if it is unknown."""
    frame: types.FrameType | None = _getframe(1)
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return None
        code = frame.f_code
        if code.co_name == "_run_callback" and frame.f_globals.get("__name__") == IOLoop.__module__:
            return _lines.of(frame.f_locals.get("callback"), None)
        frame = frame.f_back
    return None
