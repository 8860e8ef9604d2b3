"""Lets an error in the trap end the code that runs the loop."""

# Tested by tests/unittest/test_case.py.

import contextlib
import functools
import threading
from collections.abc import Callable
from typing import Any

__unittest = True


def from_anywhere(loop: Any, interrupt: Callable[[], object]) -> Callable[[], None]:
    """Return a function that any thread may call: it calls a function in the present thread, which runs the loop."""
    return functools.partial(_call, loop, threading.get_ident(), interrupt)


def _call(loop: Any, thread: int, interrupt: Callable[[], object]) -> None:
    if threading.get_ident() == thread:
        interrupt()
        return
    with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
        loop.call_soon_threadsafe(interrupt)


class interruptible:
    """For a block that runs the loop: an error in the trap ends it, by ``interrupt`` in the loop's thread."""

    def __init__(self, loop: Any, interrupt: Callable[[], object]) -> None:
        self._trap = loop._asynctest.trap
        self._interrupt = from_anywhere(loop, interrupt)

    def __enter__(self) -> None:
        self._before, self._trap.interrupt = self._trap.interrupt, self._interrupt

    def __exit__(self, *exc_info: object) -> None:
        self._trap.interrupt = self._before
