"""Abandons a task that did not end after its cancellation."""

# Tested by tests/unittest/test_case.py.

import asyncio
from typing import Any

__unittest = True


def forget(task: asyncio.Task[Any]) -> None:
    """Abandon a task that did not end: asyncio does not report it, and Python does not destroy it.

    To destroy it, Python would throw an exception into it. If the task catches each exception and goes on, it would
    then run for ever, as its loop cannot make it wait any more: at the latest when the interpreter exits.
    """
    import ctypes

    task._log_destroy_pending = False  # type: ignore[attr-defined]
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(task))
