import asyncio

from asynctest_tornado import AsyncTestCase


class QueueTest(AsyncTestCase):
    async def asyncSetUp(self):
        self.queue = asyncio.Queue()
        await self.queue.put("tea")
        self.addAsyncCleanup(self.queue.join)

    async def test_get(self):
        self.assertEqual(await self.queue.get(), "tea")
        self.queue.task_done()
