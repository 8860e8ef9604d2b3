"""How to mend a typical mistake, as a note in the report of the failed test."""

import asyncio
import inspect
import linecache
import re
import types
from typing import Any

from asynctest_tornado._errors import contexts, notes
from asynctest_tornado._util.tracebacks import PACKAGE, TORNADO, USER, owner_of

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


def add_request(error: BaseException, method: str, url: str, context: contexts.Context | None = None) -> None:
    """Add a hint to the error of a connection that failed, unless it has one."""
    if _noted_request(error) is None:
        reason = _NOTHING if isinstance(error, ConnectionRefusedError) else ""
        add(error, f"{_REQUEST}{method} {url}.{reason}", context)


_REQUEST = "The request was "
_NOTHING = " Nothing listens there."


def failed_request(error: BaseException) -> tuple[str, str] | None:
    """Return the method and URL of a connection that Tornado's client could not make, or None."""
    if not isinstance(error, OSError):
        return None
    known = _noted_request(error)
    tb = error.__traceback__ if known is None else None
    while tb is not None:
        if tb.tb_frame.f_globals.get("__name__") == "tornado.simple_httpclient":
            made = getattr(tb.tb_frame.f_locals.get("self"), "request", None)
            if made is not None:
                return made.method, made.url
        tb = tb.tb_next
    return known


def _noted_request(error: BaseException) -> tuple[str, str] | None:
    """Return the method and URL of the request that a note of an error names, or None."""
    for note in getattr(error, "__notes__", ()):
        found = re.fullmatch(rf"{_REQUEST}(\S+) (\S+)\.(?:{_NOTHING})?", str(note))
        if found is not None:
            return found[1], found[2]
    return None


def called_already(thing: object, is_of_case: bool, frame: types.FrameType, is_running: bool) -> TypeError:
    """Return the error of a ``run_sync`` that got the result of a call instead of the function.

    :param is_of_case: True for a test case, which has a ``run_sync`` that takes arguments.
    :param frame: the frame that has called it.
    :param is_running: True if the loop runs, so that ``run_sync`` is of no use.
    """
    advised = "self.run_sync" if is_of_case else "io_loop.run_sync"
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    written = re.search(r"\brun_sync\(\s*([\w.]+)\(", line)
    text = _describe_call(
        "io_loop.run_sync", advised, thing, written[1] if written is not None and inspect.iscoroutine(thing) else ""
    )
    if is_running:
        advice = _awaited_instead(frame) or f"Write '{_word(frame)}' before the call, in place of run_sync()."
        return TypeError(f"{text.partition('. Write')[0]}; and the event loop runs already. {advice}")
    return TypeError(text if is_of_case else text.partition("; arguments")[0] + "; 'lambda:' hands arguments over.")


def waits_twice(error: BaseException) -> str | None:
    """Return the hint for code that waits synchronously while the loop runs, or None."""
    text = error.args[0] if type(error) is RuntimeError and error.args else None
    frames = users_frames(error.__traceback__)
    if type(text) is not str or "is running already, so that nothing can wait" not in text or not frames:
        return None
    return _awaited_instead(frames[-1])


#: asyncio's messages for code that runs a loop while a loop runs in the same thread.
_RUNS_LOOP = re.compile(
    r"(?:asyncio|Runner)\.run\(\) cannot be called from a running|This event loop is already|Cannot run "
)


