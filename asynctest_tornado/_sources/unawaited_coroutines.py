"""Errors of coroutines that were never awaited."""

import inspect
import re
import traceback
import types
import warnings
from collections.abc import Callable, Coroutine, Sequence
from sys import _getframe  # a test may replace it
from typing import Any

from asynctest_tornado._errors import collection, contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._sources import garbage
from asynctest_tornado._util import coroutines, names
from asynctest_tornado._util.patching import Patch, comes_with_interpreter
from asynctest_tornado._util.tracebacks import MACHINERY, owner_of_file

__unittest = True

#: The key in ``trap.data`` for the recorder and the filters of warnings, as they were when the test began.
_BEFORE: Any = object()
#: The key for the coroutines in variables of a failure.
_OF_FAILURE: Any = object()

#: The settings of warnings: a context variable, from Python 3.14 on, if the interpreter is started with that option.
_warnings_context: Callable[[], object] | None = getattr(warnings, "_get_context", None)
# Looked up once: the module makes the message of an error for each lookup of a name that it lacks.
_get_filters: Callable[[], Sequence[tuple[Any, ...]]] | None = getattr(warnings, "_get_filters", None)


def watch(trap: Trap) -> None:
    """Record how the code that begins a test handles warnings."""
    trap.data[_BEFORE] = _recorder_and_filters()


def _recorder_and_filters() -> tuple[object, Sequence[tuple[Any, ...]]]:
    """Return the recorder of warnings, and the filters.

    The recorder changes if a block begins to record warnings, as ``assertWarns`` does. The filters are a list that
    other code may change, while a block that catches warnings has another list.
    """
    log = None if _warnings_context is None else getattr(_warnings_context(), "log", None)
    recorder = getattr(warnings, "_showwarnmsg_impl", None) if log is None else id(log)
    return recorder, warnings.filters if _get_filters is None else _get_filters()


def record_failure(trap: Trap, error: BaseException) -> None:
    """Record the coroutines in variables of a failed test, which nothing awaits because the test has failed."""
    found = trap.data.setdefault(_OF_FAILURE, [])
    tb = error.__traceback__
    while tb is not None:
        found += filter(_is_new, tb.tb_frame.f_locals.values())
        tb = tb.tb_next


def _is_new(value: object) -> bool:
    return type(value) is types.CoroutineType and inspect.getcoroutinestate(value) == inspect.CORO_CREATED


def end_failure(trap: Trap) -> None:
    """Close the coroutines in variables of a failed test.

    Otherwise, the interpreter would report them as soon as the traceback is dropped: in this library, in the code of a
    test runner, or in a later test.
    """
    for coro in trap.data.pop(_OF_FAILURE, ()):
        if _is_new(coro):
            coro.close()


def _on_unawaited(coro: "types.CoroutineType[Any, Any, Any]") -> None:
    if not _warn_unawaited.is_active:
        _warn(coro)
        return
    code = getattr(coro, "cr_code", None)
    is_mock = code is not None and "unittest/mock" in code.co_filename.replace("\\", "/")
    error = _never_awaited(coro, code)
    if is_mock or _is_expected(error) or not garbage.deliver_dropped(error):
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
    """Return true if the test has begun to record such warnings, or to ignore them.

    A block that only catches warnings of another kind expects none.
    """
    chain = contexts.chain_here()
    before = chain[0].data.get(_BEFORE) if chain and isinstance(chain[0], Trap) else None
    if before is None:
        return False
    recorder_before, filters_before = before
    recorder, filters = _recorder_and_filters()
    if recorder != recorder_before:
        return True
    if filters is filters_before:
        return False
    first = next((each for each in filters if _matches(each, warning)), None)
    return first is not None and first[0] == "ignore" and not any(first is each for each in filters_before)


def _matches(entry: tuple[Any, ...], warning: RuntimeWarning) -> bool:
    """Return true if an entry of the filters is for a warning, as the module ``warnings`` does."""
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
    advice = f"{'Yield' if is_generator else 'Await'} it, or hand it to run_sync()."
    advice = advice if code is None else coroutines.ways_to_wait.get(code, advice)
    error = RuntimeWarning(f"{message}, so that nothing of it ran. {advice}")
    if frame is not None and not collection.is_collecting():
        # Where it was dropped: mostly the very line of the call.
        error.__traceback__ = types.TracebackType(
            None, frame, frame.f_lasti, frame.f_lineno or frame.f_code.co_firstlineno
        )
    return error


def _place(coro: Any, code: types.CodeType) -> str:
    """Return where a coroutine was defined; of a coroutine of a library, where the user has made it, if known."""
    if owner_of_file(code.co_filename) not in MACHINERY:
        return f" (defined at {code.co_filename}:{code.co_firstlineno})"
    lines = [place for place in coro.cr_origin or () if owner_of_file(place[0]) not in MACHINERY]
    return f" (made at {names.line_at(*lines[0])})" if lines else ""


def _frame_of_user() -> types.FrameType | None:
    """Return the frame that has dropped an object; None if the interpreter drops it as it exits."""
    frame: types.FrameType | None = _getframe()
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    return frame


#: They report each coroutine that was never awaited.
patches = []
if hasattr(warnings, "_warn_unawaited_coroutine"):
    # The interpreter calls it for such a coroutine, before any filter of warnings. It is private.
    _warn_unawaited = Patch(warnings, "_warn_unawaited_coroutine", _on_unawaited)
    patches.append(_warn_unawaited)
