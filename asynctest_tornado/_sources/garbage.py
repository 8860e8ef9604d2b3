"""Errors that the garbage collector finds, and the tests that they may be of.

An error that surfaces in a garbage collection does not belong to the code that happens to run then. It belongs to one
of the tests since the last full collection, if only tests of this library have run meanwhile. Otherwise it may belong
to any code: it is reported as if this library were not there, and the report names the tests that may have left it.
"""

import atexit
import collections
import gc
import threading
from collections.abc import Callable, Sequence

from asynctest_tornado._errors import contexts, notes
from asynctest_tornado._errors.collection import apart, is_collecting
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._sources.outliving_threads import is_guess
from asynctest_tornado._sources.place_in_run import Place, follows, is_same

__unittest = True

#: Returns the place of a test in its run, if that is known.
GetPlace = Callable[[], Place | None]
#: The tests that can have left the objects that the garbage collector finds, the latest last, with their places.
_suspects: collections.deque[tuple[Trap, GetPlace]] = collections.deque(maxlen=20)
#: The place of the latest one in its run.
_latest: Place | None = None
#: Their names, at the end of the process.
_names_at_end: list[str] = []
#: True if no other code has run since the last full collection, as far as that can be known.
_is_complete = False
#: None under PyPy, which does not report collections.
_callbacks = getattr(gc, "callbacks", None)


def suspect(trap: Trap, get_place: GetPlace) -> None:
    """Add a test that begins to the tests that may have left garbage."""
    global _latest, _is_complete
    place = get_place()
    if _callbacks is not None and _on_collection not in _callbacks:
        watch()
        _names_at_end.clear()
        # Once in a run: no earlier object can then pass for one of a test.
        gc.collect()
        _is_complete = place is not None
    elif _is_complete:  # else no place makes a difference
        _is_complete = place is not None and follows(place, _latest)
    _latest = place
    _suspects.append((trap, get_place))


def watch() -> None:
    """Learn of collections, until `unwatch`."""
    if _callbacks is not None and _on_collection not in _callbacks:
        _callbacks.append(_on_collection)


def unwatch() -> None:
    """Learn of collections no more, and let go of the tests. Reports at the end of the process still name them."""
    _let_go()
    if _callbacks is not None and _on_collection in _callbacks:
        _callbacks.remove(_on_collection)


def _on_collection(phase: str, info: dict[str, int]) -> None:
    global _is_complete
    contexts.collector = threading.get_ident() if phase == "start" else None
    if phase == "stop" and info["generation"] == 2:
        suspects = [each for each in _suspects if each[0].is_open]
        _is_complete = bool(suspects) or not _is_other_running()
        _suspects.clear()
        _suspects.extend(suspects)


def collect_last() -> None:
    """Collect garbage if it can be attributed, as it cannot be after the end of the run."""
    if _is_complete and not _is_other_running():
        gc.collect()


def _let_go() -> None:
    global _latest, _is_complete
    _names_at_end.extend(trap.describe() for trap, _ in _suspects)
    _suspects.clear()
    _latest, _is_complete = None, False


def _end() -> None:
    """Drop all classes of tests at the end of the process.

    The objects of their modules are garbage then, and their errors surface while all other modules are still there.
    """
    collect_last()
    _let_go()


# At import: functions that programs register are called before.
atexit.register(_end)


def _is_other_running() -> bool:
    """Return true if a test of another library may be running, or have run, after the latest test."""
    place = _suspects[-1][1]() if _suspects else None
    return place is None or not is_same(place, _latest)


def deliver(error: BaseException) -> bool:
    """Deliver the error of an object that was garbage to the tests that have left it; return true if one took it."""
    if not _is_complete or _is_other_running():
        return False
    if len(_suspects) == 1:
        return apart(contexts.deliver, error, (_suspects[-1][0],))
    return report_for_one_of([trap for trap, _ in _suspects], error)


def deliver_dropped(error: BaseException) -> bool:
    """Deliver the error of an object that is being dropped; return true if a test took it.

    It belongs to the test whose code runs, unless that code only set the garbage collector off.
    """
    if is_collecting():
        return deliver(error)
    chain = contexts.chain_here()
    if is_guess(chain):
        chain = chain[1:]  # the handlers of the errors of a thread stay with it for as long as it lives
    return bool(chain) and contexts.deliver(error, chain)


def report_for_one_of(suspects: Sequence[Trap], error: BaseException) -> bool:
    """Report a late error that belongs to one of several tests, in their order; return true if that was possible."""
    last = suspects[-1]
    if last.reporter is None:
        return False
    names = ", ".join(dict.fromkeys(trap.describe() for trap in suspects))
    found = "" if contexts.collector is None else "Garbage collection found it. "
    text = f"{found}The object was left by one of these tests, or by code outside of them: {names}"
    notes.add(error, text, last)
    return last.reporter.late(error, suspects[0].describe())


def suspects_between(first: Trap, last: Trap) -> list[Trap]:
    """Return two traps, and the traps between them whose tests can have left garbage."""
    suspects = [trap for trap, _ in _suspects]
    begin = suspects.index(first) + 1 if first in suspects else 0
    end = suspects.index(last) if last in suspects else begin
    return [first, *suspects[begin:end], last]


def guess() -> str:
    """Return a text that names the tests to which an error may belong, for a report that blames none; or ``""``."""
    if not is_collecting():
        chain = contexts.chain_here()
        if not (is_guess(chain) and isinstance(chain[0], Trap)):
            return ""
        thread = threading.current_thread().name
        return (
            f"Perhaps it belongs to {chain[0].describe()}, which has started the thread {thread}. That test is over, "
            "and the thread may work for others."
        )
    names = dict.fromkeys([*_names_at_end, *(trap.describe() for trap, _ in _suspects)])
    if not names:
        return ""
    return (
        "Garbage collection found it, so that its origin is not certain. Perhaps it was left by one of these "
        f"tests, or by code outside of them: {', '.join(names)}"
    )
