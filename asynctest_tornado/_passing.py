"""How virtual time passes on the loop of a test: when nothing else can happen, and nothing is on its way."""

import math
import threading
from typing import Any

from tornado.ioloop import IOLoop
from tornado.process import Subprocess

from asynctest_tornado import _wire
from asynctest_tornado._clock import VirtualClock
from asynctest_tornado._selector import Selector

__unittest = True

#: Seconds of real time in which what was sent by the test to itself arrives.
_GRACE = 0.001
#: And those in which what waits for an acknowledgement is sent: the other end takes up to 0.04 for that.
_HELD = 0.05
#: From this time on, in seconds, a float is not exact to asyncio's own resolution, a nanosecond.
_LONG = 2.0**22


#: The subprocesses of Tornado whose end somebody waits for; its own dictionary, which is never replaced.
_waiting: dict[int, Any] = getattr(Subprocess, "_waiting", {})


class Passing:
    """Gives a loop the time of a clock.

    :param loop: the asyncio loop, whose selector is ours.
    """

    def __init__(self, io_loop: IOLoop, loop: Any, selector: Selector, clock: VirtualClock) -> None:
        self._loop = loop
        self._selector = selector
        self._clock = clock
        # On the instances, so that loops without a clock do not pay for it.
        vars(loop)["time"] = clock.time
        vars(io_loop)["time"] = clock.wall_time
        selector.pass_time = self

    def __call__(self) -> float | None:
        """Pass time up to the next thing that happens. Return 0, or how long to wait in real time before that."""
        if self._has_jobs():
            return None
        quiet = self._quiet_period()
        if quiet is not None and self._selector.has_events(min(quiet, self._selector.rest())):
            return 0
        timers = self._loop._scheduled
        # The first one is not cancelled: asyncio has seen to that.
        if not self._clock.move(timers[0].when() if timers else None):
            return None
        now = self._clock.time()
        if now >= _LONG:
            # asyncio runs what is due before time() plus this. With the usual value, what is due exactly now would not
            # be due where adding a nanosecond does not change the time any more, and the loop would spin.
            self._loop._clock_resolution = 2 * math.ulp(now)
        return 0

    def _has_jobs(self) -> bool:
        """Tell whether something works for the loop, in real time, that will come back to it."""
        work = self._loop._asynctest_work
        return bool(_waiting) or (work is not None and work.is_going_on)

    def _quiet_period(self) -> float | None:
        """Return for how long nothing may have happened before time passes, in seconds of real time.

        None stands for no need to look again.
        """
        if threading.active_count() > 1:
            work = self._loop._asynctest_work
            if _wire.has_strange_threads(() if work is None else work.executors):
                return self._clock.autojump_threshold
        files = self._selector.get_map()
        if len(files) < 2:
            return None  # one is the loop's own, to be woken by
        own = self._loop._ssock.fileno()
        wire = _wire.Wire([key.fd for key in files.values() if key.fd != own])
        if wire.is_foreign:
            return max(_GRACE, self._clock.autojump_threshold)
        if wire.is_held:
            return _HELD
        # Even if all has arrived by now, the loop may have looked before.
        return _GRACE if wire.is_underway else 0
