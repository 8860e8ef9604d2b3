"""Tests for this library: the right column of the table of IsolatedAsyncioTestCase in the page "cheat sheet".

They are run by::

    python -m unittest docs.examples.cheat_sheet.isolated_here
"""

import asyncio
import contextlib

from asynctest_tornado import AsyncTestCase, ExpectError, VirtualClock
from docs.examples.test_errors import boom
from docs.examples.test_which_one import double


class LoopTest(AsyncTestCase):
    async_test_timeout = 10

    async def asyncSetUp(self):
        self.answer = await double(21)
        self.addAsyncCleanup(double, 21)
        await self.enterAsyncContext(contextlib.AsyncExitStack())

    async def asyncTearDown(self):
        self.answer = None

    async def test_answer(self):
        self.assertEqual(self.answer, await double(21))

    async def test_an_error_is_expected(self):
        with ExpectError(ValueError, "boom"):
            asyncio.get_running_loop().call_soon(boom)
            await double(21)

    async def test_other_tasks(self):
        done = []
        asyncio.get_running_loop().call_later(0.01, done.append, 42)
        await self.settle()
        self.assertEqual(done, [42])


class TimeTest(AsyncTestCase):
    clock_factory = VirtualClock

    async def test_time(self):
        await asyncio.sleep(3600)


class SynchronousTest(AsyncTestCase):
    def setUp(self):
        self.answer = self.run_sync(double, 21)

    def test_answer(self):
        self.assertEqual(self.answer, 42)
