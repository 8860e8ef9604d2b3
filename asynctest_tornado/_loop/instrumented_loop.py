"""Adds methods to the loop of a test, which record its tasks and route errors.

A loop that the test made and a loop that the user supplied get the same methods, by a class that is mixed into theirs.
"""

# Tested by tests/loop/test_managed_loop.py.

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tornado import gen

from asynctest_tornado._errors import collection, contexts
from asynctest_tornado._loop import error_routing
from asynctest_tornado._loop.error_routing import Use
from asynctest_tornado._loop.stop_at_error import interruptible
from asynctest_tornado._util.patching import Patch

__unittest = True

if TYPE_CHECKING:
    _Base = asyncio.BaseEventLoop
else:
    _Base = object


class WatchedLoop(_Base):
    """The methods that a loop has while a test uses it, on top of its own class.

    A feature that has to know more of the loop brings a subclass, which is added as well.
    """

    _asynctest: Use

    def create_task(self, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = super().create_task(coro, **kwargs)
        context = kwargs.get("context")
        self.record_future(task, contexts.contexts.get() if context is None else context.get(contexts.contexts, ()))
        return task

    def record_future(self, future: asyncio.Future[Any], chain: contexts.Chain) -> bool:
        """Record a future that is being made, with the chain of its errors.

        :return: False if a feature has found that a library makes it for itself.
        """
        self._asynctest.futures.note(future, chain)
        return True

    def ready_calls(self) -> Sequence[asyncio.Handle]:
        """Return the calls that the loop is to make next."""
        return list(getattr(self, "_ready", ()))

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
        if trap.waits:  # this library runs the loop, and looks at the trap
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
        carrier: Any = _carry(coro, context)
        carrier.__qualname__ = coro.__qualname__
        task = context.run(functools.partial(create, carrier, **options))
        task.add_done_callback(lambda task: coro.close())  # if the task was cancelled before it began
    loop._asynctest.futures.note(task, context.get(contexts.contexts, ()))
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


def _make_and_record() -> asyncio.Future[Any]:
    """Record a future that ``gen.coroutine`` makes.

    Without a record, nothing shows whose it is: it is dropped a turn of the loop after its error was set, in no context
    at all.
    """
    future: asyncio.Future[Any] = _make.found()
    loop = future.get_loop()
    # In debug mode, a future says where it was made. Tornado takes itself out of that, up to this function.
    made_at = getattr(future, "_source_traceback", None)
    while made_at and made_at[-1].filename in (__file__, gen.__file__):
        del made_at[-1]
    if _make.is_active and isinstance(loop, WatchedLoop):
        loop.record_future(future, contexts.contexts.get())
    return future


#: They record the futures that ``gen.coroutine`` makes.
patches = []
if hasattr(gen, "_create_future"):
    _make = Patch(gen, "_create_future", _make_and_record)
    patches.append(_make)

#: The composed classes, by the class that they add to, and the classes that they add.
_composed: dict[tuple[type, tuple[type, ...]], Any] = {}
#: The same in the other direction.
_parts: dict[type, tuple[type, tuple[type, ...]]] = {}


def composed(cls: type, added: tuple[type, ...]) -> Any:
    """Return the class that adds the methods of some classes to a class of loops."""
    found = _composed.get((cls, added))
    if found is None:
        found = _composed[cls, added] = type(f"Watched{cls.__name__}", (*added, cls), {}) if added else cls
        _parts[found] = cls, added
    return found


def compose(loop: Any, added: tuple[type, ...]) -> type:
    """Let a loop have the methods of these classes, instead of others that were added; return its class before.

    It is best for a loop to have them from the start. If an object gets another class, CPython looks its attributes up
    the long way: a fifth of the cost of a callback.
    """
    cls = type(loop)
    plain, found = _parts.get(cls, (cls, ()))
    if found != added:
        loop.__class__ = composed(plain, added)
    return cls
