"""The chain of handlers of the running code, inherited by a context variable.

Nothing can catch an error raised in a callback, a timer, a task or a request handler: it has no caller. A context
variable identifies the test it belongs to, and the handlers that get it before the test. asyncio gives each callback
and task the variables of the code that schedules it; `_sources.thread_contexts` and `_sources.pool_contexts` do so for
threads.

The value is a chain of contexts, the outermost first. The first one is mostly the trap of a test. The others come from
the blocks of `ExceptionStackContext` and `ExpectError`, from servers, and from threads. `offer` hands an error from the
inside out, until a context consumes it; the trap records each error that arrives there.

Two kinds of code begin without a test, or with another one. On the loop of a test, `rooted` adds the trap of the test
that uses the loop: callbacks of connections run in the variables of an earlier test, for example. And a thread that has
outlived its test, or an object that the garbage collector finds, may belong to any test: see
`_sources.outliving_threads` and `_sources.garbage`.
"""

# Tested by tests/errors/test_stack_context.py.

import asyncio
import contextvars
from typing import TypeGuard
from unittest import SkipTest

from asynctest_tornado._util import exceptions
from asynctest_tornado._util.real_time import get_running_loop

__unittest = True


class Context:
    """A handler of errors, in the chain of the code that it handles errors of."""

    #: True for the context of a test: the outermost one, which NullContext does not leave out.
    is_trap = False
    #: True while the test runs, if it is the context of a test.
    is_open = True
    #: True if it is right on any loop, also on a loop that another test has made for itself.
    is_sure = False
    #: The number of the test; 0 until it needs a number.
    number = 0

    def handle(self, error: BaseException) -> bool:
        """Return true to consume the error."""
        raise NotImplementedError


Chain = tuple[Context, ...]

#: The contexts of the running code, the outermost first. Tasks and callbacks inherit them.
contexts: contextvars.ContextVar[Chain] = contextvars.ContextVar("asynctest_tornado", default=())


#: The thread that collects garbage now.
collector: int | None = None


def without(context: Context, chain: Chain) -> Chain:
    """Return a chain without one of its contexts."""
    return tuple(each for each in chain if each is not context)


class under:
    """For a block that runs as if it had been scheduled in these contexts."""

    # No generator: contextlib assigns to an exception that passes through one, and some exceptions refuse that.
    __slots__ = ("_chain", "_token")

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def __enter__(self) -> None:
        self._token = contexts.set(self._chain)

    def __exit__(self, *exc_info: object) -> None:
        contexts.reset(self._token)


def rooted(chain: Chain, loop: object) -> Chain:
    """Return the chain with a test as the outermost context: the test that uses the loop.

    A thread begins without a test. A thread that an earlier test has begun, and that still works for later ones, has
    the context of the earlier test; but on the loop that a test has made for itself, everything belongs to that test.
    """
    use = getattr(loop, "_asynctest", None)
    if use is None:
        return chain
    trap: Context = use.trap
    if chain[:1] == (trap,) or (chain and chain[0].is_sure):
        return chain
    if chain and chain[0].is_trap:
        return (trap,) if use.is_own else chain
    return (*(use.others or (trap,)), *chain)


def of_running_loop() -> Context | None:
    """Return the context of the test that uses the running loop, or None."""
    try:
        loop = get_running_loop()
    except RuntimeError:
        return None
    trap: Context | None = getattr(getattr(loop, "_asynctest", None), "trap", None)
    return trap


def chain_here() -> Chain:
    """Return the contexts of the running code: the inherited ones, under the test whose loop it runs on."""
    try:
        loop = get_running_loop()
    except RuntimeError:
        return contexts.get()
    return rooted(contexts.get(), loop)


def offer(error: BaseException, chain: Chain) -> BaseException | None:
    """Offer an error to handlers from the inside out; return the error that no handler consumed, or None.

    A handler that raises replaces the error: the contexts outside of it get the new one. Code that a handler schedules
    belongs to the contexts outside of it.
    """
    for place in reversed(range(len(chain))):
        try:
            with under(chain[:place]):
                if chain[place].handle(error):
                    return None
        except Exception as replacement:
            if replacement is not error and replacement.__context__ is None:
                exceptions.set_context(replacement, error)
            error = replacement
    return error


def deliver(error: BaseException, chain: Chain) -> bool:
    """Offer an error to all contexts of a chain; return true if one of them consumed it."""
    return offer(error, chain) is None


def is_error(error: BaseException | None) -> TypeGuard[BaseException]:
    """Return true if a context may handle it: cancellation is no error, and exits belong to no test."""
    return error is not None and not isinstance(
        error, (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)
    )


def is_failure(error: BaseException) -> bool:
    """Return true if a test that raises this has failed."""
    return not isinstance(error, SkipTest)
