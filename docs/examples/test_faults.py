"""Tests of an application whose provider is slow, breaks off, or cannot be reached."""

import asyncio
import functools

from tornado.web import Application

from asynctest_tornado import AsyncHTTPTestCase, VirtualClock, VirtualNetwork
from docs.examples.shop import make_app
from docs.examples.test_hosts import ChargeHandler

ORDER = {"amount": 5}


class FaultsTest(AsyncHTTPTestCase):
    clock_factory = VirtualClock
    network_factory = VirtualNetwork

    def get_app(self):
        return make_app(payments="https://payments.example")

    async def asyncSetUp(self):
        stub = Application([("/charge", ChargeHandler)])
        self.payments = self.network.serve("https://payments.example", stub)

    async def test_a_slow_provider(self):
        self.payments.latency = 40  # seconds of virtual time
        response = await self.fetch("/checkout", json=ORDER)
        self.assertStatus(response, 502)
        self.assertEqual(self.clock.time(), 10)  # the time limit of the application

    async def test_a_response_that_breaks_off(self):
        self.payments.cut(after=100)  # bytes of the next response
        self.assertStatus(await self.fetch("/checkout", json=ORDER), 502)
        self.assertStatus(await self.fetch("/checkout", json=ORDER), 200)

    async def test_a_provider_that_is_busy(self):
        self.payments.hold()
        response = asyncio.ensure_future(self.fetch("/checkout", json=ORDER))
        await asyncio.sleep(5)
        self.assertEqual(len(self.payments.requests), 1)
        self.payments.release()
        self.assertStatus(await response, 200)

    async def test_a_network_that_is_down(self):
        self.network.partition("payments.example")
        response = asyncio.ensure_future(self.fetch("/checkout", json=ORDER))
        await asyncio.sleep(5)
        self.network.heal()
        self.assertStatus(await response, 200)


class RetryTest(AsyncHTTPTestCase):
    clock_factory = VirtualClock
    network_factory = functools.partial(VirtualNetwork, faults=0.3)
    schedules = 20

    def get_app(self):
        return make_app(payments="https://payments.example")

    async def asyncSetUp(self):
        stub = Application([("/charge", ChargeHandler)])
        self.network.serve("https://payments.example", stub)

    async def test_the_application_answers_whatever_happens(self):
        response = await self.fetch("/checkout", json=ORDER)
        self.assertIn(response.code, (200, 502))
        self.assertLessEqual(self.clock.time(), 10)
