"""Interrupts a callback that blocks the main thread, from another thread.

It interrupts the callback, and nothing else. A signal arrives some time after it was sent. By then, the callback may
have ended, and the loop, or this library, be about to stop: a KeyboardInterrupt would leave them half stopped. Hence
the handler of the signal looks which callback the thread runs, and raises only if it is still the same. SIGINT, whose
handler is the user's, is a last resort.
"""

# Tested by tests/timeouts/test_watchdog.py.

import signal
import threading
import types
from collections.abc import Iterable

from asynctest_tornado._util.real_time import get_signal_handler, set_signal_handler
from asynctest_tornado._util.stacks import outwards
from asynctest_tornado._util.tracebacks import ASYNCIO, OURS, owner_of

__unittest = True

#: Seconds for which a signal may be on its way.
DELIVERY_SECONDS = 0.2

#: The signal that has the handler.
stand_in: int | None = None


class Interruption:
    """One signal, sent to end a callback, or a call that waits.

    :param callback: its frame.
    :param error: the error to raise in a call that waits.
    """

    def __init__(self, callback: types.FrameType, error: Exception | None = None) -> None:
        self.callback: types.FrameType | None = callback
        self.error = error
        #: True if it has raised KeyboardInterrupt; None as long as it is on its way.
        self.has_raised: bool | None = None


_sent: list[Interruption] = []


def callback_frame(stack: Iterable[types.FrameType]) -> types.FrameType | None:
    """Return the frame of the callback that the loop of a thread runs; None if the loop sleeps.

    None, too, while the callback has called a function of this library.

    :param stack: the frames of the thread, the innermost first.
    """
    found = None
    for frame in stack:
        owner = owner_of(frame)
        if owner is OURS:
            break
        if owner is not ASYNCIO and frame.f_globals.get("__name__") != "selectors":
            found = frame
    return found


def prepare() -> None:
    """Set up the handler of the signal. Only the main thread can do so."""
    global stand_in
    if stand_in is not None or threading.current_thread() is not threading.main_thread():
        return
    # A real-time signal: these have no meaning of their own. Not every platform has them.
    numbers = range(getattr(signal, "SIGRTMAX", 0), getattr(signal, "SIGRTMIN", 1) - 1, -1)
    stand_in = next((number for number in numbers if get_signal_handler(number) is signal.SIG_DFL), None)
    if stand_in is not None:
        set_signal_handler(stand_in, _on_signal)


def restore() -> None:
    """Restore the handler of the signal, when no thread can send it any more."""
    global stand_in
    if stand_in is None or threading.current_thread() is not threading.main_thread():
        return
    if get_signal_handler(stand_in) is _on_signal:
        # Ignored first: that drops a signal which is on its way, and would end the process.
        set_signal_handler(stand_in, signal.SIG_IGN)
        set_signal_handler(stand_in, signal.SIG_DFL)
    stand_in = None


def interrupt(thread: int, callback: types.FrameType) -> Interruption | None:
    """Raise KeyboardInterrupt in the callback of a thread. Return None if that is not possible."""
    if thread != threading.main_thread().ident or not hasattr(signal, "pthread_kill"):
        return None
    interruption = Interruption(callback)
    if stand_in is not None and get_signal_handler(stand_in) is _on_signal:
        _sent.append(interruption)
        signal.pthread_kill(thread, stand_in)
        return interruption
    if get_signal_handler(signal.SIGINT) is signal.default_int_handler:
        interruption.has_raised = True
        signal.pthread_kill(thread, signal.SIGINT)
        return interruption
    return None


def end_call(call: types.FrameType, error: Exception) -> bool:
    """Raise an error in the innermost frame of the main thread. Return false if that is not possible."""
    thread = threading.main_thread().ident
    if thread is None or stand_in is None or get_signal_handler(stand_in) is not _on_signal:
        return False
    _sent.append(Interruption(call, error))
    signal.pthread_kill(thread, stand_in)
    return True


def _on_signal(number: int, frame: types.FrameType | None) -> None:
    callback = callback_frame(outwards(frame))
    error: BaseException | None = None
    waits = None
    while _sent:
        interruption = _sent.pop()
        waits = frame if interruption.error is not None else callback
        interruption.has_raised = waits is not None and interruption.callback is waits
        interruption.callback = None  # or it would keep the objects of the callback alive
        if interruption.has_raised:
            error = interruption.error or KeyboardInterrupt()
    del callback, frame, waits
    if error is not None:
        try:
            raise error
        finally:
            del error  # or its traceback, which refers to this frame, would be a reference cycle
