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
import functools
import inspect
import itertools
import random
import threading
import types
import weakref
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from tornado import gen

__unittest = True

#: The average number of calls for which one task runs ahead of the others, or falls behind.
_SPELL = 8


class _Call(asyncio.Handle):
    """A registered call, with the cancellation of ``asyncio.Handle``."""

    __slots__ = ("args", "callback", "cause", "context", "number", "task")

    #: Counts calls in the order of their registration.
    number: int
    #: The task or coroutine that goes on by this call; None for a callback.
    task: Any
    #: What a `Watcher` knows of the registration.
    cause: Any

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], loop: Any, context: contextvars.Context | None
    ) -> None:
        self.context = contextvars.copy_context() if context is None else context
        super().__init__(callback, args, loop, self.context)
        self.callback: Callable[..., object] | None = callback
        self.args = args
        self.task = self.cause = None

    def cancel(self) -> None:
        super().cancel()
        self.callback, self.args = None, ()


class Watcher(Protocol):
    """Learns of the calls of a schedule."""

    def cause(self) -> Any:
        """Return what is to be known of a call that is being registered, in any thread."""

    def make(self, call: Any) -> object:
        """Make a call: run its ``callback`` with its ``args`` in its ``context``."""


class Schedule:
    """The order of one run.

    :param seed: decides the order; 0 stands for the order of asyncio itself.
    :param is_required: true if a loop that cannot have another order is an error.
    """

    def __init__(self, seed: int, is_required: bool = True) -> None:
        self.seed = seed
        self.is_required = is_required
        #: How to repeat the order, for reports.
        self.hint: str | None = None
        #: Different for different orders: a checksum of the calls in the order in which they were made.
        self.fingerprint = 0
        #: A recorder of the calls, if there is one.
        self.watcher: Watcher | None = None
        # Of its methods, Python promises only for random() that its values are the same in all versions.
        self._random = random.Random(seed).random
        # Other threads register callbacks, and nothing else.
        self._numbers = itertools.count()
        self._callbacks: deque[_Call] = deque()
        #: The next steps of tasks that could go on, by their numbers.
        self._steps: list[_Call] = []
        #: The same steps, by the id of the task, which has at most one.
        self._step_of: dict[int, _Call] = {}
        self._begun: weakref.WeakSet[Any] = weakref.WeakSet()
        #: The task that runs ahead, or falls behind.
        self._favourite: Callable[[], Any] = lambda: None

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
        self._thread = threading.get_ident()
        self._call_soon = loop.call_soon
        self._call_soon_threadsafe = loop.call_soon_threadsafe
        vars(loop).update(replaced)

        def detach() -> None:
            for name in replaced:
                delattr(loop, name)
            vars(loop).update(own)

        return detach

    def pending(self) -> list[_Call]:
        """Return the calls that are still to be made, in the order of their registration."""
        return sorted([*self._callbacks, *self._steps], key=_number)

    def call_soon(self, callback: Any, *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:
        """Register a call. For each one, the loop makes one, and chooses it only then."""
        self._check(callback)
        call = self._new_call(callback, args, context)
        self._call_soon(self._make_one)
        self._add(call)
        return call

    def _new_call(self, callback: Any, args: tuple[Any, ...], context: contextvars.Context | None) -> _Call:
        call = _Call(callback, args, self._loop, context)
        if self.watcher is not None:
            call.cause = self.watcher.cause()
        return call

    def _add(self, call: _Call) -> None:
        callback, args = call.callback, call.args
        call.number = next(self._numbers)
        task = _task_of(callback, args)
        # The first step of a task has no argument: the task has waited for no future. A coroutine of Tornado has begun.
        is_first = isinstance(task, asyncio.Task) and not args and task not in self._begun
        if task is None or is_first:
            self._callbacks.append(call)
        else:
            call.task = task
            self._steps.append(call)
            self._step_of[id(task)] = call
        if is_first:
            self._begun.add(task)

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        """Register a call from another thread."""
        self._check(callback)
        call = self._new_call(callback, args, context)
        # Before the loop is woken, which may make the call at once.
        if threading.get_ident() == self._thread:
            self._add(call)
        else:
            call.number = next(self._numbers)
            self._callbacks.append(call)
        try:
            self._call_soon_threadsafe(self._make_one)
        except RuntimeError:
            call.cancel()
            raise
        return call

    def _check(self, callback: Any) -> None:
        if self._loop.get_debug() and (asyncio.iscoroutine(callback) or not callable(callback)):
            raise TypeError(f"call_soon() was given {callback!r}, which cannot be called. Give it a function.")

    def _make_one(self) -> None:
        call = self._take()
        while call is not None and call.cancelled():
            call = self._take()
        if call is None or call.callback is None:
            return
        self.fingerprint = zlib.crc32(call.number.to_bytes(8, "little"), self.fingerprint)
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
            call.cancel()  # drops the task, whose finalizer reports an error that no code has looked at

    def _take(self) -> _Call | None:
        """Choose between the next callback and the steps of tasks that were registered before it."""
        steps = self._steps
        count = len(steps)
        if self._callbacks:
            count = bisect.bisect_left(steps, self._callbacks[0].number, key=_number)
        place = self._choose(count, bool(self._callbacks))
        if place is None:
            return None
        if place >= count:
            return self._callbacks.popleft()
        step = steps.pop(place)
        self._step_of.pop(id(step.task), None)
        return step

    def _choose(self, steps: int, has_callback: bool) -> int | None:
        """Return the place of a step, or the number of steps for the callback.

        Half of the seeds give the same chance to each, which mixes them well. A quarter lets one task after the other
        run ahead, a quarter lets them fall behind, as if they had to wait for slow work.
        """
        total = steps + has_callback
        if total < 2 or self.seed == 0:
            return 0 if total else None
        place = int(self._random() * total)
        if self.seed % 2 == 0:
            return place
        favourite = self._place_of_favourite(steps, total)
        if favourite is None or self._random() * _SPELL < 1:
            task = self._steps[place].task if place < steps else None
            self._favourite = (lambda: None) if task is None else weakref.ref(task)
            favourite = place
        if self.seed % 4 == 1:
            return favourite
        return place if place != favourite else (place + 1) % total

    def _place_of_favourite(self, steps: int, total: int) -> int | None:
        task = self._favourite()
        if task is None:
            return steps if steps < total else None
        step = self._step_of.get(id(task))
        place = steps if step is None else bisect.bisect_left(self._steps, step.number, key=_number)
        return place if place < steps else None


def _number(call: _Call) -> int:
    return call.number


def _task_of(callback: Any, args: tuple[Any, ...]) -> Any:
    """Return the task, or Tornado's runner of a coroutine, that a call lets go on; None for any other callback."""
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        # asyncio's own methods for that are private, and, in C, have other names or none.
        name = getattr(callback, "__name__", "step")
        return owner if "step" in name or "wakeup" in name else None
    for inner in _inside(callback, args):
        runner = getattr(inner, "__self__", None)
        if isinstance(runner, gen.Runner):
            return runner
    return None


def _inside(callback: Any, args: tuple[Any, ...]) -> list[Any]:
    """Return the functions that are wrapped in a function that ``IOLoop`` hands to asyncio."""
    found: list[Any] = []
    if args and isinstance(args[0], functools.partial):  # of add_callback
        found += [args[0].func, *args[0].args]
    left = [callback]
    while left:  # of add_future, and of the coroutine
        func = left.pop()
        if isinstance(func, types.FunctionType) and str(func.__module__).startswith("tornado."):
            cells = list(inspect.getclosurevars(func).nonlocals.values())
            runners = [cell for cell in cells if isinstance(cell, gen.Runner)]
            found += [runner.run for runner in runners]
            left += [cell for cell in cells if callable(cell) and not runners]
    return found
