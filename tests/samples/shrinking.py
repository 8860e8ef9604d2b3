"""Tests that fail in some orders, and something besides."""

import asyncio
from typing import ClassVar

from asynctest_tornado import AsyncTestCase


class DoubleClose(AsyncTestCase):
    """The second task closes as well, if the first one is slow."""

    schedules = 100
    runs: ClassVar[int] = 0

    def setUp(self) -> None:
        super().setUp()
        type(self).runs += 1

    async def test(self) -> None:
        print("in the test")
        closed = await self.close_twice()
        self.check(closed)

    def check(self, closed: int) -> None:
        self.assertEqual(closed, 1)

    async def close_twice(self) -> int:
        """Return how often it was closed."""
        closed = 0

        async def close() -> None:
            nonlocal closed
            if closed == 0:
                await asyncio.sleep(0)
                closed += 1

        async def on_error() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await close()

        await asyncio.gather(close(), on_error())
        return closed


class Leaking(DoubleClose):
    """The same, and it leaves a timer."""

    def check(self, closed: int) -> None:
        if closed == 2:
            asyncio.get_running_loop().call_later(60, print)
        super().check(closed)


class Hanging(DoubleClose):
    """For tests that hang when they are run again after a failure."""

    has_failed = False

    async def hang_or_fail(self) -> None:
        if self.has_failed:
            await asyncio.sleep(3600)
        type(self).has_failed = await self.close_twice() == 2
        self.assertFalse(self.has_failed)
