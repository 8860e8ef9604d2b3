"""Whose frame is this? And tracebacks without the frames of this library.

The file of the code decides, because the names of modules are the user's to choose: a project may have a folder of the
same name as this library. The name of the module counts if there is no such file: code may come from an archive or be
frozen, be made of a string, or have been compiled in another place than where it is now.
"""

import asyncio
import functools
import os
import re
import sys
import types
from typing import Literal

import tornado

__unittest = True

Owner = Literal["ours", "Tornado's", "asyncio's", "a package's", "the standard library's", "the user's"]

#: This library, in all of its folders.
OURS: Owner = "ours"
#: Tornado, except its own tests: these are a user's.
TORNADO: Owner = "Tornado's"
ASYNCIO: Owner = "asyncio's"
#: Any other package that is installed.
PACKAGE: Owner = "a package's"
#: All of Python except asyncio.
STDLIB: Owner = "the standard library's"
USER: Owner = "the user's"

#: This library, and the two that it works with.
MACHINERY = frozenset({OURS, TORNADO, ASYNCIO})


def owner_of(frame: types.FrameType) -> Owner:
    """Return the owner of the code that a frame runs."""
    module = frame.f_globals.get("__name__")
    return owner_of_file(frame.f_code.co_filename, module if isinstance(module, str) else None)


# Cached, because it is called for each frame of many stacks. Limited, because a test may make modules and files.
@functools.lru_cache(maxsize=1000)
def owner_of_file(filename: str, module: object = None) -> Owner:
    """Return the owner of the code of a file.

    :param filename: as code objects have it.
    :param module: the name of the module, if that is known. Code may run in a namespace that has none, or no string.
    """
    if filename.startswith(_FROZEN):
        return owner_of_module(filename[len(_FROZEN) : -1])
    for owner, folders in _FOLDERS:
        if filename.startswith(folders):
            return owner
    if _PACKAGES.search(filename):
        return PACKAGE
    if filename.startswith(_STDLIB):
        # A function of ours may have the file of the one that it stands for.
        return OURS if isinstance(module, str) and _NAMES.get(module.partition(".")[0]) is OURS else STDLIB
    if not isinstance(module, str) or _is_there(filename):
        return USER
    return owner_of_module(module)


# A test may put a mock in the place of these, and count its calls.
_stat, _is_absolute = os.stat, os.path.isabs


def _is_there(filename: str) -> bool:
    if not _is_absolute(filename):
        return False  # the folder that it is relative to may be another one by now
    try:
        _stat(filename)
    except (OSError, ValueError):
        return False
    return True


def owner_of_module(name: str) -> Owner:
    """Return the owner of a module of which only the name is known."""
    if f"{name}.".startswith("tornado.test."):
        return USER
    package = name.partition(".")[0]
    if package in _NAMES:
        return _NAMES[package]
    return STDLIB if package in sys.stdlib_module_names else USER


_LIBRARY = __name__.partition(".")[0]
_NAMES: dict[str, Owner] = {_LIBRARY: OURS, "tornado": TORNADO, "asyncio": ASYNCIO}


def _folders(*paths: str) -> tuple[str, ...]:
    """Return how the names of the files in folders begin. They are not looked up: code has the names of its day."""
    return tuple(os.path.join(path, "") for path in paths if path)


_FOLDERS: list[tuple[Owner, tuple[str, ...]]] = [
    (OURS, _folders(*sys.modules[_LIBRARY].__path__)),
    (USER, _folders(*(os.path.join(path, "test") for path in tornado.__path__))),
    (TORNADO, _folders(*tornado.__path__)),
    (ASYNCIO, _folders(*asyncio.__path__)),
]
# Where there is no virtual environment, packages lie below the standard library, which is looked at after them.
_PACKAGES = re.compile(r"[\\/](site|dist)-packages[\\/]")
_STDLIB = _folders(os.path.dirname(getattr(os, "__file__", None) or ""))
_FROZEN = "<frozen "


#: The modules that call callbacks, and the functions of threads.
_PLUMBING = ("asyncio.events", "tornado.ioloop", "threading")


def strip(error: BaseException, from_end: bool = False) -> BaseException:
    """Take this library's frames out of an error's traceback, and frames of Tornado and asyncio above the user's.

    unittest leaves frames out (with ``__unittest`` in their module) only at the two ends of a traceback. A traceback
    that has no other frames stays as it is.

    :param from_end: leave out frames of Tornado and asyncio at its end, too.
    """
    entries: list[types.TracebackType] = []
    tb = error.__traceback__
    while tb is not None:
        is_plumbing = not entries and tb.tb_frame.f_globals.get("__name__") in _PLUMBING
        if not is_plumbing and owner_of(tb.tb_frame) is not OURS:
            entries.append(tb)
        tb = tb.tb_next
    del entries[: next((place for place, entry in enumerate(entries) if not _waits(entry.tb_frame)), 0)]
    while from_end and len(entries) > 1 and _waits(entries[-1].tb_frame):
        entries.pop()
    if entries:
        for entry in reversed(entries):
            tb = _put_before(tb, entry)
        BaseException.with_traceback(error, tb)  # also of a class that refuses to be assigned to
    return error


def end_at_user(error: BaseException) -> None:
    """End a traceback at the last line of the user, if it has one."""
    entries: list[types.TracebackType] = []
    tb = error.__traceback__
    while tb is not None:
        entries.append(tb)
        tb = tb.tb_next
    last = max((place for place, entry in enumerate(entries) if owner_of(entry.tb_frame) is USER), default=len(entries))
    for entry in reversed(entries[: last + 1]):
        tb = _put_before(tb, entry)
    BaseException.with_traceback(error, tb)


def _put_before(tb: types.TracebackType | None, entry: types.TracebackType) -> types.TracebackType:
    # A call that was interrupted as it began has no line yet.
    line: int | None = entry.tb_lineno
    code = entry.tb_frame.f_code
    return types.TracebackType(tb, entry.tb_frame, entry.tb_lasti, code.co_firstlineno if line is None else line)


def _waits(frame: types.FrameType) -> bool:
    """Return whether the code is a library's that, at the end of a traceback, waits, connects, or looks up a host."""
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    return owner_of(frame) in (TORNADO, ASYNCIO) or package in ("concurrent", "selectors", "socket")
