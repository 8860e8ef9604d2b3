"""Tests that are as slow as the one who sits at the terminal."""

import sys

from tornado import locks

from asynctest_tornado import AsyncTestCase


class WaitsForKey(AsyncTestCase):
    def test_1_passes(self) -> None:
        pass

    def test_2_waits(self) -> None:
        sys.stdin.readline()

    def test_3_passes(self) -> None:
        pass


class Deadlock(AsyncTestCase):
    """Nothing can wake it."""

    async_test_timeout = 60

    def test_1_waits(self) -> None:
        sys.stdin.readline()

    async def test_2_deadlock(self) -> None:
        await locks.Event().wait()
