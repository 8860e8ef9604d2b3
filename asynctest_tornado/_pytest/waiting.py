"""settle() and eventually() for test functions."""

# Tested by tests/pytest/test_plugin.py.

from collections.abc import Awaitable, Callable
from typing import Any

from asynctest_tornado._leaks import settle as _settle
from asynctest_tornado._pytest.function import Function
from asynctest_tornado._timeouts import eventually as _eventually

__unittest = True
__tracebackhide__ = True


def settle_for(function: Function) -> Callable[..., Awaitable[None]]:
    """Return the value of the fixture ``settle``."""

    async def settle(timeout: float | None = None) -> None:
        await _settle.settle(function.harness, timeout)

    settle.__qualname__ = "settle"
    return settle


def eventually_for(function: Function) -> Callable[..., Awaitable[Any]]:
    """Return the value of the fixture ``eventually``."""

    async def eventually(condition: Callable[[], Any], timeout: float | None = None, message: str | None = None) -> Any:
        return await _eventually.eventually(function.harness, condition, timeout, message)

    eventually.__qualname__ = "eventually"
    return eventually
