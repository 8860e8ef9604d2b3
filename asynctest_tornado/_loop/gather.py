"""Finds the errors that ``gather`` drops because they are not its first."""

# Tested by tests/loop/test_managed_loop.py.

import asyncio
from typing import Any

from asynctest_tornado._errors import contexts, siblings
from asynctest_tornado._errors.closed_connections import comes_of_closing
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._util import names

__unittest = True


class GatheringLoop(WatchedLoop):
    """The method of a watched loop that records futures: each task of the user may be part of a gather."""

    def record_future(self, future: "asyncio.Future[Any]", chain: contexts.Chain) -> bool:
        is_of_user = super().record_future(future, chain)
        if is_of_user and isinstance(future, asyncio.Task):
            future.add_done_callback(_look_for_gather)
        return is_of_user


def _look_for_gather(task: "asyncio.Task[Any]") -> None:
    """Report the error of a task that ``gather`` is about to drop."""
    # By its attribute: exception() would mean that code has seen the error.
    error = None if task.cancelled() else getattr(task, "_exception", None)
    if not contexts.is_error(error):
        return
    loop: Any = task.get_loop()
    trap: Trap = loop._asynctest.trap
    if comes_of_closing(trap, error):
        return
    for handle in loop.ready_calls():
        callback, args = names.call_of(handle)
        if args and args[0] is task:
            first = _first_error_of_gather(callback)
            if first is not None and first is not error:
                siblings.add(trap, first, error)


def _first_error_of_gather(callback: Any) -> BaseException | None:
    """Return the error that a ``gather`` has failed with, given the callback that it adds to its children."""
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
