"""A registered call of a loop, and the task that goes on by it."""

# Tested by tests/schedules/test_schedule.py.

import asyncio
import contextvars
import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

from tornado import gen

__unittest = True


#: True if the attributes of a handle, which are private, are the ones that `Call.drop` sets.
_IS_KNOWN = hasattr(asyncio.Handle, "_callback") and hasattr(asyncio.Handle, "_args")


class Call(asyncio.Handle):
    """A registered call, with the cancellation of ``asyncio.Handle``."""

    __slots__ = ("args", "by", "callback", "cause", "context", "moment", "number", "priority", "task")

    #: Counts calls in the order of their registration.
    number: int
    #: The task or coroutine that goes on by this call; None for a callback.
    task: Any
    #: The name of the call, and the place in the history of the call that has registered it, or None. Only a schedule
    #: with a history sets them.
    moment: Any
    by: int | None
    #: What a watcher of the schedule knows of the registration.
    cause: Any
    #: The priority of the task, for a policy that has such; None if it was not looked up yet.
    priority: float | None
    _callback: Any
    _args: Any

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], loop: Any, context: contextvars.Context | None
    ) -> None:
        self.context = contextvars.copy_context() if context is None else context
        super().__init__(callback, args, loop, self.context)
        self.callback: Callable[..., object] | None = callback
        self.args = args
        self.task = self.cause = self.priority = None

    def cancel(self) -> None:
        super().cancel()
        self.callback, self.args = None, ()

    def drop(self) -> None:
        """Drop the function and its arguments: the call was made."""
        if _IS_KNOWN:
            self.callback, self.args = None, ()
            self._callback = self._args = None  # as cancel() does, at a third of the cost
        else:
            self.cancel()


def number_of(call: Call) -> int:
    return call.number


def may_be_new(task: "asyncio.Task[Any]") -> bool:
    """Return False if a task has begun without a call of the loop, as an eager one does."""
    coro = task.get_coro()
    if type(coro) is types.CoroutineType:  # mostly; this is what inspect looks at, at less cost
        return not (coro.cr_suspended or coro.cr_running or coro.cr_frame is None)
    return not inspect.iscoroutine(coro) or inspect.getcoroutinestate(coro) == inspect.CORO_CREATED


def task_of(callback: Any, args: tuple[Any, ...]) -> Any:
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
