"""What was on an event loop before a test got it: it belongs to whoever has left it there, and not to the test."""

import asyncio
import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

from asynctest_tornado import _notes, _trap

__unittest = True


class _Earlier(_trap.Context):
    """Stands for whoever has used the loop before, in the contexts of what was left there."""

    is_trap = True
    is_sure = True

    def handle(self, error: BaseException) -> bool:
        _notes.add(error, "What has raised it was on the event loop before the test that runs now.", once=True)
        return False


#: The contexts of what was left by code that is no test of ours.
EARLIER: _trap.Chain = (_Earlier(),)


def mark(loop: Any) -> None:
    """Let all that a loop is going to do, and that no test of ours has begun, belong to others from now on.

    What it schedules in turn inherits that.
    """
    for context in list(_contexts(loop)):
        if not context.get(_trap.contexts, ()):
            with contextlib.suppress(RuntimeError):  # the code that runs now is in it
                context.run(_trap.contexts.set, EARLIER)


def _contexts(loop: Any) -> Iterator[contextvars.Context]:
    """Return the contexts, as far as the loop says: its attributes are those of asyncio."""
    handles: list[Any] = [*getattr(loop, "_ready", ()), *getattr(loop, "_scheduled", ())]
    handles += getattr(loop, "_signal_handlers", {}).values()
    files: Any = getattr(getattr(loop, "_selector", None), "get_map", dict)() or {}
    for key in list(files.values()):
        handles += key.data if isinstance(key.data, tuple) else ()
    found = [getattr(handle, "_context", None) for handle in handles]
    for task in asyncio.all_tasks(loop):
        found.append(getattr(task, "get_context", lambda: None)())  # from Python 3.12 on
        waiter = getattr(task, "_fut_waiter", None)
        found += [context for _, context in getattr(waiter, "_callbacks", None) or ()]
    return (context for context in found if isinstance(context, contextvars.Context))
