"""How an error in the trap ends what runs the loop."""

# Tested by tests/unittest/test_case.py.

import contextlib
import functools
import threading
from collections.abc import Callable
from typing import Any

__unittest = True


def from_anywhere(loop: Any, interrupt: Callable[[], object]) -> Callable[[], None]:
    """Return what any thread may call, to call the function in this one, which runs the loop."""
    return functools.partial(_call, loop, threading.get_ident(), interrupt)


def _call(loop: Any, thread: int, interrupt: Callable[[], object]) -> None:
    if threading.get_ident() == thread:
        interrupt()
        return
    with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile, and nobody waits any more
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
