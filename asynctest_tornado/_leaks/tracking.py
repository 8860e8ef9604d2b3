"""Patches that record what Tornado's classes open: streams, servers, clients and periodic callbacks."""

# Tested by tests/leaks/test_search.py.

import functools
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.iostream import BaseIOStream
from tornado.tcpserver import TCPServer

from asynctest_tornado._errors import ownership
from asynctest_tornado._util import origins

__unittest = True


def _record_if_of_test(thing: Any, origin: origins.Origin) -> None:
    """Record an object, unless it is for another loop than that of a test.

    A thread, or code that has a loop of its own, may have been begun by a test, and go on after it.
    """
    io_loop: Any = IOLoop.current(instance=False)
    if io_loop is not None and hasattr(io_loop.asyncio_loop, "_asynctest"):
        ownership.record_made_at(thing, origin)


def _record_calls(cls: type, method: str, through: frozenset[str]) -> None:
    """Record each object whose method is called."""
    original = getattr(cls, method)
    if hasattr(original, "_asynctest_original"):
        return

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        origin = origins.find(through)
        if origin is not origins.LIBRARY:
            _record_if_of_test(self, origin)
        return original(self, *args, **kwargs)

    call._asynctest_original = original  # type: ignore[attr-defined]
    setattr(cls, method, call)


def watch_tornado() -> None:
    """Record what is made of Tornado's classes, from now on."""
    _record_calls(BaseIOStream, "__init__", origins.STREAMS)
    _record_calls(TCPServer, "add_sockets", origins.SERVERS)
    _record_calls(AsyncHTTPClient, "initialize", origins.CLIENTS)
    _record_calls(PeriodicCallback, "start", origins.TIMERS)
