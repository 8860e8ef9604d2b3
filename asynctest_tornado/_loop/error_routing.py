"""Routes the errors of a loop to the tests that they belong to.

asyncio reports an error to the exception handler of its loop, in any context, and maybe long after the code that made
the task or callback. The report has the task, future or handle, which lead to the chain of contexts that the error
belongs to:

- of a task, and a future of a coroutine or executor, the chain was recorded when it was made;
- of a callback, the chain is in the context of its handle;
- of any other future, nothing is known. Its error surfaces when it is dropped: by code of the test, or by the garbage
  collector; then it belongs to one of the tests that have used the loop.

On a loop that the test has not made, errors without a chain may belong to other code: features find its owners.
"""

# Tested by tests/loop/test_managed_loop.py.

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True


class Futures(WeakNotes[contexts.Chain]):
    """Each task, and each future of a coroutine or executor, that still exists; with the chain in which it was made."""

    def lost(self, others: Iterable[object]) -> Iterator[tuple["asyncio.Future[object]", BaseException]]:
        """Return the failed futures whose error no code has looked at, with the error.

        :param others: objects to look through besides the recorded futures.
        """
        known = [future for future, _ in self.known()] if self else ()
        for future in (*known, *others):
            # The flag of the finalizers: set with the exception, and cleared by the code that retrieves it.
            if isinstance(future, asyncio.Future) and getattr(future, "_log_traceback", False):
                error = getattr(future, "_exception", None)
                if contexts.is_error(error):
                    yield future, error


class Use:
    """The use of a loop by a test: which errors are the test's.

    One attribute of the loop, since CPython finds no more than some thirty attributes of an object at once: a tenth of
    the cost of a callback.

    :param trap: gets the errors.
    :param is_own: true if the test has made the loop.
    :param before: the use of the loop by the class, if its loop is lent to the test.
    """

    __slots__ = ("futures", "is_own", "of_garbage", "others", "outer", "trap")

    def __init__(self, trap: Trap, is_own: bool, before: "Use | None") -> None:
        self.trap = trap
        self.is_own = is_own
        #: The chain of errors that have none, if other code uses the loop, too; else empty, which stands for the test.
        self.others: contexts.Chain = ()
        #: The use of the loop by the class, if its loop is lent to the test.
        self.outer = before
        #: The chain of garbage that the class, or one of the tests that its loop was lent to, has left on the loop.
        self.of_garbage: contexts.Chain | None = None
        self.futures = Futures()


def chain_of(use: Use, context: dict[str, Any]) -> contexts.Chain | None:
    """Return the chain of an error; None for a future that has none.

    :param use: the use of the loop that has found the error.
    :param context: the report of asyncio.
    """
    future = context.get("task", context.get("future"))
    if future is not None:
        of_future = use.futures.of(future, ())
        if not of_future and use.outer is not None:  # it may be of the class
            of_future = use.outer.futures.of(future, ())
        if of_future:
            return of_future
    scheduled = context.get("handle", future)
    if scheduled is None:
        return contexts.contexts.get()  # a transport, which runs the protocol in the context that it was made in
    # Handle.get_context() and Task.get_context() are there from 3.12.
    variables = getattr(scheduled, "_context", None) or getattr(scheduled, "get_context", dict)()
    chain: contexts.Chain = variables.get(contexts.contexts, ())
    if chain or scheduled is not future:
        return chain
    # Each task of the test is recorded.
    return use.others if use.others and isinstance(future, asyncio.Task) else None
