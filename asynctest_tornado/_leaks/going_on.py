"""Finds the work of a test that still goes on.

A test has settled if nothing that it has set off can go on any more. In a quiet moment of the loop, work goes on if

- a file is ready, or bytes are on their way between two ends within the test, also on a slow connection in memory;
- a timer of the test is set, or a timer that one of its tasks or coroutines waits for, such as the timer of a sleep;
- a job runs in an executor, a thread of the test runs (a daemon does not count, nor a thread that waits for a job), or
  Tornado waits for the exit of a subprocess;
- a task or coroutine of the test may be resumed from outside of the loop: it waits for a future, and a connection leads
  out of the test, or there is another thread or a child process.

All else is idle, and can go on for ever: a task that waits for a queue, an event or a lock; a task that waits for bytes
on a connection within the test, such as an open websocket or a connection that is kept alive; a server that listens.
Nothing is left that could resume it. Also left aside are ``PeriodicCallback``, whose next tick is no work yet; timers
that are due after the horizon when they are first seen; timers on a clock that stands still; and the leaks that the
test allows, with all that they wait for.
"""

# Tested by tests/leaks/test_settle.py.

import asyncio
import concurrent.futures.thread
import gc
import math
import selectors
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from asynctest_tornado._errors import made_objects
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._leaks import chains, client_requests, search
from asynctest_tornado._leaks.kinds import kind_of, safely
from asynctest_tornado._leaks.policy import Leak, Policy
from asynctest_tornado._leaks.recording_loop import lines_of_futures
from asynctest_tornado._loop import child_processes, executor_jobs, in_flight, own_handles
from asynctest_tornado._sources import pool_contexts
from asynctest_tornado._timeouts import other_threads, pending_report, quiet
from asynctest_tornado._timeouts.report_sections import MOST_SHOWN
from asynctest_tornado._util import names as _names
from asynctest_tornado._util import origins, stacks
from asynctest_tornado._util.tracebacks import MACHINERY, OURS, owner_of_file

__unittest = True

#: The modules of queues, events and locks.
_PARKING = ("asyncio.queues", "asyncio.locks", "tornado.queues", "tornado.locks")
_WORKER = getattr(getattr(concurrent.futures.thread, "_worker", None), "__code__", None)
#: Begins the names of threads that other modules than ``threading`` have begun, for example workers of pytest-xdist.
_DUMMY = "Dummy-"


class Work(NamedTuple):
    """Work that goes on."""

    description: str
    lines: tuple[str, ...] = ()
    """The lines of the user that it is of."""
    is_momentary: bool = False


