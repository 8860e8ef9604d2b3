"""Servers, and requests to them."""

import asyncio
import tempfile
import unittest

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, ExpectError, ExpectLog, HTTPTestServer
from docs.examples.app import make_app


class OrdersTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    def test_order(self):
        response = self.fetch("/orders", json={"item": "tea"})
        self.assertEqual((response.code, response.json()), (201, {"item": "tea"}))

    async def test_two_at_once(self):
        tea, nothing = await asyncio.gather(
            self.async_fetch("/prices", params={"item": "tea"}), self.async_fetch("/orders")
        )
        self.assertEqual((tea.code, nothing.code), (200, 404))

    def test_the_reason_of_a_500(self):
        with ExpectLog("tornado.application", "Uncaught exception GET /prices"):
            self.assertEqual(self.fetch("/prices?item=milk").code, 500)
        [failure] = self.server_errors
        self.assertIsInstance(failure.error, KeyError)


class VisitorTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app(cookie_secret="for tests")

    def test_cookies_of_responses(self):
        self.send_cookies = True
        self.fetch("/orders", json={"item": "tea"}).raise_for_status()
        self.assertEqual(self.cookies, {"item": "tea"})
        self.assertEqual(self.fetch("/orders").json(), {"item": "tea"})

    def test_cookies_of_one_request(self):
        self.assertEqual(self.fetch("/orders", cookies={"item": "tea"}).json(), {"item": "tea"})
        self.assertStatus(self.fetch("/orders"), 404)

    def test_signed_in(self):
        self.assertStatus(self.fetch("/account"), 403)
        self.sign_in("user", "anna")
        self.assertEqual(self.fetch("/account").json(), {"user": "anna"})


class StrictTest(AsyncHTTPTestCase):
    fail_on_server_error = True

    def get_app(self):
        return make_app()

    def test_error(self):
        with ExpectError(KeyError, "milk"):
            self.fetch("/prices?item=milk")


class SecureTest(AsyncHTTPSTestCase):
    def get_app(self):
        return make_app()

    def test_page(self):
        self.assertTrue(self.get_url("/").startswith("https://"))
        self.assertEqual(self.fetch("/prices?item=tea").code, 200)


class SharedTest(AsyncHTTPTestCase):
    loop_scope = "class"

    def get_app(self):
        return make_app()

    @classmethod
    async def asyncSetUpClass(cls):
        cls.lock = asyncio.Lock()

    async def test_one(self):
        async with self.lock:
            self.assertEqual((await self.async_fetch("/prices?item=tea")).code, 200)

    async def test_two(self):
        async with self.lock:
            self.assertEqual((await self.async_fetch("/orders")).code, 404)


class ElsewhereTest(unittest.IsolatedAsyncioTestCase):
    async def test_server(self):
        async with HTTPTestServer(make_app(), https=True) as server:
            response = await server.fetch("/orders", json={"item": "tea"})
            self.assertEqual(response.code, 201, server.errors)


class UnixSocketTest(unittest.IsolatedAsyncioTestCase):
    async def test_server(self):
        with tempfile.TemporaryDirectory() as folder:
            async with HTTPTestServer(make_app(), unix_socket=f"{folder}/orders", https=True) as server:
                response = await server.fetch("/prices?item=tea")
                self.assertEqual(response.code, 200, server.errors)
