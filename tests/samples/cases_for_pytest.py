"""Test cases of which pytest, with the plugin, reports more than it would by itself. Tests run them."""

import asyncio
import threading
from typing import ClassVar

import pytest

from asynctest_tornado import AsyncTestCase


def boom() -> None:
    raise ValueError("planted")


class Leaks(AsyncTestCase):
    def test_leak(self) -> None:
        self.io_loop.call_later(3600, boom)

    def test_subtests(self) -> None:
        self.io_loop.call_later(3600, boom)
        for number in range(2):
            with self.subTest(number=number):
                self.assertEqual(number, 0)


class Late(AsyncTestCase):
    leaks = "ignore"
    go: ClassVar = threading.Event()
    left: ClassVar[list[threading.Thread]] = []

    def test_1(self) -> None:
        def run() -> None:
            self.go.wait()
            boom()

        self.left.append(threading.Thread(target=run))
        self.left[0].start()

    def test_2(self) -> None:
        self.go.set()
        for thread in self.left:
            thread.join()


class Traced(AsyncTestCase):
    async def test(self) -> None:
        await asyncio.sleep(0)


class Debugged(AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.answer = 42

    def tearDown(self) -> None:
        self.run_sync(asyncio.sleep, 0)
        super().tearDown()

    def test_passes(self) -> None:
        self.run_sync(asyncio.sleep, 0)

    def test_fails(self) -> None:
        self.assertEqual(self.answer, 6 * 9)


@pytest.mark.usefixtures("io_loop")
class WithFixture(AsyncTestCase):
    def test(self) -> None:
        pass
