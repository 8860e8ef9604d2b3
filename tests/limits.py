"""The clock of the library's own time limits, for tests that have to get somewhere before such a limit is over.

On a busy machine, a second may pass before a test has begun. Where its report is about a certain line, its time begins
there::

    with limit_clock.stopped():
        run_case(Sample)

``Sample`` calls ``limit_clock.advance()`` or ``limit_clock.start()`` at that line. Both do nothing if the clock is not
stopped.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._util import real_time
from tests.support import RecordingResult

#: Real seconds after which a stopped clock goes on, so that a test ends, and fails, if its limit never begins.
STOPPED_SECONDS = 120


class LimitClock:
    """Stands in for the computer's time in the library; not in asyncio, in Tornado, or in the code under test."""

    def __init__(self) -> None:
        self._is_stopped = False
        self._now = self._stopped_at = 0.0

    def __call__(self) -> float:
        """Return the time, in seconds."""
        passed = real_time.monotonic() - self._stopped_at
        return self._now + (max(0, passed - STOPPED_SECONDS) if self._is_stopped else passed)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the clock in this block: no limit of the library passes."""
        self._now = self._stopped_at = real_time.monotonic()
        self._is_stopped = True
        modules = [module for name, module in sys.modules.items() if name.startswith("asynctest_tornado.")]
        with ExitStack() as patches:
            for module in modules:
                if module is not real_time and vars(module).get("monotonic") is real_time.monotonic:
                    patches.enter_context(mock.patch.object(module, "monotonic", self))
            yield
        self._is_stopped = False

    def advance(self, seconds: float = 1) -> None:
        """Move a stopped clock: limits of fewer seconds that have begun are over; those that begin now do not pass."""
        if self._is_stopped:
            self._now += seconds

    def start(self) -> None:
        """Let a stopped clock go on: limits that have begun pass from here on."""
        if self._is_stopped:
            self._is_stopped, self._stopped_at = False, real_time.monotonic()


limit_clock = LimitClock()


def run_past_limit(cls: type[AsyncTestCase], turns: int) -> RecordingResult:
    """Run the method ``test`` of a class; its time is over after so many turns of the loop, and not before."""
    case, result = cls("test"), RecordingResult()

    def set_up() -> None:
        cls.setUp(case)
        after_turns(case.io_loop, turns, limit_clock.advance)

    with limit_clock.stopped(), mock.patch.object(case, "setUp", set_up):
        case.run(result)
    return result


def after_turns(io_loop: Any, turns: int, callback: Callable[[], object]) -> None:
    """Call a function in one of the next turns of a loop."""
    if turns == 1:
        io_loop.add_callback(callback)
    else:
        io_loop.add_callback(after_turns, io_loop, turns - 1, callback)
