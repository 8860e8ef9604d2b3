"""Where something was made: the line of the user that asked for it."""

import os
import sys
import tracemalloc
import types

from asynctest_tornado import _names

__unittest = True

#: The code and the line in it. None: nobody knows.
Origin = tuple[types.CodeType, int] | None

#: Stands for what a library has made for itself.
LIBRARY: Origin = ((lambda: None).__code__, 0)

_STDLIB = os.path.dirname(os.__file__) + os.sep
_PACKAGES = ("site-packages", "dist-packages")

_LOOP = {"asyncio.base_events", "tornado.ioloop", "tornado.platform.asyncio"}
_RUNS_CALLBACKS = "asyncio.events"
_RUNS_GENERATORS = "asynctest_tornado._yielding"

# Modules that make something because their caller asks for it.
TIMERS = frozenset(_LOOP | {"asynctest_tornado._passing"})
FILES = frozenset({"tornado.platform.asyncio", "tornado.netutil"})
JOBS = frozenset(_LOOP | {"asyncio.threads", "tornado.concurrent"})
TASKS = frozenset(_LOOP | {"asyncio.tasks", "asyncio.taskgroups", "tornado.gen"})
STREAMS = frozenset(_LOOP | {"asyncio.streams", "tornado.iostream", "tornado.tcpclient", "tornado.gen"})
SERVERS = frozenset({"asyncio.streams", "tornado.tcpserver", "tornado.httpserver", "tornado.web"})
THREADS = frozenset({"threading"})
CLIENTS = frozenset({"tornado.util", "tornado.httpclient", "tornado.simple_httpclient", "tornado.curl_httpclient"})


def find(through: frozenset[str], depth: int = 2) -> Origin:
    """Return the line that asks for what is being made; `LIBRARY` if that is no line of the user.

    :param through: modules that only hand on what their callers ask for.
    :param depth: how far up to begin: 1 stands for the caller of this function.
    """
    frame: types.FrameType | None = sys._getframe(depth)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name == _RUNS_CALLBACKS:
            return None
        if name == _RUNS_GENERATORS:
            # It is in the midst of a 'yield', and not among those that lead here.
            generator = frame.f_locals.get("generator")
            running = getattr(generator, "gi_frame", None)
            return LIBRARY if running is None else (running.f_code, running.f_lineno)
        if name not in through:
            filename = frame.f_code.co_filename
            if not _names.is_users(filename):
                return LIBRARY
            if not _is_stdlib(filename):
                return frame.f_code, frame.f_lineno
        frame = frame.f_back
    return None


def _is_stdlib(filename: str) -> bool:
    return filename.startswith("<frozen") or (
        filename.startswith(_STDLIB) and not any(name in filename for name in _PACKAGES)
    )


def is_of_package(origin: Origin) -> bool:
    """Tell whether the line is one of an installed package."""
    return origin is not None and any(name in origin[0].co_filename for name in _PACKAGES)


def describe(origin: Origin, thing: object) -> list[str]:
    """Return lines that tell where a thing was made: all that lead there, where ``tracemalloc`` has noted them."""
    traceback = tracemalloc.get_object_traceback(thing)
    if traceback is not None and len(traceback) > 1:
        return ["made at:", *(line.rstrip() for line in traceback.format())]
    if origin is None:
        return []
    code, line = origin
    return [f"made at {_names.line_at(code.co_filename, line, code.co_name)}"]
