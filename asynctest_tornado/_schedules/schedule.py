"""A seeded order in which a loop calls what is ready, where asyncio would take one after the other.

What asyncio promises about order, and code relies on, is kept:

- ``call_soon``: "Callbacks are called in the order in which they are registered." So they are, whoever registers them:
  a task, another callback, a file, a timer, a thread. ``connection_made`` comes before ``data_received``, and a stream
  hands out its data as it arrives.
- ``call_later`` and ``call_at``: timers are called in the order of their deadlines. "If two callbacks are scheduled for
  exactly the same time, the order in which they are called is undefined."; it is left as it is.
- A task goes on when all callbacks have been called that were registered before it could: those of the future that it
  waits for, which asyncio itself relies on, and those that it has registered itself.
- Making a task registers its first step as a callback. So tasks begin in the order in which they are made.

What asyncio does not promise is which of several tasks goes on first that could, and what else is called before: a task
may be slow. The coroutines of ``gen.coroutine`` are tasks in this sense.
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
from typing import Any

from tornado import gen

__unittest = True

#: How long one task runs ahead of the others, or falls behind: so many calls, on average.
_SPELL = 8


class _Call(asyncio.Handle):
    """A call that is to be made. ``asyncio.Handle`` knows how to cancel it."""

    __slots__ = ("args", "callback", "context", "number", "task")

    #: Which one it is, in the order in which they were registered.
    number: int
    #: The task or coroutine that goes on by this call.
    task: Any

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], loop: Any, context: contextvars.Context | None
    ) -> None:
        self.context = contextvars.copy_context() if context is None else context
        super().__init__(callback, args, loop, self.context)
        self.callback: Callable[..., object] | None = callback
        self.args = args
        self.task = None

    def cancel(self) -> None:
        super().cancel()
        self.callback, self.args = None, ()


class Schedule:
    """The order of one run.

    :param seed: says which order it is; 0 stands for that of asyncio itself.
    :param is_required: whether it is an error if a loop cannot be given another order.
    """

    def __init__(self, seed: int, is_required: bool = True) -> None:
        self.seed = seed
        self.is_required = is_required
        #: Tells orders apart: a checksum of the calls in the order in which they were made.
        self.fingerprint = 0
        # The values of random() are the same on all machines and versions, which is not promised of its other methods.
        self._random = random.Random(seed).random
        # Other threads register callbacks, and nothing else.
        self._numbers = itertools.count()
        self._callbacks: deque[_Call] = deque()
        #: The next steps of tasks that could go on, by their numbers.
        self._steps: list[_Call] = []
        #: The same, by the identity of the task, which has one of them at most.
        self._step_of: dict[int, _Call] = {}
        self._begun: weakref.WeakSet[Any] = weakref.WeakSet()
        #: The task that runs ahead, or falls behind.
        self._favourite: Callable[[], Any] = lambda: None

    def attach(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """Let the loop keep to this order; return a function that ends that.

        The methods are replaced on the loop itself, where tasks and futures look for them.
        """
        own = {name: value for name, value in vars(loop).items() if name in ("call_soon", "call_soon_threadsafe")}
        self._loop = loop
        self._thread = threading.get_ident()
        self._call_soon = loop.call_soon
        self._call_soon_threadsafe = loop.call_soon_threadsafe
        vars(loop).update(call_soon=self.call_soon, call_soon_threadsafe=self.call_soon_threadsafe)

        def detach() -> None:
            del loop.call_soon, loop.call_soon_threadsafe
            vars(loop).update(own)

        return detach

    def pending(self) -> list[_Call]:
        """Return the calls that are still to be made, as they were registered."""
        return sorted([*self._callbacks, *self._steps], key=_number)

    def call_soon(self, callback: Any, *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:
        """Register a call. For each one, the loop makes one; which one, is decided when it does."""
        self._check(callback)
        call = _Call(callback, args, self._loop, context)
        self._call_soon(self._make_one)
        self._add(call)
        return call

    def _add(self, call: _Call) -> None:
        callback, args = call.callback, call.args
        call.number = next(self._numbers)
        task = _task_of(callback, args)
        # The first step of a task has no future that it waited for. A coroutine of Tornado has begun before it waits.
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
        call = _Call(callback, args, self._loop, context)
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
            call.context.run(call.callback, *call.args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            # As asyncio tells of a callback that fails.
            context = {"message": f"Exception in callback {call!r}", "exception": error, "handle": call}
            self._loop.call_exception_handler(context)
        finally:
            call.cancel()  # lets go of the task, whose end tells of an error that nobody has looked at

    def _take(self) -> _Call | None:
        """Choose one of the calls that may be made: the next callback, and the steps that were registered before it."""
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
        """Return the place of a step, or one more than the last one for the callback.

        Half of the seeds give the same chance to each, which mixes them well. A quarter lets one task after the other
        run ahead, a quarter lets them fall behind, as if they had to wait for something slow.
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
    """Return the task, or what runs a generator for Tornado, whose next step this is; None for any other callback."""
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
    """Return what is wrapped in the functions that ``IOLoop`` hands to asyncio, down to Tornado's coroutines."""
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
