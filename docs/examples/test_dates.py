"""Dates, in virtual time."""

import asyncio
import functools
import time
from datetime import UTC, datetime, timedelta

from asynctest_tornado import AsyncTestCase, VirtualClock
from docs.examples.offers import Offer

NEW_YEAR = datetime(2030, 1, 1, tzinfo=UTC)


class OfferTest(AsyncTestCase):
    clock_factory = functools.partial(VirtualClock, dates=True, epoch=NEW_YEAR)

    async def test_an_offer_ends_after_a_week(self):
        offer = Offer(price=10)
        await asyncio.sleep(timedelta(days=6).total_seconds())
        self.assertTrue(offer.is_open)
        await asyncio.sleep(timedelta(days=1, minutes=1).total_seconds())
        self.assertFalse(offer.is_open)
        self.assertEqual(datetime.now(UTC), datetime(2030, 1, 8, minute=1, tzinfo=UTC))


class DeadlineTest(AsyncTestCase):
    clock_factory = functools.partial(VirtualClock, dates=True)

    async def test_a_deadline_of_the_loop_is_a_date(self):
        deadline = time.time() + 5
        self.io_loop.call_at(deadline, self.stop)
        await asyncio.sleep(5)
        self.assertEqual(time.time(), deadline)
