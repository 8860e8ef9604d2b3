"""Patches that record the resources which Tornado's classes open."""

# Tested by tests/leaks/test_kinds.py.

from typing import Any

from tornado.ioloop import IOLoop

from asynctest_tornado._errors import made_objects
from asynctest_tornado._leaks import kinds
from asynctest_tornado._util import origins
from asynctest_tornado._util.patching import Patch

__unittest = True


def _record_if_of_test(thing: Any, origin: origins.Origin) -> None:
    """Record an object, unless it is for another loop than the loop of a test.

    A test may begin a thread or code with a loop of its own, which goes on after the test.
    """
    io_loop: Any = IOLoop.current(instance=False)
    if io_loop is not None and hasattr(io_loop.asyncio_loop, "_asynctest"):
        made_objects.record_made_at(thing, origin)


def patch_of(cls: type, maker: kinds.Maker) -> Patch:
    """Return a patch that records each object whose method is called."""
    through = maker.through

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if patch.is_active:
            origin = origins.find(through)
            if origin is not origins.LIBRARY:
                _record_if_of_test(self, origin)
        return patch.found(self, *args, **kwargs)

    patch = Patch(cls, maker.method, call)
    return patch


#: They record the objects of each kind that has a maker.
patches = [patch_of(kind.cls, kind.made_by) for kind in kinds.KINDS if kind.made_by is not None]
