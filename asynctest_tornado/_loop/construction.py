"""Makes loops without the lookups of asyncio's and Tornado's constructors.

These look up the clock, the environment and the class to be made, for a tenth of the instructions of an empty test.
They are left out only if the loop is the same without: the constructors are asyncio's and Tornado's own, neither
wrapped nor replaced, which is checked for each loop; and the first loop, made by the constructors, had the same
attributes, no more and no less.
"""

# Tested by tests/loop/test_recycled_loop.py.

import asyncio
import collections
import logging
import sys
import time
import types
import weakref
from typing import Any

import tornado.util
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOLoop

from asynctest_tornado._util import fast_environ

__unittest = True

_logger = logging.getLogger("asyncio")
_get_clock_info = time.get_clock_info
_RESOLUTION = _get_clock_info("monotonic").resolution
#: Attributes of loops that only some versions of Python have.
_HAS_HOOKS = sys.version_info >= (3, 12)
_HAS_SERVERS = sys.version_info >= (3, 13)
#: The class of the attribute ``_watcher``, which loops have from Python 3.14 on: it watches child processes.
_watcher_class: type | None = None


#: The asynchronous generators and the transports of a loop. Two new containers would take 4 % of the instructions of an
#: empty test; the next loop can use those of a closed loop, if they are empty.
_Containers = tuple[weakref.WeakSet[Any], weakref.WeakValueDictionary[Any, Any]]
#: The containers of the next loop: none, or one pair.
_spare: list[_Containers] = []
#: The containers of closed loops that have handed over their own. They stay empty.
_OF_CLOSED: _Containers = weakref.WeakSet(), weakref.WeakValueDictionary()


def hand_over(loop: Any) -> None:
    """Let the next loop use the containers of a loop that is about to be closed, if they are empty."""
    try:
        asyncgens, transports = loop._asyncgens, loop._transports
        is_empty = not (asyncgens.data or transports.data)
    except AttributeError:  # these are private
        return
    is_usual = type(asyncgens) is weakref.WeakSet and type(transports) is weakref.WeakValueDictionary
    if is_empty and is_usual and not _spare:
        loop._asyncgens, loop._transports = _OF_CLOSED
        _spare.append((asyncgens, transports))


def _take_containers() -> _Containers:
    try:
        return _spare.pop()
    except IndexError:
        return weakref.WeakSet(), weakref.WeakValueDictionary()


def _fill(loop: Any) -> None:
    """Give a loop its attributes, in the order of asyncio."""
    asyncgens, transports = _take_containers()
    loop._timer_cancelled_count = 0
    loop._closed = False
    loop._stopping = False
    loop._ready = collections.deque()
    loop._scheduled = []
    loop._default_executor = None
    loop._internal_fds = 0
    loop._thread_id = None
    loop._clock_resolution = _RESOLUTION
    loop._exception_handler = None
    loop._debug = False
    if _HAS_HOOKS:
        loop._old_agen_hooks = None
    loop.slow_callback_duration = 0.1
    loop._current_handle = None
    loop._task_factory = None
    loop._coroutine_origin_tracking_enabled = False
    loop._coroutine_origin_tracking_saved_depth = None
    loop._asyncgens = asyncgens
    loop._asyncgens_shutdown_called = False
    loop._executor_shutdown_called = False
    loop._transports = transports
    loop._signal_handlers = {}
    if _HAS_SERVERS:
        loop._unix_server_sockets = {}
    if _watcher_class is not None:
        loop._watcher = _watcher_class()


#: Attributes that depend on the arguments of the constructors, or on the system.
_OF_SYSTEM = ("_asynctest_system", "_csock", "_internal_fds", "_selector", "_ssock", "_watcher")


class _Twin:
    """An object for the attributes of a loop."""


def _is_like(loop: Any) -> bool:
    """Return whether a new loop has the attributes that `_fill` gives, with the same values: plain ones, or empty."""
    twin = _Twin()
    _fill(twin)
    expected = {name: value for name, value in vars(twin).items() if name not in _OF_SYSTEM}
    found = {name: value for name, value in vars(loop).items() if name not in _OF_SYSTEM}
    return expected.keys() == found.keys() and all(
        type(value) is type(found[name]) and (not (value or found[name]) or value == found[name])
        for name, value in expected.items()
    )


