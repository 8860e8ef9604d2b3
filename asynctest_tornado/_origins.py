"""Where something was made: the line of the user that asked for it."""

import os
import sys
import tracemalloc
import types
from typing import NamedTuple

from asynctest_tornado import _names

__unittest = True


class Line(NamedTuple):
    """A line of code that has made something, or defined what is made."""

    code: types.CodeType
    number: int
    is_of_package: bool
    """Whether an installed package made the thing, if this line has called for that."""
    verb: str = "made"


#: None: nobody knows.
Origin = Line | None

#: Stands for what Tornado, asyncio or this library has made for itself.
LIBRARY: Origin = Line((lambda: None).__code__, 0, False)

_STDLIB = os.path.dirname(os.__file__) + os.sep
_PACKAGES = ("site-packages", "dist-packages")

_LOOP = {"asyncio.base_events", "tornado.ioloop", "tornado.platform.asyncio"}
_LIBRARIES = ("tornado.", "asyncio.", "asynctest_tornado.")
_TESTS_OF_TORNADO = "tornado.test."
_RUNS_CALLBACKS = "asyncio.events"
_RUNS_GENERATORS = "asynctest_tornado._yielding"

# Modules that make something because their caller asks for it.
TIMERS = frozenset(_LOOP | {"asynctest_tornado._passing"})
FILES = frozenset({"tornado.platform.asyncio", "tornado.netutil"})
JOBS = frozenset(_LOOP | {"asyncio.threads"})
TASKS = frozenset(_LOOP | {"asyncio.tasks", "asyncio.taskgroups", "tornado.gen", "asynctest_tornado._http"})
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
    package: Origin = None
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name in through:
            frame = frame.f_back
            continue
        if name == _RUNS_CALLBACKS:
            return package
        if name == _RUNS_GENERATORS:
            # It is in the midst of a 'yield', and not among those that lead here.
            generator = frame.f_locals.get("generator")
            running = getattr(generator, "gi_frame", None)
            return package or (LIBRARY if running is None else Line(running.f_code, running.f_lineno, False))
        # Mostly, it is for a library: the names of modules tell so at less cost than those of files.
        if name in _known or _is_library(name):
            return package or LIBRARY
        filename = frame.f_code.co_filename
        if _is_of_package(filename) and not name.startswith(_TESTS_OF_TORNADO):
            package = package or Line(frame.f_code, frame.f_lineno, True)
        elif not _is_stdlib(filename):
            return Line(frame.f_code, frame.f_lineno, package is not None)
        frame = frame.f_back
    return package


#: Modules of libraries, by name.
_known: set[str] = set()


def _is_library(name: str) -> bool:
    if not name.startswith(_LIBRARIES) or name.startswith(_TESTS_OF_TORNADO):
        return False
    _known.add(name)
    return True


def _is_stdlib(filename: str) -> bool:
    return filename.startswith((_STDLIB, "<frozen"))


def _is_of_package(filename: str) -> bool:
    return any(name in filename for name in _PACKAGES)


def of_code(code: types.CodeType) -> Line:
    """Return where something was defined, for what was made nobody knows where."""
    return Line(code, code.co_firstlineno, _is_of_package(code.co_filename), "defined")


def describe(origin: Origin, thing: object) -> list[str]:
    """Return lines that tell where a thing was made: all that lead there, where ``tracemalloc`` has noted them."""
    traceback = tracemalloc.get_object_traceback(thing)
    if traceback is not None and len(traceback) > 1:
        return ["made at:", *(line.rstrip() for line in traceback.format())]
    if origin is None:
        return []
    return [f"{origin.verb} at {_names.line_at(origin.code.co_filename, origin.number, origin.code.co_name)}"]
