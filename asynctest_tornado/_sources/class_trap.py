"""Errors of code that setUpClass has begun, reported when the class ends."""

# Tested by tests/sources/test_pool_contexts.py.

import types
import unittest
import unittest.util
from sys import _getframe  # a test may replace it
from typing import Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.raising import raise_as_it_was
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._sources import unawaited_coroutines

__unittest = True

_NAME = "_asynctest_class_trap"


def chain_here() -> contexts.Chain:
    """Return the contexts of a running ``setUpClass`` of a class of this library; none if there is none."""
    frame: types.FrameType | None = _getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_name == "setUpClass" and code.co_argcount == 1:
            cls = frame.f_locals.get(code.co_varnames[0])
            if isinstance(cls, type) and issubclass(cls, unittest.TestCase) and hasattr(cls, "_asynctest"):
                return (_trap_of(cls),)
        frame = frame.f_back
    return ()


def _trap_of(cls: Any) -> Trap:
    trap: Trap | None = vars(cls).get(_NAME)
    if trap is None:
        name = unittest.util.strclass(cls)
        trap = Trap(lambda: name, cls._asynctest.features)
        unawaited_coroutines.watch(trap)
        setattr(cls, _NAME, trap)
        cls.addClassCleanup(_close, cls)
        # The last one to be called, because others may wait for the thread. The list is private to unittest.
        cleanups = getattr(cls, "_class_cleanups", None)
        if isinstance(cleanups, list) and cleanups:
            cleanups.insert(0, cleanups.pop())
    return trap


def _close(cls: Any) -> None:
    """Raise the errors of the class."""
    trap: Trap = vars(cls)[_NAME]
    delattr(cls, _NAME)
    raise_as_it_was(trap.close())
