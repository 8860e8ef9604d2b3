"""Warn of class attributes and environment variables that are nearly settings."""

import inspect
import linecache
import os
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from asynctest_tornado._util import spelling
from asynctest_tornado._util.settings import SETTINGS
from asynctest_tornado._util.tracebacks import OURS, owner_of_module

__unittest = True

ATTRIBUTES = {setting.attribute: setting for setting in SETTINGS if setting.attribute}
VARIABLES = [setting.variable for setting in SETTINGS if setting.variable]
HOOKS = ("asyncSetUp", "asyncSetUpClass", "asyncTearDown", "asyncTearDownClass")

_warned: set[tuple[str, str]] = set()
#: True if `check_environment` was called.
has_looked = False


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
        # Any other function is just a method, even by the very name of a hook.
        return next((hook for hook in HOOKS if spelling.plain(hook) == spelling.plain(name)), None)
    if isinstance(value, property) or getattr(function, "__name__", None) == name:
        return None  # a method
    return next((known for known in ATTRIBUTES if name != known and _stands_for(name, known, value)), None)


def _stands_for(name: str, known: str, value: object) -> bool:
    if "_" in known:
        return spelling.is_near(name, known)
    # A single word with another letter may be any other word, and so may the plural of one with another value.
    if spelling.plain(name).rstrip("s") != known.rstrip("s"):
        return False
    try:
        ATTRIBUTES[known].check(value)
    except (TypeError, ValueError):
        return False
    return True


def _warn_of_attribute(cls: type, name: str, known: str) -> None:
    place = f"{cls.__module__}.{cls.__qualname__}"
    if (place, name) not in _warned:
        _warned.add((place, name))
        # The class statement, by way of check_class() and __init_subclass__().
        frame = sys._getframe(3)
        message = f"{cls.__qualname__} has the attribute {name}. Did you mean {known}?"
        _warn(message, frame.f_code.co_filename, frame.f_lineno)


def _is_used(name: str, module_name: str) -> bool:
    """Return whether the code of a module uses the attribute, so that its name has a meaning there.

    True if there is no source.
    """
    if owner_of_module(module_name) is OURS:
        return False
    module: Any = sys.modules.get(module_name)
    lines = linecache.getlines(getattr(module, "__file__", None) or "")
    return not lines or any(re.search(rf"""[.'"]{name}\b""", line) for line in lines)


def check_environment() -> None:
    """Warn, once in the life of the process, of variables that are nearly settings."""
    global has_looked
    if has_looked:
        return
    has_looked = True
    for name, known in list(_misspelled_variables()):
        _warn(f"The environment variable {name} is no setting. Did you mean {known}?", "environment", 1)


def _misspelled_variables() -> Iterator[tuple[str, str]]:
    for name in os.environ:
        for known in VARIABLES:
            # A suite may have a variable of its own by a longer name.
            if name not in VARIABLES and spelling.is_near(name, known) and not name.startswith(f"{known}_"):
                yield name, known


def _warn(message: str, filename: str, line: int) -> None:
    """Warn as filters say, except that a mere guess never makes a test fail."""
    try:
        warnings.warn_explicit(message, UserWarning, filename, line)
    except UserWarning:
        sys.stderr.write(warnings.formatwarning(message, UserWarning, filename, line))
