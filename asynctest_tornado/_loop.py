"""The event loop of a test: asyncio's own, with an eye on errors.

A loop that the test made and one that the user supplied get the same methods, by a class that is mixed into theirs.
"""

import asyncio
import contextlib
import functools
import threading
import weakref
from collections.abc import Callable, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any

from tornado import gen
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOMainLoop
from tornado.process import Subprocess

from asynctest_tornado import _garbage, _trap
from asynctest_tornado._collector import Trap
from asynctest_tornado._selector import Selector

__unittest = True

if TYPE_CHECKING:
    _Base = asyncio.BaseEventLoop
else:
    _Base = object

_Futures = dict["weakref.ref[asyncio.Future[Any]]", _trap.Chain]


class WatchedLoop(_Base):
    """The methods that a loop has while a test uses it, on top of its own class."""

    _asynctest_trap: Trap
    #: Each task, and future of a coroutine or executor, that still exists, with the contexts in which it was made.
    _asynctest_futures: _Futures
    #: The functions that executors run.
    _asynctest_jobs: "weakref.WeakKeyDictionary[asyncio.Future[Any], Any]"

    def create_task(self, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = super().create_task(coro, **kwargs)
        context = kwargs.get("context")
        self._asynctest_remember(task, _trap.contexts.get() if context is None else context.get(_trap.contexts, ()))
        task.add_done_callback(self._asynctest_look_for_gather)
        return task

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        future: asyncio.Future[Any] = super().run_in_executor(executor, func, *args)
        self._asynctest_remember(future, _trap.contexts.get())
        self._asynctest_jobs[future] = func
        return future

    def _asynctest_remember(self, future: asyncio.Future[Any], chain: _trap.Chain) -> None:
        futures = self._asynctest_futures
        # As in a WeakKeyDictionary, at a third of its cost.
        futures[weakref.ref(future, futures.pop)] = chain

    def _asynctest_look_for_gather(self, task: asyncio.Task[Any]) -> None:
        """Find the error of a task that ``gather`` is about to drop because another one came first."""
        # Without a look at it: exception() would mean that somebody has seen the error.
        error = None if task.cancelled() else getattr(task, "_exception", None)
        if not _trap.is_error(error):
            return
        for handle in getattr(self, "_ready", ()):
            if handle._args and handle._args[0] is task:
                first = _first_error_of_gather(handle._callback)
                if first is not None and first is not error:
                    self._asynctest_trap.add_sibling(first, error)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, asyncio.CancelledError):
            return  # of a callback; of a task, asyncio would not tell either
        is_of_future = "task" in context or "future" in context
        if is_of_future and isinstance(error, KeyboardInterrupt):
            return  # it has left the loop, too
        if error is not None and is_of_future and self._asynctest_trap.knows(error):
            return  # somebody else waited for it as well
        # asyncio calls this in whatever context happens to be current.
        with _garbage.attributed(), _trap.under(_trap.rooted(self._asynctest_chain(context), self)):
            super().default_exception_handler(context)

    def _asynctest_chain(self, context: dict[str, Any]) -> _trap.Chain:
        future = context.get("task", context.get("future"))
        if future is not None:
            made_in = self._asynctest_futures.get(weakref.ref(future), ())
            if made_in:
                return made_in
        scheduled = context.get("handle", future)
        if scheduled is None:
            return _trap.contexts.get()  # a transport, which runs the protocol in the context that it was made in
        # Handle.get_context() and Task.get_context() are there from 3.12.
        variables = getattr(scheduled, "_context", None) or getattr(scheduled, "get_context", dict)()
        chain: _trap.Chain = variables.get(_trap.contexts, ())
        if chain or scheduled is not future:
            return chain
        # Any other future has no context. Its error is found as it is dropped, which may be where it was set.
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

    def _asynctest_report_lost(self, futures: Iterable[object], wanted: Callable[[BaseException], bool]) -> None:
        """Tell of the futures that have failed and nobody looked at, as their finalizers would do later."""
        known = [reference() for reference in list(self._asynctest_futures)]
        for future in [*known, *futures]:
            # The flag of the finalizers: set when the exception is, and cleared by whoever retrieves it.
            if isinstance(future, asyncio.Future) and getattr(future, "_log_traceback", False):
                error = getattr(future, "_exception", None)
                if _trap.is_error(error) and wanted(error):
                    future.exception()
                    kind = "task" if isinstance(future, asyncio.Task) else "future"
                    message = f"{kind.capitalize()} exception was never retrieved"
                    self.call_exception_handler({"message": message, "exception": error, kind: future})


