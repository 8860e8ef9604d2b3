"""What a test makes and has to end: streams, servers, clients, timers and threads, with the lines that made them."""

# Tested by tests/leaks/test_search.py.

import functools
from collections.abc import Callable
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.iostream import BaseIOStream
from tornado.tcpserver import TCPServer

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._util import origins

__unittest = True


def remember(thing: Any, through: frozenset[str], depth: int = 3) -> bool:
    """Note a thing that the running test makes, and return true; unless a library makes it for itself.

    To be called by what stands in for the function that makes it.

    :param through: see `origins.find`.
    :param depth: likewise.
    """
    origin = origins.find(through, depth)
    return origin is not origins.LIBRARY and note_for_running_test(thing, origin)


def note_for_running_test(thing: Any, origin: origins.Origin) -> bool:
    """Note a thing that is made at this line, if there is a test that makes it; return whether there is."""
    chain = contexts.chain_here()
    if not chain or not isinstance(chain[0], Trap):
        return False
    note(chain[0], thing, origin)
    return True


def note(trap: Trap, thing: Any, origin: origins.Origin) -> None:
    """Note a thing that a test has made, if it can be referred to weakly."""
    trap.made.note(thing, origin)


class FileHandler:
    """The function that a loop calls for a file."""

    def __init__(self, fd: int, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.fd = fd
        self.callback = callback
        self.args = args


def _remember_if_of_test(thing: Any, origin: origins.Origin) -> None:
    """Note a thing, unless it is for another loop than that of a test.

    A thread, or code that has a loop of its own, may have been begun by a test, and go on after it.
    """
    io_loop: Any = IOLoop.current(instance=False)
    if io_loop is not None and hasattr(io_loop.asyncio_loop, "_asynctest"):
        note_for_running_test(thing, origin)


def _remember_calls(cls: type, method: str, through: frozenset[str]) -> None:
    """Note each object whose method is called."""
    original = getattr(cls, method)
    if hasattr(original, "_asynctest_original"):
        return

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        origin = origins.find(through)
        if origin is not origins.LIBRARY:
            _remember_if_of_test(self, origin)
        return original(self, *args, **kwargs)

    call._asynctest_original = original  # type: ignore[attr-defined]
    setattr(cls, method, call)


def watch_tornado() -> None:
    """Note what is made of Tornado's classes, from now on."""
    _remember_calls(BaseIOStream, "__init__", origins.STREAMS)
    _remember_calls(TCPServer, "add_sockets", origins.SERVERS)
    _remember_calls(AsyncHTTPClient, "initialize", origins.CLIENTS)
    _remember_calls(PeriodicCallback, "start", origins.TIMERS)