def runs_loop_twice(error: BaseException) -> str | None:
    """Return the hint for code that runs a loop by asyncio or Tornado while a loop runs, or None."""
    text = error.args[0] if type(error) is RuntimeError and error.args else None
    frames = users_frames(error.__traceback__)
    if type(text) is not str or _RUNS_LOOP.match(text) is None or not frames:
        return None
    frame = frames[-1]
    if not frame.f_code.co_flags & (inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        return f"A loop runs already. Make {frame.f_code.co_name}() an 'async def', and await the coroutine there."
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    call = re.search(r"([\w.]*\b(?:run|run_until_complete))\(([\w.]+(?:\([^()]*\))?)\)", line)
    if call is not None:
        return f"A loop runs already. Write '{_word(frame)} {call[2]}' instead of '{call[0].lstrip('.')}'."
    return f"A loop runs already. {_awaited_instead(frame) or f'Write {_word(frame)!r} instead.'}"


def _awaited_instead(frame: types.FrameType) -> str | None:
    """Return how to write a call of ``run_sync`` or ``wait`` in a coroutine, or None."""
    code, word = frame.f_code, _word(frame)
    line = linecache.getline(code.co_filename, frame.f_lineno)
    if re.search(r"\bself\.wait\(", line):
        return (
            f"In place of self.wait(), {word} an asyncio.Event or a future that the callback sets; or make "
            f"{code.co_name}() a plain 'def'."
        )
    call = re.search(r"[\w.]*\brun_sync\((?:([\w.]+)(?:,\s*([^()]*))?|([\w.]+\([^()]*\)))\)", line)
    if call is None or "timeout" in (call[2] or ""):
        return None
    return f"Write '{word} {call[3] or f'{call[1]}({call[2] or str()})'}' instead of '{call[0]}'."


def _word(frame: types.FrameType) -> str:
    return "yield" if frame.f_code.co_flags & inspect.CO_GENERATOR else "await"


def _describe_call(method: str, advised: str, thing: object, name: str = "") -> str:
    kind = type(thing).__qualname__
    if inspect.iscoroutine(thing):
        name = name or thing.__name__
        thing.close()  # or a second report would say that it was never awaited
    name = name or "f"
    return (
        f"{method}() calls the function that it gets, and got a {kind}. Write {advised}({name}), without calling it; "
        "arguments of the function come after it."
    )


def scheduled_call(error: BaseException) -> str | None:
    """Return the hint for ``add_callback`` and the like that got the result of a call, or None."""
    tb = error.__traceback__ if type(error) is TypeError and error.args == _NOT_CALLABLE else None
    method = None
    while tb is not None:
        frame = tb.tb_frame
        if owner_of(frame) is not TORNADO:
            method = None
        else:
            method = method or frame.f_code.co_name
            if tb.tb_next is None and "callback" in frame.f_locals and not callable(frame.f_locals["callback"]):
                return _describe_call(method, method, frame.f_locals["callback"])
        tb = tb.tb_next
    return None


def unencoded_body(error: BaseException) -> str | None:
    """Return the hint for a request of Tornado's client whose body is neither bytes nor text, or None."""
    text = error.args[0] if type(error) is TypeError and error.args else None
    if type(text) is not str or not text.startswith("Expected bytes, unicode, or None; got "):
        return None
    tb = error.__traceback__
    while tb is not None:
        frame = tb.tb_frame
        if frame.f_globals.get("__name__") == "tornado.httpclient" and frame.f_code.co_name == "body":
            return "The body of a request is bytes or text: give json.dumps(...), or urllib.parse.urlencode(...)."
        tb = tb.tb_next
    return None


#: Of ``functools.partial``, by which Tornado schedules a callback.
_NOT_CALLABLE = ("the first argument must be callable",)


def closed_while_running(error: BaseException) -> str | None:
    """Return the hint for a coroutine that closes its asyncio loop, or None."""
    if type(error) is not RuntimeError or error.args != ("Cannot close a running event loop",):
        return None
    return "The test closes its loop, which is closed for it at the end. Take close() away."


def plain_async_set_up(error: BaseException) -> str | None:
    """Return the hint for a test that lacks an attribute which an ``asyncSetUp`` would make that is no coroutine."""
    case = error.obj if type(error) is AttributeError else None
    hook = getattr(type(case), "asyncSetUp", None)
    if not isinstance(hook, types.FunctionType) or inspect.iscoroutinefunction(hook):
        return None
    if error.name not in hook.__code__.co_names:  # type: ignore[attr-defined]
        return None
    return (
        "asyncSetUp() of this class is no 'async def', and so it is just a method, which nothing calls. Write "
        "'async def asyncSetUp', or call it setUp()."
    )


_KINDS = r"'?(?:_asyncio\.)?(?:Task|Future|coroutine)'?"
_MISUSE = re.compile(
    rf"{_KINDS} object (?:has no attribute|is not (?:subscriptable|iterable|an iterator|callable)|does not support)"
    rf"|of type {_KINDS} (?:has no len|is not iterable|is not JSON)|must be .*, not {_KINDS}$"
)


def missing_await(error: BaseException) -> tuple[str, object] | None:
    """Return the hint for code that takes an awaitable for its result, and the awaitable if that is known."""
    frames = users_frames(error.__traceback__)
    if not frames:
        return None
    frame = frames[-1]
    if isinstance(error, AssertionError):
        thing = _compared(error.__traceback__, frame)
        if thing is None:
            return None
    else:
        # Not the text of other errors: the user's code may make it.
        text = error.args[0] if type(error) in (AttributeError, TypeError) and error.args else None
        if type(text) is not str or _MISUSE.search(text) is None:
            return None
        thing = error.obj if isinstance(error, AttributeError) and _is_awaitable(error.obj) else None
    while len(frames) > 1 and _is_argument(frames[-1], thing):
        frames.pop()  # the call is in a caller
    frame = frames[-1]
    name, call, thing = _assignment(frame, thing) or ("", "", thing)
    flags = frame.f_code.co_flags
    if flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        word = "await"
    elif flags & inspect.CO_GENERATOR:
        word = "yield"
    else:
        advice = f"make {frame.f_code.co_name}() an 'async def' and write 'await' before the call, or use run_sync()"
        return f"Its result has to be waited for: {advice}.", thing
    written = f"'{name} = {word} {call}'" if name else f"'{word}' before the call"
    return f"Its result has to be waited for: write {written}.", thing


def _is_awaitable(thing: object) -> bool:
    return isinstance(thing, asyncio.Future) or inspect.iscoroutine(thing)


#: Methods that are about the object itself, and not about its result.
_OF_IDENTITY = ("assertIs", "assertIsNot", "assertIn", "assertNotIn", "assertIsInstance", "assertNotIsInstance")


def _compared(tb: types.TracebackType | None, frame: types.FrameType) -> object:
    """Return the one awaitable that an assertion has compared, or None.

    :param frame: the frame of the user.
    """
    while tb is not None and tb.tb_frame is not frame:
        tb = tb.tb_next
    if tb is not None and tb.tb_next is not None:
        asserting = tb.tb_next.tb_frame
        if asserting.f_globals.get("__name__") != "unittest.case" or asserting.f_code.co_name in _OF_IDENTITY:
            return None
        values = list(asserting.f_locals.values())
    else:  # pytest stores the values of an assertion in variables of the function
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        values = [
            value
            for name, value in frame.f_locals.items()
            if name.startswith("@py_assert")
            or (inspect.iscoroutine(value) and re.match(rf"assert\b.*\b{re.escape(name)}\b", line))
        ]
    found = {id(value): value for value in values if _is_awaitable(value)}
    if len(found) != 1:
        return None
    (thing,) = found.values()
    begun = inspect.iscoroutine(thing) and inspect.getcoroutinestate(thing) != inspect.CORO_CREATED
    return None if begun else thing


def users_frames(tb: types.TracebackType | None) -> list[types.FrameType]:
    """Return the frames of the user, the innermost last."""
    found = []
    while tb is not None:
        if owner_of(tb.tb_frame) in (USER, PACKAGE):  # some install their tests
            found.append(tb.tb_frame)
        tb = tb.tb_next
    return found


def _is_argument(frame: types.FrameType, thing: object) -> bool:
    """Return true if a function has got an object as an argument."""
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return thing is not None and any(frame.f_locals.get(name) is thing for name in names)


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
