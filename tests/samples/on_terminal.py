"""A small suite, to be looked at on a terminal."""

import asyncio
import logging
import unittest

from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase

log = logging.getLogger("shop")


class Prices(RequestHandler):
    def get(self) -> None:
        log.warning("no price for milk")
        self.write("0")


class Shop(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return Application([("/prices", Prices)])

    def test_1_passes(self) -> None:
        self.assertEqual(self.fetch("/prices").code, 200)

    def test_2_fails(self) -> None:
        self.assertEqual(self.fetch("/prices").body, b"3")

    @unittest.skip("there is no database")
    def test_3_is_skipped(self) -> None: ...


class Waits(AsyncTestCase):
    async_test_timeout = 60

    async def test_waits(self) -> None:
        await asyncio.sleep(50)


class Last(AsyncTestCase):
    def test_passes(self) -> None: ...
