"""The network of a test, in memory."""

import asyncio
import urllib.request

from tornado.web import Application

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, VirtualNetwork
from docs.examples.app import make_app


class InMemoryTest(AsyncHTTPTestCase):
    network_factory = VirtualNetwork

    def get_app(self) -> Application:
        return make_app()

    def test_order(self) -> None:
        response = self.fetch("/orders", json={"item": "tea"})
        self.assertEqual((response.code, response.json()), (201, {"item": "tea"}))

    async def test_chat(self) -> None:
        async with self.ws_connect("/chat") as socket:
            await socket.expect("welcome")


class EncryptedTest(AsyncHTTPSTestCase):
    @staticmethod
    def network_factory() -> VirtualNetwork:
        return VirtualNetwork(tls=True)

    def get_app(self) -> Application:
        return make_app()

    def test_order(self) -> None:
        self.assertEqual(self.fetch("/orders", json={"item": "tea"}).code, 201)


class RealPortTest(AsyncHTTPTestCase):
    network_factory = VirtualNetwork

    def get_app(self) -> Application:
        return make_app()

    def order(self) -> bytes:
        request = urllib.request.Request(self.get_url("/orders"), b'{"item": "tea"}')
        with urllib.request.urlopen(request) as response:
            body: bytes = response.read()
        return body

    async def test_a_client_in_a_thread(self) -> None:
        self.assertIn(b"tea", await asyncio.to_thread(self.order))
