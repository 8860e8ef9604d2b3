"""Test functions in several orders; tests/pytest/test_orders.py runs them."""

import asyncio
import warnings
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from asynctest_tornado import AsyncTestCase, VirtualClock

SET_UP: list[str] = []


@pytest.fixture(scope="session", autouse=True)
def session() -> Iterator[None]:
    SET_UP.append("session")
    yield
    print(f"\nsession {SET_UP.count('session')}, module {SET_UP.count('module')}")


@pytest.fixture(scope="module", autouse=True)
def module() -> None:
    SET_UP.append("module")


@pytest.fixture
def closed() -> list[str]:
    """Return a new list for each run."""
    return []


async def close_twice(closed: list[str]) -> None:
    """Let two tasks close something. In asyncio's own order, the second one sees that it is closed."""
    is_closed = False

    async def close() -> None:
        nonlocal is_closed
        if not is_closed:
            closed.append("close")
            await asyncio.sleep(0)
            is_closed = True

    async def on_error() -> None:
        nonlocal is_closed
        for _ in range(2):
            await asyncio.sleep(0)
        if not is_closed:
            closed.append("on_error")
            is_closed = True

    print("a line of the test")
    await asyncio.gather(close(), on_error())


@pytest.mark.gen_test(schedules=8)
async def test_function(closed: list[str]) -> None:
    await close_twice(closed)
    assert closed == ["close"]


@pytest.mark.gen_test(schedules="all:1")
async def test_all(closed: list[str]) -> None:
    await close_twice(closed)
    assert closed == ["close"]


@pytest.mark.gen_test(schedules="all:1")
async def test_all_pass(closed: list[str]) -> None:
    await close_twice(closed)
    assert closed


@pytest.mark.gen_test(schedules=3)
async def test_fails_always() -> None:
    assert await asyncio.sleep(0, 1) == 2


@pytest.mark.gen_test(schedules=8)
class TestClass:
    @pytest.fixture(autouse=True)
    def keep(self) -> None:
        assert not hasattr(self, "seen")  # each run has an instance of its own
        self.seen = True

    @pytest.mark.parametrize("name", ["a", "b[1]"])
    async def test_method(self, closed: list[str], name: str) -> None:
        await close_twice(closed)
        assert closed == ["close"]


@pytest.mark.gen_test(schedules=8, loop_scope="module")
async def test_shared_loop(closed: list[str]) -> None:
    await close_twice(closed)
    assert closed == ["close"]


@pytest.mark.gen_test(schedules=8, leaks="fail", clock_factory=VirtualClock)
async def test_leak(closed: list[str]) -> None:
    await close_twice(closed)
    if closed != ["close"]:
        asyncio.get_running_loop().call_later(60, print)


@pytest.mark.gen_test(schedules=8)
async def test_warns(closed: list[str]) -> None:
    warnings.warn("a warning of the test", stacklevel=1)
    await close_twice(closed)
    assert closed == ["close"]


@pytest.mark.gen_test(schedules=8)
@pytest.mark.xfail
async def test_expected(closed: list[str]) -> None:
    await close_twice(closed)
    assert closed == ["close"]


@hypothesis.settings(max_examples=20, database=None, deadline=None)
@hypothesis.given(st.lists(st.integers(0, 40), max_size=4))
@pytest.mark.gen_test(schedules=6)
async def test_property(numbers: list[int]) -> None:
    owners: dict[int, int] = {}

    async def put(number: int) -> None:
        await asyncio.sleep(0)
        owners.setdefault(number // 10, number)

    await asyncio.gather(*map(put, numbers))
    for number in numbers:
        assert owners[number // 10] == next(each for each in numbers if each // 10 == number // 10)


class CaseTest(AsyncTestCase):
    schedules = 8

    async def test_case(self) -> None:
        closed: list[str] = []
        await close_twice(closed)
        self.assertEqual(closed, ["close"])


class AllTest(CaseTest):
    schedules: Any = "all:1"
