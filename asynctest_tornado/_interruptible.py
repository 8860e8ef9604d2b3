"""How an error in the trap ends what runs the loop."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

__unittest = True


class interruptible:
    """For a block that runs the loop: an error in the trap ends it, by ``interrupt`` in the loop's thread."""

    def __init__(self, loop: Any, interrupt: Callable[[], object]) -> None:
        self._loop = loop
        self._interrupt = interrupt
        self._thread = threading.get_ident()

    def __enter__(self) -> None:
        trap = self._loop._asynctest_trap
        self._before, trap.interrupt = trap.interrupt, self._from_anywhere

    def __exit__(self, *exc_info: object) -> None:
        self._loop._asynctest_trap.interrupt = self._before

    def _from_anywhere(self) -> None:
        if threading.get_ident() == self._thread:
            self._interrupt()
            return
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile, and nobody waits any more
            self._loop.call_soon_threadsafe(self._interrupt)
