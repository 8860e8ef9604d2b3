"""Tests for this library: the right column of the table of tornado.testing in the page "cheat sheet".

They are run by::

    python -m asynctest_tornado docs.examples.cheat_sheet.tornado_here
"""

import asyncio

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, AsyncTestCase, ExpectError, gen_test
from docs.examples.app import make_app
from docs.examples.test_errors import boom
from docs.examples.test_which_one import double


class LoopTest(AsyncTestCase):
    def setUp(self):
        super().setUp()
        self.answer = self.run_sync(double, 21)

    async def test_answer(self):
        self.assertEqual(self.answer, await double(21))

    @gen_test(timeout=10)
    async def test_with_a_time_limit(self):
        self.assertEqual(await double(21), 42)

    async def test_an_error_is_expected(self):
        with ExpectError(ValueError, "boom"):
            self.io_loop.add_callback(boom)
            await double(21)


class HTTPTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    async def test_get(self):
        response = await self.fetch("/prices?item=tea")
        self.assertEqual(response.json(), {"price": 3})

    def test_post(self):
        response = self.fetch("/orders", json={"item": "tea"})
        self.assertEqual(response.code, 201)

    async def test_chat(self):
        async with self.ws_connect("/chat") as socket:
            self.assertEqual(await socket.read_message(), "welcome")


class HTTPSTest(AsyncHTTPSTestCase):
    def get_app(self):
        return make_app()

    async def test_get(self):
        self.assertEqual((await self.fetch("/prices?item=tea")).code, 200)


class OtherLoopTest(AsyncTestCase):
    loop_factory = asyncio.SelectorEventLoop

    def test_loop(self):
        self.io_loop.add_callback(self.stop)
        self.wait()
