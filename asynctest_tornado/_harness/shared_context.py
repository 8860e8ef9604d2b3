"""The context that all parts of a test share, with its context variables."""

# Tested by tests/harness/test_harness.py.

import contextvars
from collections.abc import Callable
from typing import Any, TypeVar

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.trap import Trap

__unittest = True

_T = TypeVar("_T")


class SharedContext:
    """The context of one test: a context variable that one part sets has the value in the next.

    :param trap: the trap of the test.
    :param outer: the context of the class, if its tests share a loop.
    """

    def __init__(self, trap: Trap, outer: "SharedContext | None" = None) -> None:
        self.variables: contextvars.Context = contextvars.copy_context() if outer is None else outer.variables.copy()
        self.variables.run(contexts.contexts.set, (trap,))
        #: True while synchronous code runs in the context: it cannot be entered twice.
        self.is_inside = False

    def call(self, func: Callable[..., _T], *args: Any) -> _T:
        """Call synchronous code of the test in the context."""
        if self.is_inside:
            return func(*args)
        self.is_inside = True
        try:
            return self.variables.run(func, *args)
        finally:
            self.is_inside = False


def copy_variables(context: contextvars.Context) -> None:
    """Set the variables that a task has set in its context, as if it had been one piece of code with the caller."""
    for variable, value in context.items():
        if variable is not contexts.contexts and variable.get(context) is not value:
            variable.set(value)
