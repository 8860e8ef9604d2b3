"""The timers and ready calls of a loop that a test has scheduled."""

# Tested by tests/leaks/test_search.py.

from collections.abc import Iterable
from typing import Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._loop.managed_loop import LoopOfTest

__unittest = True


def timers_of(loop: LoopOfTest) -> list[Any]:
    """Return the pending timers that the test has set."""
    return of_test(loop.trap, list(getattr(loop.loop, "_scheduled", ())))


def of_test(trap: Trap, handles: Iterable[Any]) -> list[Any]:
    """Return the timers or ready calls, of these, that a test has scheduled."""
    return [handle for handle in handles if not handle.cancelled() and _is_of(trap, handle)]


def _is_of(trap: Trap, handle: Any) -> bool:
    # Handle.get_context() is there from 3.12.
    context = getattr(handle, "_context", None) or getattr(handle, "get_context", dict)()
    chain: contexts.Chain = context.get(contexts.contexts, ())
    return chain[:1] == (trap,)
