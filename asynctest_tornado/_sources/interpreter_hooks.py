"""Where errors surface in the interpreter itself: in threads, in finalizers, and in coroutines that nobody awaited.

The hooks stay in place once a test has asked for them. An error may surface after its test; then the test is known by
the thread in which it happens, or, for an object that was garbage, by the tests that ran since the last collection.
"""

import inspect
import re
import sys
import threading
import traceback
import types
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

from asynctest_tornado._errors import contexts, exception_notes
from asynctest_tornado._errors.trap import Trap, warnings_now
from asynctest_tornado._sources import garbage, threads
from asynctest_tornado._util import names
from asynctest_tornado._util.patching import Replacement, comes_with_interpreter
from asynctest_tornado._util.tracebacks import OURS, owner_of_file

__unittest = True

_handing_on = threading.local()


def watch(trap: Trap) -> None:
    """Put the trap in front of the hooks of the interpreter, for a test that begins."""
    watch_hooks()
    garbage.suspect(trap)


def watch_hooks() -> None:
    """Put the trap in front of the hooks of the interpreter. What comes later stays in front of it."""
    Replacement.put_in_all(_hooks)


def watch_again() -> None:
    """Do that if it was done before, and somebody has put back the hooks that he found."""
    if _excepthook.has_been_put_in:
        watch_hooks()


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


def _on_thread(args: threading.ExceptHookArgs) -> None:
    if not (contexts.is_error(args.exc_value) and contexts.deliver(args.exc_value, contexts.chain_here())):
        _hand_on(_excepthook.found, threading.__excepthook__, args)


def _on_unraisable(info: "sys.UnraisableHookArgs") -> None:
    error = info.exc_value
    # A warning that was turned into an error is still about something that was left open, and nothing that failed.
    if not contexts.is_error(error) or isinstance(error, Warning):
        _hand_on(_unraisablehook.found, sys.__unraisablehook__, info)
    elif not _deliver(error):
        guess = garbage.guess()
        if guess:
            exception_notes.add(error, guess, once=True)
        _hand_on(_unraisablehook.found, sys.__unraisablehook__, info)
        if guess and _unraisablehook.found is sys.__unraisablehook__:
            print(guess, file=sys.stderr)  # which leaves notes out


def _on_unawaited(coro: "types.CoroutineType[Any, Any, Any]") -> None:
    code = getattr(coro, "cr_code", None)
    is_mock = code is not None and "unittest/mock" in code.co_filename.replace("\\", "/")
    error = _never_awaited(coro, code)
    if is_mock or _is_expected(error) or not _deliver(error):
        _warn(coro)


def _warn(coro: "types.CoroutineType[Any, Any, Any]") -> None:
    """Warn as the interpreter does. Its own function takes its caller for the line that has dropped the coroutine."""
    if not comes_with_interpreter(_warn_unawaited.found):
        _warn_unawaited.found(coro)
        return
    message = f"coroutine '{coro.__qualname__}' was never awaited"
    if coro.cr_origin:
        message += "\nCoroutine created at (most recent call last)\n"
        message += "".join(traceback.format_list([(*place, None) for place in reversed(coro.cr_origin)])).rstrip()
    warnings.warn(message, RuntimeWarning, stacklevel=3, source=coro)


def _is_expected(warning: RuntimeWarning) -> bool:
    """Return whether the test has said, since it began, what is to become of such a warning: recorded, or ignored.

    A block that only catches warnings of another kind has not.
    """
    chain = contexts.chain_here()
    if not chain or not isinstance(chain[0], Trap):
        return False
    recorder_before, filters_before = chain[0].warnings_before
    recorder, filters = warnings_now()
    if recorder != recorder_before:
        return True
    if filters is filters_before:
        return False
    first = next((each for each in filters if _matches(each, warning)), None)
    return first is not None and first[0] == "ignore" and not any(first is each for each in filters_before)


def _matches(entry: tuple[Any, ...], warning: RuntimeWarning) -> bool:
    """Return whether an entry of the filters is for a warning, as the module ``warnings`` does."""
    _, message, category, module, line = entry
    frame = _frame_of_user()
    name = "" if frame is None else str(frame.f_globals.get("__name__"))
    return (
        isinstance(warning, category)
        and _fits(message, str(warning))
        and _fits(module, name)
        and line in (0, None if frame is None else frame.f_lineno)
    )


def _fits(pattern: re.Pattern[str] | str | None, text: str) -> bool:
    return pattern is None or (pattern == text if isinstance(pattern, str) else pattern.match(text) is not None)


def _never_awaited(coro: Coroutine[Any, Any, Any], code: types.CodeType | None) -> RuntimeWarning:
    message = f"coroutine '{getattr(coro, '__qualname__', coro)}' was never awaited"
    if code is not None:
        message += _place(coro, code)
    frame = _frame_of_user()
    is_generator = frame is not None and frame.f_code.co_flags & inspect.CO_GENERATOR
    verb = "Yield" if is_generator else "Await"
    error = RuntimeWarning(f"{message}, so that nothing of it ran. {verb} it, or hand it to run_sync().")
    if frame is not None and not garbage.is_collecting():
        # Where it was dropped: mostly the very line of the call.
        error.__traceback__ = types.TracebackType(None, frame, frame.f_lasti, frame.f_lineno)
    return error


def _place(coro: Any, code: types.CodeType) -> str:
    """Return where a coroutine was defined, or of one of this library, where the user has made it, if that is known."""
    if owner_of_file(code.co_filename) is not OURS:
        return f" (defined at {code.co_filename}:{code.co_firstlineno})"
    lines = [place for place in coro.cr_origin or () if owner_of_file(place[0]) is not OURS]
    return f" (made at {names.line_at(*lines[0])})" if lines else ""


def _frame_of_user() -> types.FrameType | None:
    """Return the frame in which something was dropped, if there is one: the interpreter drops things as it exits."""
    frame: types.FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    return frame


def _deliver(error: BaseException) -> bool:
    """Give the error to the test whose code runs, unless that only set the garbage collector off."""
    if garbage.is_collecting():
        return garbage.deliver(error)
    chain = contexts.chain_here()
    if contexts.is_guess(chain):
        chain = chain[1:]  # who handles the errors of the thread does so for as long as it lives
    return bool(chain) and contexts.deliver(error, chain)


_excepthook = Replacement(threading, "excepthook", _on_thread)
_unraisablehook = Replacement(sys, "unraisablehook", _on_unraisable)
_hooks = [_excepthook, _unraisablehook, *threads.replacements]
if hasattr(warnings, "_warn_unawaited_coroutine"):
    # The interpreter calls it for such a coroutine, before any filter of warnings. It is private.
    _warn_unawaited = Replacement(warnings, "_warn_unawaited_coroutine", _on_unawaited)
    _hooks.append(_warn_unawaited)
