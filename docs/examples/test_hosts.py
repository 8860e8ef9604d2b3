"""Tests of an application that depends on services of others."""

import asyncio
import json

from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase
from docs.examples.shop import make_app


class ChargeHandler(RequestHandler):
    def post(self):
        self.write({"amount": json.loads(self.request.body)["amount"]})


class CheckoutTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app(payments="https://payments.example")

    async def asyncSetUp(self):
        stub = Application([("/charge", ChargeHandler)])
        self.payments = self.network.serve("https://payments.example", stub)

    async def test_a_customer_pays(self):
        response = await self.fetch("/checkout", json={"amount": 5})
        self.assertEqual(response.json(), {"paid": 5})
        self.assertEqual([request.path for request in self.payments.requests], ["/charge"])

    async def test_without_the_provider_there_is_no_payment(self):
        self.payments.stop()
        response = await self.fetch("/checkout", json={"amount": 5})
        self.assertStatus(response, 502)


class CertificateTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app(payments="https://payments.example")

    async def test_no_card_goes_to_a_host_with_an_expired_certificate(self):
        payments = self.network.serve("https://payments.example", Application(), certificate="expired")
        response = await self.fetch("/checkout", json={"amount": 5})
        self.assertStatus(response, 502)
        self.assertEqual(payments.requests, [])


class CacheTest(AsyncTestCase):
    async def test_the_cache_is_alive(self):
        async def pong(stream, address):
            await stream.read_until(b"PING\r\n")
            await stream.write(b"+PONG\r\n")

        self.network.serve("tcp://cache.example:6379", pong)
        reader, writer = await asyncio.open_connection("cache.example", 6379)
        writer.write(b"PING\r\n")
        self.assertEqual(await reader.readline(), b"+PONG\r\n")
        writer.close()
