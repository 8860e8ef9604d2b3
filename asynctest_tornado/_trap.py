"""The error trap: it takes the errors that nobody caught, and knows whom they belong to.

An error in a callback, a timer, a task or a handler has no caller that could catch it. Whom it belongs to is told by
a context variable, which callbacks and tasks inherit from the code that scheduled them: a chain of handlers, with the
trap of the test as the outermost one.
"""

import asyncio
import contextlib
import contextvars
import os
import types
from collections.abc import Callable, Iterator
from typing import TypeGuard
from unittest import SkipTest

from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import HTTPStreamClosedError

__unittest = True

ExceptionHandler = Callable[[type[BaseException], BaseException, types.TracebackType | None], object]


class Context:
    """A handler of errors, in the chain of those that a piece of code runs under."""

    def __init__(self, handler: ExceptionHandler) -> None:
        self.handler = handler
        self.active = True


class FailureGroup(ExceptionGroup[AssertionError], AssertionError):
    """Several failed assertions: a failure, as each of them is, and not an error."""


class Trap(Context):
    """The outermost context of a test: it keeps what no handler consumed, until somebody can raise it.

    :param describe: returns the name of the test, for the message of a group.
    """

    def __init__(self, describe: Callable[[], str]) -> None:
        super().__init__(lambda typ, value, tb: self.add(value))
        self._describe = describe
        self._errors: list[BaseException] = []
        self._held: list[BaseException] = []
        self._known: list[BaseException] = []
        #: Ends whatever runs the loop just now. Called at each error, maybe from another thread.
        self.interrupt: Callable[[], None] | None = None
        #: Whether something was cancelled for an error or for the time, so that what it waited for is of no interest.
        self.has_cancelled = False
        #: Whether the connections of the test are being closed, so that what still uses them will fail.
        self.is_closing = False

    def add(self, error: BaseException) -> bool:
        """Keep an error, and end what waits for the loop. Return whether the trap takes errors at all."""
        if self.active and self.remember(error):
            self._errors.append(strip(error))
            if self.interrupt is not None:
                self.interrupt()
        return self.active

    def is_to_blame_for(self, error: BaseException) -> bool:
        """Tell whether the error only comes of the end of the test, which closes what is still in use."""
        return self.is_closing and isinstance(error, (StreamClosedError, HTTPStreamClosedError))

    def remember(self, error: BaseException) -> bool:
        """Return whether the error is new. One that was raised, expected or reported is not reported again."""
        if any(known is error for known in self._known):
            return False
        self._known.append(error)
        return True

    @property
    def has_errors(self) -> bool:
        """Whether there is something to raise."""
        return bool(self._errors)

    def hold(self) -> None:
        """Keep what is there for the verdict: it must not stop the code that cleans up from running."""
        self._held += self._errors
        self._errors = []

    def release(self) -> None:
        """Undo `hold`."""
        self._errors, self._held = self._held + self._errors, []

    def take(self) -> BaseException | None:
        """Hand over what was trapped: one error as itself, several as a group in the order in which they happened."""
        errors, self._errors = self._errors, []
        errors = [error for error in errors if not isinstance(error, SkipTest)] or errors[:1]
        if len(errors) < 2:
            return errors[0] if errors else None
        return _group(f"{len(errors)} errors in {self._describe()}", errors)

    def raise_errors(self) -> None:
        """Raise what was trapped, if anything was."""
        error = self.take()
        if error is not None:
            raise error

    def close(self) -> None:
        """Take no more errors, and let go of those that were seen."""
        self.active = False
        self._known.clear()


#: The traceback module prints no more members of a group than this.
_GROUP_WIDTH = 15


def _group(message: str, errors: list[BaseException]) -> BaseException:
    failures = [error for error in errors if isinstance(error, AssertionError)]
    if len(errors) > _GROUP_WIDTH:
        starts = range(0, len(errors), _GROUP_WIDTH)
        errors = [_group(f"from {start + 1} on", errors[start : start + _GROUP_WIDTH]) for start in starts]
        failures = [error for error in errors if isinstance(error, AssertionError)]
    return FailureGroup(message, failures) if failures == errors else BaseExceptionGroup(message, errors)


Chain = tuple[Context, ...]

#: The contexts that the running code stands in, the outermost first. Tasks and callbacks inherit it.
contexts: contextvars.ContextVar[Chain] = contextvars.ContextVar("asynctest_tornado", default=())


@contextlib.contextmanager
def under(chain: Chain) -> Iterator[None]:
    """Run the block as if it had been scheduled in these contexts."""
    token = contexts.set(chain)
    try:
        yield
    finally:
        contexts.reset(token)


