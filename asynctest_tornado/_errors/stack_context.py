"""ExceptionStackContext, NullContext: handlers of errors, for a block."""

import contextvars
import functools
import types
from collections.abc import Callable

from asynctest_tornado._errors import contexts, leaving
from asynctest_tornado._util.patching import sources

__unittest = True

ExceptionHandler = Callable[[type[BaseException], BaseException, types.TracebackType | None], object]


class _HandlerContext(contexts.Context):
    """The context of a function."""

    def __init__(self, handler: ExceptionHandler) -> None:
        self._handler = handler
        self.is_active = True

    def handle(self, error: BaseException) -> bool:
        return self.is_active and bool(self._handler(type(error), error, error.__traceback__))


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

    The ``with`` statement returns a function that ends the handling, also for callbacks that were scheduled before.

    Outside of an `AsyncTestCase` it handles errors of callbacks of the ``IOLoop``. Errors of code that bypasses the
    ``IOLoop`` (asyncio's ``call_soon`` and ``create_task``) are handled on the loops of tests only.

    :param exception_handler: the function to call.

    Raises ``TypeError`` if the handler is not callable.

    From ``tornado.stack_context``, which Tornado 6.0 removed. New in version 0.1.
    """

    def __init__(self, exception_handler: ExceptionHandler) -> None:
        if not callable(exception_handler):
            raise TypeError(
                f"The handler of an ExceptionStackContext is not callable: {exception_handler!r}. "
                "Give a function of three arguments: type, value, traceback."
            )
        self.exception_handler = exception_handler
        self._entered: list[tuple[_HandlerContext, contextvars.Token[contexts.Chain]]] = []

    def __enter__(self) -> Callable[[], None]:
        context = _HandlerContext(self.exception_handler)
        chain = contexts.contexts.get()
        if not (chain and chain[0].is_trap):
            # For good: callbacks that the block schedules may come at any time.
            sources.hold(ExceptionStackContext)
        self._entered.append((context, contexts.contexts.set((*chain, context))))

        def deactivate() -> None:
            context.is_active = False

        return deactivate

    def __exit__(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: types.TracebackType | None
    ) -> bool:
        context, token = self._entered.pop()
        # Not a reset by token alone: blocks in generators need not end in the order in which they began.
        leaving.leave(functools.partial(contexts.without, context), token)
        return contexts.is_error(value) and context.handle(value)


class NullContext:
    """A context manager whose block, and everything started in it, is under no `ExceptionStackContext`.

    For a shared resource that is made on demand, and does not depend on its first user. The running test still fails of
    an error there.

    From ``tornado.stack_context``, which Tornado 6.0 removed. New in version 0.1.
    """

    def __init__(self) -> None:
        self._entered: list[tuple[contexts.Chain, contextvars.Token[contexts.Chain]]] = []

    def __enter__(self) -> None:
        chain = contexts.contexts.get()
        self._entered.append((chain, contexts.contexts.set(tuple(context for context in chain if context.is_trap))))

    def __exit__(self, *exc_info: object) -> None:
        before, token = self._entered.pop()
        leaving.leave(lambda chain: before, token)
