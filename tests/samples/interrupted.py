"""Test cases of a run that the user interrupts."""

import asyncio
import os
import signal
import unittest

from asynctest_tornado import AsyncTestCase


class Interrupted(AsyncTestCase):
    def test_1_fails(self) -> None:
        self.fail("planted")

    async def test_2_is_interrupted(self) -> None:
        self.task = asyncio.ensure_future(self.work())
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGINT)
        await self.task

    async def work(self) -> None:
        await asyncio.Event().wait()

    def test_3_does_not_run(self) -> None:
        self.fail("planted in a test that does not run")


class InSetUpClass(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    def test(self) -> None: ...


class Missing(AsyncTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        raise ValueError("planted")

    def test(self) -> None: ...


class Subtests(AsyncTestCase):
    def test(self) -> None:
        for number in 1, 2:
            with self.subTest(number=number):
                self.fail("planted")


class Unexpected(AsyncTestCase):
    @unittest.expectedFailure
    def test(self) -> None: ...
