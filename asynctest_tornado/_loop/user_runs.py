"""Ends a run of the loop by other code than a wait when an error is trapped."""

# Tested by tests/loop/test_managed_loop.py.

import threading
from collections.abc import Callable
from typing import Any

from asynctest_tornado._loop.instrumented_loop import WatchedLoop

__unittest = True


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
        self._loop.call_in(self._thread, self._interrupt)


class UserRunLoop(WatchedLoop):
    """Raises trapped errors where the user's code runs the loop, for example by ``io_loop.start()``."""

    def run_forever(self) -> None:
        trap = self._asynctest.trap
        if trap.waits:  # this library runs the loop, and looks at the trap
            super().run_forever()
            return
        with interruptible(self, self.stop):
            trap.raise_errors()
            super().run_forever()
            trap.raise_errors()
