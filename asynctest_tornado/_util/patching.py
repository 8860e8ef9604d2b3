"""Replace a function of a module once; leave later replacements of others alone."""

# Tested by tests/sources/test_neighbours.py.

import functools
import types
from collections.abc import Callable, Iterable
from typing import Any

__unittest = True


class Replacement:
    """A function of this library that replaces a function of the interpreter.

    A mock or an instrumentation that comes later stays in front: it belongs to the test, or to the application. If it
    goes, and restores the function of the interpreter instead of ours, ours is put in again.

    :param owner: the module.
    :param name: the name there.
    :param ours: the function of this library. It has to call `found`.
    """

    def __init__(self, owner: Any, name: str, ours: Callable[..., Any]) -> None:
        self._owner = owner
        self._names = vars(owner)
        self._name = name
        self._ours = ours
        #: The function that was there before.
        self._is_new = True
        self.found: Callable[..., Any] = getattr(owner, name)

    @property
    def has_been_put_in(self) -> bool:
        return not self._is_new

    @staticmethod
    def put_in_all(replacements: "Iterable[Replacement]") -> None:
        """Put functions in, unless others came later. Each test asks; mostly, all of them are there."""
        for each in replacements:
            if each._names.get(each._name) is not each._ours:
                each.put_in()

    def put_in(self) -> None:
        """Put the function in, unless another one came later."""
        present = getattr(self._owner, self._name)
        if present is self._ours:
            return
        if self._is_new or present is self.found or comes_with_interpreter(present) or _is_of(present, _RUNNER):
            self._is_new = False
            self.found = present
            setattr(self._owner, self._name, self._ours)


#: pytest puts hooks in as a run begins, and some versions for each part of a test. Its hooks only warn.
_RUNNER = ("_pytest",)
_INTERPRETER = ("_thread", "threading", "sys", "warnings", "_warnings", "_py_warnings")


def comes_with_interpreter(func: Any) -> bool:
    """Return whether a function is the interpreter's own, and no replacement."""
    return _is_of(func, _INTERPRETER)


def _is_of(func: Any, packages: tuple[str, ...]) -> bool:
    while isinstance(func, functools.partial):
        func = func.func
    func = getattr(func, "__func__", func)
    module: object = None
    if isinstance(func, types.FunctionType):
        module = func.__globals__.get("__name__")  # and not __module__, which a wrapper copies
    elif isinstance(func, types.BuiltinFunctionType):
        module = func.__module__
    return str(module).partition(".")[0] in packages
