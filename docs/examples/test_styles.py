"""A test in each style."""

import asyncio

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, gen_test
from docs.examples.app import make_app


async def double(number):
    await asyncio.sleep(0)
    return 2 * number


class Styles(AsyncTestCase):
    async def test_coroutine(self):
        self.assertEqual(await double(21), 42)

    @gen_test(timeout=10)
    def test_generator(self):
        result = yield double(21)
        self.assertEqual(result, 42)

    def test_callback(self):
        self.io_loop.add_future(asyncio.ensure_future(double(21)), self.stop)
        self.assertEqual(self.wait().result(), 42)


class Setup(AsyncTestCase):
    def setUp(self):
        super().setUp()
        self.answer = self.run_sync(double, 21, timeout=10)

    def test_answer(self):
        self.assertEqual(self.answer, 42)


class Page(AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    def test_page(self):
        response = self.fetch("/prices?item=tea")
        self.assertEqual(response.code, 200)

    async def test_page_in_a_coroutine(self):
        response = await self.async_fetch("/orders", json={"item": "tea"})
        self.assertEqual(response.json()["item"], "tea")

    async def test_websocket(self):
        async with self.ws_connect("/chat") as socket:
            self.assertEqual(await socket.read_message(), "welcome")
