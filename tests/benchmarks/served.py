"""The tests of the benchmark of costs that have a server."""

import asyncio
import socket
import ssl
import unittest
from typing import Any

import tornado.testing
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import Resolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from asynctest_tornado import AsyncHTTPSTestCase

#: How many requests or messages a test with several ones has.
SEVERAL = 10


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


class Echo(WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        if message != "first":
            self.write_message(message)


def make_app() -> Application:
    return Application([("/", Hello), ("/socket", Echo)], log_function=lambda handler: None)


class AtOnce(Resolver):
    """Gives an address back: to look it up would start a thread."""

    async def resolve(self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[Any]:
        return [(socket.AF_INET, (host, port))]


class BareFetch(unittest.TestCase):
    scheme = "http"
    server_context: ssl.SSLContext | None = None
    client_context: ssl.SSLContext | None = None

    def test(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            self.assertEqual(loop.run_until_complete(self.fetch()), b"hello")
        finally:
            IOLoop.current().close(all_fds=True)
            asyncio.set_event_loop(None)

    async def fetch(self) -> bytes:
        sock, port = tornado.testing.bind_unused_port()
        server = HTTPServer(make_app(), ssl_options=self.server_context)
        server.add_socket(sock)
        client = SimpleAsyncHTTPClient(force_instance=True)
        client.tcp_client.resolver = AtOnce()
        try:
            url = f"{self.scheme}://127.0.0.1:{port}/"
            return (await client.fetch(url, ssl_options=self.client_context)).body
        finally:
            client.close()
            server.stop()


class BareFetchSecurely(BareFetch):
    scheme = "https"

    @classmethod
    def setUpClass(cls) -> None:
        if cls.server_context is None:
            options = AsyncHTTPSTestCase.default_ssl_options()
            cls.server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            cls.server_context.load_cert_chain(options["certfile"], options["keyfile"])
            cls.server_context.num_tickets = 0
            cls.client_context = ssl.create_default_context(cafile=AsyncHTTPSTestCase.ca_certs)


def contenders(library: Any, attributes: dict[str, Any]) -> dict[str, type[unittest.TestCase]]:
    """Return a test of each kind that has a server, on a library with the names of ``tornado.testing``.

    :param attributes: attributes of the test cases, which only some libraries know.
    """

    class Case(library.AsyncHTTPTestCase):  # type: ignore[misc]
        def get_app(self) -> Application:
            return make_app()

    class Fetch(Case):
        def test(self) -> None:
            self.assertEqual(self.fetch("/").body, b"hello")

    class FetchSeveral(Case):
        @library.gen_test  # type: ignore[untyped-decorator]
        async def test(self) -> None:
            for _ in range(SEVERAL):
                response = await self.http_client.fetch(self.get_url("/"))
                self.assertEqual(response.body, b"hello")

    class FetchSecurely(library.AsyncHTTPSTestCase):  # type: ignore[misc]
        get_app = Case.get_app
        test = Fetch.test

    class RoundTrips(Case):
        @library.gen_test  # type: ignore[untyped-decorator]
        async def test(self) -> None:
            connection = await websocket_connect(self.get_url("/socket").replace("http", "ws", 1))
            for number in range(SEVERAL):
                connection.write_message(str(number))
                self.assertEqual(await connection.read_message(), str(number))
            connection.close()
            self.assertIsNone(await connection.read_message())

    class InARow(Case):
        @library.gen_test  # type: ignore[untyped-decorator]
        async def test(self) -> None:
            connection = await websocket_connect(self.get_url("/socket").replace("http", "ws", 1))
            for message in "once", "first", "second":
                connection.write_message(message)
                if message != "first":
                    self.assertEqual(await connection.read_message(), message)
            connection.close()
            self.assertIsNone(await connection.read_message())

    found = {
        "fetch over HTTP": Fetch,
        f"{SEVERAL} fetches over HTTP": FetchSeveral,
        "fetch over HTTPS": FetchSecurely,
        f"websocket, {SEVERAL} round trips": RoundTrips,
        "websocket, 2 messages in a row": InARow,
    }
    return {kind: type(cls.__name__, (cls,), dict(attributes)) for kind, cls in found.items()}
