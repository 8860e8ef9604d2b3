"""How virtual time passes on the loop of a test: when nothing else can happen, and nothing is on its way."""

# Tested by tests/clock/test_virtual_clock.py.

import math
import selectors
from typing import Any

from tornado.ioloop import IOLoop
from tornado.process import Subprocess

from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._loop import in_flight
from asynctest_tornado._loop.child_processes import has_children
from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._util.real_time import active_count

__unittest = True

#: Seconds of real time in which what was sent by the test to itself arrives.
_ARRIVAL_SECONDS = 0.001
#: How often to look, in seconds, whether what the system holds back has arrived. The other end takes up to 0.04 to
#: acknowledge what came before it.
_HELD_BACK_SECONDS = 0.05
#: From this time on, in seconds, a float is not exact to asyncio's own resolution, a nanosecond.
_LONG = 2.0**22
#: How many deadlines to remember before those that are over are forgotten.
_MANY = 10_000

#: The subprocesses of Tornado whose end somebody waits for; its own dictionary, which is never replaced.
_waiting: dict[int, Any] = getattr(Subprocess, "_waiting", {})


class Passing:
    """Gives a loop the time of a clock.

    :param loop: the asyncio loop, whose selector is ours.
    """

    def __init__(self, io_loop: IOLoop, loop: Any, selector: Selector, clock: VirtualClock) -> None:
        self._io_loop = io_loop
        self._loop = loop
        self._selector = selector
        self._clock = clock
        #: The last of those that were to be at the same time, and for each of these, that time.
        self._last: dict[float, float] = {}
        self._exact: dict[float, float] = {}
        self._most = _MANY
        self._known: set[Any] = set()
        self._call_at = loop.call_at
        # On the instances, so that loops without a clock do not pay for it.
        vars(loop).update(time=clock.time, call_at=self.call_at)
        vars(io_loop)["time"] = clock.wall_time
        selector.hooks.pass_time = self
        clock.describe_hindrance = self.describe_hindrance

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        """Call a function at a time; of several at the same time, the first one first.

        In real time, no two calls ask for the same. asyncio does not care for the order of those that do: hence there
        are tiny steps between them, which are far below its resolution.
        """
        last = self._last
        step = when
        if when in last:
            step = math.nextafter(last[when], math.inf)
            self._exact[step] = when
        last[when] = step
        if len(last) > self._most:
            self._forget()
        return self._call_at(step, callback, *args, context=context)

    def _forget(self) -> None:
        now = self._clock.time()
        self._last = {when: step for when, step in self._last.items() if step >= now}
        self._exact = {step: when for step, when in self._exact.items() if step >= now}
        # Of those that are left, none may be over for long.
        self._most = max(_MANY, 2 * len(self._last))

    def __call__(self) -> float | None:
        """Pass time up to the next thing that happens. Return 0, or how long to wait in real time before that."""
        if (_waiting or self._loop._asynctest.records.work is not None) and self._hindrances():
            return None
        quiet, is_held = self._quiet_period()
        if self._loop._ready:
            return 0  # by a thread that is gone by now, since the loop has looked
        if quiet is not None:
            rest = self._selector.hooks.rest()
            if self._selector.has_events(min(quiet, rest)) or is_held or rest < quiet:
                return 0
            if active_count() > 1 and in_flight.other_threads()[0]:
                return 0  # while the loop looked, a thread has taken up what was there for it
        clock, timers = self._clock, self._loop._scheduled
        # The first one is not cancelled: asyncio has seen to that.
        step = timers[0].when() if timers else None
        if step is not None and step < clock.time() + self._loop._clock_resolution:
            return 0  # it is one of several that are due now
        if step is not None and self._exact:
            step = self._exact.get(step, step)
        if not clock.move(step):
            return None
        if clock.time() >= _LONG:
            # asyncio runs what is due before time() plus this. With the usual value, what is due exactly now would not
            # be due where adding a nanosecond does not change the time any more, and the loop would spin.
            self._loop._clock_resolution = 16 * math.ulp(clock.time())
        return 0

    def _hindrances(self) -> list[str]:
        """Return what works for the loop, in real time, and will come back to it."""
        loop, found = self._loop, []
        work = loop._asynctest.records.work
        if work is not None and work.is_going_on:
            found += [f"{name} in an executor" for _, name in work.pending_jobs]
            found += [f"the subprocess {process.get_pid()}" for process in work.pending_processes]
        for pid, process in _waiting.items():
            if process.io_loop is self._io_loop and process.returncode is None:
                found.append(f"the subprocess {pid}")
        return found

    def describe_hindrance(self) -> str:
        """Tell why time does not pass, if something is in its way."""
        found = self._hindrances()
        return f"; it does not pass while something works in real time: {', '.join(found)}" if found else ""

    def _quiet_period(self) -> tuple[float | None, bool]:
        """Return for how long nothing may have happened before time passes, in seconds of real time.

        None stands for no need to look again. The second value tells whether something is sure to happen.
        """
        quiet: float | None = None
        if active_count() > 1:
            is_working, has_others = in_flight.other_threads()
            if is_working:
                return _ARRIVAL_SECONDS, True
            # They may have ended since the loop has looked.
            quiet = self._clock.autojump_threshold if has_others else 0
        files = self._selector.get_map()
        if len(files) < 2:
            return quiet, False  # one is the loop's own, to be woken by
        own = self._loop._ssock.fileno()
        watched = [(key.fd, bool(key.events & selectors.EVENT_READ)) for key in files.values() if key.fd != own]
        wire = in_flight.Wire(watched, self._known)
        if wire.is_held:
            return _HELD_BACK_SECONDS, True
        if wire.is_foreign or has_children():
            return max(_ARRIVAL_SECONDS, self._clock.autojump_threshold), False
        # Even if all has arrived by now, the loop may have looked before.
        return max(quiet or 0, _ARRIVAL_SECONDS if wire.is_underway else 0), False
