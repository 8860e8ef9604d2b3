"""A seeded order in which a loop calls what is ready, where asyncio would take one after the other.

What asyncio documents about order, and code relies on, is kept:

- ``call_soon``: "Callbacks are called in the order in which they are registered." That is kept for what one piece of
  code registers: a task, and the callbacks that come of it, among each other and with the task's own next step; each
  thread that uses ``call_soon_threadsafe``; and all that files, timers and code outside of the loop set off. So a
  transport calls ``connection_made`` before ``data_received``, and a stream hands out its data in order.
- ``call_later`` and ``call_at``: timers are called in the order of their deadlines. "If two callbacks are scheduled for
  exactly the same time, the order in which they are called is undefined."; it is left as it is.
- The callbacks of a future come in the order in which they were added, and those that were there before a task began
  to wait for it come before that task goes on. asyncio itself relies on that.
- A task takes its steps one after the other. Making a task registers its first step: tasks begin in the order in which
  a piece of code makes them, and before that goes on after its next ``await asyncio.sleep(0)``.

What asyncio does not promise, a schedule varies: which of several tasks that could go on goes on first, and whose
callbacks come first. The coroutines of ``gen.coroutine`` are tasks in this sense.
"""

import asyncio
import contextvars
import functools
import inspect
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

#: How often one that runs ahead of the others falls behind: once in so many calls, on average.
_LUCK = 8


class _Source:
    """One that registers calls, and is no coroutine: a thread; or files, timers and code outside of the loop."""


class _Call(asyncio.Handle):
    """A call that is to be made. ``asyncio.Handle`` knows how to cancel it."""

    __slots__ = ("actor", "after", "args", "callback", "context", "is_pending", "number", "source")

    #: Calls of the same source are made in their order.
    source: Any
    #: Who registers what the callback does.
    actor: Any
    #: A call that has to come before.
    after: "_Call | None"
    is_pending: bool
    #: Which one it is, in the order in which they were registered.
    number: int

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], loop: Any, context: contextvars.Context | None
    ) -> None:
        self.context = contextvars.copy_context() if context is None else context
        super().__init__(callback, args, loop, self.context)
        self.callback = callback
        self.args = args
        self.is_pending = True


