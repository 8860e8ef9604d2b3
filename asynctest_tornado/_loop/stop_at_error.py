"""Lets an error in the trap end the code that runs the loop."""

# Tested by tests/unittest/test_case.py.

import contextlib
import threading
from collections.abc import Callable
from typing import Any

__unittest = True


def call_in(thread: int, loop: Any, func: Callable[[], object]) -> None:
    """Call a function in the thread that runs a loop; any thread may call this."""
    if threading.get_ident() == thread:
        func()
        return
    with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
        loop.call_soon_threadsafe(func)


class interruptible:
    """For a block that runs the loop: an error in the trap ends it, by ``interrupt`` in the loop's thread."""

    def __init__(self, loop: Any, interrupt: Callable[[], object]) -> None:
        self._loop = loop
        self._interrupt = interrupt
        self._thread = threading.get_ident()
        self._waits: list[Any] = loop._asynctest.trap.waits

    def __enter__(self) -> None:
        self._waits.append(self)

    def __exit__(self, *exc_info: object) -> None:
        self._waits.pop()

    def interrupt(self) -> None:
        call_in(self._thread, self._loop, self._interrupt)
