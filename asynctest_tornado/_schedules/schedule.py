"""Orders the ready callbacks and tasks of a loop by a seed.

asyncio makes the calls that are ready in the order of their registration. A schedule makes them in another order, which
the seed decides. It keeps the promises of asyncio that code relies on:

- ``call_soon``: "Callbacks are called in the order in which they are registered." This holds for callbacks of tasks,
  other callbacks, files, timers and threads. ``connection_made`` comes before ``data_received``, and a stream hands out
  its data as it arrives.
- ``call_later`` and ``call_at``: timers are called in the order of their deadlines. "If two callbacks are scheduled for
  exactly the same time, the order in which they are called is undefined."; a schedule does not change it.
- A task goes on when all callbacks have been called that were registered before it could go on: the callbacks of the
  future that it waits for, which asyncio itself relies on, and callbacks that the task has registered.
- Making a task registers its first step as a callback. So tasks begin in the order in which they are made.

asyncio makes no promise which of several ready tasks goes on first, and which callbacks come before: a task may be
slow. The coroutines of ``gen.coroutine`` are tasks in this sense.

For each registered call, the loop makes one call, `_make_one`, which chooses: the next callback, or the step of a task
that was registered before it.
"""

import asyncio
import bisect
import contextvars
import itertools
import threading
import weakref
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from asynctest_tornado._schedules import seeds
from asynctest_tornado._schedules.call import Call, may_be_new, number_of, task_of
from asynctest_tornado._schedules.history import History
from asynctest_tornado._schedules.holds import Held, Hold, Moment
from asynctest_tornado._schedules.policies import Policy

__unittest = True


class Watcher(Protocol):
    """Learns of the calls of a schedule."""

    def cause(self) -> Any:
        """Return what is to be known of a call that is being registered, in any thread."""

    def make(self, call: Any) -> object:
        """Make a call: run its ``callback`` with its ``args`` in its ``context``."""