def _remember_futures_of_coroutines() -> None:
    """Let a loop know the futures that ``gen.coroutine`` makes: without this, nobody can tell whose they are.

    They are dropped a turn of the loop after their error was set, in no context at all.
    """
    make: Callable[[], asyncio.Future[Any]] | None = getattr(gen, "_create_future", None)
    if make is None or hasattr(make, "__wrapped__"):
        return

    @functools.wraps(make)
    def make_and_remember() -> asyncio.Future[Any]:
        future = make()
        loop = future.get_loop()
        # In debug mode, a future says where it was made. Tornado takes itself out of that, up to this function.
        made_at = getattr(future, "_source_traceback", None)
        while made_at and made_at[-1].filename in (__file__, gen.__file__):
            del made_at[-1]
        if isinstance(loop, WatchedLoop):
            loop._asynctest_remember(future, _trap.contexts.get())
        return future

    vars(gen).update(_create_future=make_and_remember)


_remember_futures_of_coroutines()


def _first_error_of_gather(callback: Any) -> BaseException | None:
    """Return the error that a ``gather`` has failed of, given the callback by which it learns of its children."""
    if getattr(callback, "__qualname__", None) != "gather.<locals>._done_callback":
        return None
    cells = {
        name: cell.cell_contents
        for name, cell in zip(callback.__code__.co_freevars, callback.__closure__, strict=True)
        if name in ("outer", "return_exceptions")
    }
    if cells["return_exceptions"]:
        return None
    first: BaseException | None = getattr(cells["outer"], "_exception", None)
    return first


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
            return
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile, and nobody waits any more
            self._loop.call_soon_threadsafe(self._interrupt)


