"""The context variables that fixtures of both kinds share."""

# Tested by tests/pytest/test_plugin.py.

import contextvars
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors import contexts

__unittest = True
__tracebackhide__ = True

_MISSING = object()


class Variables:
    """The context variables of one test.

    All fixtures share one context, so that a fixture can reset a variable that it has set. Around the context, fixtures
    that are not asynchronous see the same variables, up to the end of the test.

    :param context: the context of the test.
    """

    def __init__(self, context: contextvars.Context) -> None:
        self._context = context
        self._is_inside = False
        # For the values that the variables had around the context.
        self._tokens: dict[contextvars.ContextVar[Any], contextvars.Token[Any]] = {}

    def inside(self, func: Callable[[], Any]) -> Any:
        """Call a function that runs code in the context of the test."""
        if self._is_inside:
            return func()
        context = self._context
        for variable, value in contextvars.copy_context().items():
            if variable is not contexts.contexts and context.get(variable, _MISSING) is not value:
                context.run(variable.set, value)
        self._is_inside = True
        try:
            return func()
        finally:
            self._is_inside = False
            self._bring_back()

    def _bring_back(self) -> None:
        for variable in [variable for variable in self._tokens if variable not in self._context]:
            variable.reset(self._tokens.pop(variable))
        for variable, value in self._context.items():
            if variable is not contexts.contexts and variable.get(_MISSING) is not value:
                self._tokens.setdefault(variable, variable.set(value))

    def restore(self) -> None:
        """Give the variables the values that they had before the test."""
        for variable, token in self._tokens.items():
            variable.reset(token)
