"""Closes the coroutines that a skipped test has made, and not begun."""

# Tested by tests/unittest/test_lifecycle.py.

import inspect
import unittest
from collections.abc import Iterable

from asynctest_tornado._util.tracebacks import OURS, owner_of

__unittest = True


def close(skip: unittest.SkipTest, case: unittest.TestCase) -> None:
    """Close the coroutines in the variables and attributes of a test that ends here.

    Otherwise they would be dropped while another test runs, and reported as never awaited.
    """
    _close(vars(case).values())
    tb = skip.__traceback__
    while tb is not None:
        if owner_of(tb.tb_frame) is not OURS:
            _close(tb.tb_frame.f_locals.values())
        tb = tb.tb_next


def _close(values: Iterable[object]) -> None:
    for value in list(values):
        if inspect.iscoroutine(value) and inspect.getcoroutinestate(value) == inspect.CORO_CREATED:
            value.close()
