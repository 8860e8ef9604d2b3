"""Whose garbage it is: an error that surfaces in a garbage collection belongs to none of the code that runs then.

All that is known is which tests can have left it: those since the last full collection.
"""

import collections
import contextlib
import gc
import threading
from collections.abc import Iterator

from asynctest_tornado import _trap
from asynctest_tornado._collector import Trap

__unittest = True

#: The tests that can have left what the garbage collector finds, the latest last.
_suspects: collections.deque[Trap] = collections.deque(maxlen=20)
#: The thread that collects garbage now. Others may run meanwhile, while finalizers do.
_collector: int | None = None
_is_attributed = False


def suspect(trap: Trap) -> None:
    """Let a test that begins be among those that may have left garbage."""
    if _on_collection not in gc.callbacks:
        gc.callbacks.append(_on_collection)
    _suspects.append(trap)


def _on_collection(phase: str, info: dict[str, int]) -> None:
    global _collector
    _collector = threading.get_ident() if phase == "start" else None
    if phase == "stop" and info["generation"] == 2:
        suspects = [trap for trap in _suspects if trap.is_open]
        _suspects.clear()
        _suspects.extend(suspects)


@contextlib.contextmanager
def attributed() -> Iterator[None]:
    """For a block in which errors are told whose owner is known, in spite of the garbage collector."""
    global _is_attributed
    before, _is_attributed = _is_attributed, True
    try:
        yield
    finally:
        _is_attributed = before


def is_collecting() -> bool:
    """Tell whether what surfaces now is garbage, and nobody knows whose."""
    return _collector == threading.get_ident() and not _is_attributed


def deliver(error: BaseException) -> bool:
    """Give the error of something that was dropped to the tests that may have left it; return whether one took it."""
    if not _suspects:
        return False
    if len(_suspects) == 1 or not is_collecting():
        return _trap.deliver(error, (_suspects[-1],))
    return _suspects[-1].report_for_one_of(list(_suspects), error)
