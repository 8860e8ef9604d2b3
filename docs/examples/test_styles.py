"""A test in each style."""

import asyncio

from tornado.escape import json_decode
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, gen_test


class OrdersHandler(RequestHandler):
    def get(self):
        self.write({"items": ["tea"]})

    def post(self):
        self.write(json_decode(self.request.body))


class ChatHandler(WebSocketHandler):
    def open(self):
        self.write_message("welcome")


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
        return Application([("/orders", OrdersHandler), ("/chat", ChatHandler)])

    def test_page(self):
        response = self.fetch("/orders")
        self.assertEqual(response.code, 200)

    async def test_page_in_a_coroutine(self):
        response = await self.async_fetch("/orders", json={"item": "tea"})
        self.assertEqual(response.json()["item"], "tea")

    async def test_websocket(self):
        async with self.ws_connect("/chat") as socket:
            self.assertEqual(await socket.read_message(), "welcome")
