"""Tests for unittest.IsolatedAsyncioTestCase: the left column of its table in the page "cheat sheet".

They are run by::

    python -m unittest docs.examples.cheat_sheet.isolated_there
"""

import asyncio
import contextlib
import unittest
from unittest import mock

from docs.examples.test_errors import boom
from docs.examples.test_which_one import double


class LoopTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.answer = await double(21)
        self.addAsyncCleanup(double, 21)
        await self.enterAsyncContext(contextlib.AsyncExitStack())

    async def asyncTearDown(self):
        self.answer = None

    async def test_answer(self):
        self.assertEqual(self.answer, await double(21))

    async def test_with_a_time_limit(self):
        async with asyncio.timeout(10):
            self.assertEqual(await double(21), 42)

    async def test_an_error_is_expected(self):
        with self.assertLogs("asyncio", "ERROR"):
            asyncio.get_running_loop().call_soon(boom)
            await double(21)

    async def test_time(self):
        with mock.patch("asyncio.sleep"):
            await asyncio.sleep(3600)

    async def test_other_tasks(self):
        done = []
        asyncio.get_running_loop().call_later(0.01, done.append, 42)
        await asyncio.sleep(0.1)
        self.assertEqual(done, [42])


class SynchronousTest(unittest.TestCase):
    def setUp(self):
        self.answer = asyncio.run(double(21))

    def test_answer(self):
        self.assertEqual(self.answer, 42)