def new_ioloop(factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> IOLoop:
    """Make the loop of a test, by the factory if there is one. Where a policy was set, it is one of the policy's."""
    # To ask asyncio for the policy would make one, and is deprecated from 3.14.
    policy = getattr(asyncio.events, "_event_loop_policy", None)
    if factory is not None:
        asyncio_loop = factory()
    elif policy is not None and not type(policy).__module__.startswith("asyncio."):
        asyncio_loop = asyncio.new_event_loop()
    else:
        selector = Selector()
        asyncio_loop = asyncio.SelectorEventLoop(selector)
        asyncio_loop._asynctest_selector = selector  # type: ignore[attr-defined]
    io_loop: IOLoop = IOLoop(make_current=False, asyncio_loop=asyncio_loop)
    return io_loop


class LoopOfTest:
    """A Tornado loop in the hands of a test: current, and watched.

    :param make: returns the loop. It is the test's own, to be closed in the end, unless it was there before.
    :param trap: gets the errors.
    """

    def __init__(self, make: Callable[[], IOLoop], trap: Trap) -> None:
        before = set(IOLoop._ioloop_for_asyncio)
        try:
            self.io_loop = make()
        except BaseException:
            for loop in set(IOLoop._ioloop_for_asyncio) - before:
                IOLoop._ioloop_for_asyncio[loop].close()
            raise
        if not isinstance(self.io_loop, IOLoop):
            raise TypeError(
                f"get_new_ioloop() returned no IOLoop: {self.io_loop!r}. Return one, for example "
                "super().get_new_ioloop() or IOLoop.current()."
            )
        self.loop: WatchedLoop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        self.is_own = self.loop not in before and not isinstance(self.io_loop, AsyncIOMainLoop)
        self._restore = _watch(self.loop, trap, self.is_own)
        self._trap = trap
        #: Called when nothing can happen any more; returns whether that has changed something.
        self.on_deadlock: Callable[[], bool] = self._trap_deadlock
        self._selector: Selector | None = getattr(self.loop, "_asynctest_selector", None)
        if self._selector is not None:
            self._outer_before_sleep = self._selector.before_sleep
            self._selector.before_sleep = self._before_sleep
        asyncio.set_event_loop(self.loop)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Callable[[], object]:
        """Call the function once in real time, whatever the loop does. Return a function that calls that off.

        The next call calls it off, too.
        """
        selector = self._selector
        if selector is None:
            return self.loop.call_later(seconds, callback).cancel
        selector.alarm = (monotonic() + seconds, callback)
        return functools.partial(setattr, selector, "alarm", None)

    def _before_sleep(self) -> float | None:
        """See to it that the loop does not sleep where nothing would wake it; return for how long it may."""
        if self._selector is None or getattr(self.loop, "_signal_handlers", True):
            return None
        doubt = self._selector.doubt()
        if doubt != 0:
            return doubt
        # Nobody is left who could still ask for these, either.
        before = self._trap.count
        self.report_lost_errors()
        return 0 if self._trap.count > before or self.on_deadlock() else None

    def _trap_deadlock(self) -> bool:
        """End a loop that the user runs, and that has no time limit."""
        return self._trap.add(
            TimeoutError(
                "The event loop would run for ever, and never have anything to do: this is a deadlock. No timer, open "
                "file, thread or child process is left that could wake it."
            )
        )

    def pending_jobs(self) -> list[Any]:
        """Return the functions that executors still run for the loop."""
        return [func for future, func in self.loop._asynctest_jobs.items() if not future.done()]

    def report_lost_errors(
        self, futures: Iterable[object] = (), wanted: Callable[[BaseException], bool] = lambda error: True
    ) -> None:
        """Tell of the tasks, and of those futures, whose error nobody looked at."""
        self.loop._asynctest_report_lost(futures, wanted)

    def pending_tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that are not done."""
        return list(asyncio.all_tasks(self.loop))

    def may_have_pending_tasks(self) -> bool:
        """Tell whether there may be such tasks, at less cost: asyncio goes through the tasks of all loops to answer.

        Those that bypass the loop's ``create_task`` do not count.
        """
        if not self.is_own:
            return True
        futures = [reference() for reference in list(self.loop._asynctest_futures)]
        return any(future is not None and not future.done() for future in futures)

    def has_async_generators(self) -> bool:
        """Tell whether some were begun and not finished; yes where the loop does not say."""
        return bool(getattr(self.loop, "_asyncgens", True))

    def forget(self, task: asyncio.Task[Any]) -> None:
        """Abandon a task that could not be ended: it is neither told of by asyncio, nor destroyed.

        Python would throw an exception into it to destroy it. One that swallows each exception and carries on would
        then run for ever, as its loop cannot make it wait any more, at the latest when the interpreter exits.
        """
        import ctypes

        task._log_destroy_pending = False  # type: ignore[attr-defined]
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(task))

    def close(self) -> None:
        """Close the loop, and what is registered with it, or hand it back as it was."""
        # The handler of child processes belongs to a loop; the next test has another one.
        Subprocess.uninitialize()
        asyncio.set_event_loop(None)
        if self.is_own and not self.loop.is_closed():
            self.io_loop.close(all_fds=True)
        if self._selector is not None:
            self._selector.before_sleep = self._outer_before_sleep
        del self.on_deadlock  # a reference cycle
        if not self.is_own:
            self._restore()


_watched_classes: dict[type, type] = {}


def _watch(loop: Any, trap: Trap, is_own: bool) -> Callable[[], None]:
    """Give the loop the methods of `WatchedLoop`; return the function that takes them away again."""
    cls = type(loop)
    before = {}
    if isinstance(loop, WatchedLoop):
        before = {name: value for name, value in vars(loop).items() if name.startswith("_asynctest_")}
    if not isinstance(loop, WatchedLoop):
        if cls not in _watched_classes:
            _watched_classes[cls] = type(f"Watched{cls.__name__}", (WatchedLoop, cls), {})
        loop.__class__ = _watched_classes[cls]
    loop._asynctest_trap = trap
    loop._asynctest_is_own = is_own
    loop._asynctest_futures = {}
    loop._asynctest_jobs = weakref.WeakKeyDictionary()

    def restore() -> None:
        for name in ("trap", "is_own", "futures", "jobs"):
            delattr(loop, f"_asynctest_{name}")
        loop.__class__ = cls
        vars(loop).update(before)

    return restore
