"""Display names of functions, tasks and lines."""

# Tested by tests/harness/test_yieldables.py.

import asyncio
import contextlib
import contextvars
import functools
import linecache
import os
import types
from collections.abc import Callable
from typing import Any

from tornado import gen
from tornado.ioloop import PeriodicCallback

from asynctest_tornado._util.real_time import get_folder

__unittest = True

#: The first arguments of methods.
_OWNERS = ("self", "cls")
_MOST_ARGUMENTS = 3
_LONGEST_ARGUMENT = 20
#: The types of arguments that are shown: the text of any other one may be code of the user.
_SHOWN = (bool, int, float, str, bytes, type(None))


def name_of(func: Any) -> str:
    """Return a name for a function."""
    while isinstance(func, functools.partial):
        func = func.func
    name = getattr(func, "__qualname__", None)
    return name if isinstance(name, str) else repr(func)


def arguments_of(frame: types.FrameType) -> str:
    """Return the first arguments of a call, without the object that has the method.

    Other objects than plain values have the name of their class, and their first attribute with a short text: their
    ``repr`` is code of the user.
    """
    code, values = frame.f_code, frame.f_locals
    names = [name for name in code.co_varnames[: code.co_argcount] if name in values and name not in _OWNERS]
    return ", ".join(_argument(values[name]) for name in names[:_MOST_ARGUMENTS])


def _argument(value: object) -> str:
    if type(value) in _SHOWN:
        text = repr(value)
        return text if len(text) <= _LONGEST_ARGUMENT else "..."
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        attributes = {}
    # Another thread may set an attribute meanwhile.
    texts = [each for each in list(attributes.values()) if type(each) is str] if type(attributes) is dict else []
    name = type(value).__name__
    return f"<{name} {texts[0]}>" if texts and 0 < len(texts[0]) <= _LONGEST_ARGUMENT else f"<{name}>"


def name_of_task(task: "asyncio.Task[Any]") -> str:
    """Return the name of the function that the task runs."""
    return name_of(task.get_coro())


def runner_of(future: Any) -> Any:
    """Return the runner of the generator of ``gen.coroutine``: its future refers to it only by a callback."""
    if not isinstance(future, asyncio.Future) or isinstance(future, asyncio.Task):
        return None
    for callback, _ in getattr(future, "_callbacks", None) or ():
        for cell in getattr(callback, "__closure__", None) or ():
            with contextlib.suppress(ValueError):  # a cell that is empty yet
                if type(cell.cell_contents) is gen.Runner:
                    return cell.cell_contents
    return None


def relative(filename: str) -> str:
    """Return the name of a file as seen from the current folder, if the file is below it."""
    try:
        folder = os.path.join(get_folder(), "")
    except OSError:
        return filename  # the test has removed its current folder
    return filename.removeprefix(folder)


def line_at(filename: str, number: int, name: str, module_globals: dict[str, Any] | None = None) -> str:
    """Return a line of code with its place, given the name of the function that it is in."""
    source = linecache.getline(filename, number, module_globals).strip()
    shown = relative(filename)
    return f"{shown}:{number} in {name}: {source}" if source else f"{shown}:{number} in {name}"


def call_of(handle: Any) -> tuple[Any, tuple[Any, ...] | None]:
    """Return the callback of a handle and its arguments; None for each that asyncio does not show."""
    return getattr(handle, "_callback", None), getattr(handle, "_args", None)


def function_of_callback(callback: Callable[..., Any], args: tuple[Any, ...] | None) -> Any:
    """Return the user's function, out of the functions that Tornado wraps it in."""
    func = args[0] if args and name_of(callback).endswith("_run_callback") else callback
    while isinstance(func, functools.partial):
        func = func.func
    return func


def function_of_handler(callback: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Return the user's function, given the function that a loop calls for a file."""
    handlers = getattr(getattr(callback, "__self__", None), "handlers", None)
    return handlers[args[0]][1] if isinstance(handlers, dict) and args and args[0] in handlers else callback


def name_of_callback(callback: Callable[..., Any], args: tuple[Any, ...] | None) -> str:
    """Return the name of the user's function, out of the functions that Tornado and asyncio wrap it in."""
    func = function_of_callback(callback, args)
    periodic = getattr(func, "__self__", None)
    if type(periodic) is PeriodicCallback:
        return f"PeriodicCallback {name_of(periodic.callback)}"
    name = name_of(func)
    return "asyncio.sleep" if name == "_set_result_unless_cancelled" else name


def class_of_loop(loop: object) -> str:
    """Return the name of the class of a loop, without the methods of this library."""
    package = __name__.partition(".")[0]
    cls = next(cls for cls in type(loop).__mro__ if cls.__module__.partition(".")[0] != package)
    return f"{cls.__module__}.{cls.__qualname__}"


def name_of_job(func: Any) -> str:
    """Return a name for the function that an executor runs."""
    while isinstance(func, functools.partial):
        # to_thread() runs the function in a copy of the context.
        is_context = isinstance(getattr(func.func, "__self__", None), contextvars.Context)
        func = func.args[0] if is_context and func.args else func.func
    try:
        return str(func.__qualname__)
    except Exception:  # an object of the user may do anything when its attributes are read
        return type(func).__qualname__
