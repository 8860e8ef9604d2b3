"""The run of a result: begins with the first test, ends when the runner says so."""

# Tested by tests/sources/test_installation.py.

import functools
import types
import weakref
from collections.abc import Callable
from typing import Any

from asynctest_tornado._sources import installation, terminal_logs
from asynctest_tornado._unittest import late_errors, result_protocol

__unittest = True

#: Returns the result of the latest test.
latest: Callable[[], object] = types.NoneType


def begin(result: Any) -> None:
    """Begin the run of a result, unless its tests have begun already, or pytest runs them, which ends later."""
    global latest
    try:
        latest = weakref.ref(result)
    except TypeError:  # it has __slots__
        latest = types.NoneType
    plugin = late_errors.plugin_of(result)
    if plugin is not None:
        installation.begin(plugin)
        terminal_logs.add_pytest(result.config)
    elif result_protocol.watch_run(result, end):
        installation.begin(result)


def end(result: Any) -> None:
    """End the run: report the last errors, and take the patches back."""
    global latest
    latest = types.NoneType
    installation.end(result, functools.partial(late_errors.flush, result))
