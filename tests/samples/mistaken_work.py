"""Tests that end before their work does. Their reports, in ``tests/gallery``, say how to mend it."""

import asyncio
from collections.abc import Callable

from tornado import web
from tornado.ioloop import IOLoop

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase


class TimerOutlivesTheTest(AsyncTestCase):
    leaks = "fail"

    def test(self) -> None:
        def done() -> None:
            self.assertEqual(1, 2)

        self.delay(2, done)

    def delay(self, seconds: float, callback: Callable[[], object]) -> None:
        self.io_loop.call_later(seconds, callback)


class SetUpDoesNotWait(AsyncTestCase):
    leaks = "fail"

    def setUp(self) -> None:
        super().setUp()
        self.task = asyncio.ensure_future(self.connect(), loop=self.io_loop.asyncio_loop)  # type: ignore[attr-defined]

    async def connect(self) -> None:
        await asyncio.sleep(3600)

    async def test(self) -> None: ...


class MailFailsAfterTheResponse(AsyncHTTPTestCase):
    settle_at_end = True

    class Order(web.RequestHandler):
        def post(self) -> None:
            IOLoop.current().spawn_callback(self.send_mail)

        async def send_mail(self) -> None:
            await asyncio.sleep(0.001)
            raise ConnectionRefusedError("the mail server is down")

    def get_app(self) -> web.Application:
        return web.Application([("/orders", self.Order)], log_function=lambda handler: None)

    def test(self) -> None:
        self.assertEqual(self.fetch("/orders", method="POST", body="").code, 200)
