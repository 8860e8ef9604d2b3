"""Test functions and cases whose dates follow virtual time, and others between them."""

import asyncio
import datetime
import functools
import time
from collections.abc import AsyncIterator

import pytest

from asynctest_tornado import AsyncTestCase, VirtualClock

EPOCH = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
DAY = 86400
dated = pytest.mark.gen_test(clock_factory=functools.partial(VirtualClock, dates=True, epoch=EPOCH))


def days() -> float:
    """Return the date, in days since the epoch of the clock."""
    return (time.time() - EPOCH.timestamp()) / DAY


@pytest.fixture
async def a_day() -> AsyncIterator[float]:
    before = days()
    await asyncio.sleep(DAY)
    yield before
    await asyncio.sleep(DAY)
    assert days() == 3


@dated
async def test_dates(a_day: float, clock: VirtualClock) -> None:
    assert a_day == 0
    await asyncio.sleep(DAY)
    assert days() == 2
    assert time.time() == clock.wall_time()


def test_real_after_success() -> None:
    assert days() < 0


@dated
async def test_failure() -> None:
    await asyncio.sleep(DAY)
    raise OSError


def test_real_after_failure() -> None:
    assert days() < 0


class TestDates(AsyncTestCase):
    clock_factory = functools.partial(VirtualClock, dates=True, epoch=EPOCH)

    async def test_dates(self) -> None:
        await asyncio.sleep(DAY)
        assert days() == 1


def test_real_after_a_case() -> None:
    assert days() < 0
