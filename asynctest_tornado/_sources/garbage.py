"""Whose garbage it is: an error that surfaces in a garbage collection belongs to none of the code that runs then.

All that is known is which tests can have left it: those since the last full collection. If nothing but tests of ours
has run meanwhile, it belongs to one of these. Else it may be anybody's: it is reported as if this library were not
there, and the report says which tests it may come of.
"""

import atexit
import collections
import contextlib
import contextvars
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._sources.place_in_run import Place, follows, is_same

__unittest = True

_T = TypeVar("_T")

#: The tests that can have left what the garbage collector finds, the latest last.
_suspects: collections.deque[Trap] = collections.deque(maxlen=20)
#: Where the latest one stands in its run.
_latest: Place | None = None
#: Their names, once the process ends.
_names_at_end: list[str] = []
#: Whether no other code has run since the last full collection, as far as that can be known.
_is_complete = False
_is_attributed = False
#: Not with PyPy: there, nobody tells when garbage is collected.
_callbacks = getattr(gc, "callbacks", None)


def suspect(trap: Trap) -> None:
    """Let a test that begins be among those that may have left garbage."""
    global _latest, _is_complete
    place = trap.place()
    if _callbacks is not None and _on_collection not in _callbacks:
        _callbacks.append(_on_collection)
        # Once in a process: nothing that was left before can be taken for that of a test.
        gc.collect()
        _is_complete = place is not None
    elif _is_complete:  # else no place makes a difference
        _is_complete = place is not None and follows(place, _latest)
    _latest = place
    _suspects.append(trap)


def _on_collection(phase: str, info: dict[str, int]) -> None:
    global _is_complete
    contexts.collector = threading.get_ident() if phase == "start" else None
    if phase == "stop" and info["generation"] == 2:
        suspects = [trap for trap in _suspects if trap.is_open]
        _is_complete = bool(suspects) or not _is_other_running()
        _suspects.clear()
        _suspects.extend(suspects)


def _let_go() -> None:
    """Keep no class of tests at the end of the process.

    Whatever their modules hold is garbage then, and its errors surface while all other modules are still there.
    """
    global _latest, _is_complete
    if _is_complete and not _is_other_running():
        gc.collect()  # the last one of which can be known whose garbage it finds
    _names_at_end[:] = [trap.describe() for trap in _suspects]
    _suspects.clear()
    _latest, _is_complete = None, False


# At import: what programs register is called before.
atexit.register(_let_go)


def _is_other_running() -> bool:
    """Return whether a test that is none of ours may be running, or have run, after the latest one."""
    place = _suspects[-1].place() if _suspects else None
    return place is None or not is_same(place, _latest)


@contextlib.contextmanager
def attributed() -> Iterator[None]:
    """For a block in which errors are told whose owner is known, in spite of the garbage collector."""
    global _is_attributed
    # A collection that begins within the block is about other objects.
    before, _is_attributed = _is_attributed, contexts.collector == threading.get_ident()
    try:
        yield
    finally:
        _is_attributed = before


def is_collecting() -> bool:
    """Return whether what surfaces now is garbage, and nobody knows whose."""
    return contexts.collector == threading.get_ident() and not _is_attributed


def apart(func: Callable[..., _T], *args: Any) -> _T:
    """Call a function that sets context variables, in a context of its own if garbage is being collected.

    See `contexts.leave` for the reason.
    """
    if contexts.collector == threading.get_ident():
        return contextvars.copy_context().run(func, *args)
    return func(*args)


def deliver(error: BaseException) -> bool:
    """Give the error of something that was dropped to the tests that have left it; return whether one took it."""
    if not _is_complete or _is_other_running():
        return False
    if len(_suspects) == 1:
        return apart(contexts.deliver, error, (_suspects[-1],))
    return _suspects[-1].report_for_one_of(list(_suspects), error)


def suspects_between(first: Trap, last: Trap) -> list[Trap]:
    """Return two traps, and those between them that can have left what the garbage collector finds."""
    suspects = list(_suspects)
    begin = suspects.index(first) + 1 if first in suspects else 0
    end = suspects.index(last) if last in suspects else begin
    return [first, *suspects[begin:end], last]


def guess() -> str:
    """Return which tests an error may belong to, for a report that blames none; nothing if there are no such tests."""
    if not is_collecting():
        chain = contexts.chain_here()
        if not (contexts.is_guess(chain) and isinstance(chain[0], Trap)):
            return ""
        thread = threading.current_thread().name
        return (
            f"Perhaps it belongs to {chain[0].describe()}, which has started the thread {thread}. That test is over, "
            "and the thread may work for others."
        )
    names = dict.fromkeys([*_names_at_end, *(trap.describe() for trap in _suspects)])
    if not names:
        return ""
    return (
        "Garbage collection found it, so that nothing says for certain who has left it. Perhaps it was one of these "
        f"tests, or code outside of them: {', '.join(names)}"
    )
