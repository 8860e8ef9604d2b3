"""Tests with a loop, in real and in virtual time."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, assert_type
from unittest import mock

from orders.app import price

from asynctest_tornado import (
    AsyncTestCase,
    ExceptionStackContext,
    ExpectError,
    ExpectLog,
    NullContext,
    VirtualClock,
    bind_unused_port,
    gen_test,
    get_async_test_timeout,
    setup_with_context_manager,
)


def fail() -> None:
    raise ValueError("planted")


class LoopTest(AsyncTestCase):
    async_test_timeout = 10

    def setUp(self) -> None:
        super().setUp()
        self.price: int = self.run_sync(price, "tea")
        self.patched = setup_with_context_manager(self, mock.patch("os.getcwd"))

    async def test_coroutine(self) -> None:
        await asyncio.sleep(0)
        self.assertEqual(self.price, 3)

    @gen_test
    def test_generator(self) -> Generator[Any, Any, None]:
        yield asyncio.sleep(0)

    @gen_test(timeout=5)
    def test_generator_with_timeout(self, more: int = 1) -> Generator[Any, Any, None]:
        yield asyncio.sleep(0)
        self.assertEqual(more, 1)

    @gen_test(timeout=5)
    async def test_with_argument(self, more: int = 1) -> None:
        self.assertEqual(more, 1)

    @gen_test()
    async def double(self, number: int) -> str:
        await asyncio.sleep(0)
        return str(2 * number)

    @gen_test
    def halve(self, number: int) -> Generator[Any, Any, float]:
        yield asyncio.sleep(0)
        return number / 2

    @gen_test
    def test_nothing_to_wait_for(self) -> None:
        self.assertEqual(self.price, 3)

    def test_decorated_methods_keep_arguments_and_results(self) -> None:
        self.test_with_argument(more=1)
        self.test_generator_with_timeout(1)
        bare: Callable[[], None] = self.test_generator
        bare()
        self.assertEqual(assert_type(self.double(2), str), "4")
        self.assertEqual(assert_type(self.halve(3), float), 1.5)

    def test_run_sync_has_the_result_of_the_coroutine(self) -> None:
        self.assertEqual(assert_type(self.run_sync(price, "tea", number=2), int), 6)
        self.assertEqual(assert_type(self.run_sync(price, "tea", 2, timeout=5), int), 6)
        self.assertEqual(assert_type(self.run_sync(price("tea")), int), 3)
        self.assertEqual(assert_type(self.run_sync(lambda: price("tea")), int), 3)
        self.assertEqual(assert_type(self.run_sync(asyncio.sleep, 0, 42), int), 42)
        self.assertEqual(assert_type(self.run_sync(asyncio.wait_for, price("tea"), 5), int), 3)
        self.assertEqual(self.run_sync([price("tea"), price("tea")]), [3, 3])
        self.run_sync(lambda: None)

    def test_callback(self) -> None:
        self.io_loop.add_callback(self.stop, "value")
        self.assertEqual(self.wait(lambda: True, timeout=get_async_test_timeout()), "value")

    def test_contexts(self) -> None:
        def handle(typ: type[BaseException], value: BaseException, tb: object) -> bool:
            self.stop(value)
            return True

        with ExceptionStackContext(handle) as deactivate:
            self.io_loop.add_callback(fail)
        self.assertIsInstance(self.wait(), ValueError)
        deactivate()
        with NullContext(), ExpectLog("tornado.application", "Exception in callback") as logged:
            self.io_loop.add_callback(fail)
            self.run_sync(asyncio.sleep, 0)
        self.assertEqual(assert_type(logged.matched, int), 1)
        with ExpectError(ValueError, "planted") as expected:
            self.io_loop.add_callback(fail)
            self.run_sync(asyncio.sleep, 0)
        self.assertEqual(len(assert_type(expected.exceptions, list[BaseException])), 1)

    def test_port(self) -> None:
        sock, port = bind_unused_port()
        self.addCleanup(sock.close)
        self.assertGreater(assert_type(port, int), 0)


class VirtualTimeTest(AsyncTestCase):
    clock_factory = VirtualClock

    async def test_an_hour(self) -> None:
        await asyncio.sleep(3600)
        self.assertEqual(assert_type(self.clock.time(), float), 3600)
