"""Leads from a future to those that it waits for, and to those that wait for it."""

# Tested by tests/leaks/test_settle.py.

import asyncio
import functools
from collections.abc import Iterable
from typing import Any

from asynctest_tornado._leaks.kinds import safely
from asynctest_tornado._timeouts import pending_report
from asynctest_tornado._util import names as _names

__unittest = True

_MOST_LOOKED_AT = 1000


def below(future: Any) -> list[Any]:
    """Return all futures that a future waits for, by way of others."""
    found: dict[int, Any] = {}
    left = pending_report.awaited(future)
    while left and len(found) < _MOST_LOOKED_AT:
        each = left.pop()
        if id(each) not in found:
            found[id(each)] = each
            left += pending_report.awaited(each)
    return list(found.values())


def above(future: Any) -> list[Any]:
    """Return a future, and those that wait for it, as far as their callbacks show that: ``wait_for()`` and the like."""
    found: dict[int, Any] = {}
    left = [future]
    while left and len(found) < _MOST_LOOKED_AT:
        each = left.pop()
        if id(each) not in found:
            found[id(each)] = each
            for callback, _ in getattr(each, "_callbacks", None) or ():
                args = callback.args if isinstance(callback, functools.partial) else ()
                left += safely(_futures_of, callback, args) or []
    return list(found.values())


def leaves(future: Any) -> list[Any]:
    """Return the futures, of a future and all that it waits for, that wait for no other."""
    return [each for each in [future, *below(future)] if not pending_report.awaited(each)]


def waits(future: Any) -> Iterable[tuple[Any, Any]]:
    """Return each leaf with the task, coroutine or gather that waits for it."""
    owners = [future, *below(future)]
    if len(owners) == 1 and not isinstance(future, asyncio.Task):
        yield None, future  # a request that no task waits for
    for owner in owners:
        inner = pending_report.awaited(owner)
        yield from ((owner, each) for each in inner if not pending_report.awaited(each))


def linked(timer: Any) -> set[int]:
    """Return the ids of the tasks and futures that a timer belongs to, for example those that it ends."""
    callback, args = _names.call_of(timer)
    func = _names.function_of_callback(callback, args)
    found = [*(safely(_futures_of, func, args or ()) or ()), *(safely(_futures_of, callback, ()) or ())]
    return {id(each) for each in found}


def _futures_of(func: Any, args: Iterable[Any]) -> list["asyncio.Future[Any]"]:
    """Return the futures that a function gets, or refers to."""
    bound = getattr(func, "__self__", None)
    cells = [cell for cell in getattr(func, "__closure__", None) or () if cell != _EMPTY]
    things = [*args, bound, *(cell.cell_contents for cell in cells)]
    things.append(getattr(bound, "_task", None))  # of asyncio.timeout()
    return [each for each in things if isinstance(each, asyncio.Future)]


_EMPTY = type((lambda value: lambda: value)(0).__closure__[0])()  # type: ignore[index]
