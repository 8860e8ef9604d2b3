"""A watch over loops that are blocked by synchronous code: they run no timers, so it looks from outside.

One thread for the whole process, which sleeps until the next limit is over. It is none of the ``threading`` module's,
so that it is in nobody's way who counts those.
"""

import functools
import os
import sys
import threading
import traceback
import types
from _thread import allocate_lock, get_native_id, start_new_thread
from collections.abc import Callable
from typing import Protocol

from asynctest_tornado._timeouts import interrupter
from asynctest_tornado._util.real_time import exists, monotonic, sleep

__unittest = True

#: Seconds that a loop has to notice by itself that the time is over.
OVERRUN_SECONDS = 0.25
#: Seconds between the two looks at the stack which show that nothing moves.
LOOK_INTERVAL_SECONDS = 0.05
#: Seconds that a callback which was interrupted has to come to its end.
INTERRUPTED_CALLBACK_SECONDS = 1.0
#: Seconds after which the thread ends if there is nothing to watch.
_IDLE_SECONDS = 1.0

#: Modules in which a program stands while somebody debugs it. Coverage tools trace, too, and are none.
_DEBUGGERS = ("bdb", "pdb", "pydevd", "_pydevd_bundle", "debugpy", "ipdb", "pudb")


class Watch:
    """One loop, and the time at which it is to be looked at. The methods are called in the thread of the watchdog."""

    when: float
    thread: int

    def is_blocked(self, callback: types.FrameType, frame: types.FrameType) -> str | None:
        """Learn that a callback blocks the thread, and where it stands.

        :return: what is to be printed; or None if that has ended the callback, which is then looked at once more.
        """
        raise NotImplementedError

    def stop_clock(self) -> None:
        """Learn that a debugger has stopped the thread."""
        raise NotImplementedError

    def look(self) -> None:
        _look(self)


class Watched(Protocol):
    """What can be watched."""

    when: float
    """The next time to look at it, by the clock of this module."""

    def look(self) -> None:
        """Look at it, in the thread of the watchdog, and set the next time."""


_lock = threading.Lock()
_watches: list[Watched] = []
_wake = threading.Event()
_thread: "_Thread | None" = None
_next_look = 0.0


def start(watch: Watched) -> None:
    """Begin to watch."""
    if interrupter.stand_in is None:
        interrupter.prepare()
    with _lock:
        _watches.append(watch)
        if _thread is None:
            _start_thread()
        elif watch.when < _next_look:
            _wake.set()


def stop(watch: Watched) -> None:
    """End it."""
    with _lock:
        if watch in _watches:
            _watches.remove(watch)


def is_alive() -> bool:
    """Return whether there is a thread for it now."""
    return _thread is not None


class _Thread:
    """The thread of the watchdog. It is none of the ``threading`` module's."""

    def __init__(self) -> None:
        self.must_end = False
        self._ended = allocate_lock()
        self._ended.acquire()
        self._number = 0
        start_new_thread(self._run, ())

    def _run(self) -> None:
        self._number = get_native_id()
        try:
            _run(self)
        finally:
            self._ended.release()

    def join(self) -> None:
        """Wait until the system does not count it any more."""
        with self._ended:
            task = f"/proc/self/task/{self._number}"
        for _ in range(10_000):  # not for ever: another thread may get its number
            if not exists(task):
                return
            sleep(0.0001)


def _start_thread() -> None:
    global _thread
    _wake.clear()
    _thread = _Thread()


def _run(thread: _Thread) -> None:
    global _thread, _next_look
    while not thread.must_end:
        with _lock:
            now = monotonic()
            due = [watch for watch in _watches if watch.when <= now]
        for watch in due:
            try:
                watch.look()
            except Exception:
                # Where nothing can be printed, say: this thread has to go on for the others.
                stop(watch)
        with _lock:
            _next_look = min((watch.when for watch in _watches), default=monotonic() + _IDLE_SECONDS)
        _wake.wait(max(0.0, _next_look - monotonic()))
        with _lock:
            _wake.clear()
            if not _watches:
                if _thread is thread:
                    _thread = None
                return


def _pause() -> None:
    """End the thread before a fork, which would see it: from Python 3.12 on, it warns of threads."""
    global _thread, _resume
    with _lock:
        thread, _thread = _thread, None
        if thread is None:
            return
        thread.must_end = True
        _wake.set()
        if _resume is None and _watches:
            # It is the last one of its kind that is called then.
            _resume = _resumption()
            os.register_at_fork(after_in_parent=_resume)
    thread.join()


def _start_again() -> None:
    with _lock:
        if _thread is None and _watches:
            _start_thread()


def _resumption() -> Callable[[], object]:
    """Return what starts the thread again after a fork, once ``os.fork`` has returned, which counts threads last.

    The call has to be one of C, or the interpreter would make the pending one within ``os.fork``.
    """
    try:
        import ctypes

        pending = ctypes.pythonapi.Py_AddPendingCall
    except (ImportError, AttributeError):
        return _start_again

    def call(argument: object) -> int:
        _start_again()
        return 0

    prototype = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
    pending.argtypes = [prototype, ctypes.c_void_p]
    return functools.partial(pending, prototype(call), None)


#: Set at the first fork that needs it.
_resume: Callable[[], object] | None = None


def _begin_anew() -> None:
    """Forget, in a process that was forked, the thread that it does not have."""
    global _lock, _wake, _thread
    _lock, _wake, _thread = threading.Lock(), threading.Event(), None
    _watches.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause, after_in_child=_begin_anew)


def _look(watch: Watch) -> None:
    before, _ = interrupter.look(watch.thread)
    sleep(LOOK_INTERVAL_SECONDS)
    after, innermost = interrupter.look(watch.thread)
    if innermost is not None and is_debugging(innermost):
        watch.stop_clock()
    with _lock:
        is_stuck = before is not None and before is after and innermost is not None and not is_debugging(innermost)
        if watch not in _watches or not is_stuck:
            watch.when = monotonic() + OVERRUN_SECONDS
            return
        assert before is not None
        assert innermost is not None
        # Under the lock, so that nobody stops the watch while it interrupts; but printing may take its time.
        message = watch.is_blocked(before, innermost)
        if message is None:
            watch.when = monotonic() + INTERRUPTED_CALLBACK_SECONDS
            return
        _watches.remove(watch)
    print(message, file=sys.stderr, flush=True)


def is_debugging(frame: types.FrameType | None) -> bool:
    """Return whether a debugger has stopped the program there."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _DEBUGGERS:
            return True
        frame = frame.f_back
    return False


def is_debugger_attached() -> bool:
    """Return whether a debugger traces this thread."""
    trace = sys.gettrace()
    owner = getattr(trace, "__self__", trace)
    if str(getattr(type(owner), "__module__", "")).partition(".")[0] in _DEBUGGERS:
        return True
    if any(base.__module__ == "bdb" for base in type(owner).__mro__):
        return True
    if str(getattr(trace, "__module__", "")).partition(".")[0] in _DEBUGGERS:
        return True
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12
    return monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None


def stack(frame: types.FrameType) -> str:
    """Return the stack, as a traceback prints it."""
    return "".join(traceback.format_stack(frame))
