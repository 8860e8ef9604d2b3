"""Looks, in a thread of its own, for code that blocks a loop.

A loop that synchronous code blocks runs no timers, so that no time limit can end the wait. The thread sleeps until
`OVERRUN_SECONDS` after the next limit; mostly, the loop has ended the wait by then. If not, the thread looks at the
stack of the loop's thread twice, `LOOK_INTERVAL_SECONDS` apart. If both looks find the same call of the same callback,
it blocks the loop: the watch is called, which interrupts it (see `blocked_code`), or has a message printed. A program
that a debugger has stopped does not count, and has no time limit from then on.

There is one thread for the process, which ends if it has nothing to watch. It is not a thread of the ``threading``
module, whose threads a test may count. It pauses during a fork, since Python warns of a fork with threads, and a
thread does not exist in the child process.
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

from asynctest_tornado._timeouts import blocked_code
from asynctest_tornado._util import debuggers
from asynctest_tornado._util.real_time import exists, monotonic, sleep
from asynctest_tornado._util.stacks import stack_of

__unittest = True

#: Seconds for a loop to notice by itself that the time is over.
OVERRUN_SECONDS = 0.25
#: Seconds between the two looks at the stack.
LOOK_INTERVAL_SECONDS = 0.05
#: Seconds that an interrupted callback gets to end.
INTERRUPTED_CALLBACK_SECONDS = 1.0
#: Seconds after which the thread ends, without anything to watch.
_IDLE_SECONDS = 1.0


class Watch:
    """One loop, and the time of the next look at it. The thread of the watchdog calls the methods."""

    when: float
    thread: int

    def is_blocked(self, callback: types.FrameType, stack: list[types.FrameType]) -> str | None:
        """Interrupt a callback that blocks the thread.

        :param callback: the frame of the callback.
        :param stack: the frames of the thread, the innermost first.
        :return: None if it was interrupted, so that the watchdog looks once more; else a text to print.
        """
        raise NotImplementedError

    def stop_clock(self) -> None:
        """Stop the time limit: a debugger has stopped the thread."""
        raise NotImplementedError

    def look(self) -> None:
        _look(self)


class Watched(Protocol):
    """An object that the watchdog looks at."""

    when: float
    """The time of the next look, by the computer's monotonic clock."""

    def look(self) -> None:
        """Look at it, in the thread of the watchdog, and set the time of the next look."""


_lock = threading.Lock()
_watches: list[Watched] = []
_wake = threading.Event()
_thread: "_Thread | None" = None
_next_look = 0.0


def start(watch: Watched) -> None:
    """Begin a watch."""
    if blocked_code.stand_in is None:
        blocked_code.prepare()
    with _lock:
        _watches.append(watch)
        if _thread is None:
            _start_thread()
        elif watch.when < _next_look:
            _wake.set()


def stop(watch: Watched) -> None:
    """End a watch."""
    with _lock:
        if watch in _watches:
            _watches.remove(watch)


def act(watch: Watched, func: Callable[[], object]) -> None:
    """Call a function unless a watch has ended, and let it not end meanwhile."""
    with _lock:
        if watch in _watches:
            func()


def is_alive() -> bool:
    """Return whether the thread of the watchdog is there."""
    return _thread is not None


def native_id() -> int | None:
    """Return the number that the system gives to the thread of the watchdog; None if it is not there."""
    thread = _thread
    return None if thread is None else thread.number


class _Thread:
    """The thread of the watchdog."""

    def __init__(self) -> None:
        self.must_end = False
        self._ended = allocate_lock()
        self._ended.acquire()
        self.number = 0
        start_new_thread(self._run, ())

    def _run(self) -> None:
        self.number = get_native_id()
        try:
            _run(self)
        finally:
            self._ended.release()

    def join(self) -> None:
        """Wait until the thread has ended, and the system does not count it any more."""
        with self._ended:
            task = f"/proc/self/task/{self.number}"
        for _ in range(10_000):  # limited, as another thread may get its number
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
                # For example, the message cannot be printed. The other watches go on.
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


def end() -> None:
    """End the thread, and restore the signal, unless there is something to watch."""
    global _thread
    with _lock:
        if _watches:
            return
        thread, _thread = _thread, None
        if thread is not None:
            thread.must_end = True
            _wake.set()
    if thread is not None:
        thread.join()
    blocked_code.restore()


def _pause() -> None:
    """End the thread before a fork: from Python 3.12 on, Python warns of threads there."""
    global _thread, _resume
    with _lock:
        thread, _thread = _thread, None
        if thread is None:
            return
        thread.must_end = True
        _wake.set()
        if _resume is None and _watches:
            # Registered last, it is called last.
            _resume = _resumption()
            os.register_at_fork(after_in_parent=_resume)
    thread.join()


def _start_again() -> None:
    with _lock:
        if _thread is None and _watches:
            _start_thread()


def _resumption() -> Callable[[], object]:
    """Return a function that starts the thread again after a fork.

    ``os.fork`` counts the threads last, so the thread has to start after that: by a pending call of the interpreter. It
    is added by a function of C: after a function of Python, the interpreter makes pending calls within ``os.fork``.
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


#: Registered at the first fork that needs it.
_resume: Callable[[], object] | None = None


def _begin_anew() -> None:
    """Begin without thread and watches in a child process, which has no threads of its parent."""
    global _lock, _wake, _thread
    _lock, _wake, _thread = threading.Lock(), threading.Event(), None
    _watches.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause, after_in_child=_begin_anew)


def _look(watch: Watch) -> None:
    before = blocked_code.callback_frame(stack_of(watch.thread))
    sleep(LOOK_INTERVAL_SECONDS)
    stack = stack_of(watch.thread)
    callback = blocked_code.callback_frame(stack)
    is_debugged = debuggers.have_stopped(stack)
    if is_debugged:
        watch.stop_clock()
    with _lock:
        if watch not in _watches or callback is None or callback is not before or is_debugged:
            watch.when = monotonic() + OVERRUN_SECONDS
            return
        # Under the lock, so that the watch cannot end while it interrupts. Not so the printing, which may take long.
        message = watch.is_blocked(callback, stack)
        if message is None:
            watch.when = monotonic() + INTERRUPTED_CALLBACK_SECONDS
            return
        _watches.remove(watch)
    print(message, file=sys.stderr, flush=True)


def formatted(stack: list[types.FrameType]) -> str:
    """Return a stack as a traceback prints it."""
    lines = ((frame, frame.f_lineno) for frame in reversed(stack))
    return "".join(traceback.StackSummary.extract(lines).format())
