"""A watch over loops that are blocked by synchronous code: they run no timers, so it looks from outside.

One thread for the whole process, which sleeps until the next limit is over. It is none of the ``threading`` module's,
so that it is in nobody's way who counts those.
"""

import _thread
import os
import signal
import sys
import threading
import traceback
import types
from typing import Protocol

from asynctest_tornado._real import monotonic, sleep

__unittest = True

#: Seconds that a loop has to notice by itself that the time is over.
MARGIN = 0.25
#: Seconds between the two looks at the stack which show that nothing moves.
INTERVAL = 0.05
#: Seconds that a callback which was interrupted has to come to its end.
PATIENCE = 1.0
#: Seconds after which the thread ends if there is nothing to watch.
_IDLE = 1.0

_OWN = os.path.dirname(__file__)
#: Modules in which a program stands while somebody debugs it. Coverage tools trace, too, and are none.
_DEBUGGERS = ("bdb", "pdb", "pydevd", "_pydevd_bundle", "debugpy", "ipdb", "pudb")


class Watch:
    """One loop, and the time at which it is to be looked at. The methods are called in the thread of the watchdog."""

    when: float
    thread: int

    def is_blocked(self, frame: types.FrameType) -> str | None:
        """Learn that the thread is blocked, and where it stands.

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


#: The signal that interrupts the main thread where SIGINT does not.
stand_in: int | None = None

_lock = threading.Lock()
_watches: list[Watched] = []
_wake = threading.Event()
_is_running = False
_next_look = 0.0


def start(watch: Watched) -> None:
    """Begin to watch."""
    global _is_running
    with _lock:
        _watches.append(watch)
        if not _is_running:
            _see_to_signal()
            _is_running = True
            _wake.clear()
            _thread.start_new_thread(_run, ())
        elif watch.when < _next_look:
            _wake.set()


def stop(watch: Watched) -> None:
    """End it."""
    with _lock:
        if watch in _watches:
            _watches.remove(watch)


def is_alive() -> bool:
    """Tell whether there is a thread for it now."""
    return _is_running


def _run() -> None:
    global _is_running, _next_look
    while True:
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
            _next_look = min((watch.when for watch in _watches), default=monotonic() + _IDLE)
        _wake.wait(max(0.0, _next_look - monotonic()))
        with _lock:
            _wake.clear()
            if not _watches:
                _is_running = False
                return


def _begin_anew() -> None:
    """Forget, in a process that was forked, the thread that it does not have."""
    global _lock, _wake, _is_running
    _lock, _wake, _is_running = threading.Lock(), threading.Event(), False
    _watches.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def _look(watch: Watch) -> None:
    before = _callback_frame(watch.thread)
    sleep(INTERVAL)
    after = _callback_frame(watch.thread)
    innermost = sys._current_frames().get(watch.thread)
    if innermost is not None and is_debugging(innermost):
        watch.stop_clock()
    with _lock:
        is_stuck = before is not None and before is after and innermost is not None and not is_debugging(innermost)
        if watch not in _watches or not is_stuck:
            watch.when = monotonic() + MARGIN
            return
        assert innermost is not None
        # Under the lock, so that nobody stops the watch while it interrupts; but printing may take its time.
        message = watch.is_blocked(innermost)
        if message is None:
            watch.when = monotonic() + PATIENCE
            return
        _watches.remove(watch)
    print(message, file=sys.stderr, flush=True)


def _callback_frame(thread: int) -> types.FrameType | None:
    """Return the frame of the callback that the loop of a thread runs, or None if it waits for something to do."""
    found, frame = None, sys._current_frames().get(thread)
    while frame is not None and os.path.dirname(frame.f_code.co_filename) != _OWN:
        if str(frame.f_globals.get("__name__")).partition(".")[0] not in ("asyncio", "selectors"):
            found = frame
        frame = frame.f_back
    return found


def is_debugging(frame: types.FrameType | None) -> bool:
    """Tell whether a debugger has stopped the program there."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _DEBUGGERS:
            return True
        frame = frame.f_back
    return False


def is_debugger_attached() -> bool:
    """Tell whether a debugger traces this thread."""
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


def _raises(number: int) -> bool:
    return signal.getsignal(number) is signal.default_int_handler


def _see_to_signal() -> None:
    """Have a signal that raises KeyboardInterrupt, in the main thread, which alone can set one up.

    SIGINT is ignored in what a shell runs in the background, and ``python -m unittest --catch`` handles it.
    """
    global stand_in
    if _raises(signal.SIGINT) or threading.current_thread() is not threading.main_thread():
        return
    if stand_in is None or not _raises(stand_in):
        # One of those that are for programs to use as they like. Not every platform has them.
        numbers = range(getattr(signal, "SIGRTMAX", 0), getattr(signal, "SIGRTMIN", 1) - 1, -1)
        stand_in = next((number for number in numbers if signal.getsignal(number) is signal.SIG_DFL), None)
        if stand_in is not None:
            signal.signal(stand_in, signal.default_int_handler)


def interrupt(thread: int) -> bool:
    """Raise KeyboardInterrupt in a thread, out of whatever it does; return whether that is possible."""
    if thread != threading.main_thread().ident or not hasattr(signal, "pthread_kill"):
        return False
    number = signal.SIGINT if _raises(signal.SIGINT) else stand_in
    if number is None or not _raises(number):
        return False
    signal.pthread_kill(thread, number)
    return True


def stack(frame: types.FrameType) -> str:
    """Return the stack, as a traceback prints it."""
    return "".join(traceback.format_stack(frame))
