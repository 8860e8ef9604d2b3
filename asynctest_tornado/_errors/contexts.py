"""The error trap: who handles the errors that nobody caught, and whom they belong to.

An error in a callback, a timer, a task or a handler has no caller that could catch it. Whom it belongs to is told by
a context variable, which callbacks and tasks inherit from the code that scheduled them: a chain of handlers, with the
one of the test as the outermost.
"""

import asyncio
import contextvars
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any, TypeGuard
from unittest import SkipTest

from tornado.httputil import HTTPServerRequest

from asynctest_tornado._util import exceptions
from asynctest_tornado._util.real_time import get_running_loop

__unittest = True


class Context:
    """What handles errors, in the chain that a piece of code runs under."""

    #: Whether it is that of a test: the outermost one, which NullContext does not leave out.
    is_trap = False
    #: Whether the test runs, if it is that of a test.
    is_open = True
    #: Whether it holds on any loop, also on one that a test has made for itself.
    is_sure = False
    #: Whether each error of a request handler is one of the test, also if a response tells it.
    is_strict = False
    #: The number of the test, if it needed one yet.
    number = 0

    def handle(self, error: BaseException) -> bool:
        """Return whether the error is consumed."""
        raise NotImplementedError

    def keep_server_error(self, failure: Any) -> Any:
        """Learn of what a request handler raised; return what is known of the same exception already, or None."""

    def keep_refusal(self, failure: Any) -> None:
        """Learn that a request handler refused a request where Tornado sends no response."""

    def add_handler(self, request: HTTPServerRequest, cls: type) -> None:
        """Learn which class of handlers serves a request."""

    def add_websocket(self, request: HTTPServerRequest) -> None:
        """Learn that a handler begins to serve a websocket."""

    def remove_websocket(self, request: HTTPServerRequest) -> None:
        """Learn that it has ended."""


class InThread(Context):
    """Says that the contexts before it are those of the code that has started a thread.

    :param thread: the thread.
    """

    def __init__(self, thread: threading.Thread) -> None:
        self._thread = weakref.ref(thread)

    def handle(self, error: BaseException) -> bool:
        return False

    def has_outlived(self, outermost: Context) -> bool:
        """Return whether its code runs here, after the end of the test that has started it."""
        return not outermost.is_open and self._thread() is threading.current_thread()


class Owner(Context):
    """Stands for a test that owns what is being dropped, whatever runs meanwhile.

    :param trap: the context of the test.
    """

    is_trap = True
    is_sure = True

    def __init__(self, trap: Context) -> None:
        self._trap = trap

    def handle(self, error: BaseException) -> bool:
        return self._trap.handle(error)

    def __reduce__(self) -> Any:
        return types.NoneType, ()  # a copy of the test is another one


Chain = tuple[Context, ...]

#: The contexts that the running code stands in, the outermost first. Tasks and callbacks inherit it.
contexts: contextvars.ContextVar[Chain] = contextvars.ContextVar("asynctest_tornado", default=())


#: The thread that collects garbage now.
collector: int | None = None


def leave(chain: Callable[[Chain], Chain]) -> None:
    """Change the contexts of the running code at the end of a block.

    If the garbage collector closes a coroutine in the midst of a block, the running code is another one, and keeps its
    contexts. Besides, Python 3.11 may collect garbage while it sets a variable, and crashes if a finalizer sets one in
    the same context then. Later versions collect between two instructions.

    :param chain: returns the contexts after the block, given those of now.
    """
    if collector != threading.get_ident():
        contexts.set(chain(contexts.get()))


def without(context: Context, chain: Chain) -> Chain:
    """Return a chain without one of its contexts."""
    return tuple(each for each in chain if each is not context)


class under:
    """For a block that runs as if it had been scheduled in these contexts."""

    # No generator: contextlib assigns to an exception that passes through one, and not every one can be assigned to.
    __slots__ = ("_chain", "_token")

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def __enter__(self) -> None:
        self._token = contexts.set(self._chain)

    def __exit__(self, *exc_info: object) -> None:
        contexts.reset(self._token)


def rooted(chain: Chain, loop: object) -> Chain:
    """Return the chain with the context of a test as the outermost: the one of the test that uses the loop.

    A thread begins without one. And one that was begun by an earlier test, and still works for whoever comes, has
    that of the earlier test; but on the loop that a test has made for itself, nothing belongs to another one.
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
    """Return the context of the test that uses the running loop just now, if there is one."""
    try:
        loop = get_running_loop()
    except RuntimeError:
        return None
    trap: Context | None = getattr(getattr(loop, "_asynctest", None), "trap", None)
    return trap


def certain(chain: Chain) -> Chain:
    """Return a chain that keeps its test as the outermost context, also while the loop of another test runs."""
    running = of_running_loop()
    if running is None or not chain or chain[0] is running or chain[0].is_sure:
        return chain
    return (Owner(chain[0]), *chain[1:])


def chain_here() -> Chain:
    """Return the contexts of the running code: as inherited, and of the test whose loop it runs on."""
    try:
        loop = get_running_loop()
    except RuntimeError:
        return contexts.get()
    return rooted(contexts.get(), loop)


def offer(error: BaseException, chain: Chain) -> BaseException | None:
    """Offer an error to handlers from the inside out; return what is left, if none of them consumed it.

    A handler that raises replaces the error: the contexts outside of it get the new one. What a handler schedules
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
    """Offer an error to all contexts of a chain; return whether it is dealt with."""
    return offer(error, chain) is None


def is_guess(chain: Chain) -> bool:
    """Return whether an error that the running code has survived may belong to any test.

    A thread that has outlived the test which has started it may work for whoever comes.
    """
    return any(isinstance(each, InThread) and each.has_outlived(chain[0]) for each in chain)


def is_error(error: BaseException | None) -> TypeGuard[BaseException]:
    """Return whether it is one that a context may handle: cancellation is no error, and exits belong to nobody."""
    return error is not None and not isinstance(
        error, (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)
    )


def is_failure(error: BaseException) -> bool:
    """Return whether a test that ends with this has failed."""
    return not isinstance(error, SkipTest)
