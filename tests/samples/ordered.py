"""Tests that are run in several orders."""

import asyncio
from typing import ClassVar

from asynctest_tornado import AsyncTestCase


class Ordered(AsyncTestCase):
    async def test_alone(self) -> None:
        """There is only one order."""
        await asyncio.sleep(0)

    async def test_several(self) -> None:
        """There are six."""
        await asyncio.gather(self.work(), self.work(), self.work())

    async def work(self) -> None:
        await asyncio.sleep(0)


class Counting(AsyncTestCase):
    """Records each setUp and tearDown, and fails once there are more than ``fails_at`` of them."""

    schedules = 10
    fails_at: ClassVar[int] = 100
    events: ClassVar[list[str]]

    def setUp(self) -> None:
        super().setUp()
        self.events.append("setUp")
        self.assertFalse(hasattr(self, "mark"))
        self.mark = "of this run"

    async def test(self) -> None:
        await asyncio.sleep(0)
        if len(self.events) > self.fails_at:
            self.fail("planted")

    def tearDown(self) -> None:
        super().tearDown()
        self.events.append("tearDown")
