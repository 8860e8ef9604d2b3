"""hypothesis looks for inputs, and the seeds for orders, with which a test fails."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asynctest_tornado import AsyncTestCase


class Counter:
    """Counts words, in a store that is slow to answer."""

    def __init__(self):
        self.store = {}
        self.lock = asyncio.Lock()

    async def add(self, word):
        async with self.lock:
            count = self.store.get(word, 0)
            await asyncio.sleep(0)  # the store
            self.store[word] = count + 1


class CounterTest(AsyncTestCase):
    schedules = 10

    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.sampled_from(["tea", "milk", "bread"])))
    async def test_no_word_is_lost(self, words):
        counter = Counter()
        await asyncio.gather(*(counter.add(word) for word in words))
        self.assertEqual(counter.store, {word: words.count(word) for word in words})
