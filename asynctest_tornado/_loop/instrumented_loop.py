"""What a loop knows while a test uses it: whose its tasks and errors are.

A loop that the test made and one that the user supplied get the same methods, by a class that is mixed into theirs.
"""

# Tested by tests/loop/test_managed_loop.py.

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tornado import gen

from asynctest_tornado._errors import contexts, ownership
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._loop import lent_loop
from asynctest_tornado._loop.connections import ConnectingLoop
from asynctest_tornado._loop.executor_jobs import Work
from asynctest_tornado._loop.file_handler import FileHandler
from asynctest_tornado._loop.interrupt import interruptible
from asynctest_tornado._sources import garbage
from asynctest_tornado._util import names, origins
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

#: The contexts in which a future was made, and the line that made it.
_Made = tuple[contexts.Chain, origins.Origin]
_Futures = WeakNotes[_Made]
_NO_FUTURES: _Futures = WeakNotes()


#: What ``asyncio.sleep`` sets its timers for: they are its own, and the most frequent ones.
_END_OF_SLEEP: Any = getattr(asyncio.futures, "_set_result_unless_cancelled", None)


def _number(file: Any) -> int:
    return file if isinstance(file, int) else file.fileno()


class Use:
    """What a loop knows while a test uses it.

    One attribute of the loop, since CPython keeps no more than some thirty of an object where they are found at once: a
    tenth of what a callback costs.
    """

    __slots__ = (
        *("borrower", "files", "futures", "is_foreign", "is_own", "lender", "main", "others", "outer_futures"),
        *("ready", "trap", "work"),
    )

    def __init__(self, trap: Trap, is_own: bool, before: "Use | None") -> None:
        self.trap = trap
        #: Whether the test has made the loop.
        self.is_own = is_own
        #: Whether neither the test nor its class has made it, so that others may have used it before.
        self.is_foreign = not is_own and before is None
        #: The contexts of what has none: of others on such a loop, else of the test.
        self.others = lent_loop.OTHERS if self.is_foreign else ()
        #: The trap of the class, if the loop is that of a class and a test was lent it.
        self.lender: Trap | None = None if before is None else before.trap
        #: The trap of the last test that was lent the loop, if one was.
        self.borrower: Trap | None = None
        #: Each task, and future of a coroutine or executor, that still exists.
        self.futures: _Futures = WeakNotes()
        #: Those that were made before a test got the loop of its class.
        self.outer_futures = _NO_FUTURES if before is None else before.futures
        #: What works for the loop, elsewhere. Made when there is a first one: most tests have none.
        self.work: Work | None = None if before is None else before.work
        #: Returns the calls that are ready, if these are kept elsewhere than in the loop's own queue.
        self.ready: Callable[[], Sequence[asyncio.Handle]] | None = None if before is None else before.ready
        #: The functions that are called for files, by file and what they wait for.
        self.files: dict[tuple[int, bool], FileHandler] = {}
        #: The task that the loop runs for, and the function that it runs, while it does.
        self.main: tuple[asyncio.Task[Any], Callable[[], Any]] | None = None


