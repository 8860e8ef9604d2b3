"""Waits for everything that Tornado can yield, and not only for awaitables."""

# Tested by tests/harness/test_yieldables.py.

from collections.abc import Callable, Coroutine
from typing import Any

from asynctest_tornado._harness import yieldables
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._util import names

__unittest = True


class YieldableResults(Feature):
    """Waits for generators, lists of futures and the like, as ``tornado.gen.coroutine`` does."""

    @staticmethod
    def run_func(func: Callable[[], Any], on_end: Callable[[bool], object]) -> Coroutine[Any, Any, Any]:
        coro = yieldables.run(func, on_end)
        named: Any = coro
        named.__qualname__ = names.name_of_job(func)  # in reports, it is the coroutine of the test
        return coro


YIELDABLE_RESULTS = YieldableResults()
