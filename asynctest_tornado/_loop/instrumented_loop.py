"""Adds methods to the loop of a test, which record its tasks and route errors.

A loop that the test made and a loop that the user supplied get the same methods, by a class that is mixed into theirs.
"""

# Tested by tests/loop/test_managed_loop.py.

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._loop import error_routing
from asynctest_tornado._loop.error_routing import Use

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

    def create_main(self, coro: Any, context: contextvars.Context) -> asyncio.Task[Any]:
        """Create a task that this library waits for: neither a leak, nor a part of any ``gather``."""
        task: asyncio.Task[Any] = super().create_task(coro, context=context)
        self._asynctest.futures.note(task, context.get(contexts.contexts, ()))
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

    def call_in(self, thread: int, func: Callable[[], object]) -> None:
        """Call a function in the thread that runs the loop; any thread may call this."""
        if threading.get_ident() == thread:
            func()
            return
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self.call_soon_threadsafe(func)

    def deliver_error(self, context: dict[str, Any]) -> bool:
        """Deliver the error that asyncio reports to the chain of the running code; return true if it was consumed."""
        error = context.get("exception")
        return contexts.is_error(error) and contexts.deliver(error, contexts.contexts.get())

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, asyncio.CancelledError):
            return  # of a callback; asyncio does not report the cancellation of a task either
        is_of_future = "task" in context or "future" in context
        if is_of_future and isinstance(error, KeyboardInterrupt):
            return  # it has left the loop, too
        if error is not None and is_of_future and self._asynctest.trap.knows(error):
            return  # other code has waited for it as well
        self.report_error(context, super().default_exception_handler)

    def report_error(self, context: dict[str, Any], handle: Callable[[dict[str, Any]], object]) -> None:
        """Report an error of asyncio to the test that it belongs to.

        :param handle: asyncio's exception handler of the loop, which logs errors that no handler consumes.
        """
        chain = error_routing.chain_of(self._asynctest, context)
        if chain is None:
            chain = self.chain_of_dropped()
        if chain is None:
            handle(context)
        else:
            self.report_in(chain, context, handle)

    def chain_of_dropped(self) -> contexts.Chain | None:
        """Return the chain of a future that has no context: its error is found as it is dropped. None if unknown."""
        chain = contexts.contexts.get()
        return chain if chain[:1] == (self._asynctest.trap,) else ()

    def report_in(
        self, chain: contexts.Chain, context: dict[str, Any], handle: Callable[[dict[str, Any]], object]
    ) -> None:
        """Report an error in the contexts that it belongs to: asyncio calls the handler in any."""
        with contexts.under(contexts.rooted(chain, self)):
            if not self.deliver_error(context):
                handle(context)


#: The composed classes, by the class that they add to, and the classes that they add.
_composed: dict[tuple[type, tuple[type, ...]], type] = {}
#: The classes that they add to.
_plain: dict[type, type] = {}


class ComposedClasses(dict[type, Any]):
    """By a class of loops, the class that adds the methods of other classes to it, instead of those added before.

    It is best for a loop to have them from the start. If an object gets another class, CPython looks its attributes up
    the long way: a fifth of the cost of a callback.

    :param added: the other classes.
    """

    def __init__(self, added: tuple[type, ...]) -> None:
        self._added = added

    def __missing__(self, cls: type) -> type:
        plain = _plain.get(cls, cls)
        found = _composed.get((plain, self._added), None if self._added else plain)
        if found is None:
            found = _composed[plain, self._added] = type(f"Watched{plain.__name__}", (*self._added, plain), {})
            _plain[found] = plain
        self[cls] = self[found] = found
        return found