class Schedule:
    """The order of one run.

    :param seed: says which order it is; 0 stands for that of asyncio itself.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        #: Tells orders apart: a checksum of the calls in the order in which they were made.
        self.fingerprint = 0
        #: How many calls were registered.
        self.count = 0
        # The values of random() are the same on all machines and versions, which is not promised of its other methods.
        self._random = random.Random(seed).random
        # The calls of each source, in their order; and the sources that have some.
        self._calls: dict[Any, deque[_Call]] = {}
        self._sources: list[Any] = []
        #: The last call that a future has made for one of its callbacks, and not for who waits for it.
        self._callbacks: weakref.WeakKeyDictionary[asyncio.Future[Any], _Call] = weakref.WeakKeyDictionary()
        self._outside = _Source()
        self._threads = {threading.get_ident(): self._outside}
        self._ranks: weakref.WeakKeyDictionary[Any, float] = weakref.WeakKeyDictionary()
        self._current: Any = None
        self._thread = threading.get_ident()

    def attach(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """Let the loop keep to this order; return a function that ends that.

        The methods are replaced on the loop itself, where tasks and futures look for them.
        """
        own = {name: value for name, value in vars(loop).items() if name in ("call_soon", "call_soon_threadsafe")}
        self._loop = loop
        self._call_soon = loop.call_soon
        self._call_soon_threadsafe = loop.call_soon_threadsafe
        vars(loop).update(call_soon=self.call_soon, call_soon_threadsafe=self.call_soon_threadsafe)

        def detach() -> None:
            del loop.call_soon, loop.call_soon_threadsafe
            vars(loop).update(own)

        return detach

    @property
    def pending(self) -> list["_Call"]:
        """The calls that are still to be made, as they were registered."""
        calls = [call for source in list(self._sources) for call in list(self._calls.get(source, ()))]
        return sorted(calls, key=lambda call: call.number)

    def has_older_than(self, number: int) -> bool:
        """Tell whether a call is pending that was registered before this one, counted from 0."""
        return any(calls[0].number < number for calls in self._calls.values())

    def call_soon(self, callback: Any, *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:
        """Register a call. For each one, the loop makes one; which one, is decided when it does."""
        call = _Call(callback, args, self._loop, context)
        self._call_soon(self._make_one)
        self._add(call, self._current or self._outside)
        return call

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        """Register a call from another thread."""
        call = _Call(callback, args, self._loop, context)
        thread = threading.get_ident()
        is_here = thread == self._thread
        # Before the loop is woken, which may make the call at once.
        self._add(call, (is_here and self._current) or self._threads.setdefault(thread, _Source()))
        try:
            self._call_soon_threadsafe(self._make_one)
        except RuntimeError:
            call.cancel()
            raise
        return call

    def _add(self, call: _Call, registrar: Any) -> None:
        coroutine = _coroutine_of(call.callback, call.args)
        # Whoever makes a task registers its first step.
        source = call.source = registrar if coroutine is None or _is_new(coroutine) else coroutine
        call.actor = coroutine or registrar
        future = call.args[-1] if call.args else None
        call.after = None
        if isinstance(future, asyncio.Future):
            call.after = self._callbacks.get(future)
            if coroutine is None:
                self._callbacks[future] = call
        call.number = self.count
        self.count += 1
        calls = self._calls.setdefault(source, deque())
        calls.append(call)
        if len(calls) == 1:
            self._sources.append(source)

    def _take(self) -> _Call | None:
        """Choose a source, and take the first of its calls that was not cancelled."""
        while self._sources:
            place = self._choose()
            call = self._calls[self._sources[place]][0]
            while call.after is not None and call.after.is_pending:
                # Of a source whose first call was registered before this one: there is no circle.
                place = self._sources.index(call.after.source)
                call = self._calls[call.after.source][0]
            self._remove_first(place)
            if not call.cancelled():
                return call
        return None

    def _remove_first(self, place: int) -> None:
        source = self._sources[place]
        calls = self._calls[source]
        calls.popleft().is_pending = False
        if not calls:
            del self._calls[source]
            self._sources[place] = self._sources[-1]
            self._sources.pop()

    def _choose(self) -> int:
        """Choose one of the sources.

        By seed 0, it is the one that asyncio would choose. By even seeds, each has the same chance each time, which
        mixes them well. By odd ones, some run far ahead of the others, as if these had to wait for something slow.
        """
        if len(self._sources) == 1:
            return 0
        if self.seed == 0:
            return min(range(len(self._sources)), key=lambda place: self._calls[self._sources[place]][0].number)
        if self.seed % 2 == 0:
            return int(self._random() * len(self._sources))
        place = max(range(len(self._sources)), key=lambda place: self._rank(self._sources[place]))
        if self._random() * _LUCK < 1:
            self._ranks[self._sources[place]] = self._random()
        return place

    def _rank(self, source: Any) -> float:
        rank = self._ranks.get(source)
        if rank is None:
            rank = self._ranks[source] = self._random()
        return rank

    def _make_one(self) -> None:
        call = self._take()
        if call is None:
            return
        self.fingerprint = zlib.crc32(call.number.to_bytes(8, "little"), self.fingerprint)
        self._current = call.actor
        try:
            call.context.run(call.callback, *call.args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            # As asyncio tells of a callback that fails.
            context = {"message": f"Exception in callback {call!r}", "exception": error, "handle": call}
            self._loop.call_exception_handler(context)
        finally:
            self._current = None


def _coroutine_of(callback: Any, args: tuple[Any, ...]) -> Any:
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


def _is_new(coroutine: Any) -> bool:
    coro = coroutine.get_coro() if isinstance(coroutine, asyncio.Task) else None
    return inspect.iscoroutine(coro) and inspect.getcoroutinestate(coro) == inspect.CORO_CREATED


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
