"""A test in each style."""

import asyncio
from collections.abc import Generator
from typing import Any

from tornado.web import Application

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, gen_test
from docs.examples.app import make_app


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


class Styles(AsyncTestCase):
    async def test_coroutine(self) -> None:
        self.assertEqual(await double(21), 42)

    @gen_test(timeout=10)
    def test_generator(self) -> Generator[Any, Any, None]:
        result = yield double(21)
        self.assertEqual(result, 42)

    def test_callback(self) -> None:
        self.io_loop.add_future(asyncio.ensure_future(double(21)), self.stop)
        self.assertEqual(self.wait().result(), 42)


class Setup(AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.answer = self.run_sync(double, 21, timeout=10)

    def test_answer(self) -> None:
        self.assertEqual(self.answer, 42)


class Page(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return make_app()

    def test_page(self) -> None:
        response = self.fetch("/prices?item=tea")
        self.assertEqual(response.code, 200)

    async def test_page_in_a_coroutine(self) -> None:
        response = await self.async_fetch("/orders", json={"item": "tea"})
        self.assertEqual(response.json()["item"], "tea")

    async def test_websocket(self) -> None:
        async with self.ws_connect("/chat") as socket:
            self.assertEqual(await socket.read_message(), "welcome")
