"""Tests with a mistake about their time each. Their reports are in ``tests/gallery``."""

import asyncio
import functools

import freezegun

from asynctest_tornado import AsyncTestCase, VirtualClock
from tests.limits import limit_clock


class ClockIsFrozen(AsyncTestCase):
    async def test(self) -> None:
        with freezegun.freeze_time("2030-01-01"):
            limit_clock.advance(10)
            await asyncio.sleep(1)


class OptionOfTheClockIsMisspelled(AsyncTestCase):
    clock_factory = functools.partial(VirtualClock, autojmp=False)  # type: ignore[call-arg]

    def test(self) -> None:
        self.clock.advance(1)
