"""Attributes that explain what is missing."""

# Tested by tests/unittest/test_case.py.

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

__unittest = True


class Missing:
    """Stands for an attribute that a test does not have, and explains why.

    :param explain: returns the message, given the class.
    :param error: the class of the error: ``AttributeError``, so that ``hasattr`` returns false, if the name is public.
    """

    def __init__(self, explain: Callable[[type], str], error: type[Exception] = AttributeError) -> None:
        self._explain = explain
        self._error = error

    def __get__(self, case: object, owner: type) -> "Missing":
        if case is None:
            return self
        error = self._error(self._explain(owner))
        if isinstance(error, AttributeError):
            error.obj = case  # or Python 3.12 and later would add a guess at another name
        raise error


if TYPE_CHECKING:
    computed = property
else:

    class computed:
        """A property that a test may replace by an attribute of its own: suites have used these names before."""

        def __init__(self, compute: Callable[[Any], Any]) -> None:
            self._compute = compute
            self.__doc__ = compute.__doc__

        def __get__(self, case: Any, owner: type) -> Any:
            return self if case is None else self._compute(case)
