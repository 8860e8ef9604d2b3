"""Imported by the name of ``tornado.stack_context``, which Tornado 6 lacks."""

# Tested by tests/replace/test_replace.py.

from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors.stack_context import ExceptionStackContext, NullContext
from asynctest_tornado._harness import harness as _harness  # noqa: F401  # for its hooks, which hand errors to contexts

__unittest = True

__all__ = ["ExceptionStackContext", "NullContext", "wrap"]


def wrap(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function: callbacks keep the contexts in which they are scheduled by themselves."""
    return func
