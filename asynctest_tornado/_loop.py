"""The event loop of a test: asyncio's own, with an eye on errors.

A loop that the test made and one that the user supplied get the same methods, by a class that is mixed into theirs.
"""

import asyncio
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOMainLoop
from tornado.process import Subprocess

from asynctest_tornado import _trap

__unittest = True

if TYPE_CHECKING:
    _Base = asyncio.BaseEventLoop
else:
    _Base = object

_Tasks = dict["weakref.ref[asyncio.Task[Any]]", _trap.Chain]


class WatchedLoop(_Base):
    """The methods that a loop has while a test uses it, on top of its own class."""

    _asynctest_trap: _trap.Trap
    #: The contexts in which each task was made that still exists.
    _asynctest_tasks: _Tasks

    def create_task(self, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = super().create_task(coro, **kwargs)
        context = kwargs.get("context")
        chain = _trap.contexts.get() if context is None else context.get(_trap.contexts, ())
        tasks = self._asynctest_tasks
        # As in a WeakKeyDictionary, at a third of its cost.
        tasks[weakref.ref(task, tasks.pop)] = chain
        return task

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        if isinstance(context.get("exception"), asyncio.CancelledError):
            return  # of a callback; of a task, asyncio would not tell either
        # asyncio calls this in whatever context happens to be current.
        with _trap.under(self._asynctest_chain(context) or (self._asynctest_trap,)):
            super().default_exception_handler(context)

    def _asynctest_chain(self, context: dict[str, Any]) -> _trap.Chain:
        task = context.get("task", context.get("future"))
        if isinstance(task, asyncio.Task):
            return self._asynctest_tasks.get(weakref.ref(task), ())
        handle = context.get("handle")
        if handle is not None:
            # Handle.get_context() is there from 3.12.
            chain: _trap.Chain = handle._context.get(_trap.contexts, ())
            return chain
        # A future has no context. Its error is found as it is dropped, which mostly is where it was set.
        chain = _trap.contexts.get()
        return chain if chain[:1] == (self._asynctest_trap,) else ()

    def run_forever(self) -> None:
        trap = self._asynctest_trap
        if trap.interrupt is not None:  # somebody of this library runs the loop, and looks at the trap
            super().run_forever()
            return
        with interruptible(self, self.stop):
            trap.raise_errors()
            super().run_forever()
            trap.raise_errors()

    def _asynctest_report_lost(self) -> None:
        """Tell of the failed tasks that nobody asked for their result, as their finalizers would do later."""
        for reference in list(self._asynctest_tasks):
            task = reference()
            # The flag of the finalizers: set when the exception is, and cleared by whoever retrieves it.
            if task is not None and task.done() and getattr(task, "_log_traceback", False):
                error = task.exception()
                if _trap.is_error(error):
                    message = "Task exception was never retrieved"
                    self.call_exception_handler({"message": message, "exception": error, "task": task})


class interruptible:
    """For a block that runs the loop: an error in the trap ends it, by ``interrupt`` in the loop's thread."""

    def __init__(self, loop: WatchedLoop, interrupt: Callable[[], object]) -> None:
        self._loop = loop
        self._interrupt = interrupt
        self._thread = threading.get_ident()

    def __enter__(self) -> None:
        trap = self._loop._asynctest_trap
        self._before, trap.interrupt = trap.interrupt, self._from_anywhere

    def __exit__(self, *exc_info: object) -> None:
        self._loop._asynctest_trap.interrupt = self._before

    def _from_anywhere(self) -> None:
        if threading.get_ident() == self._thread:
            self._interrupt()
        else:
            self._loop.call_soon_threadsafe(self._interrupt)


def new_ioloop() -> IOLoop:
    """Make the loop of a test. Where a policy was set (uvloop's, say), it is one of the policy's."""
    # To ask asyncio for the policy would make one, and is deprecated from 3.14.
    policy = getattr(asyncio.events, "_event_loop_policy", None)
    has_policy = policy is not None and not type(policy).__module__.startswith("asyncio.")
    arguments = {} if has_policy else {"asyncio_loop": asyncio.SelectorEventLoop()}
    io_loop: IOLoop = IOLoop(make_current=False, **arguments)
    return io_loop


class LoopOfTest:
    """A Tornado loop in the hands of a test: current, and watched.

    :param make: returns the loop. It is the test's own, to be closed in the end, unless it was there before.
    :param trap: gets the errors.
    """

    def __init__(self, make: Callable[[], IOLoop], trap: _trap.Trap) -> None:
        before = set(IOLoop._ioloop_for_asyncio)
        self.io_loop = make()
        if not isinstance(self.io_loop, IOLoop):
            raise TypeError(
                f"get_new_ioloop() returned no IOLoop: {self.io_loop!r}. Return one, for example "
                "super().get_new_ioloop() or IOLoop.current()."
            )
        self.loop: WatchedLoop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        self.is_own = self.loop not in before and not isinstance(self.io_loop, AsyncIOMainLoop)
        self._restore = _watch(self.loop, trap)
        asyncio.set_event_loop(self.loop)

    def report_lost_errors(self) -> None:
        """Tell of the tasks whose error nobody looked at."""
        self.loop._asynctest_report_lost()

    def pending_tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that are not done."""
        return list(asyncio.all_tasks(self.loop))

    def has_async_generators(self) -> bool:
        """Tell whether some were begun and not finished; yes where the loop does not say."""
        return bool(getattr(self.loop, "_asyncgens", True))

    def forget(self, task: asyncio.Task[Any]) -> None:
        """Let a task that could not be ended go without asyncio's message, after one of ours."""
        task._log_destroy_pending = False  # type: ignore[attr-defined]

    def close(self) -> None:
        """Close the loop, and what is registered with it, or hand it back as it was."""
        # The handler of child processes belongs to a loop; the next test has another one.
        Subprocess.uninitialize()
        asyncio.set_event_loop(None)
        if self.is_own and not self.loop.is_closed():
            self.io_loop.close(all_fds=True)
        if not self.is_own:
            self._restore()


_watched_classes: dict[type, type] = {}


def _watch(loop: Any, trap: _trap.Trap) -> Callable[[], None]:
    """Give the loop the methods of `WatchedLoop`; return the function that takes them away again."""
    cls, before = type(loop), {name: value for name, value in vars(loop).items() if name.startswith("_asynctest_")}
    if not isinstance(loop, WatchedLoop):
        if cls not in _watched_classes:
            _watched_classes[cls] = type(f"Watched{cls.__name__}", (WatchedLoop, cls), {})
        loop.__class__ = _watched_classes[cls]
    loop._asynctest_trap = trap
    loop._asynctest_tasks = {}

    def restore() -> None:
        del loop._asynctest_trap, loop._asynctest_tasks
        loop.__class__ = cls
        vars(loop).update(before)

    return restore
