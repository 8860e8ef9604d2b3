"""Tests for tornado.testing: the left column of its table in the page "cheat sheet".

They are run by::

    python -m tornado.testing docs.examples.cheat_sheet.tornado_there
"""

from tornado.escape import json_decode, json_encode
from tornado.httpclient import HTTPRequest
from tornado.ioloop import IOLoop
from tornado.testing import AsyncHTTPSTestCase, AsyncHTTPTestCase, AsyncTestCase, ExpectLog, gen_test
from tornado.websocket import websocket_connect

from docs.examples.app import make_app
from docs.examples.test_errors import boom
from docs.examples.test_which_one import double


class LoopTest(AsyncTestCase):
    def setUp(self):
        super().setUp()
        self.answer = self.io_loop.run_sync(lambda: double(21))

    @gen_test
    async def test_answer(self):
        self.assertEqual(self.answer, await double(21))

    @gen_test(timeout=10)
    async def test_with_a_time_limit(self):
        self.assertEqual(await double(21), 42)

    @gen_test
    async def test_an_error_is_expected(self):
        with ExpectLog("tornado.application", "Exception in callback"):
            self.io_loop.add_callback(boom)
            await double(21)


class HTTPTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    @gen_test
    async def test_get(self):
        response = await self.http_client.fetch(self.get_url("/prices?item=tea"))
        self.assertEqual(json_decode(response.body), {"price": 3})

    def test_post(self):
        response = self.fetch("/orders", method="POST", body=json_encode({"item": "tea"}))
        self.assertEqual(response.code, 201)

    @gen_test
    async def test_chat(self):
        socket = await websocket_connect(self.get_url("/chat").replace("http", "ws"))
        self.assertEqual(await socket.read_message(), "welcome")
        socket.close()


class HTTPSTest(AsyncHTTPSTestCase):
    def get_app(self):
        return make_app()

    @gen_test
    async def test_get(self):
        request = HTTPRequest(self.get_url("/prices?item=tea"), validate_cert=False)
        self.assertEqual((await self.http_client.fetch(request)).code, 200)


class OtherLoopTest(AsyncTestCase):
    def get_new_ioloop(self):
        return IOLoop(make_current=False)

    def test_loop(self):
        self.io_loop.add_callback(self.stop)
        self.wait()