class Schedule:
    """The order of one run.

    :param policy: chooses among ready calls.
    :param is_required: true if a loop that cannot have another order is an error.
    :param history: names and records the calls, if given.
    """

    #: The seed of the order; 0 for the order of asyncio itself, and orders that have no seed.
    seed = 0
    #: The text for it in ``ASYNC_TEST_ORDER``, if it has one.
    token = ""
    #: True if the run is reported, if it fails; False for one that only looks for the cause of a failure.
    is_reported = True
    #: The end of the time for the run, by the computer's monotonic clock; None for no end.
    ends_at: float | None = None

    def __init__(self, policy: Policy, is_required: bool = True, history: History | None = None) -> None:
        self.policy = policy
        self._new_policy: Callable[[], Policy] = lambda: policy
        #: The number of times that the order has begun anew.
        self.restarts = 0
        self.is_required = is_required
        self.history = history
        #: True if it has ordered the calls of a loop. Loops of another make have an order of their own.
        self.has_loop = False
        #: How to repeat the order, for reports.
        self.hint: str | None = None
        #: Different for different orders: a checksum of the calls in the order in which they were made.
        self.fingerprint = 0
        #: A recorder of the calls, if there is one.
        self.watcher: Watcher | None = None
        # Other threads register callbacks, and nothing else.
        self._numbers = itertools.count()
        self._callbacks: deque[Call] = deque()
        #: The next steps of tasks that could go on, by their numbers.
        self._steps: list[Call] = []
        self._begun: weakref.WeakSet[Any] = weakref.WeakSet()

    @classmethod
    def of_seed(cls, seed: int, is_required: bool = True, history: History | None = None) -> "Schedule":
        """Return the schedule of a seed; 0 stands for the order of asyncio itself."""
        return cls._of(lambda: seeds.policy_of(seed), seed, is_required, history)

    @classmethod
    def of_holds(cls, holds: Sequence[Hold], is_required: bool = True, history: History | None = None) -> "Schedule":
        """Return the schedule that keeps to the order of asyncio, but for some deviations."""
        calls = History() if history is None else history
        return cls._of(lambda: Held(holds, calls.moments), 0, is_required, calls)

    @classmethod
    def _of(cls, new: Callable[[], Policy], seed: int, is_required: bool, history: History | None) -> "Schedule":
        schedule = cls(new(), is_required, history)
        schedule.seed, schedule._new_policy = seed, new
        return schedule

    def restart(self) -> None:
        """Begin the order anew, for code that runs several times in one run of the test."""
        self.restarts += 1
        if self.history is not None:
            self.history.restart()
        self.policy = self._new_policy()
        for step in self._steps:
            step.priority = None  # of the policy before

    def holds(self) -> Sequence[Hold]:
        """Return the deviations of which the order consists; none if it has a seed."""
        return self.policy.holds if isinstance(self.policy, Held) else ()

    def missing(self) -> list[Moment]:
        """Return the calls that deviations name, and that were not made so far."""
        if self.history is None:
            return []
        named = dict.fromkeys(moment for hold in self.holds() for moment in hold)
        return [moment for moment in named if moment not in self.history.moments]

    def attach(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """Let the loop make its calls in this order; return a function that ends that.

        The methods are replaced on the loop itself, where tasks and futures look for them.
        """
        replaced = {
            "call_soon": self.call_soon,
            "call_soon_threadsafe": self.call_soon_threadsafe,
            "ready_calls": self.pending,
        }
        own = {name: value for name, value in vars(loop).items() if name in replaced}
        self._loop = loop
        self.has_loop = True
        self._thread = threading.get_ident()
        self._call_soon = loop.call_soon
        self._call_soon_threadsafe = loop.call_soon_threadsafe
        vars(loop).update(replaced)

        def detach() -> None:
            for name in replaced:
                delattr(loop, name)
            vars(loop).update(own)

        return detach

    def pending(self) -> list[Call]:
        """Return the calls that are still to be made, in the order of their registration."""
        return sorted([*self._callbacks, *self._steps], key=number_of)

    def call_soon(self, callback: Any, *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:
        """Register a call. For each one, the loop makes one, and chooses it only then."""
        if self._loop.get_debug():
            self._check(callback)
        call = Call(callback, args, self._loop, context)
        if self.watcher is not None:
            call.cause = self.watcher.cause()
        self._call_soon(self._make_one)
        self._add(call)
        return call

    def _add(self, call: Call) -> None:
        callback, args = call.callback, call.args
        call.number = next(self._numbers)
        task = task_of(callback, args)
        # The first step of a task has no argument: the task has waited for no future. A coroutine of Tornado has begun.
        is_first = isinstance(task, asyncio.Task) and not args and task not in self._begun and may_be_new(task)
        if task is None or is_first:
            self._callbacks.append(call)
        else:
            call.task = task
            self._steps.append(call)
        if is_first:
            self._begun.add(task)
        if self.history is not None:
            self.history.register(call, task)

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        """Register a call from another thread."""
        if self._loop.get_debug():
            self._check(callback)
        call = Call(callback, args, self._loop, context)
        if self.watcher is not None:
            call.cause = self.watcher.cause()
        # Before the loop is woken, which may make the call at once.
        if threading.get_ident() == self._thread:
            self._add(call)
        else:
            call.number = next(self._numbers)
            if self.history is not None:
                self.history.register(call, None)
            self._callbacks.append(call)
        try:
            self._call_soon_threadsafe(self._make_one)
        except RuntimeError:
            call.cancel()
            raise
        return call

    def _check(self, callback: Any) -> None:
        if asyncio.iscoroutine(callback) or not callable(callback):
            raise TypeError(f"call_soon() was given {callback!r}, which cannot be called. Give it a function.")

    def _make_one(self) -> None:
        call = self._take()
        while call is not None and call.callback is None:  # it was cancelled
            call = self._take()
        if call is None or call.callback is None:  # the latter for mypy
            return
        self.fingerprint = zlib.crc32(call.number.to_bytes(8, "little"), self.fingerprint)
        if self.history is not None:
            self.history.begin(call)
        try:
            if self.watcher is None:
                call.context.run(call.callback, *call.args)
            else:
                self.watcher.make(call)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            # As asyncio reports an error of a callback.
            context = {"message": f"Exception in callback {call!r}", "exception": error, "handle": call}
            self._loop.call_exception_handler(context)
        finally:
            if self.history is not None:
                self.history.end()
            call.drop()  # and with it the task, whose finalizer reports an error that no code has looked at

    def _take(self) -> Call | None:
        """Choose between the next callback and the steps of tasks that were registered before it."""
        steps = self._steps
        if self.history is not None:
            self.history.offer(steps, self._callbacks)
        count = len(steps)
        if self._callbacks:
            count = bisect.bisect_left(steps, self._callbacks[0].number, key=number_of)
        total = count + bool(self._callbacks)
        if not total:
            return None
        place = self.policy.choose(steps, count, total) if total > 1 else 0
        return self._callbacks.popleft() if place >= count else steps.pop(place)
