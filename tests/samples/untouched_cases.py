"""Test cases that use most of the library, some of which fail."""

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tornado import gen
from tornado.web import Application

from asynctest_tornado import (
    AsyncHTTPTestCase,
    AsyncTestCase,
    ExceptionStackContext,
    ExpectError,
    ExpectLog,
    VirtualClock,
    gen_test,
)
from tests.samples.untouched import APPLICATION


def boom(*args: object) -> None:
    raise ValueError("planted")


class Plain(AsyncTestCase):
    async def test_a_coroutine(self) -> None:
        await asyncio.sleep(0.001)

    @gen_test
    def test_a_generator(self) -> Any:
        yield gen.sleep(0.001)

    def test_a_callback(self) -> None:
        self.io_loop.add_callback(self.stop)
        self.wait()

    def test_a_failure(self) -> None:
        self.fail("planted")

    def test_an_error_of_a_callback(self) -> None:
        self.io_loop.add_callback(boom)
        self.wait()

    def test_an_error_of_a_thread(self) -> None:
        thread = threading.Thread(target=boom)
        thread.start()
        thread.join()

    def test_an_expected_error(self) -> None:
        with ExpectError(ValueError, "planted"):
            self.io_loop.add_callback(boom)
            self.io_loop.add_callback(self.stop)
            self.wait()

    def test_a_handled_error(self) -> None:
        with ExceptionStackContext(lambda *exc_info: True):
            self.io_loop.add_callback(boom)
            self.io_loop.add_callback(self.stop)
        self.wait()

    def test_an_expected_log(self) -> None:
        with ExpectLog("tornado.application", "Exception in callback"):
            self.io_loop.add_callback(boom)
            self.io_loop.add_callback(self.stop)
            self.wait()

    async def test_jobs(self) -> None:
        with ThreadPoolExecutor(1) as pool:
            await self.io_loop.run_in_executor(pool, int)
        future: Future[None] = Future()
        future.add_done_callback(lambda future: None)
        future.set_result(None)

    async def test_a_process(self) -> None:
        process = await asyncio.create_subprocess_exec("true")
        await process.wait()

    async def test_a_name_is_resolved(self) -> None:
        await asyncio.get_running_loop().getaddrinfo("localhost", 80)


class Virtual(AsyncTestCase):
    clock_factory = VirtualClock

    async def test_time(self) -> None:
        await asyncio.sleep(1000)


class Ordered(AsyncTestCase):
    schedules = 3

    async def test_orders(self) -> None:
        await asyncio.gather(*(asyncio.sleep(0) for _ in range(3)))


class OfClass(AsyncTestCase):
    loop_scope = "class"

    async def test_one(self) -> None:
        await asyncio.sleep(0.001)

    async def test_two(self) -> None:
        await asyncio.sleep(0.001)


class Served(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return APPLICATION

    def test_fetch(self) -> None:
        self.assertEqual(self.fetch("/").body, b"hello")

    async def test_websocket(self) -> None:
        async with self.ws_connect("/echo") as websocket:
            await websocket.write_message("hello")
            self.assertEqual(await websocket.read_message(), "hello")
