"""Clients that go away in the middle of a response, which is the end of these tests or comes before it."""

import asyncio
import logging

from tornado import web
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient

from asynctest_tornado import AsyncHTTPTestCase


class Departing(AsyncHTTPTestCase):
    leaks = "ignore"

    def get_app(self) -> web.Application:
        self.ended = ended = asyncio.Event()

        class Events(web.RequestHandler):
            async def get(self) -> None:
                try:
                    while True:
                        self.write("data: event\n\n")
                        await self.flush()
                        await asyncio.sleep(0.001)
                finally:
                    ended.set()

        return web.Application([("/", Events)], log_function=lambda handler: None)

    async def connect(self) -> IOStream:
        stream = await TCPClient().connect("127.0.0.1", self.get_http_port())
        await stream.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await stream.read_until(b"data: event")
        return stream

    async def test_before_the_end(self) -> None:
        (await self.connect()).close()
        await self.ended.wait()

    async def test_at_the_end(self) -> None:
        await self.connect()

    async def test_a_log_has_the_rest(self) -> None:
        handler = logging.Handler()
        records: list[logging.LogRecord] = []
        handler.emit = records.append  # type: ignore[method-assign, assignment]
        for name in "tornado.general", "tornado.application":
            logging.getLogger(name).addHandler(handler)
            self.addCleanup(logging.getLogger(name).removeHandler, handler)
        (await self.connect()).close()
        await self.ended.wait()
        while len(records) < 2:
            await asyncio.sleep(0)
        self.assertEqual([record.exc_info is None for record in records], [False, True])

    async def test_a_failure_has_it_in_its_report(self) -> None:
        (await self.connect()).close()
        await self.ended.wait()
        self.fail("planted")