class GoingOn:
    """Looks for the work of a test that goes on.

    :param harness: the harness of the test.
    :param policy: knows the leaks that are allowed.
    :param horizon: timers that are due in more seconds are left aside.
    """

    def __init__(self, harness: Harness, policy: Policy, horizon: float) -> None:
        self._loop = harness.loop
        self._trap = harness.trap
        self._policy = policy
        loop = harness.loop.loop
        clock: Any = getattr(vars(loop).get("time"), "__self__", None) if quiet.has_virtual_time(loop) else None
        #: None if no timer counts.
        self._horizon: float | None = horizon
        if clock is not None:
            self._horizon = math.inf if clock.autojump else None
        # The timers that were seen, with true for those within the horizon. The timers as well, as ids are reused.
        self._seen: dict[int, tuple[Any, bool]] = {}
        # The futures of Tornado's queues and locks, likewise.
        self._parked: dict[int, tuple[Any, bool]] = {}
        # True if the last look has found work of threads or processes.
        self._had_outside = False
        # The addresses of the sockets of the loop.
        self._known: set[Any] = set()

    def is_over(self) -> bool:
        """Return whether the test has settled, in a quiet moment of its loop."""
        if next(self._find(), None) is not None:
            return False
        # A thread or process that has ended during this look has woken the loop before it went.
        selector = self._loop.selector
        return not (self._loop.loop.ready_calls() or (selector is not None and selector.has_events()))

    def describe(self) -> list[str]:
        """Return lines about the work that goes on."""
        all_work = list(self._find())
        found = [work for work in all_work if not work.is_momentary] or all_work
        lines = []
        for work in found[:MOST_SHOWN]:
            lines.append(f"  {work.description}")
            lines += [f"    {line}" for line in work.lines]
        if len(found) > MOST_SHOWN:
            lines.append(f"  ... and {len(found) - MOST_SHOWN} more")
        return lines

    def passed_over(self, late: str) -> Iterator[tuple[Any, str]]:
        """Find the timers and tasks that are left when the test has settled, each with the reason.

        :param late: the reason of a timer that is due after the horizon.
        """
        if self._horizon is None:
            late = "the virtual clock stood still"
        timed: set[int] = set()
        for timer in own_handles.timers_of(self._loop):
            timed |= chains.linked(timer)
            yield timer, late
        for future in _Tasks(self).counted:
            waits = {id(each) for each in [future, *chains.below(future)]}
            yield future, late if waits & timed else "nothing was left that could resume it"

    def _find(self) -> Iterator[Work]:
        selector, wire = self._loop.selector, None
        if selector is not None:
            wire = in_flight.Wire(self._files(selector), self._known)
            if wire.is_foreign:  # or the loop does not watch the other end now
                wire = in_flight.Wire(self._files(selector), self._known | in_flight.own_addresses())
            if wire.is_underway or wire.is_held:
                yield Work("bytes on their way, on a connection within the test", is_momentary=True)
            if selector.has_events():
                yield Work("a file that is ready", is_momentary=True)
            now = self._loop.loop.time()
            yield from (Work(text) for timer, text in selector.deliveries() if self._is_within_horizon(timer, now))
        tasks = _Tasks(self)
        timed: set[int] = set()
        yield from self._timers(tasks, timed)
        outside = [*self._jobs(tasks), *self._threads(), *self._subprocesses()]
        yield from outside
        # The loop learns of an end a moment later.
        had_outside, self._had_outside = self._had_outside, bool(outside)
        if had_outside and not outside:
            yield Work("a job that has just ended", is_momentary=True)
        yield from self._tasks(tasks, timed, wire)

    def _files(self, selector: Any) -> list[tuple[int, bool]]:
        waker = getattr(self._loop.loop, "_ssock", None)
        own = None if waker is None else waker.fileno()
        files = selector.get_map().values()
        return [(key.fd, bool(key.events & selectors.EVENT_READ)) for key in files if key.fd != own]

    def _timers(self, tasks: "_Tasks", timed: set[int]) -> Iterator[Work]:
        """Find timers.

        :param timed: the futures that timers belong to are added.
        """
        made, now = made_objects.of(self._trap), self._loop.loop.time()
        for timer in own_handles.timers_of(self._loop):
            linked = chains.linked(timer)
            timed |= linked
            if linked & tasks.aside or not self._is_within_horizon(timer, now):
                continue
            origin = made.of(timer, origins.LIBRARY)
            leak = safely(search.look_at_timer, timer, origin, now)
            if leak is not None:
                if not self._policy.allows(leak):
                    yield Work(leak.description, tuple(origins.describe(leak.origin, timer)))
                continue
            owner = next((tasks.owners[number] for number in linked if number in tasks.owners), None)
            if owner is not None and origin is origins.LIBRARY:
                left = max(0.0, timer.when() - now)
                yield _work_of(owner, f", which sleeps or waits for another {left:.3g} s at most")

    def _is_within_horizon(self, timer: Any, now: float) -> bool:
        if self._horizon is None:
            return False
        if id(timer) not in self._seen:
            self._seen[id(timer)] = timer, timer.when() - now <= self._horizon
        return self._seen[id(timer)][1]

    def _jobs(self, tasks: "_Tasks") -> Iterator[Work]:
        own = set(map(id, tasks.futures))
        of_loop = [job for job in executor_jobs.pending_jobs(self._loop.loop) if id(job[0]) in own]
        jobs: list[tuple[Any, str]] = [job for job in of_loop if id(job[0]) not in tasks.aside]
        known = {name for _, name in of_loop}
        jobs += [(None, name) for name in pool_contexts.pending_jobs(self._trap) if name not in known]
        for future, name in jobs:
            if not self._policy.allows(Leak("", (name,), future, None)):
                yield Work(f"executor job {name}")

    def _threads(self) -> Iterator[Work]:
        for thing, origin in made_objects.of(self._trap).known():
            kind = kind_of(thing)
            if not isinstance(thing, threading.Thread) or kind is None or thing.daemon:
                continue
            state = safely(kind.look, thing, origin)
            if state is None or _is_idle_worker(thing) or other_threads.are_asleep(set()):
                continue
            if not self._policy.allows(Leak(state.description, (state.name, type(thing).__name__), thing, origin)):
                yield Work(state.description, tuple(origins.describe(origin, thing)))

    def _subprocesses(self) -> Iterator[Work]:
        for pid in child_processes.awaited_by(self._loop.io_loop):
            yield Work(f"the subprocess {pid}, for whose exit Tornado waits")

    def _tasks(self, tasks: "_Tasks", timed: set[int], wire: in_flight.Wire | None) -> Iterator[Work]:
        """Find tasks that may be resumed from outside of the loop."""
        is_served: bool | None = None
        # In a quiet moment, there is no ready call. At the end of the time, some of these resume tasks.
        calls = self._loop.loop.ready_calls()
        ready: set[int] = set().union(*map(chains.linked, own_handles.of_test(self._trap, calls)))
        for future in tasks.counted:
            leaves = chains.leaves(future)
            is_called = not ready.isdisjoint(map(id, [future, *leaves]))
            is_ready = isinstance(future, asyncio.Task) and leaves == [future]  # it waits for nothing
            if is_ready or is_called or any(leaf.done() for leaf in leaves):
                yield _work_of(future, ", which is about to go on")
                continue
            if all(id(leaf) in timed or self._is_parked(owner, leaf) for owner, leaf in chains.waits(future)):
                continue
            if is_served is None:
                outside = wire is None or wire.is_foreign
                is_served = outside or _has_other_threads() or child_processes.has_children()
            if is_served:
                yield _work_of(future, "")

    def _is_parked(self, owner: Any, leaf: Any) -> bool:
        """Return whether a task or coroutine waits at a queue, event or lock."""
        if id(leaf) not in self._parked:
            module = ""
            coroutine = None if owner is None else pending_report.coroutine_of(owner)
            for _, frame in pending_report.frames_of(coroutine):
                module = frame.f_globals.get("__name__", "")
            self._parked[id(leaf)] = leaf, module in _PARKING or _is_of_tornados_queue(leaf)
        return self._parked[id(leaf)][1]