class WatchedLoop(ConnectingLoop):
    """The methods that a loop has while a test uses it, on top of its own class."""

    _asynctest: Use

    def create_task(self, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = super().create_task(coro, **kwargs)
        context = kwargs.get("context")
        chain = contexts.contexts.get() if context is None else context.get(contexts.contexts, ())
        origin = origins.find(origins.TASKS)
        self._asynctest_remember(task, chain, origin)
        if origin is not origins.LIBRARY:  # which gathers nothing
            task.add_done_callback(self._asynctest_look_for_gather)
        return task

    def _asynctest_create_main(self, coro: Any, context: contextvars.Context) -> asyncio.Task[Any]:
        """Create a task that this library waits for: neither a leak, nor a part of any ``gather``."""
        factory = self.get_task_factory()
        task: asyncio.Task[Any]
        if factory is None:
            task = super().create_task(coro, context=context)
        else:
            # It may be of two arguments, or do nothing with the context: then the task copies the current one.
            options = {"context": context} if _takes_context(factory) else {}
            carried = _carry(coro, context)
            task = context.run(functools.partial(super().create_task, carried, **options))
            task.add_done_callback(lambda task: coro.close())  # where nothing of it has run
        self._asynctest_remember(task, context.get(contexts.contexts, ()), origins.LIBRARY)
        return task

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        future: asyncio.Future[Any] = super().run_in_executor(executor, func, *args)
        self._asynctest_remember_job(future, func, origins.find(origins.JOBS))
        return future

    def _asynctest_remember_job(self, future: asyncio.Future[Any], func: Any, origin: origins.Origin) -> None:
        self._asynctest_remember(future, contexts.contexts.get(), origin)
        self._asynctest_get_work().jobs.note(future, names.name_of_job(func))

    def _asynctest_get_work(self) -> "Work":
        if self._asynctest.work is None:
            self._asynctest.work = Work()
        return self._asynctest.work

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> Any:
        transport, protocol = await super().subprocess_exec(*args, **kwargs)
        self._asynctest_remember_process(transport)
        return transport, protocol

    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> Any:
        transport, protocol = await super().subprocess_shell(*args, **kwargs)
        self._asynctest_remember_process(transport)
        return transport, protocol

    def _asynctest_remember_process(self, transport: Any) -> None:
        self._asynctest_get_work().processes.note(transport, True)

    def call_at(self, when: float, callback: Any, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        timer: asyncio.TimerHandle = super().call_at(when, callback, *args, **kwargs)
        if callback is not _END_OF_SLEEP:
            ownership.record(timer, origins.TIMERS)
        return timer

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:  # type: ignore[override]
        handle = super().add_reader(fd, callback, *args)
        self._asynctest_remember_file((_number(fd), False), callback, args)
        return handle

    def add_writer(self, fd: Any, callback: Any, *args: Any) -> Any:  # type: ignore[override]
        handle = super().add_writer(fd, callback, *args)
        self._asynctest_remember_file((_number(fd), True), callback, args)
        return handle

    def remove_reader(self, fd: Any) -> Any:
        self._asynctest.files.pop((_number(fd), False), None)
        return super().remove_reader(fd)

    def remove_writer(self, fd: Any) -> Any:
        self._asynctest.files.pop((_number(fd), True), None)
        return super().remove_writer(fd)

    def _asynctest_remember_file(self, key: tuple[int, bool], callback: Any, args: tuple[Any, ...]) -> None:
        origin = origins.find(origins.FILES, depth=3)
        if origin is not origins.LIBRARY:
            handler = FileHandler(key[0], callback, args)
            ownership.record_made_at(handler, origin)
            self._asynctest.files[key] = handler

    def _asyncgen_firstiter_hook(self, agen: Any) -> None:
        super()._asyncgen_firstiter_hook(agen)  # type: ignore[misc]
        ownership.record(agen, origins.STREAMS)

    def _asynctest_remember(
        self, future: asyncio.Future[Any], chain: contexts.Chain, origin: origins.Origin = None
    ) -> None:
        self._asynctest.futures.note(future, (chain, origin))

    def _asynctest_ready(self) -> Sequence[Any]:
        """Return the calls that are to be made next."""
        ready = self._asynctest.ready
        return list(getattr(self, "_ready", ())) if ready is None else ready()

    def _asynctest_look_for_gather(self, task: asyncio.Task[Any]) -> None:
        """Find the error of a task that ``gather`` is about to drop because another one came first."""
        # Without a look at it: exception() would mean that somebody has seen the error.
        error = None if task.cancelled() else getattr(task, "_exception", None)
        if not contexts.is_error(error) or self._asynctest.trap.comes_of_closing(error):
            return
        for handle in self._asynctest_ready():
            callback, args = names.call_of(handle)
            if args and args[0] is task:
                first = _first_error_of_gather(callback)
                if first is not None and first is not error:
                    self._asynctest.trap.add_sibling(first, error)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, asyncio.CancelledError):
            return  # of a callback; of a task, asyncio would not tell either
        is_of_future = "task" in context or "future" in context
        if is_of_future and isinstance(error, KeyboardInterrupt):
            return  # it has left the loop, too
        if error is not None and is_of_future and self._asynctest.trap.knows(error):
            return  # somebody else waited for it as well
        garbage.apart(self._asynctest_report, context)

    def _asynctest_report(self, context: dict[str, Any]) -> None:
        chain = self._asynctest_chain(context)
        if chain is None:
            super().default_exception_handler(context)
            return
        # asyncio calls the handler in whatever context happens to be current.
        with garbage.attributed(), contexts.under(contexts.certain(contexts.rooted(chain, self))):
            super().default_exception_handler(context)

    def _asynctest_chain(self, context: dict[str, Any]) -> contexts.Chain | None:
        """Return the contexts of an error; None if it is garbage that others may have left on the loop."""
        future = context.get("task", context.get("future"))
        use = self._asynctest
        if future is not None:
            made = use.futures.of(future, None) or use.outer_futures.of(future, None)
            if made and made[0]:
                return made[0]
        scheduled = context.get("handle", future)
        if scheduled is None:
            return contexts.contexts.get()  # a transport, which runs the protocol in the context that it was made in
        # Handle.get_context() and Task.get_context() are there from 3.12.
        variables = getattr(scheduled, "_context", None) or getattr(scheduled, "get_context", dict)()
        chain: contexts.Chain = variables.get(contexts.contexts, ())
        if chain or scheduled is not future:
            return chain
        if isinstance(future, asyncio.Task) and use.is_foreign:
            return lent_loop.OTHERS  # each task of the test is known
        # Any other future has no context. Its error is found as it is dropped, which may be where it was set.
        if use.borrower is not None and not use.trap.is_open:
            return lent_loop.owners(use.trap, use.borrower)  # the class is over
        if garbage.is_collecting():
            return () if use.is_own else lent_loop.owners(use.lender, use.trap)
        chain = contexts.contexts.get()
        return chain if chain[:1] == (use.trap,) else ()

    def run_forever(self) -> None:
        trap = self._asynctest.trap
        if trap.interrupt is not None:  # somebody of this library runs the loop, and looks at the trap
            super().run_forever()
            return
        with interruptible(self, self.stop):
            trap.raise_errors()
            super().run_forever()
            trap.raise_errors()

    def _asynctest_report_lost(self, futures: Iterable[object], wanted: Callable[[BaseException], bool]) -> None:
        """Tell of the futures that have failed and nobody looked at, as their finalizers would do later."""
        for future, error in self._asynctest_lost(futures):
            if wanted(error):
                future.exception()
                kind = "task" if isinstance(future, asyncio.Task) else "future"
                message = f"{kind.capitalize()} exception was never retrieved"
                self.call_exception_handler({"message": message, "exception": error, kind: future})

    def _asynctest_lost(self, futures: Iterable[object]) -> Iterator[tuple[asyncio.Future[Any], BaseException]]:
        """Return the futures that have failed and nobody has looked at, of those of the test and of the given ones."""
        made = self._asynctest.futures
        known = [future for future, _ in made.known()] if made else ()
        for future in (*known, *futures):
            # The flag of the finalizers: set when the exception is, and cleared by whoever retrieves it.
            if isinstance(future, asyncio.Future) and getattr(future, "_log_traceback", False):
                error = getattr(future, "_exception", None)
                if contexts.is_error(error):
                    yield future, error


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
    """Run a coroutine, and set what it has set of context variables in a context, too."""
    try:
        return await coro
    finally:
        for variable, value in contextvars.copy_context().items():
            # The same where the task runs in that very context.
            if variable not in context or context[variable] is not value:
                context.run(variable.set, value)


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
            loop._asynctest_remember(future, contexts.contexts.get(), origins.find(origins.TASKS))
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
    if cells.get("return_exceptions", True):
        return None
    first: BaseException | None = getattr(cells.get("outer"), "_exception", None)
    return first


_watched_classes: dict[type, type] = {}


def _watched(cls: type) -> Any:
    if cls not in _watched_classes:
        _watched_classes[cls] = type(f"Watched{cls.__name__}", (WatchedLoop, cls), {})
    return _watched_classes[cls]


def new(cls: type) -> Any:
    """Make a loop that has the methods of `WatchedLoop` from the start; `watch` has to come next.

    To give an object another class makes CPython look its attributes up the long way: a fifth of what a callback costs.
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
    if before is not None:
        before.borrower = trap

    def restore() -> None:
        if before is None:
            del loop._asynctest
        else:
            loop._asynctest = before
        loop.__class__ = cls

    return restore
