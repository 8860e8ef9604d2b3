"""Where errors surface in the interpreter itself: in threads, in finalizers, and in coroutines that nobody awaited.

The hooks stay in place once a test has asked for them. An error may surface after its test; then the test is known by
the thread in which it happens, or, for an object that was garbage, by the tests that ran since the last collection.
"""

import concurrent.futures.thread
import contextvars
import functools
import sys
import threading
import types
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

from asynctest_tornado import _garbage, _origins, _resources, _trap
from asynctest_tornado._collector import Trap, warnings_now

__unittest = True

_next_excepthook: Callable[[threading.ExceptHookArgs], object] = threading.excepthook
_next_unraisablehook: Callable[["sys.UnraisableHookArgs"], object] = sys.unraisablehook
_next_warn_unawaited: Callable[[Any], object] = getattr(warnings, "_warn_unawaited_coroutine", lambda coro: None)
_start_thread = threading.Thread.start
_pool_worker = getattr(concurrent.futures.thread, "_worker", None)
#: Whether a thread starts with the context variables of the code that starts it.
_INHERITS = bool(getattr(sys.flags, "thread_inherit_context", False))
#: The attribute of a thread that has failed, for the contexts in which it did.
_CHAIN = "_asynctest_chain"

_handing_on = threading.local()


def watch(trap: Trap) -> None:
    """Put the trap in front of the hooks of the interpreter, for a test that begins."""
    global _next_excepthook, _next_unraisablehook
    if threading.excepthook is not _on_thread:
        _next_excepthook, threading.excepthook = threading.excepthook, _on_thread
    if sys.unraisablehook is not _on_unraisable:
        _next_unraisablehook, sys.unraisablehook = sys.unraisablehook, _on_unraisable
    if threading.Thread.start is not _start:
        threading.Thread.start = _start  # type: ignore[method-assign]
        # What the interpreter calls for such a coroutine, before any filter of warnings.
        warnings._warn_unawaited_coroutine = _on_unawaited  # type: ignore[attr-defined]
    _garbage.suspect(trap)


def _hand_on(hook: Callable[[Any], object], original: Callable[[Any], object], args: Any) -> None:
    """Call the hook that was there before: the interpreter's own, if that one leads back to here.

    Some programs wrap the present hook in one of theirs, and leave it there.
    """
    if getattr(_handing_on, "hook", None) is hook:
        original(args)
        return
    _handing_on.hook = hook
    try:
        hook(args)
    finally:
        _handing_on.hook = None


@functools.wraps(_start_thread)
def _start(self: threading.Thread) -> None:
    """Let the thread inherit the contexts of the code that starts it, as a callback or task does.

    It inherits context variables by itself only from Python 3.14 on, and there only if it is told so. The worker of a
    pool is to inherit nothing: it works for whoever comes.
    """
    is_worker = getattr(self, "_target", None) is _pool_worker
    chain = () if is_worker else _chain_for(self)
    if chain or (is_worker and _INHERITS):
        run = self.run

        def run_in_contexts() -> None:
            del self.run  # the instance's, which would be a reference cycle
            try:
                with _trap.under(chain):  # of a context that may be the user's, and used again
                    run()
            except BaseException:
                vars(self)[_CHAIN] = chain
                raise

        self.run = run_in_contexts  # type: ignore[method-assign]
        if chain:
            _resources.remember(self, _origins.THREADS)
    _start_thread(self)


def _chain_for(thread: threading.Thread) -> _trap.Chain:
    # From Python 3.14 on, a thread can be given a context, as a task can.
    given: contextvars.Context | None = getattr(thread, "_context", None)
    chain: _trap.Chain = () if given is None else given.get(_trap.contexts, ())
    return chain or _trap.chain_here()


def _on_thread(args: threading.ExceptHookArgs) -> None:
    chain = None if args.thread is None else vars(args.thread).pop(_CHAIN, None)
    if chain:
        # The thread has left its contexts, and what its frames hold is still to be dropped.
        _trap.contexts.set(chain)
    if not (_trap.is_error(args.exc_value) and _trap.deliver(args.exc_value, _trap.chain_here())):
        _hand_on(_next_excepthook, threading.__excepthook__, args)


def _on_unraisable(info: "sys.UnraisableHookArgs") -> None:
    error = info.exc_value
    # A warning that was turned into an error is still about something that was left open, and nothing that failed.
    if not _trap.is_error(error) or isinstance(error, Warning) or not _deliver(error):
        _hand_on(_next_unraisablehook, sys.__unraisablehook__, info)


def _on_unawaited(coro: Coroutine[Any, Any, Any]) -> None:
    code = getattr(coro, "cr_code", None)
    is_mock = code is not None and "unittest/mock" in code.co_filename.replace("\\", "/")
    if is_mock or _is_catching_warnings() or not _deliver(_never_awaited(coro, code)):
        _next_warn_unawaited(coro)


def _is_catching_warnings() -> bool:
    """Tell whether ``assertWarns`` or ``catch_warnings`` is in force, and was not yet when the test began."""
    chain = _trap.chain_here()
    return bool(chain) and isinstance(chain[0], Trap) and chain[0].warnings_before != warnings_now()


def _never_awaited(coro: Coroutine[Any, Any, Any], code: types.CodeType | None) -> RuntimeWarning:
    message = f"coroutine '{getattr(coro, '__qualname__', coro)}' was never awaited"
    if code is not None:
        message += f" (defined at {code.co_filename}:{code.co_firstlineno})"
    error = RuntimeWarning(message + ", so that nothing of it ran. Await it, or hand it to run_sync().")
    frame = _frame_of_user()
    if frame is not None and not _garbage.is_collecting():
        # Where it was dropped: mostly the very line of the call.
        error.__traceback__ = types.TracebackType(None, frame, frame.f_lasti, frame.f_lineno)
    return error


def _frame_of_user() -> types.FrameType | None:
    """Return the frame in which something was dropped, if there is one: the interpreter drops things as it exits."""
    frame: types.FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    return frame


def _deliver(error: BaseException) -> bool:
    """Give the error to the test whose code runs, unless that only set the garbage collector off."""
    if not _garbage.is_collecting():
        chain = _trap.chain_here()
        if chain:
            return _trap.deliver(error, chain)
        # What goes with a test that unittest lets go of is that test's.
        frame = _frame_of_user()
        if frame is None or "__unittest" not in frame.f_globals:
            return False
    return _garbage.deliver(error)
