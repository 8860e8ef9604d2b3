"""Patches that record the resources which Tornado's classes open."""

# Tested by tests/leaks/test_kinds.py.

import functools
from typing import Any

from tornado.ioloop import IOLoop

from asynctest_tornado._errors import made_objects
from asynctest_tornado._leaks import kinds
from asynctest_tornado._util import origins

__unittest = True


def _record_if_of_test(thing: Any, origin: origins.Origin) -> None:
    """Record an object, unless it is for another loop than the loop of a test.

    A test may begin a thread or code with a loop of its own, which goes on after the test.
    """
    io_loop: Any = IOLoop.current(instance=False)
    if io_loop is not None and hasattr(io_loop.asyncio_loop, "_asynctest"):
        made_objects.record_made_at(thing, origin)


def _record_calls(cls: type, maker: kinds.Maker) -> None:
    """Record each object whose method is called."""
    original = getattr(cls, maker.method)
    if hasattr(original, "_asynctest_original"):
        return
    through = maker.through

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        origin = origins.find(through)
        if origin is not origins.LIBRARY:
            _record_if_of_test(self, origin)
        return original(self, *args, **kwargs)

    call._asynctest_original = original  # type: ignore[attr-defined]
    setattr(cls, maker.method, call)


def watch_tornado() -> None:
    """Record the objects of each kind that has a maker, from now on."""
    for kind in kinds.KINDS:
        if kind.made_by is not None:
            _record_calls(kind.cls, kind.made_by)
