"""Decides when virtual time jumps, and by how much.

`Passing` is called if a loop would sleep, and no file is ready. Time jumps to the next deadline if
nothing else can happen before, as seen from real time:

- a job in an executor and a subprocess of the loop come back to it: time stands still until they have;
- other threads, foreign connections and child processes may come back: time jumps after they have been quiet for
  ``autojump_threshold``;
- a thread that computes has a job, if it has waited for a lock before: time stands still until the job is done;
  otherwise, the thread may compute for ever, and time stands still for `_COMPUTING_SECONDS`, once;
- threads that wait for a lock do not come back by themselves: see `other_threads`;
- bytes between two ends within the test arrive in no time, but after the loop has looked: it looks once more, within
  `_ARRIVAL_SECONDS`; longer, if the system says that it holds them back.

A jump leads to the next timer of the loop, or to the next target of ``advance()`` if that comes before. Two timers for
the same time would be called in any order, so the later one is a tiny step behind. If the time is so long that a float
is not exact to asyncio's resolution, the loop gets a coarser resolution; otherwise it would spin.
"""

# Tested by tests/clock/test_virtual_clock.py.

import math
import selectors
from typing import Any, NamedTuple

from tornado.ioloop import IOLoop
from tornado.process import Subprocess

from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._loop import in_flight
from asynctest_tornado._loop.child_processes import has_children
from asynctest_tornado._loop.executor_jobs import work_of
from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._timeouts import other_threads
from asynctest_tornado._util.real_time import active_count, monotonic

__unittest = True

#: Seconds of real time in which bytes from one end to the other within the test arrive.
_ARRIVAL_SECONDS = 0.001
#: Seconds between two looks whether bytes that the system holds back have arrived. The other end takes up to 0.04 to
#: acknowledge the bytes before them.
_HELD_BACK_SECONDS = 0.05
#: Seconds of real time for which time stands still because of a thread that has computed from the start.
_COMPUTING_SECONDS = 1.0
#: Seconds up to the first look whether other threads have gone to sleep. Each look takes some ten microseconds for each
#: thread, so later ones are rarer.
_FIRST_LOOK_SECONDS = 0.0002
#: Seconds from which on a float is not exact to asyncio's resolution, a nanosecond.
_LONG = 2.0**22
#: The number of deadlines from which on past deadlines are dropped.
_MANY = 10_000

#: The subprocesses whose exit callback Tornado is to call: its own dictionary, which is never replaced.
_waiting: dict[int, Any] = getattr(Subprocess, "_waiting", {})


class _Quiet(NamedTuple):
    """The seconds of real time without any event before time passes."""

    seconds: float | None
    """None: no need to look again."""
    is_held: bool = False
    """True if an event is sure to come."""
    is_for_threads: bool = False
    """True if nothing but other threads may come back."""


