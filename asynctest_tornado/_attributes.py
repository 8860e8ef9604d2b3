"""Attributes of a test that are more than values."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

__unittest = True


class Missing:
    """Stands for what a test does not have, so that it can be told what is missing."""

    def __init__(self, explain: Callable[[type], str]) -> None:
        self._explain = explain

    def __get__(self, case: object, owner: type) -> "Missing":
        if case is None:
            return self
        raise AttributeError(self._explain(owner))


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
