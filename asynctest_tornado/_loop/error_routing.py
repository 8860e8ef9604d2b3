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
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors import collection, contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._loop.records import Futures

__unittest = True


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

    def chain_of(self, context: dict[str, Any]) -> contexts.Chain | None:
        """Return the chain of an error; None for garbage that other code may have left on the loop.

        :param context: the report of asyncio.
        """
        future = context.get("task", context.get("future"))
        if future is not None:
            of_future = self.futures.of(future, ())
            if not of_future and self.outer is not None:  # it may be of the class
                of_future = self.outer.futures.of(future, ())
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
        if self.others and isinstance(future, asyncio.Task):
            return self.others  # each task of the test is recorded
        return self._chain_without_context()

    def _chain_without_context(self) -> contexts.Chain | None:
        """Return the chain of a future that has no context. Its error is found as it is dropped."""
        if self.of_garbage is not None and not self.trap.is_open:
            return self.of_garbage  # the class is over
        if collection.is_collecting():
            return () if self.is_own else None if self.outer is None else self.of_garbage
        chain = contexts.contexts.get()
        return chain if chain[:1] == (self.trap,) else ()


def report(loop: Any, context: dict[str, Any], handle: Callable[[dict[str, Any]], object]) -> None:
    """Report an error to the test that it belongs to.

    :param handle: asyncio's exception handler of the loop, which logs errors that no handler consumes.
    """
    chain = loop._asynctest.chain_of(context)
    if chain is None:
        handle(context)
        return
    # asyncio calls the handler in any context.
    with collection.attributed(), contexts.under(contexts.certain(contexts.rooted(chain, loop))):
        if not loop.deliver_error(context):
            handle(context)