def chain_here() -> Chain:
    """Return the contexts of the running code: as inherited, else those of the loop that it runs on."""
    chain = contexts.get()
    if not chain:
        try:
            trap = getattr(asyncio.get_running_loop(), "_asynctest_trap", None)
        except RuntimeError:
            trap = None
        chain = (trap,) if trap is not None else ()
    return chain


def offer(error: BaseException, chain: Chain) -> BaseException | None:
    """Offer an error to handlers from the inside out; return what is left, if none of them consumed it.

    A handler that raises replaces the error: the contexts outside of it get the new one. What a handler schedules
    belongs to the contexts outside of it.
    """
    for place in reversed(range(len(chain))):
        if not chain[place].active:
            continue
        try:
            with under(chain[:place]):
                if chain[place].handler(type(error), error, error.__traceback__):
                    return None
        except Exception as replacement:
            if replacement is not error and replacement.__context__ is None:
                replacement.__context__ = error
            error = replacement
    return error


def is_error(error: BaseException | None) -> TypeGuard[BaseException]:
    """Tell whether it is one that a context may handle: cancellation is no error, and exits belong to nobody."""
    return error is not None and not isinstance(
        error, (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)
    )


class ExceptionStackContext:
    """A context manager that handles the errors of everything started inside its block.

    ``exception_handler(type, value, traceback)`` is called for an error in the block itself, and in each callback,
    timer and task that was scheduled inside of it, or by those in turn, however deep. If it returns a true value, the
    error is consumed. Else the next outer context gets it; the outermost context is the running test, which fails.
    A handler that raises replaces the error. ``CancelledError``, ``KeyboardInterrupt`` and ``SystemExit`` are never
    offered.

    ::

        with ExceptionStackContext(handler) as deactivate:
            io_loop.call_later(1, callback)

    The ``with`` statement gives a function that ends the handling, also for what was scheduled already.

    Outside of an `AsyncTestCase` it follows what runs through the ``IOLoop``; what bypasses it (the ``call_soon``
    and ``create_task`` of asyncio) is followed on the loops of tests only.

    :param exception_handler: the function to call.

    Raises ``TypeError`` if that is not callable.

    From ``tornado.stack_context``, which Tornado 6.0 removed. New in version 0.1.
    """

    def __init__(self, exception_handler: ExceptionHandler) -> None:
        if not callable(exception_handler):
            raise TypeError(
                f"The handler of an ExceptionStackContext is not callable: {exception_handler!r}. "
                "Give a function of three arguments: type, value, traceback."
            )
        self.exception_handler = exception_handler
        self._entered: list[Context] = []

    def __enter__(self) -> Callable[[], None]:
        context = Context(self.exception_handler)
        self._entered.append(context)
        contexts.set((*contexts.get(), context))

        def deactivate() -> None:
            context.active = False

        return deactivate

    def __exit__(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: types.TracebackType | None
    ) -> bool:
        context = self._entered.pop()
        # Not a reset by token: blocks in generators need not end in the order in which they began.
        contexts.set(tuple(each for each in contexts.get() if each is not context))
        return is_error(value) and context.active and bool(self.exception_handler(type(value), value, tb))


class NullContext:
    """A context manager whose block, and everything started in it, is under no `ExceptionStackContext`.

    For something shared that is made on demand, and has nothing to do with whoever happened to ask first. The running
    test still fails of an error there.

    From ``tornado.stack_context``, which Tornado 6.0 removed. New in version 0.1.
    """

    def __init__(self) -> None:
        self._before: list[Chain] = []

    def __enter__(self) -> None:
        chain = contexts.get()
        self._before.append(chain)
        contexts.set(tuple(context for context in chain if isinstance(context, Trap)))

    def __exit__(self, *exc_info: object) -> None:
        contexts.set(self._before.pop())


_PACKAGE = os.path.dirname(__file__)


def strip(error: BaseException) -> BaseException:
    """Take this library's frames out of an error's traceback, and those of the event loop at its top.

    unittest leaves frames out (those with ``__unittest`` in their module) only at the two ends of a traceback.
    """
    entries: list[types.TracebackType] = []
    tb = error.__traceback__
    while tb is not None:
        own = os.path.dirname(tb.tb_frame.f_code.co_filename) == _PACKAGE
        plumbing = not entries and tb.tb_frame.f_globals.get("__name__") in ("asyncio.events", "tornado.ioloop")
        if not own and not plumbing:
            entries.append(tb)
        tb = tb.tb_next
    if entries:
        for entry in reversed(entries):
            tb = types.TracebackType(tb, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        error.__traceback__ = tb
    return error
