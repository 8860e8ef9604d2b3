"""Creates the task of a wait by the task factory of the user."""

# Tested by tests/loop/test_managed_loop.py.

import asyncio
import contextvars
import functools
import inspect
from typing import Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._loop.instrumented_loop import WatchedLoop

__unittest = True


class FactoryLoop(WatchedLoop):
    """The method of a watched loop that creates the task of a wait."""

    def create_main(self, coro: Any, context: contextvars.Context) -> asyncio.Task[Any]:
        factory = self.get_task_factory()
        if factory is None:
            return super().create_main(coro, context)
        # A factory may have two arguments, or ignore the context: then the task copies the current context.
        options: dict[str, Any] = {"context": context} if _takes_context(factory) else {}
        carrier: Any = _carry(coro, context)
        carrier.__qualname__ = coro.__qualname__
        task: asyncio.Task[Any] = context.run(
            functools.partial(super(WatchedLoop, self).create_task, carrier, **options)
        )
        task.add_done_callback(lambda task: coro.close())  # if the task was cancelled before it began
        self._asynctest.futures.note(task, context.get(contexts.contexts, ()))
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
