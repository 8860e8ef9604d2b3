"""A virtual clock, and dates that are moved along."""

from datetime import UTC, datetime

import time_machine

from asynctest_tornado import AsyncTestCase, VirtualClock


class TravelTest(AsyncTestCase):
    clock_factory = VirtualClock

    async def test_date(self) -> None:
        with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC), tick=False) as traveller:
            await self.clock.advance(10)
            traveller.shift(10)
            self.assertEqual(datetime.now(UTC).second, 10)
