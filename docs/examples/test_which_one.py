"""One short test for each line of the table in the page "Which one do I need?"."""

import asyncio
import unittest

from tornado import gen
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from asynctest_tornado import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    AsyncTestCase,
    HTTPTestServer,
    VirtualClock,
    gen_test,
)


def double_later(number, callback):
    IOLoop.current().call_later(0.01, callback, 2 * number)


@gen.coroutine
def double_in_a_generator(number):
    yield gen.sleep(0.01)
    return 2 * number


async def double(number):
    await asyncio.sleep(0.01)
    return 2 * number


class CallbackTest(AsyncTestCase):
    def test_callback(self):
        double_later(21, callback=self.stop)
        self.assertEqual(self.wait(), 42)


class GeneratorTest(AsyncTestCase):
    @gen_test
    def test_generator(self):
        answer = yield double_in_a_generator(21)
        self.assertEqual(answer, 42)


class CoroutineTest(AsyncTestCase):
    async def test_coroutine(self):
        self.assertEqual(await double(21), 42)


class SetUpTest(AsyncTestCase):
    async def asyncSetUp(self):
        self.answer = await double(21)

    def test_answer(self):
        self.assertEqual(self.answer, 42)


class PricesHandler(RequestHandler):
    def get(self):
        self.write({"price": {"tea": 3}[self.get_argument("item")]})


class ChatHandler(WebSocketHandler):
    def open(self):
        self.write_message("welcome")


def make_app():
    return Application([("/prices", PricesHandler), ("/chat", ChatHandler)])


class PriceTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    async def test_price(self):
        response = await self.fetch("/prices?item=tea")
        self.assertEqual(response.json(), {"price": 3})


class SecurePriceTest(AsyncHTTPSTestCase):
    def get_app(self):
        return make_app()

    async def test_price(self):
        response = await self.fetch("/prices?item=tea")
        self.assertEqual(response.json(), {"price": 3})


class ChatTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    async def test_chat(self):
        async with self.ws_connect("/chat") as socket:
            self.assertEqual(await socket.read_message(), "welcome")


class ElsewhereTest(unittest.IsolatedAsyncioTestCase):
    async def test_price(self):
        async with HTTPTestServer(make_app()) as server:
            response = await server.fetch("/prices?item=tea")
            self.assertEqual(response.json(), {"price": 3})


class SharedLoopTest(AsyncTestCase):
    loop_scope = "class"

    @classmethod
    async def asyncSetUpClass(cls):
        cls.answer = await double(21)

    async def test_answer(self):
        self.assertEqual(await double(self.answer), 84)


class HourTest(AsyncTestCase):
    clock_factory = VirtualClock

    async def test_an_hour(self):
        await asyncio.sleep(3600)
        self.assertEqual(self.clock.time(), 3600)


class CheckoutHandler(RequestHandler):
    async def post(self):
        url = "https://payments.example/charge"
        response = await AsyncHTTPClient().fetch(url, method="POST", body=self.request.body)
        self.write({"paid": json_decode(response.body)["amount"]})


class ChargeHandler(RequestHandler):
    """Stands in for the service of the other company."""

    def post(self):
        self.write(self.request.body)


class PaymentTest(AsyncHTTPTestCase):
    def get_app(self):
        return Application([("/checkout", CheckoutHandler)])

    async def test_payment(self):
        self.network.serve("https://payments.example", Application([("/charge", ChargeHandler)]))
        response = await self.fetch("/checkout", json={"amount": 5})
        self.assertEqual(response.json(), {"paid": 5})
