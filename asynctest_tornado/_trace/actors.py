"""Finds who acts in a call of the loop: a task, a runner of Tornado, a function."""

# Tested by tests/trace/test_recorder.py.

import asyncio
import functools
import types
from collections.abc import Callable
from typing import Any

from tornado import gen

from asynctest_tornado._harness import yieldables
from asynctest_tornado._timeouts.pending_report import handler_in
from asynctest_tornado._util import names
from asynctest_tornado._util.tracebacks import MACHINERY, STDLIB, owner_of_file

__unittest = True

#: The most coroutines that wait for each other, of which the innermost line is looked for.
_DEPTHS = range(200)

#: A line of code: the code, and the place in it as ``f_lasti`` has it.
Place = tuple[types.CodeType, int]

_is_user: dict[str, bool] = {}


def is_of_user(code: types.CodeType, module: object = None) -> bool:
    """Return whether code belongs to the test or its application, and to no library that it runs on."""
    known = _is_user.get(code.co_filename)
    if known is None:
        owner = owner_of_file(code.co_filename, module if isinstance(module, str) else None)
        known = _is_user[code.co_filename] = owner not in MACHINERY and owner is not STDLIB
    return known


def actor_of(callback: Any, args: tuple[Any, ...]) -> Any:
    """Return the task, or Tornado's runner of a coroutine, that a call lets go on; None for any other callback."""
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        # asyncio's own methods for that are private, and, in C, have other names or none.
        name = getattr(callback, "__name__", "step")
        return owner if "step" in name or "wakeup" in name else None
    if isinstance(callback, types.FunctionType):
        func = _handed_on(callback)
        return None if func is None else _runner_in(func)
    if args and type(args[0]) is functools.partial:  # of IOLoop.add_callback
        partial = args[0]
        for each in (partial.func, *partial.args):
            runner = getattr(each, "__self__", None)
            if isinstance(runner, gen.Runner):
                return runner
    return None


def _handed_on(func: types.FunctionType) -> Any:
    """Return the function that ``IOLoop.add_future`` wraps, or the function itself; None if it is not Tornado's."""
    module = func.__module__
    if module == "tornado.ioloop":
        cells = _cells(func)
        return next((cell for cell in cells if isinstance(cell, types.FunctionType | types.MethodType)), None)
    return func if module == "tornado.gen" else None


def _runner_in(func: Any) -> "gen.Runner | None":
    # A callback of its future refers to the runner that has finished, to keep it alive.
    return next((cell for cell in _cells(func) if isinstance(cell, gen.Runner) and not cell.finished), None)


def _cells(func: Any) -> list[Any]:
    found = []
    for cell in getattr(func, "__closure__", None) or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # it is empty yet
            continue
    return found


def coroutine_of(actor: Any) -> Any:
    """Return the coroutine or generator of a task or runner."""
    return actor.get_coro() if isinstance(actor, asyncio.Task) else actor.gen


def place_of(coro: Any) -> Place | None:
    """Return the innermost line of the user at which a coroutine waits, or that it begins at; None if there is none."""
    # Without frames up to the end: Python makes these only if they are asked for. Each step of a task calls this.
    found: Any = None
    code: types.CodeType | None
    below: Any = coro
    for _ in _DEPTHS:
        coro = below
        if type(coro) is types.CoroutineType:
            code, below = coro.cr_code, coro.cr_await
        else:
            code, below = _code_and_below(coro)
            if code is None:
                break
        is_user = _is_user.get(code.co_filename)
        if is_user is None:
            is_user = is_of_user(code, _module_of(coro))
        if is_user:
            found = coro
        elif yieldables.generators:
            reference = yieldables.generators.get(id(_frame_of(coro)))
            below = below if reference is None else reference()
        if below is None:
            break
    frame = None if found is None else _frame_of(found)
    return None if frame is None else (frame.f_code, frame.f_lasti)


def _code_and_below(coro: Any) -> tuple[types.CodeType | None, Any]:
    """Return the code of a generator, and the object that it waits for; None if it is neither."""
    if type(coro) is types.GeneratorType:
        return coro.gi_code, coro.gi_yieldfrom
    code = getattr(coro, "gi_code", None) or getattr(coro, "ag_code", None)
    return code, getattr(coro, "gi_yieldfrom", None) or getattr(coro, "ag_await", None)


def _frame_of(coro: Any) -> types.FrameType | None:
    if type(coro) is types.CoroutineType:
        return coro.cr_frame
    return getattr(coro, "gi_frame", None) or getattr(coro, "ag_frame", None)


def _module_of(coro: Any) -> object:
    frame = _frame_of(coro)
    return None if frame is None else frame.f_globals.get("__name__")


def label_of(actor: Any) -> tuple[str, bool]:
    """Return a name for a task or runner: its function, with the arguments that are short and plain.

    And whether it serves a request.
    """
    coro = coroutine_of(actor)
    frame = _frame_of(coro)
    handler = handler_in(frame)
    if handler is not None:
        return f"{type(handler).__qualname__} serving {handler.request.method} {handler.request.uri}", True
    name = names.name_of(coro).replace("<locals>.", "")
    return f"{name}({names.arguments_of(frame)})" if frame is not None else f"{name}()", False


def function_of(callback: Callable[..., Any], args: tuple[Any, ...]) -> tuple[str, Place | None]:
    """Return the name of the function that a callback calls, and its first line, if it is the user's."""
    if isinstance(callback, types.FunctionType):
        callback = _handed_on(callback) or callback
    func = names.function_of_callback(callback, args)
    if names.name_of(func).endswith("._handle_events"):
        func = names.function_of_handler(func, args)
    name = names.name_of_callback(func, None).replace("<locals>.", "")
    if isinstance(func, types.MethodType):
        func = func.__func__
    if not isinstance(func, types.FunctionType):
        return name, None
    return name, (func.__code__, -1) if is_of_user(func.__code__, func.__globals__.get("__name__")) else None
