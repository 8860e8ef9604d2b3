"""Tests that go wrong on purpose. ``reports`` has unittest's report of each, under the test's name."""

import asyncio
import time
from pathlib import Path

from tornado.ioloop import IOLoop
from tornado.web import Application

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, VirtualClock, VirtualNetwork
from docs.examples import mails
from docs.examples.app import make_app
from docs.examples.cache import start_heartbeat
from docs.examples.orders import order
from docs.examples.registry import Registry
from docs.examples.shop import make_app as make_shop
from docs.examples.test_hosts import ChargeHandler


def delay_async(seconds, callback):
    IOLoop.current().call_later(seconds, callback)


class MyTestCase(AsyncTestCase):
    def test_delay(self):
        start = time.monotonic()

        def done():
            self.assertAlmostEqual(time.monotonic() - start, 0.1, places=1)
            self.stop()

        delay_async(0.3, done)
        self.wait()


class TaskTest(AsyncTestCase):
    async def work(self):
        raise ValueError("boom")

    async def test_task_is_not_awaited(self):
        self.task = asyncio.create_task(self.work())
        await asyncio.sleep(0)


class PageTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    def test_price(self):
        response = self.fetch("/prices?item=milk")
        self.assertEqual(response.code, 200)

    async def test_websocket(self):
        async with self.ws_connect("/chat") as socket:
            await socket.read_message()
            await socket.write_message("/price milk")
            self.assertEqual(await socket.read_message(), "3")


class RegistryTest(AsyncTestCase):
    trace = Path("docs/_build/traces")
    clock_factory = VirtualClock

    async def test_a_name_has_one_owner(self):
        registry = Registry()
        answers = await asyncio.gather(*(registry.register("tea", user) for user in ("first", "second")))
        self.assertEqual(answers, [True, False])


class MailTest(AsyncHTTPTestCase):
    def get_app(self):
        self.outbox = []
        return mails.make_app(self.outbox)

    async def test_mail_twice(self):
        await self.fetch("/orders", method="POST", form={"item": "tea"})
        await self.eventually(lambda: len(self.outbox) == 2, timeout=0.3)


class LeakTest(AsyncTestCase):
    leaks = "fail"

    def test_heartbeat(self):
        self.assertTrue(start_heartbeat(lambda: None, 60).is_running())


class LogsTest(AsyncTestCase):
    async def test_order(self):
        self.io_loop.add_callback(order, "milk")
        await asyncio.sleep(0.001)
        self.assertEqual(len(self.logs), 0)


class PaymentTest(AsyncHTTPTestCase):
    clock_factory = VirtualClock
    network_factory = VirtualNetwork

    def get_app(self):
        return make_shop(payments="https://payments.example")

    async def test_a_response_that_breaks_off(self):
        payments = self.network.serve("https://payments.example", Application([("/charge", ChargeHandler)]))
        payments.cut(after=100)
        self.assertStatus(await self.fetch("/checkout", json={"amount": 5}), 200)