def _is_idle_worker(thread: threading.Thread) -> bool:
    """Return whether a thread is a worker of an executor that has no job."""
    stack = stacks.stack_of(thread.ident or 0)
    return bool(stack) and stack[0].f_code is _WORKER


def _has_other_threads() -> bool:
    """Return whether a thread runs that may resume a task, and that is none of the test runner's."""
    others = [thread for thread in threading.enumerate() if thread.ident != threading.get_ident()]
    return not other_threads.are_asleep(set()) and any(
        not (isinstance(thread, threading.Timer) or thread.name.startswith(_DUMMY) or _is_idle_worker(thread))
        for thread in others
    )


class _Tasks:
    """The pending tasks and coroutines of a test, in one moment."""

    def __init__(self, work: GoingOn) -> None:
        self._policy: Policy = work._policy
        #: The futures that the test has made.
        self.futures = work._loop.own_futures()
        #: Those that have to end.
        self.counted: list[asyncio.Future[Any]] = []
        #: The ids of futures that need not end: of the waiting test itself, and of allowed leaks.
        self.aside: set[int] = set()
        #: By the ids of counted futures, and of all that they wait for: the former.
        self.owners: dict[int, asyncio.Future[Any]] = {}
        lines = lines_of_futures(work._trap)
        waiting = {id(each) for watch in quiet.watches_of(work._loop) for each in chains.above(watch.task)}
        for future in self.futures:
            origin = lines.of(future, origins.LIBRARY)
            below = chains.below(future)
            if id(future) in waiting or _is_main(future, origin) or waiting & set(map(id, below)):
                self.aside.update(map(id, [future, *(each for each in below if not _is_begun(each))]))
            elif self._is_allowed(future, origin):
                self.aside.update(map(id, [future, *below]))
            elif _counts(future, origin):
                self.counted.append(future)
        self.counted = [future for future in self.counted if id(future) not in self.aside]
        for future in self.counted:
            self.owners.update(dict.fromkeys(map(id, [future, *chains.below(future)]), future))

    def _is_allowed(self, future: Any, origin: origins.Origin) -> bool:
        names = [_name(future)]
        if isinstance(future, asyncio.Task):
            names += [_names.name_of_task(future), future.get_name()]
        return self._policy.allows(Leak("", tuple(names), future, origin))


def _name(future: Any) -> str:
    request = client_requests.of(future)
    return f"request {request.name}" if request is not None else pending_report.name_of(future)


def _work_of(future: Any, addition: str) -> Work:
    # The report shows the lines of tasks below.
    lines = [] if isinstance(future, asyncio.Task) else pending_report.lines_of(future)[0]
    return Work(f"{_name(future)}{addition}", tuple(f"at {line}" for line in lines))


def _is_begun(future: Any) -> bool:
    """Return whether a future stands for code of its own, which may go on."""
    return isinstance(future, asyncio.Task) or _names.runner_of(future) is not None or hasattr(future, "_children")


def _is_main(future: Any, origin: origins.Origin) -> bool:
    """Return whether a task is the one that the test runs in."""
    code = getattr(future.get_coro(), "cr_code", None) if isinstance(future, asyncio.Task) else None
    return origin is origins.LIBRARY and code is not None and owner_of_file(code.co_filename) is OURS


def _counts(future: Any, origin: origins.Origin) -> bool:
    """Return whether a future stands for code of the test, and not for code that a library runs for ever."""
    if not isinstance(future, asyncio.Task) and _names.runner_of(future) is None:
        return client_requests.of(future) is not None
    if origin is not origins.LIBRARY:
        return True
    coroutine = pending_report.coroutine_of(future)
    code = getattr(coroutine, "cr_code", None)
    is_library = code is not None and owner_of_file(code.co_filename) in MACHINERY
    if is_library and hasattr(pending_report.handler_of(coroutine), "ws_connection"):
        return False  # this task reads, for as long as the websocket is open; others handle its messages
    return bool(pending_report.lines_of(future)[0])


def _is_of_tornados_queue(future: Any) -> bool:
    """Return whether a queue or lock of Tornado has a future: its methods return futures, and are no coroutines."""
    for holder in gc.get_referrers(future):
        if not isinstance(holder, deque | set):
            continue
        for owner in gc.get_referrers(holder):
            owners = gc.get_referrers(owner) if isinstance(owner, dict) else [owner]
            if any(type(each).__module__ in _PARKING for each in owners):
                return True
    return False
