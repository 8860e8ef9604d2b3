"""Calls hooks before a loop sleeps: virtual time, deadlock detection, alarm."""

# Tested by tests/harness/test_deadline.py.

import math
from collections.abc import Callable
from typing import Protocol

from asynctest_tornado._util.real_time import monotonic

__unittest = True


class Servers(Protocol):
    """The servers of a test."""

    def register(self, fd: int) -> None:
        """Record a file that the loop begins to watch."""


class SleepHooks:
    """The hooks of one loop, and its alarm, for the time limits of this library.

    The alarm is in real time, and not among the timers of the loop: these are the test's own, and may be in virtual
    time.
    """

    __slots__ = ("alarm", "before_sleep", "pass_time", "servers", "was_quiet")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Drop the hooks, for the next loop."""
        #: The time at which the loop makes a call, by the computer's monotonic clock, and the function.
        self.alarm: tuple[float, Callable[[], object]] | None = None
        #: Called if the loop would sleep, and no file is ready. It passes the time of a virtual clock. It returns 0 if
        #: something is to be done now, else the real seconds to sleep, or None for no limit.
        self.pass_time: Callable[[], float | None] | None = None
        #: Called last, with the seconds that the loop would sleep, or None for no limit. Returns the same, or less.
        self.before_sleep: Callable[[float | None], float | None] | None = None
        #: Called for each file that the loop begins to watch.
        self.servers: Servers | None = None
        #: True if no file was ready when the loop slept last.
        self.was_quiet = False

    def rest(self) -> float:
        """Return the real seconds up to the alarm."""
        return math.inf if self.alarm is None else max(0.0, self.alarm[0] - monotonic())

    def seconds_to_sleep(self, timeout: float | None) -> float | None:
        """Call the hook before sleep, and the alarm if its time has come; return the seconds that the loop may sleep.

        :param timeout: the seconds that the loop would sleep; None for no limit.
        """
        if timeout != 0 and self.before_sleep is not None:
            timeout = self.before_sleep(timeout)
        if self.alarm is not None:
            when, ring = self.alarm
            rest = when - monotonic()
            if rest <= 0:
                self.alarm = None
                ring()
            if timeout is None or timeout > rest:
                timeout = max(0, rest)
        return timeout
