"""Subtests of pytest, its fixture ``subtests``, in a test on Tornado's loop."""

import contextlib
import types
from typing import TYPE_CHECKING, Any

import pytest

from asynctest_tornado._pytest import claims

if TYPE_CHECKING:
    from asynctest_tornado._pytest.function import Function

__unittest = True
__tracebackhide__ = True

FIXTURE = "subtests"


def watch(subtests: Any, item: pytest.Item) -> None:
    """Let the harness say which error ends a subtest. pytest by itself sees a ``CancelledError``, and goes on."""
    make = getattr(subtests, "test", None)
    if make is None:
        return  # another fixture of this name

    def test(*args: Any, **kwargs: Any) -> Any:
        function, context = item.stash.get(claims.FUNCTION, None), make(*args, **kwargs)
        return context if function is None else _Subtest(function, context)

    with contextlib.suppress(AttributeError):  # an object that takes no attributes
        subtests.test = test


class _Subtest:
    """A subtest of pytest, of which the harness is asked first."""

    def __init__(self, function: "Function", context: Any) -> None:
        self._function = function
        self._context = context

    def __enter__(self) -> Any:
        return self._context.__enter__()

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, tb: types.TracebackType | None
    ) -> bool:
        __tracebackhide__ = True
        own = None if error is None else self._function.error_of_subtest(error)
        self._function.is_in_subtest, is_made = True, False
        try:
            is_handled = bool(
                self._context.__exit__(None if own is None else type(own), own, own and own.__traceback__)
            )
            is_made = True
        finally:
            self._function.end_report(is_made)
        if self._function.ends_with_subtest(error, own):
            return False  # the time is over for the test as a whole, or the test itself has cancelled this
        if own is not None and own is not error and not is_handled:
            raise own
        return is_handled
