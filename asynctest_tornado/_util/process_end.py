"""Act at the end of the process, and make that end a failure."""

# Tested by tests/unittest/test_late_errors.py.

import atexit
import functools
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

__unittest = True

_has_begun = False
_watches_forks = False
_actions: list[Callable[[], object]] = []


def is_worker() -> bool:
    """Return whether another process has started this one, by ``multiprocessing``, and reads its exit status."""
    return multiprocessing.parent_process() is not None


def add(action: Callable[[], object]) -> None:
    """Have a function called at the end of this process, once; not at the end of processes that it forks."""
    if action in _actions:
        return
    if not _actions:
        _register()
    _actions.append(action)


def has_begun() -> bool:
    """Return whether the end has begun, so that actions for the end have to be taken at once."""
    return _has_begun or not threading.main_thread().is_alive()


def fail_later(text: str) -> None:
    """Report an error at the end of this process, and make that end a failure."""
    if has_begun():
        fail(text)
    else:
        add(functools.partial(fail, text))


def _register() -> None:
    global _watches_forks
    if is_worker():
        # It ends without the functions of atexit.
        import multiprocessing.util

        multiprocessing.util.Finalize(None, _run, exitpriority=0)
    else:
        atexit.register(_run)
    if not _watches_forks and hasattr(os, "register_at_fork"):
        _watches_forks = True
        os.register_at_fork(after_in_child=_forget)


def _forget() -> None:
    _actions.clear()
    atexit.unregister(_run)


def _run() -> None:
    global _has_begun
    _has_begun = True
    for action in _actions:
        action()


class _Unflushable:
    """A stream that the interpreter cannot flush, and all others can."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def flush(self) -> None:
        if self._stream is not None:
            self._stream.flush()
        if sys._getframe().f_back is None:
            raise OSError("the process has to fail")  # the interpreter shows it nowhere


#: The name under which ``sys`` keeps the object that ends the process.
_LAST = "_asynctest_tornado_last"


class _Last:
    """Ends the process as a failure when the interpreter drops it, after all objects of the program."""

    def __init__(self) -> None:
        self._streams = [stream for stream in (sys.stdout, sys.stderr) if stream is not None]

    # By then, the modules have no more names to offer.
    def __del__(self, leave: Callable[[int], object] = os._exit) -> None:
        for stream in self._streams:
            try:
                stream.flush()
            except (OSError, ValueError):
                continue  # for example, because it is closed, or the other end of its pipe is
        leave(120)


def write(text: str) -> None:
    """Report an error on ``sys.stderr``, if no test result takes it any more."""
    stream = sys.stderr or sys.__stderr__
    if stream is not None:
        stream.write(f"\nasynctest_tornado, after the end of the test run:\n{text}")
        stream.flush()


def fail(text: str) -> None:
    """Report an error, and make the process end with a status that is not 0.

    ``os._exit`` would skip the actions of other libraries at the end, and the status is fixed by now. But the status is
    120 if the standard streams cannot be flushed: https://docs.python.org/3/library/sys.html#sys.exit

    The interpreter collects garbage, and empties its modules, after it has flushed the streams for the last time. An
    error that is found only then ends the process by ``os._exit`` after all, from an attribute of ``sys``: that module
    is the last but one to be emptied.
    """
    write(text)
    if sys.implementation.name != "cpython":
        os._exit(1)
    if sys.is_finalizing():
        if _LAST not in vars(sys):
            vars(sys)[_LAST] = _Last()
    elif not isinstance(sys.stderr, _Unflushable):
        sys.stderr = _Unflushable(sys.stderr)
