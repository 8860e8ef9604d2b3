"""Applications for hosts of a test, and tests whose hosts fail them."""

import asyncio
import json
from typing import Any

from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.httputil import HTTPServerRequest, ResponseStartLine
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.websocket import WebSocketHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ServedHost, VirtualClock


class Charge(web.RequestHandler):
    async def post(self) -> None:
        await asyncio.sleep(float(self.get_query_argument("seconds", "0")))
        self.write({"charged": json.loads(self.request.body)})

    def get(self) -> None:
        raise LookupError("in the stub")


class Form(web.RequestHandler):
    def post(self) -> None:
        self.write(self.get_body_argument("amount"))


@web.stream_request_body
class Upload(web.RequestHandler):
    size = 0

    def data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)

    def put(self) -> None:
        self.write(str(self.size))


class Chat(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message)


def make_stub() -> web.Application:
    rules: Any = [("/never", Never), ("/charge", Charge), ("/form", Form), ("/upload", Upload), ("/chat", Chat)]
    return web.Application(rules, log_function=lambda handler: None)


def answer(request: HTTPServerRequest) -> None:
    connection: Any = request.connection
    connection.write_headers(ResponseStartLine("", 200, "OK"), request.headers.__class__({"Content-Length": "2"}))
    connection.write(b"ok")
    connection.finish()


async def echo(stream: IOStream, address: Any) -> None:
    while True:
        await stream.write(await stream.read_until(b"\n"))


class EchoServer(TCPServer):
    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        await echo(stream, address)


async def fetch(url: str, **options: Any) -> HTTPResponse:
    return await AsyncHTTPClient().fetch(url, **options)


class Fails(AsyncTestCase):
    leaks = "fail"
    host: ServedHost

    async def asyncSetUp(self) -> None:
        self.host = self.network.serve("http://payments.example", make_stub())

    async def test_answered(self) -> None:
        with self.assertRaises(HTTPClientError):
            await fetch("http://payments.example/charge")
        self.fail("own")

    async def test_unknown_path(self) -> None:
        await fetch("http://payments.example/none")

    async def test_in_a_stream(self) -> None:
        async def broken(stream: IOStream, address: Any) -> None:
            await stream.read_until(b"\n")
            raise LookupError("in the stub")

        self.network.serve("tcp://cache.example:6379", broken)
        stream = await TCPClient().connect("cache.example", 6379)
        await stream.write(b"1\n")
        try:
            await stream.read_until_close()
        finally:
            stream.close()

    async def test_request_left(self) -> None:
        self.pending = asyncio.ensure_future(
            fetch("http://payments.example/charge?seconds=60", method="POST", body="5", request_timeout=0)
        )
        await self.eventually(lambda: self.host.requests)

    async def test_connection_left(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("payments.example", 80)


class NeverAnswered(AsyncHTTPTestCase):
    """Ends while a handler of the application waits for a host."""

    def get_app(self) -> web.Application:
        self.network.serve("http://payments.example", make_stub())
        return web.Application([("/", Asking)], log_function=lambda handler: None)

    async def test(self) -> None:
        await self.fetch("/", request_timeout=0)


class Asking(web.RequestHandler):
    async def get(self) -> None:
        await fetch("http://payments.example/never", request_timeout=0)


class Never(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.Event().wait()


class Deadlock(AsyncTestCase):
    clock_factory = VirtualClock

    async def test(self) -> None:
        async def never(stream: IOStream, address: Any) -> None:
            await asyncio.Event().wait()

        self.network.serve("tcp://cache.example:6379", never)
        reader, writer = await asyncio.open_connection("cache.example", 6379)
        try:
            await reader.read()
        finally:
            writer.close()
