"""Whether this thread collects garbage, so that the owner of an error is unknown."""

# Tested by tests/sources/test_garbage.py.

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from asynctest_tornado._errors import contexts

__unittest = True

_T = TypeVar("_T")

_is_attributed = False


@contextlib.contextmanager
def attributed() -> Iterator[None]:
    """For a block that reports errors whose owner is known, although the garbage collector runs."""
    global _is_attributed
    # A collection that begins within the block is about other objects.
    before, _is_attributed = _is_attributed, contexts.collector == threading.get_ident()
    try:
        yield
    finally:
        _is_attributed = before


def is_collecting() -> bool:
    """Return true if an error that surfaces now is about garbage of unknown origin."""
    return contexts.collector == threading.get_ident() and not _is_attributed


def apart(func: Callable[..., _T], *args: Any) -> _T:
    """Call a function that sets context variables, in a context of its own if garbage is being collected.

    See `leaving.leave` for the reason.
    """
    if contexts.collector == threading.get_ident():
        return contextvars.copy_context().run(func, *args)
    return func(*args)
