"""A suite for tornado.testing, with one line before it."""

import asynctest_tornado.replace  # isort: skip # noqa: F401

from tornado.ioloop import IOLoop
from tornado.testing import AsyncHTTPTestCase, gen_test

from docs.examples.app import make_app


class PricesTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    def test_price(self):
        self.assertEqual(self.fetch("/prices?item=tea").code, 200)

    @gen_test
    async def test_client(self):
        response = await self.http_client.fetch(self.get_url("/prices?item=tea"))
        self.assertEqual(response.code, 200)
        self.assertIs(IOLoop.current(), self.io_loop)
