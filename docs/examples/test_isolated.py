"""A suite that ran on unittest.IsolatedAsyncioTestCase: only the base class has changed."""

import asyncio

from asynctest_tornado import AsyncTestCase


class QueueTest(AsyncTestCase):
    async def asyncSetUp(self):
        self.queue = asyncio.Queue()
        self.worker = asyncio.create_task(self.work())
        self.addAsyncCleanup(self.finish)

    async def work(self):
        while True:
            await self.queue.get()
            self.queue.task_done()

    async def finish(self):
        self.worker.cancel()
        await asyncio.wait([self.worker])

    async def test_all_is_done(self):
        for number in range(3):
            await self.queue.put(number)
        await self.queue.join()
        self.assertTrue(self.queue.empty())
