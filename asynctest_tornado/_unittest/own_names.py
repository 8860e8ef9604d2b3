"""Leaves names of this library to suites that have attributes of the same names.

A suite for ``tornado.testing`` may set ``self.stream`` in a helper, and ask ``hasattr(self, "stream")`` in
``tearDown``: our method of that name would answer. So a class whose code sets such an attribute does not inherit ours.
Nor does a class with a mixin after ours among its bases that has a method of that name: it inherits the mixin's.
"""

import dis
import types
from collections.abc import Iterator
from typing import Any

from asynctest_tornado._unittest.descriptors import Missing
from asynctest_tornado._util.tracebacks import OURS, owner_of_module

__unittest = True

#: The names that ``tornado.testing`` does not have, and that no setting or hook has.
NAMES = frozenset(
    {
        *("assertStatus", "async_fetch", "cookies", "eventually", "logs", "network", "run_sync"),
        *("server_errors", "settle", "sign_in", "stream", "ws_connect"),
    }
)


#: The names that suites have for data of their own. Their code may ask for them, and others set them.
_USUAL = frozenset({"cookies", "logs", "network", "stream"})
_LOOKS = frozenset({"getattr", "hasattr"})


def give_way(cls: type) -> None:
    """Hide our attributes from a class that has others behind them, or sets or looks for others."""
    of_user = [
        each
        for each in cls.__mro__[:-1]
        if owner_of_module(each.__module__) is not OURS and each.__module__ != "unittest.case"
    ]
    for each in of_user:
        for name in NAMES.intersection(vars(each)):
            if _is_ours(cls, name):  # of a mixin after our class
                setattr(cls, name, vars(each)[name])
    for each in of_user:
        for value in list(vars(each).values()):
            for code in _codes_of(value):
                for name in NAMES.intersection(code.co_names):
                    if _sets(code, name) and _is_ours(cls, name):
                        setattr(cls, name, Missing(_explanation(name, "sets")))
                for name in _USUAL.intersection(code.co_consts):
                    if not _LOOKS.isdisjoint(code.co_names) and _is_ours(cls, name):
                        setattr(cls, name, Missing(_explanation(name, "looks for")))


def _is_ours(cls: type, name: str) -> bool:
    """Return true if a class inherits our attribute of this name, and has no other one."""
    owner = next((each for each in cls.__mro__ if name in vars(each)), None)
    return owner is not None and owner_of_module(owner.__module__) is OURS


def _explanation(name: str, verb: str) -> Any:
    return lambda cls: (
        f"{cls.__qualname__} {verb} an attribute {name} of its own, and has not set it yet. Rename it to have the one "
        "of asynctest_tornado."
    )


def _codes_of(value: Any) -> Iterator[types.CodeType]:
    """Return the code of a method of any kind, of the functions that it wraps, and of the functions in it."""
    func = getattr(value, "__func__", value) if isinstance(value, (classmethod, staticmethod)) else value
    while isinstance(func, types.FunctionType):
        left = [func.__code__]
        while left:
            code = left.pop()
            yield code
            left += [each for each in code.co_consts if isinstance(each, types.CodeType)]
        func = vars(func).get("__wrapped__")


def _sets(code: types.CodeType, name: str) -> bool:
    """Return true if the code sets an attribute of this name on ``self``."""
    before = None
    for each in dis.get_instructions(code):
        if each.opname == "STORE_ATTR" and each.argval == name and before is not None:
            loaded = before.argval if isinstance(before.argval, tuple) else (before.argval,)
            if before.opname.startswith("LOAD_") and loaded[-1] == "self":
                return True
        before = each
    return False
