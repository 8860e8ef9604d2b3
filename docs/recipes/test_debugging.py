"""A test that stops in a debugger, at breakpoint()."""

import asyncio

from asynctest_tornado import AsyncTestCase


async def total(prices):
    await asyncio.sleep(0.01)
    return sum(prices)


class TotalTest(AsyncTestCase):
    async def test_total(self):
        result = await total([1, 2])
        breakpoint()
        self.assertEqual(result, 3)
