"""Misspelled settings: class attributes and environment variables whose names are nearly those of settings."""

import inspect
import linecache
import os
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

from asynctest_tornado._util.tracebacks import OURS, owner_of_module

__unittest = True

#: The class attributes of test cases, and the values that tell a short name from a word of the user's own.
ATTRIBUTES: dict[str, tuple[type, ...]] = {
    "allowed_leaks": (object,),
    "async_test_timeout": (object,),
    "clock_factory": (object,),
    "fail_on_server_error": (object,),
    "leaks": (str,),
    "loop_factory": (object,),
    "loop_scope": (object,),
    "schedules": (int, str),
}
HOOKS = ("asyncSetUp", "asyncSetUpClass", "asyncTearDown", "asyncTearDownClass")
VARIABLES = ("ASYNC_TEST_LEAKS", "ASYNC_TEST_SCHEDULES", "ASYNC_TEST_SEED", "ASYNC_TEST_TIMEOUT")
#: Values of ``leaks`` and, as the beginning of a text, of ``schedules``.
_WORDS = ("ignore", "note", "warn", "fail", "all")

_warned: set[tuple[str, str]] = set()
_has_looked = False


def check_class(cls: type, base: type) -> None:
    """Warn of attributes of a class that are nearly settings, and that no module of its bases uses.

    :param base: the class that has the settings.
    """
    if owner_of_module(cls.__module__) is OURS:
        return
    modules = {each.__module__ for each in cls.__mro__ if each not in base.__mro__}
    for each in cls.__mro__:
        # Mixins are looked at with the first class that has them; bases of the same kind have had their turn.
        if each is cls or not (issubclass(each, base) or each.__module__ in ("builtins", "unittest.case", "typing")):
            for name, value in list(vars(each).items()):
                if name[:1] != "_" and not hasattr(base, name):
                    known = _meant(name, value)
                    if known is not None and not any(_is_used(name, module) for module in modules):
                        _warn_of_attribute(each, name, known)


def _meant(name: str, value: object) -> str | None:
    """Return the setting that the name of an attribute stands for, or None."""
    function = getattr(value, "__func__", value)
    if inspect.iscoroutinefunction(function):
        # What is no coroutine function is just a method, also by the very name of a hook.
        return next((hook for hook in HOOKS if _plain(hook) == _plain(name)), None)
    if isinstance(value, property) or getattr(function, "__name__", None) == name:
        return None  # a method
    return next((known for known in ATTRIBUTES if name != known and _is_value_of(known, value, name)), None)


def _is_value_of(known: str, value: object, name: str) -> bool:
    if not (isinstance(value, ATTRIBUTES[known]) and _is_near(name, known)):
        return False
    return "_" in known or not isinstance(value, str) or value.startswith(_WORDS)


def _warn_of_attribute(cls: type, name: str, known: str) -> None:
    place = f"{cls.__module__}.{cls.__qualname__}"
    if (place, name) not in _warned:
        _warned.add((place, name))
        # The class statement, by way of check_class() and __init_subclass__().
        frame = sys._getframe(3)
        message = f"{cls.__qualname__} has the attribute {name}. Did you mean {known}?"
        _warn(message, frame.f_code.co_filename, frame.f_lineno)


def _is_used(name: str, module_name: str) -> bool:
    """Return whether the code of a module has to do with the attribute, so that it has a meaning there.

    If there is no source, it may have.
    """
    if owner_of_module(module_name) is OURS:
        return False
    module: Any = sys.modules.get(module_name)
    lines = linecache.getlines(getattr(module, "__file__", None) or "")
    return not lines or any(re.search(rf"""[.'"]{name}\b""", line) for line in lines)


def check_environment() -> None:
    """Warn, once in the life of the process, of variables that are nearly settings."""
    global _has_looked
    if _has_looked:
        return
    _has_looked = True
    for name, known in list(_misspelled_variables()):
        _warn(f"The environment variable {name} is no setting. Did you mean {known}?", "environment", 1)


def _misspelled_variables() -> Iterator[tuple[str, str]]:
    for name in os.environ:
        for known in VARIABLES:
            # A suite may have a variable of its own by a longer name.
            if name not in VARIABLES and _is_near(name, known) and not name.startswith(f"{known}_"):
                yield name, known


def _warn(message: str, filename: str, line: int) -> None:
    """Warn as filters say, but that a mere guess never makes a test fail."""
    try:
        warnings.warn_explicit(message, UserWarning, filename, line)
    except UserWarning:
        sys.stderr.write(warnings.formatwarning(message, UserWarning, filename, line))


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _is_near(name: str, known: str) -> bool:
    """Return whether a name is another one but for case, underscores, and one or two letters; or the plural."""
    is_word = "_" not in known
    name, known = _plain(name), _plain(known)
    if abs(len(name) - len(known)) > 2:
        return False
    if is_word:
        # With another letter, it may be any other word.
        return name.rstrip("s") == known.rstrip("s")
    letters, others = Counter(name), Counter(known)
    return max((letters - others).total(), (others - letters).total()) <= 2 and _distance(name, known) <= 2


def _distance(name: str, known: str) -> int:
    """Return how many letters have to be changed, added, left out or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(known) + 1))
    for i, letter in enumerate(name, 1):
        before, row, last = row, [i], before
        for j, other in enumerate(known, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == known[j - 2] and name[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
