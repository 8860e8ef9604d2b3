"""Timers, in virtual time."""

import asyncio
import functools

from asynctest_tornado import AsyncTestCase, VirtualClock
from docs.examples.cache import Cache, start_heartbeat


class JumpingTest(AsyncTestCase):
    clock_factory = VirtualClock

    async def test_an_entry_lives_for_an_hour(self):
        cache = Cache(3600)
        cache.put("tea", "hot")
        await asyncio.sleep(3599.9)
        self.assertIn("tea", cache.values)
        await asyncio.sleep(0.2)
        self.assertNotIn("tea", cache.values)

    async def test_a_heart_beats_each_minute(self):
        times = []
        heart = start_heartbeat(lambda: times.append(self.clock.time()), 60)
        self.addCleanup(heart.stop)
        await asyncio.sleep(200)
        self.assertEqual(times, [60, 120, 180])


class ByHandTest(AsyncTestCase):
    clock_factory = functools.partial(VirtualClock, autojump=False)

    def test_each_deadline_on_the_way(self):
        cache = Cache(10)
        cache.put("tea", "hot")
        self.clock.advance(9)
        cache.put("coffee", "hot")
        self.clock.advance(1)
        self.assertEqual(cache.values, {"coffee": "hot"})
        self.clock.advance(9)
        self.assertEqual(cache.values, {})
