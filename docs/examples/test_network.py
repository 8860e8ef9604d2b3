"""The network of a test, in memory."""

import asyncio
import functools
import threading
import urllib.request

from tornado.web import Application

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, VirtualClock, VirtualNetwork
from docs.examples.app import make_app
from docs.examples.shop import make_app as make_shop
from docs.examples.test_hosts import ChargeHandler


class InMemoryTest(AsyncHTTPTestCase):
    network_factory = VirtualNetwork

    def get_app(self):
        return make_app()

    def test_order(self):
        response = self.fetch("/orders", json={"item": "tea"})
        self.assertEqual((response.code, response.json()), (201, {"item": "tea"}))

    async def test_chat(self):
        async with self.ws_connect("/chat") as socket:
            await socket.expect("welcome")


class EncryptedTest(AsyncHTTPSTestCase):
    network_factory = functools.partial(VirtualNetwork, tls=True)

    def get_app(self):
        return make_app()

    def test_order(self):
        self.assertEqual(self.fetch("/orders", json={"item": "tea"}).code, 201)


class RealPortTest(AsyncHTTPTestCase):
    network_factory = VirtualNetwork

    def get_app(self):
        return make_app()

    def order(self):
        request = urllib.request.Request(self.get_url("/orders"), b'{"item": "tea"}')
        with urllib.request.urlopen(request) as response:
            return response.read()

    async def test_a_client_in_a_thread(self):
        self.assertIn(b"tea", await asyncio.to_thread(self.order))


class SlowResponseTest(AsyncHTTPTestCase):
    clock_factory = VirtualClock
    network_factory = VirtualNetwork

    def get_app(self):
        return make_shop(payments="https://payments.example")

    async def asyncSetUp(self):
        payments = self.network.serve("https://payments.example", Application([("/charge", ChargeHandler)]))
        payments.latency = 5

    async def test_a_client_in_a_thread(self):
        bodies = []

        def checkout():
            with urllib.request.urlopen(self.get_url("/checkout"), b'{"amount": 5}') as response:
                bodies.append(response.read())

        thread = threading.Thread(target=checkout)
        thread.start()
        self.addCleanup(thread.join)
        await self.eventually(lambda: bodies)
        self.assertEqual((bodies, self.clock.time()), ([b'{"paid": 5}'], 5))
