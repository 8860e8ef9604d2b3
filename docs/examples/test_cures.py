"""Cures that the page messages.rst shows."""

import asyncio
import urllib.request

from tornado.ioloop import PeriodicCallback
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ExpectError


class StopTest(AsyncTestCase):
    def test_the_callback_stops(self):
        self.io_loop.call_later(0.01, self.stop, 5)  # and not self.stop(5)
        self.assertEqual(self.wait(), 5)


class Hello(RequestHandler):
    def get(self):
        self.write("hello")


class ClientTest(AsyncHTTPTestCase):
    def get_app(self):
        return Application([("/", Hello)])

    async def test_a_blocking_client(self):
        response = await asyncio.to_thread(urllib.request.urlopen, self.get_url("/"))
        with response:
            self.assertEqual(response.read(), b"hello")


class SetUpTest(AsyncTestCase):
    async def connect(self, host):
        self.connection = f"to {host}"

    def setUp(self):
        super().setUp()
        self.run_sync(self.connect, "localhost")

    def test_it_is_connected(self):
        self.assertEqual(self.connection, "to localhost")


class ClassTest(AsyncTestCase):
    loop_scope = "class"

    @classmethod
    async def asyncSetUpClass(cls):
        cls.ready = asyncio.Event()

    async def test_it_is_not_set(self):
        self.assertFalse(self.ready.is_set())


class CallbackTest(AsyncTestCase):
    async def test_the_error_of_a_callback(self):
        with ExpectError(ZeroDivisionError):
            self.io_loop.add_callback(lambda: 1 // 0)
            await self.settle()


class CleanupTest(AsyncTestCase):
    def setUp(self):
        super().setUp()
        self.timer = PeriodicCallback(self.stop, 10)
        self.timer.start()
        self.addCleanup(self.timer.stop)

    def test_a_tick(self):
        self.wait()
