import asyncio
import time

from asynctest_tornado import AsyncTestCase, gen_test

from delay import delay_async


class NativeTest(AsyncTestCase):
    async def test_delay_async(self):
        start = time.monotonic()
        passed = asyncio.Event()
        delay_async(0.1, passed.set)
        await passed.wait()
        self.assertGreaterEqual(time.monotonic() - start, 0.1)

    @gen_test(timeout=10)
    async def test_with_a_time_limit(self):
        passed = asyncio.Event()
        delay_async(0.1, passed.set)
        await passed.wait()