def _code_of_own(function: Any, module: Any) -> types.CodeType | None:
    """Return the code of a function; None if it replaces the function that the module has defined."""
    code: types.CodeType | None = getattr(function, "__code__", None)
    is_own = getattr(function, "__globals__", None) is vars(module) and code and code.co_filename == module.__file__
    return code if is_own else None


#: The classes with a constructor, the constructors, and their code; and the functions that these call.
_classes: Any = [cls for cls in asyncio.SelectorEventLoop.__mro__[:-1] if "__init__" in vars(cls)]
_CONSTRUCTORS = [(cls, cls.__init__, _code_of_own(cls.__init__, sys.modules[cls.__module__])) for cls in _classes]
_set_debug, _is_debug_mode = asyncio.BaseEventLoop.set_debug, getattr(asyncio.coroutines, "_is_debug_mode", None)
_CAN_FILL = (
    all(code for _, _, code in _CONSTRUCTORS)
    and bool(_code_of_own(_set_debug, asyncio.base_events))
    and bool(_code_of_own(_is_debug_mode, asyncio.coroutines))
)


def _are_asyncios_own() -> bool:
    for cls, function, code in _CONSTRUCTORS:
        # An instrumentation may replace the code instead of the function.
        if cls.__init__ is not function or function.__code__ is not code:
            return False
    return (
        asyncio.BaseEventLoop.set_debug is _set_debug
        and getattr(asyncio.coroutines, "_is_debug_mode", None) is _is_debug_mode
        and time.get_clock_info is _get_clock_info
    )


#: True if `_fill` gives the same attributes as the constructors; None before the first loop.
_is_same: bool | None = None if _CAN_FILL else False


def is_usual() -> bool:
    """Return whether the constructors of asyncio are its own, and do what they mostly do."""
    return _are_asyncios_own() and fast_environ.get("PYTHONASYNCIODEBUG") is None


def construct(loop: Any, selector: Any) -> bool:
    """Initialize a new object of a class of loops; return False if the constructor of asyncio has to do it."""
    if not (_is_same and is_usual()):
        return False
    _fill(loop)
    _logger.debug("Using selector: %s", selector.__class__.__name__)
    loop._selector = selector
    loop._make_self_pipe()
    return True


def compare(loop: Any, was_usual: bool) -> None:
    """Look at the first loop that the usual constructor of asyncio has initialized: are later ones the same?"""
    global _is_same, _watcher_class
    if was_usual and _is_same is None:
        _is_same = _is_like(loop)
        _watcher_class = type(loop._watcher) if hasattr(loop, "_watcher") else None


_KWARGS = "_Configurable__impl_kwargs"
#: The code of ``Configurable.__new__``: it looks for the class, and calls ``initialize``.
_CODE_OF_NEW = _code_of_own(AsyncIOLoop.__new__, tornado.util)


def around(asyncio_loop: asyncio.AbstractEventLoop, default: type[AsyncIOLoop] = AsyncIOLoop) -> IOLoop:
    """Return ``IOLoop(make_current=False, asyncio_loop=asyncio_loop)``.

    If no other class was configured, the default class is made without the search for it.

    :param default: a class to make in its place.
    """
    base: Any = IOLoop
    if getattr(base, "_Configurable__impl_class", None) is AsyncIOLoop and not getattr(base, _KWARGS, True):
        base = AsyncIOLoop
    io_loop: IOLoop
    has_init = base.__init__ is not object.__init__  # Tornado has none
    if base is AsyncIOLoop and not has_init and _CODE_OF_NEW and getattr(base.__new__, "__code__", 0) is _CODE_OF_NEW:
        io_loop = object.__new__(default)
        io_loop.initialize(make_current=False, asyncio_loop=asyncio_loop)
    else:
        io_loop = base(make_current=False, asyncio_loop=asyncio_loop)
    return io_loop
