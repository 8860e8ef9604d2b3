"""How to mend a typical mistake, as a note in the report of the failed test."""

import asyncio
import inspect
import linecache
import re
import types
from typing import Any

from asynctest_tornado._errors import contexts, notes
from asynctest_tornado._util.tracebacks import PACKAGE, USER, owner_of

__unittest = True

#: The key in ``trap.data`` for a function that returns a hint about the latest wait of the test, or None.
REMARK: Any = object()
#: The key for the task or future that the failure is about: the leak check leaves it out.
EXPLAINED: Any = object()


def add(error: BaseException, hint: str | None, context: contexts.Context | None = None) -> None:
    """Add a hint to a report, once."""
    if hint is not None:
        notes.add(error, hint, context, once=True)


def before_async_set_up(error: BaseException, case: object) -> None:
    """Add a hint to the error of ``get_app``, if that needs an attribute which ``asyncSetUp`` makes."""
    hook = inspect.unwrap(type(case).asyncSetUp)  # type: ignore[attr-defined]
    names: tuple[str, ...] = getattr(getattr(hook, "__code__", None), "co_names", ())
    if isinstance(error, AttributeError) and error.obj is case and error.name in names:
        add(
            error,
            f"asyncSetUp(), which has to do with {error.name}, is called after get_app(). Make {error.name} in "
            "get_app(): it may be an 'async def', and await.",
        )


def request(method: str, url: str) -> str:
    """Return the hint for a connection that failed."""
    return f"{_REQUEST}{method} {url}."


_REQUEST = "The request was "


def failed_request(error: BaseException) -> str | None:
    """Return the hint for a connection that Tornado's client could not make, or None."""
    has_hint = any(note.startswith(_REQUEST) for note in getattr(error, "__notes__", ()))
    tb = error.__traceback__ if isinstance(error, OSError) and not has_hint else None
    while tb is not None:
        if tb.tb_frame.f_globals.get("__name__") == "tornado.simple_httpclient":
            made = getattr(tb.tb_frame.f_locals.get("self"), "request", None)
            if made is not None:
                return request(made.method, made.url)
        tb = tb.tb_next
    return None


def called_already(thing: object) -> TypeError:
    """Return the error of a ``run_sync`` that got the result of a call instead of the function."""
    name, kind = "f", type(thing).__qualname__
    if inspect.iscoroutine(thing):
        name = thing.__name__
        thing.close()  # or a second report would say that it was never awaited
    return TypeError(
        f"io_loop.run_sync() calls the function that it gets, and got a {kind}. Write self.run_sync({name}), without "
        "calling it; arguments of the function come after it."
    )


_KINDS = r"'?(?:_asyncio\.)?(?:Task|Future|coroutine)'?"
_MISUSE = re.compile(
    rf"{_KINDS} object (?:has no attribute|is not (?:subscriptable|iterable|an iterator|callable)|does not support)"
    rf"|of type {_KINDS} (?:has no len|is not iterable|is not JSON)|must be .*, not {_KINDS}$"
)


def missing_await(error: BaseException) -> tuple[str, object] | None:
    """Return the hint for code that takes an awaitable for its result, and the awaitable if that is known."""
    # Not the text of other errors: the user's code may make it.
    text = error.args[0] if type(error) in (AttributeError, TypeError) and error.args else None
    if type(text) is not str or _MISUSE.search(text) is None:
        return None
    frame = _users_frame(error.__traceback__)
    if frame is None:
        return None
    thing = error.obj if isinstance(error, AttributeError) and _is_awaitable(error.obj) else None
    name, call, thing = _assignment(frame, thing) or ("", "", thing)
    flags = frame.f_code.co_flags
    if flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        word = "await"
    elif flags & inspect.CO_GENERATOR:
        word = "yield"
    else:
        advice = (
            f"make {frame.f_code.co_name}() an 'async def' and write 'await' before the call, or use self.run_sync()"
        )
        return f"Its result has to be waited for: {advice}.", thing
    written = f"'{name} = {word} {call}'" if name else f"'{word}' before the call"
    return f"Its result has to be waited for: write {written}.", thing


def _is_awaitable(thing: object) -> bool:
    return isinstance(thing, asyncio.Future) or inspect.iscoroutine(thing)


def _users_frame(tb: types.TracebackType | None) -> types.FrameType | None:
    """Return the innermost frame of the user."""
    found = None
    while tb is not None:
        if owner_of(tb.tb_frame) in (USER, PACKAGE):  # some install their tests
            found = tb.tb_frame
        tb = tb.tb_next
    return found


def _assignment(frame: types.FrameType, thing: object) -> tuple[str, str, object] | None:
    """Return the variable that has an awaitable, the call that is assigned to it in the same function, and the value.

    :param thing: the awaitable, or None for the one that the present line names.
    """
    code = frame.f_code
    lines = [linecache.getline(code.co_filename, n) for n in range(code.co_firstlineno, frame.f_lineno + 1)]
    for name, value in frame.f_locals.items():
        is_named = thing is None and _is_awaitable(value) and re.search(rf"\b{name}\b", lines[-1])
        if is_named or value is thing:
            for line in reversed(lines):
                found = re.fullmatch(rf"\s*{name}\s*(?::[^=]*)?=\s*([\w.]+\(.*\))\s*", line)
                if found is not None:
                    return name, found[1], value
    return None
