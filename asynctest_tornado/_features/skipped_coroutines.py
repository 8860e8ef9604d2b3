"""Closes the coroutines that a skipped test has made, and not begun."""

# Tested by tests/unittest/test_lifecycle.py.

import gc
import inspect
from collections.abc import Coroutine, Iterable
from typing import Any

from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._network.feature import NETWORK
from asynctest_tornado._util.tracebacks import OURS, owner_of

__unittest = True


class SkippedCoroutines(Feature):
    """The coroutines in the variables and attributes of a test, where it was skipped.

    Otherwise they would be dropped while another test runs, and reported as never awaited. The cleanups may still begin
    them, and so may other tests, if a module or class has them.
    """

    def record(self, trap: Trap, skip: BaseException, attributes: Iterable[object]) -> None:
        """Record the coroutines of a test that is skipped.

        :param skip: the exception that skips it.
        :param attributes: the values of the attributes of the test, or of its fixtures.
        """
        NETWORK.was_skipped(trap)
        found = _unbegun(attributes)
        tb = skip.__traceback__
        while tb is not None:
            if owner_of(tb.tb_frame) is not OURS:
                found += _unbegun(tb.tb_frame.f_locals.values())
            tb = tb.tb_next
        if found:
            trap.data.setdefault(self, []).extend(found)

    def reported(self, trap: Trap) -> None:
        if self in trap.data:
            for coro in _unbegun(trap.data[self]):
                if not _is_shared(coro):
                    coro.close()


def _unbegun(values: Iterable[object]) -> list[Coroutine[Any, Any, Any]]:
    return [
        value
        for value in list(values)
        if inspect.iscoroutine(value) and inspect.getcoroutinestate(value) == inspect.CORO_CREATED
    ]


def _is_shared(coro: Coroutine[Any, Any, Any]) -> bool:
    """Return whether a coroutine is a variable of a module, or an attribute of a class."""
    variables = [each for each in gc.get_referrers(coro) if type(each) is dict]
    return any("__name__" in each or "__module__" in each for each in variables)


SKIPPED_COROUTINES = SkippedCoroutines()
