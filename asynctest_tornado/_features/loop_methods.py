"""Stands in for two methods of the test's `IOLoop`: ``run_sync`` and ``close``."""

# Tested by tests/loop/test_closed_loop.py.

import functools
import math
import sys
from collections.abc import Callable
from typing import Any

from tornado import gen
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOLoop

from asynctest_tornado._errors import hints
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import OPEN, Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._harness.waits import Waits
from asynctest_tornado._util import names

__unittest = True

#: A method that was replaced: its name, the attribute of the loop before, the function that stands in.
_Replaced = tuple[str, Any, Callable[..., Any]]


class LoopMethods(Feature):
    """The methods of the loop of Tornado that a test may call, and that end a wait or a test."""

    def opened(self, harness: Harness) -> None:
        loop = harness.loop
        io_loop = loop.io_loop
        replaced = [_replace(io_loop, "run_sync", functools.partial(_run_sync, harness.waits))]
        if loop.is_own or loop.is_lent:  # else the loop is the user's to close
            replaced.append(_replace(io_loop, "close", functools.partial(_close, harness, io_loop.close)))
        harness.trap.data[self] = replaced

    def closed(self, harness: Harness) -> None:
        # They refer to the harness.
        for name, before, func in harness.trap.data.pop(self):
            _restore(harness.loop.io_loop, name, before, func)


def _replace(io_loop: Any, name: str, func: Callable[..., Any]) -> _Replaced:
    before = None
    if type(io_loop) is AsyncIOLoop and getattr(getattr(io_loop, name), "__func__", None) is getattr(AsyncIOLoop, name):
        # Mostly. Without its ``__dict__``: CPython would have to make that, for 3 % of the cost of an empty test.
        setattr(io_loop, name, func)
    else:
        attributes = vars(io_loop)
        before = attributes.get(name)
        attributes[name] = func
    return name, before, func


def _restore(io_loop: Any, name: str, before: Any, func: Callable[..., Any]) -> None:
    is_plain = type(io_loop) is AsyncIOLoop  # see `_replace`
    if (getattr(io_loop, name, None) if is_plain else vars(io_loop).get(name)) is not func:
        return  # other code has replaced it later
    if before is not None:
        vars(io_loop)[name] = before
    elif is_plain:
        delattr(io_loop, name)
    else:
        del vars(io_loop)[name]


def _run_sync(waits: Waits, func: Callable[[], Any], timeout: float | None = None) -> Any:
    """Stand in for ``IOLoop.run_sync``: it also ends at an error, and shows the line where it stood."""
    if not callable(func):
        raise hints.called_already(func)

    def call() -> Any:
        result = func()
        return None if result is None else gen.convert_yielded(result)

    call.__qualname__ = names.name_of(func)
    return waits.run(call, Limit(math.inf if timeout is None else timeout, "the argument timeout"))


def _close(harness: Harness, close: Callable[[bool], object], all_fds: bool = False) -> None:
    """Stand in for ``IOLoop.close``: record that the test closes the loop, or refuse that."""
    loop = harness.loop
    if harness.state is OPEN:
        # Tornado would drop its files before asyncio refuses to close a running loop.
        if loop.is_lent or loop.loop.is_running():
            raise RuntimeError(_describe_close(harness))
        frame = sys._getframe(1)
        place = names.line_at(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, frame.f_globals)
        loop.why_closed = _describe_close(harness, f" ({place})")
    close(all_fds)


def _describe_close(harness: Harness, place: str = "") -> str:
    which = "loop of its class, which tearDownClass()" if harness.loop.is_lent else f"loop, which {harness.closer}"
    return f"{harness.describe()} closes the {which} does{place}. Take io_loop.close() away."


def check_not_closed(harness: Harness, io_loop: IOLoop | None) -> None:
    """Raise ``RuntimeError`` if the test has closed its loop by Tornado's method, and no error has said so.

    ``tornado.testing`` cannot close it once more, and fails with a ``KeyError``.

    :param io_loop: the attribute of the test, which may be another loop by now.
    """
    loop = harness.loop
    if loop.why_closed is not None and io_loop is loop.io_loop:
        message, loop.why_closed = loop.why_closed, None
        raise RuntimeError(message)


LOOP_METHODS = LoopMethods()
