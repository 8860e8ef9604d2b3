"""Where errors surface in the interpreter itself: in threads, in finalizers, and in coroutines that nobody awaited.

The hooks stay in place once a test has asked for them. An error may surface after its test; then the test is known by
the thread in which it happens, or, for an object that was garbage, by the tests that ran since the last collection.
"""

import concurrent.futures.thread
import functools
import gc
import sys
import threading
import types
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

from asynctest_tornado import _trap
from asynctest_tornado._collector import Trap

__unittest = True

#: The tests that can have left what the garbage collector finds: those since its last full run, the latest last.
_suspects: list[Trap] = []
_MOST_SUSPECTS = 20
_is_collecting = False

_next_excepthook: Callable[[threading.ExceptHookArgs], object] = threading.excepthook
_next_unraisablehook: Callable[["sys.UnraisableHookArgs"], object] = sys.unraisablehook
_next_warn_unawaited: Callable[[Any], object] = getattr(warnings, "_warn_unawaited_coroutine", lambda coro: None)
_start_thread = threading.Thread.start
_pool_worker = getattr(concurrent.futures.thread, "_worker", None)


def watch(trap: Trap) -> None:
    """Put the trap in front of the hooks of the interpreter, for a test that begins."""
    global _next_excepthook, _next_unraisablehook
    if threading.excepthook is not _on_thread:
        _next_excepthook, threading.excepthook = threading.excepthook, _on_thread
    if sys.unraisablehook is not _on_unraisable:
        _next_unraisablehook, sys.unraisablehook = sys.unraisablehook, _on_unraisable
    if _on_collection not in gc.callbacks:
        gc.callbacks.append(_on_collection)
        threading.Thread.start = _start  # type: ignore[method-assign]
        # What the interpreter calls for such a coroutine, before any filter of warnings.
        warnings._warn_unawaited_coroutine = _on_unawaited  # type: ignore[attr-defined]
    _suspects.append(trap)
    del _suspects[:-_MOST_SUSPECTS]


def _on_collection(phase: str, info: dict[str, int]) -> None:
    global _is_collecting
    _is_collecting = phase == "start"
    if phase == "stop" and info["generation"] == 2:
        _suspects[:] = [trap for trap in _suspects if trap.is_open]


@functools.wraps(_start_thread)
def _start(self: threading.Thread) -> None:
    """Let the thread inherit the contexts of the code that starts it, as a callback or task does.

    It does not inherit context variables by itself, before Python 3.14. The worker of a pool is to inherit nothing:
    it works for whoever comes.
    """
    chain = _trap.chain_here()
    if chain and getattr(self, "_target", None) is not _pool_worker:
        run = self.run

        def run_in_contexts() -> None:
            del self.run  # the instance's, which would be a reference cycle
            _trap.contexts.set(chain)
            run()

        self.run = run_in_contexts  # type: ignore[method-assign]
    _start_thread(self)


def _on_thread(args: threading.ExceptHookArgs) -> None:
    if not (_trap.is_error(args.exc_value) and _trap.deliver(args.exc_value, _trap.chain_here())):
        _next_excepthook(args)


def _on_unraisable(info: "sys.UnraisableHookArgs") -> None:
    error = info.exc_value
    # A warning that was turned into an error is still about something that was left open, and nothing that failed.
    if not _trap.is_error(error) or isinstance(error, Warning) or not _deliver(error):
        _next_unraisablehook(info)


def _on_unawaited(coro: Coroutine[Any, Any, Any]) -> None:
    code = getattr(coro, "cr_code", None)
    is_mock = code is not None and "unittest/mock" in code.co_filename.replace("\\", "/")
    if is_mock or _is_recording_warnings() or not _deliver(_never_awaited(coro, code)):
        _next_warn_unawaited(coro)


def _is_recording_warnings() -> bool:
    """Tell whether ``assertWarns`` or the like is in force, and was not yet when the test began."""
    show = getattr(warnings, "_showwarnmsg_impl", None)
    chain = _trap.chain_here()
    return bool(chain) and isinstance(chain[0], Trap) and chain[0].show_warning is not show


def _never_awaited(coro: Coroutine[Any, Any, Any], code: types.CodeType | None) -> RuntimeWarning:
    message = f"coroutine '{getattr(coro, '__qualname__', coro)}' was never awaited"
    if code is not None:
        message += f" (defined at {code.co_filename}:{code.co_firstlineno})"
    error = RuntimeWarning(message + ", so that nothing of it ran. Await it, or hand it to run_sync().")
    frame: types.FrameType | None = sys._getframe(2)
    if frame is not None and not _is_collecting:
        # Where it was dropped: mostly the very line of the call.
        error.__traceback__ = types.TracebackType(None, frame, frame.f_lasti, frame.f_lineno)
    return error


def _deliver(error: BaseException) -> bool:
    """Give the error to the test whose code runs, unless that only set the garbage collector off."""
    if not _is_collecting:
        chain = _trap.chain_here()
        if chain:
            return _trap.deliver(error, chain)
        # What goes with a test that unittest lets go of is that test's.
        if "__unittest" not in sys._getframe(2).f_globals:
            return False
    if not _suspects:
        return False
    if len(_suspects) == 1 or not _is_collecting:
        return _trap.deliver(error, (_suspects[-1],))
    return _suspects[-1].report_for_one_of(_suspects, error)