class Passing:
    """Gives a loop the time of a clock.

    :param loop: the asyncio loop.
    :param selector: its selector.
    """

    def __init__(self, io_loop: IOLoop, loop: Any, selector: Selector, clock: VirtualClock) -> None:
        self._io_loop = io_loop
        self._loop = loop
        self._selector = selector
        self._clock = clock
        #: By each deadline, its last step; by each step, its deadline.
        self._last: dict[float, float] = {}
        self._exact: dict[float, float] = {}
        self._most = _MANY
        self._known: set[Any] = set()
        #: The threads that have waited for a lock.
        self._sleepers: set[str] = set()
        #: The threads that have computed for so long that time passes all the same.
        self._endless: set[str] = set()
        #: The time since which another thread computes, by the computer's monotonic clock.
        self._computes_since: float | None = None
        self._call_at = loop.call_at
        # On the instances, so that loops without a clock do not pay for it.
        vars(loop).update(time=clock.time, call_at=self.call_at)
        vars(io_loop)["time"] = clock.wall_time

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        """Call a function at a time. Functions for the same time are called in the order of their registration.

        In real time, no two calls have the same deadline, and asyncio gives no order to those that do. Hence there are
        tiny steps between them, far below its resolution.
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
        # Twice as many, so that this is rare.
        self._most = max(_MANY, 2 * len(self._last))

    def __call__(self) -> float | None:
        """Pass time up to the next event. Return 0 if the loop has something to do now; None if it has to sleep."""
        if (_waiting or work_of(self._loop) is not None) and self._hindrances():
            return None
        quiet = self._quiet_period()
        if self._loop._ready:
            return 0  # a thread has woken the loop since it has looked, and is gone by now
        if quiet.seconds is not None:
            rest = self._selector.rest()
            if self._has_events(min(quiet.seconds, rest), quiet) or quiet.is_held or rest < quiet.seconds:
                return 0
            if active_count() > 1:
                if other_threads.of_executors()[0] or self._is_to_wait_for_threads():
                    return 0  # a thread has taken up a job while the loop looked
                if self._loop._ready or self._selector.has_events():
                    return 0  # one has ended its job meanwhile, and sleeps again
            self._computes_since = None
        clock, timers = self._clock, self._loop._scheduled
        # The first timer is not cancelled: asyncio has dropped cancelled ones from the front.
        step = timers[0].when() if timers else None
        if step is not None and step < clock.time() + self._loop._clock_resolution:
            return 0  # several timers are due now
        if step is not None and self._exact:
            step = self._exact.get(step, step)
        if not clock._move(step):
            return None
        if clock.time() >= _LONG:
            # asyncio calls timers that are due before time() plus this. If adding the usual nanosecond does not change
            # the time any more, a timer that is due exactly now would not be called, and the loop would spin.
            self._loop._clock_resolution = 16 * math.ulp(clock.time())
        return 0

    def _hindrances(self) -> list[str]:
        """Return the names of jobs and subprocesses that work for the loop in real time."""
        loop, found = self._loop, []
        work = work_of(loop)
        if work is not None and work.is_going_on:
            found += [f"{name} in an executor" for _, name in work.pending_jobs]
            found += [f"the subprocess {process.get_pid()}" for process in work.pending_processes]
        for pid, process in _waiting.items():
            if process.io_loop is self._io_loop and process.returncode is None:
                found.append(f"the subprocess {pid}")
        return found

    def _jobs_of_threads(self) -> list[str]:
        """Return the names of the threads, other than an executor's, that have a job."""
        if active_count() < 2:
            return []
        return [f"the thread {name}" for thread, name in other_threads.computing().items() if thread in self._sleepers]

    def describe_hindrance(self) -> str:
        """Return a clause for reports that says why time does not pass; empty if nothing is in its way."""
        found = self._hindrances() or self._jobs_of_threads()
        return f"; it does not pass while something works in real time: {', '.join(found)}" if found else ""

    def _quiet_period(self) -> _Quiet:
        threads: float | None = None
        if active_count() > 1:
            is_working, has_others = other_threads.of_executors()
            if is_working:
                return _Quiet(_ARRIVAL_SECONDS, is_held=True)
            # The threads may have ended since the loop has looked, or have woken it and gone to sleep.
            threads = (
                self._clock.autojump_threshold if has_others and not other_threads.are_asleep(self._sleepers) else 0
            )
        files = self._selector.get_map()
        if len(files) < 2:  # one is the self-pipe of the loop
            return _Quiet(threads, is_for_threads=bool(threads))
        own = self._loop._ssock.fileno()
        watched = [(key.fd, bool(key.events & selectors.EVENT_READ)) for key in files.values() if key.fd != own]
        wire = in_flight.Wire(watched, self._known)
        if wire.is_held:
            return _Quiet(_HELD_BACK_SECONDS, is_held=True)
        if wire.is_foreign or has_children():
            return _Quiet(max(_ARRIVAL_SECONDS, self._clock.autojump_threshold))
        # Even if all bytes have arrived by now, the loop may have looked before.
        arrival = _ARRIVAL_SECONDS if wire.is_underway else 0
        return _Quiet(max(threads or 0, arrival), is_for_threads=bool(threads) and not arrival)

    def _has_events(self, seconds: float, quiet: _Quiet) -> bool:
        """Return whether a file becomes ready within these seconds; not later than other threads go to sleep."""
        if not quiet.is_for_threads:
            return self._selector.has_events(seconds)
        pause, left = _FIRST_LOOK_SECONDS, seconds
        while left > 0:
            began = monotonic()
            if self._selector.has_events(min(pause, left)):
                return True
            if other_threads.are_asleep(self._sleepers):
                break
            left -= max(pause, monotonic() - began)  # on a busy computer, a pause takes longer
            pause *= 4
        return self._selector.has_events()

    def _is_to_wait_for_threads(self) -> bool:
        """Return whether another thread has a job, or computes and has not done so for long."""
        if other_threads.are_asleep(self._sleepers):
            return False
        computing = other_threads.computing().keys() - self._endless
        return bool(computing & self._sleepers) or (bool(computing) and self._is_to_wait_for(computing))

    def _is_to_wait_for(self, computing: set[str]) -> bool:
        now = monotonic()
        self._computes_since = self._computes_since or now
        if now - self._computes_since < _COMPUTING_SECONDS:
            return True
        self._endless |= computing
        return False
