"""The user's line that made an object."""

# Tested by tests/leaks/test_search.py.

import functools
import linecache
import types
from sys import _getframe  # a test may replace it
from typing import NamedTuple

from asynctest_tornado._util import names
from asynctest_tornado._util.tracebacks import MACHINERY, PACKAGE, STDLIB, USER, owner_of_file

try:
    import tracemalloc
except ImportError:  # not with PyPy
    tracemalloc = None  # type: ignore[assignment]

__unittest = True


class Line(NamedTuple):
    """A line of code that has made an object, or defined it."""

    code: types.CodeType
    number: int
    is_of_package: bool
    """True if an installed package made the object, on a call by this line."""
    verb: str = "made"
    caller: tuple[types.CodeType, int] | None = None
    """The line of the test that has led there, if it is in another function."""


#: None: unknown.
Origin = Line | None

#: Stands for an object that Tornado, asyncio or this library has made for itself.
LIBRARY: Origin = Line((lambda: None).__code__, 0, False)

#: The number of frames to search for the line of the test: a recursion may be deep.
_MOST_FRAMES = 30

_LOOP = {"asyncio.base_events", "tornado.ioloop", "tornado.platform.asyncio"}

# Modules that make an object because their caller asks for it.
TIMERS = frozenset(_LOOP | {"asynctest_tornado._clock.autojump"})
FILES = frozenset({"tornado.platform.asyncio", "tornado.netutil"})
_FETCH = {"asynctest_tornado._http.http_requests", "asynctest_tornado._http.case_server"}
# Our own methods of the loop lie between `record_future` and the caller.
_RECORDING = {
    f"asynctest_tornado._loop.{name}" for name in ("coroutine_futures", "executor_jobs", "gather", "instrumented_loop")
}
_WAITING = {"asyncio.tasks", "asyncio.taskgroups", "asyncio.threads", "tornado.gen"}
FUTURES = frozenset(_LOOP | _FETCH | _RECORDING | _WAITING)
_DIRECT = {"asynctest_tornado._loop.direct_connect", "asynctest_tornado._network.network_loop"}
_CONNECTING = {*_DIRECT, "tornado.tcpclient", "tornado.gen"}
STREAMS = frozenset(_LOOP | _CONNECTING | {"asyncio.streams", "tornado.iostream"})
SERVERS = frozenset({"asyncio.streams", "tornado.tcpserver", "tornado.httpserver", "tornado.web"})
THREADS = frozenset({"threading"})
CLIENTS = frozenset({"tornado.util", "tornado.httpclient", "tornado.simple_httpclient", "tornado.curl_httpclient"})


def find(through: frozenset[str], depth: int = 2) -> Origin:
    """Return the line that asks for the object that is being made; `LIBRARY` if that is no line of the user.

    :param through: modules that only act for their callers.
    :param depth: the frame to begin with: 1 stands for the caller of this function.
    """
    frame: types.FrameType | None = _getframe(depth)
    package: Origin = None
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name not in through:
            code = frame.f_code
            kind = _kind_of(name, code.co_filename)
            if kind is _LIBRARY:  # first, because most objects are made for a library
                return package or LIBRARY
            if kind is USER:
                return Line(code, frame.f_lineno, package is not None, "made", _caller(frame.f_back))
            if kind is _CALLBACKS:
                return package
            if kind is PACKAGE:
                package = package or Line(code, frame.f_lineno, True)
        frame = frame.f_back
    return package


def _caller(frame: types.FrameType | None) -> tuple[types.CodeType, int] | None:
    """Return the outermost line of the user, below the code that runs tests and callbacks."""
    found = None
    for _ in range(_MOST_FRAMES):
        if frame is None:
            break
        kind = _kind_of(frame.f_globals.get("__name__", ""), frame.f_code.co_filename)
        if kind is _LIBRARY or kind is _CALLBACKS or kind is STDLIB:
            break
        if kind is USER:
            found = frame
        frame = frame.f_back
    return None if found is None else (found.f_code, found.f_lineno)


# Kinds of code beside its owners, for frames that lead to the object.
_LIBRARY = "makes objects for itself"
_CALLBACKS = "runs callbacks"

_RUNNERS = {"asyncio.events": _CALLBACKS, "asynctest_tornado._schedules.schedule": _CALLBACKS}


# Cached: computing it per timer costs 10 %. Limited, because a test may make modules and files.
@functools.lru_cache(maxsize=1000)
def _kind_of(name: object, filename: str) -> str:
    owner = owner_of_file(filename, name)
    return _RUNNERS.get(str(name), _LIBRARY) if owner in MACHINERY else owner


def of_code(code: types.CodeType) -> Line:
    """Return where an object was defined, if the line that made it is unknown."""
    return Line(code, code.co_firstlineno, owner_of_file(code.co_filename) is PACKAGE, "defined")


def are_allocations_traced() -> bool:
    """Return whether reports can have all lines of the user that lead to an object."""
    return tracemalloc is not None and tracemalloc.is_tracing()


def _allocation(thing: object) -> list[str]:
    """Return the lines of the user that have led to an object, outermost first, if ``tracemalloc`` has them.

    Python 3.11 has them for objects of built-in types only, such as tasks and timers.
    """
    traceback = tracemalloc.get_object_traceback(thing) if are_allocations_traced() else None
    lines = []
    for frame in traceback or ():
        if owner_of_file(frame.filename) is USER:
            lines.append(f'  File "{frame.filename}", line {frame.lineno}')
            if text := linecache.getline(frame.filename, frame.lineno).strip():
                lines.append(f"    {text}")
    return lines


def describe(origin: Origin, thing: object) -> list[str]:
    """Return the place where an object was made, as text: all lines of the user if ``tracemalloc`` has them."""
    if allocation := _allocation(thing):
        return ["made at:", *allocation]
    if origin is None:
        return []
    lines = [f"{origin.verb} at {names.line_at(origin.code.co_filename, origin.number, origin.code.co_name)}"]
    if origin.caller is not None:
        code, number = origin.caller
        lines.append(f"called at {names.line_at(code.co_filename, number, code.co_name)}")
    return lines
