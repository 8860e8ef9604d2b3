"""Adds methods to the loop of a test, which record its tasks and route errors.

A loop that the test made and a loop that the user supplied get the same methods, by a class that is mixed into theirs.
"""

# Tested by tests/loop/test_managed_loop.py.

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable
from typing import Any

from tornado import gen

from asynctest_tornado._errors import collection, contexts, made_objects
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._loop import error_routing
from asynctest_tornado._loop.connections import ConnectingLoop
from asynctest_tornado._loop.error_routing import Use
from asynctest_tornado._loop.stop_at_error import interruptible
from asynctest_tornado._util import origins

__unittest = True

#: The callback of the timers of ``asyncio.sleep``: they are its own, and the most frequent timers.
_END_OF_SLEEP: Any = getattr(asyncio.futures, "_set_result_unless_cancelled", None)


class WatchedLoop(ConnectingLoop):
    """The methods that a loop has while a test uses it, on top of its own class."""

    _asynctest: Use

    def create_task(self, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = super().create_task(coro, **kwargs)
        context = kwargs.get("context")
        chain = contexts.contexts.get() if context is None else context.get(contexts.contexts, ())
        origin = origins.find(origins.TASKS)
        self._asynctest.records.record_future(task, chain, origin)
        if origin is not origins.LIBRARY:  # which gathers nothing
            task.add_done_callback(error_routing.look_for_gather)
        return task

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        future: asyncio.Future[Any] = super().run_in_executor(executor, func, *args)
        self._asynctest.records.record_job(future, func, origins.find(origins.JOBS))
        return future

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> Any:
        transport, protocol = await super().subprocess_exec(*args, **kwargs)
        self._asynctest.records.record_process(transport)
        return transport, protocol

    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> Any:
        transport, protocol = await super().subprocess_shell(*args, **kwargs)
        self._asynctest.records.record_process(transport)
        return transport, protocol

    def call_at(self, when: float, callback: Any, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        timer: asyncio.TimerHandle = super().call_at(when, callback, *args, **kwargs)
        if callback is not _END_OF_SLEEP:
            made_objects.record(timer, origins.TIMERS)
        return timer

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:  # type: ignore[override]
        handle = super().add_reader(fd, callback, *args)
        self._asynctest.records.record_file(fd, False, callback, args)
        return handle

    def add_writer(self, fd: Any, callback: Any, *args: Any) -> Any:  # type: ignore[override]
        handle = super().add_writer(fd, callback, *args)
        self._asynctest.records.record_file(fd, True, callback, args)
        return handle

    def remove_reader(self, fd: Any) -> Any:
        self._asynctest.records.drop_file(fd, False)
        return super().remove_reader(fd)

    def remove_writer(self, fd: Any) -> Any:
        self._asynctest.records.drop_file(fd, True)
        return super().remove_writer(fd)

    def _asyncgen_firstiter_hook(self, agen: Any) -> None:
        super()._asyncgen_firstiter_hook(agen)  # type: ignore[misc]
        made_objects.record(agen, origins.STREAMS)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, asyncio.CancelledError):
            return  # of a callback; asyncio does not report the cancellation of a task either
        is_of_future = "task" in context or "future" in context
        if is_of_future and isinstance(error, KeyboardInterrupt):
            return  # it has left the loop, too
        if error is not None and is_of_future and self._asynctest.trap.knows(error):
            return  # other code has waited for it as well
        collection.apart(error_routing.report, self, context, super().default_exception_handler)

    def run_forever(self) -> None:
        trap = self._asynctest.trap
        if trap.interrupt is not None:  # this library runs the loop, and looks at the trap
            super().run_forever()
            return
        with interruptible(self, self.stop):
            trap.raise_errors()
            super().run_forever()
            trap.raise_errors()


def create_main(loop: WatchedLoop, coro: Any, context: contextvars.Context) -> asyncio.Task[Any]:
    """Create a task that this library waits for: neither a leak, nor a part of any ``gather``."""
    create = super(WatchedLoop, loop).create_task
    factory = loop.get_task_factory()
    task: asyncio.Task[Any]
    if factory is None:
        task = create(coro, context=context)
    else:
        # A factory may have two arguments, or ignore the context: then the task copies the current context.
        options: dict[str, Any] = {"context": context} if _takes_context(factory) else {}
        task = context.run(functools.partial(create, _carry(coro, context), **options))
        task.add_done_callback(lambda task: coro.close())  # if the task was cancelled before it began
    loop._asynctest.records.record_future(task, context.get(contexts.contexts, ()), origins.LIBRARY)
    return task


def _takes_context(factory: Any) -> bool:
    """Return whether a task factory has an argument for the context. It need not, as before Python 3.11."""
    try:
        inspect.signature(factory).bind(None, None, context=None)
    except TypeError:
        return False
    except ValueError:  # not written in Python
        return True
    return True


async def _carry(coro: Any, context: contextvars.Context) -> Any:
    """Run a coroutine, and copy the context variables that it sets to a context."""
    try:
        return await coro
    finally:
        for variable, value in contextvars.copy_context().items():
            # They are the same if the task runs in that very context.
            if variable not in context or context[variable] is not value:
                context.run(variable.set, value)


def _record_futures_of_coroutines() -> None:
    """Record the futures that ``gen.coroutine`` makes.

    Without a record, nothing shows whose they are: they are dropped a turn of the loop after their error was set, in
    no context at all.
    """
    make: Callable[[], asyncio.Future[Any]] | None = getattr(gen, "_create_future", None)
    if make is None or hasattr(make, "__wrapped__"):
        return

    @functools.wraps(make)
    def make_and_record() -> asyncio.Future[Any]:
        future = make()
        loop = future.get_loop()
        # In debug mode, a future says where it was made. Tornado takes itself out of that, up to this function.
        made_at = getattr(future, "_source_traceback", None)
        while made_at and made_at[-1].filename in (__file__, gen.__file__):
            del made_at[-1]
        if isinstance(loop, WatchedLoop):
            loop._asynctest.records.record_future(future, contexts.contexts.get(), origins.find(origins.TASKS))
        return future

    vars(gen).update(_create_future=make_and_record)


_record_futures_of_coroutines()

_watched_classes: dict[type, type] = {}


def _watched(cls: type) -> Any:
    if cls not in _watched_classes:
        _watched_classes[cls] = type(f"Watched{cls.__name__}", (WatchedLoop, cls), {})
    return _watched_classes[cls]


def new(cls: type) -> Any:
    """Make a loop that has the methods of `WatchedLoop` from the start; call `watch` next.

    If an object gets another class, CPython looks its attributes up the long way: a fifth of the cost of a callback.
    """
    return _watched(cls)()


def watch(loop: Any, trap: Trap, is_own: bool) -> Callable[[], None]:
    """Give the loop the methods of `WatchedLoop`; return the function that takes them away again."""
    cls = type(loop)
    before: Use | None = None
    if isinstance(loop, WatchedLoop):
        before = getattr(loop, "_asynctest", None)
    else:
        loop.__class__ = _watched(cls)
    loop._asynctest = Use(trap, is_own, before)

    def restore() -> None:
        if before is None:
            del loop._asynctest
        else:
            loop._asynctest = before
        loop.__class__ = cls

    return restore
