"""Clients and servers of other packages, in memory: aiohttp, httpx, redis.

They run on asyncio's transports, or on its low-level methods for sockets.
"""

import asyncio
from typing import Any

import aiohttp
import httpx
import redis.asyncio
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, VirtualClock, VirtualNetwork
from asynctest_tornado._loop.selector import Selector


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")

    def post(self) -> None:
        self.write(str(len(self.request.body)))


class Slow(RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(3600)
        self.write("late")


class Echo(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message)


class InMemory(AsyncTestCase):
    """Tests that open no file: the loop watches nothing of the system besides its own pipe."""

    network_factory = VirtualNetwork
    leaks = "fail"

    def tearDown(self) -> None:
        selector: Selector = self.io_loop.asyncio_loop._selector  # type: ignore[attr-defined]
        self.assertTrue(selector.has_no_files())
        super().tearDown()


class HttpClientsTest(InMemory, AsyncHTTPTestCase):
    clock_factory = VirtualClock

    def get_app(self) -> Application:
        return Application([("/", Hello), ("/slow", Slow), ("/echo", Echo)])

    async def test_aiohttp(self) -> None:
        async with aiohttp.ClientSession(self.get_url("")) as session:
            for _ in range(2):
                async with session.get("/") as response:
                    self.assertEqual(await response.text(), "hello")
            async with session.post("/", data=bytes(1_000_000)) as response:
                self.assertEqual(await response.text(), "1000000")

    async def test_aiohttp_by_name(self) -> None:
        url = f"http://localhost:{self.get_http_port()}/"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            self.assertEqual(await response.text(), "hello")

    async def test_a_websocket_of_aiohttp(self) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(self.get_url("/echo")) as websocket:
            await websocket.send_str("a")
            self.assertEqual(await websocket.receive_str(), "a")

    async def test_a_limit_of_aiohttp_in_virtual_time(self) -> None:
        limit = aiohttp.ClientTimeout(total=600)
        async with aiohttp.ClientSession(timeout=limit) as session:
            with self.assertRaises(TimeoutError):
                await session.get(self.get_url("/slow"))

    async def test_httpx(self) -> None:
        async with httpx.AsyncClient(base_url=self.get_url("")) as client:
            self.assertEqual((await client.get("/")).text, "hello")
            self.assertEqual((await client.post("/", content=bytes(1_000_000))).text, "1000000")

    async def test_httpx_by_name(self) -> None:
        async with httpx.AsyncClient() as client:
            self.assertEqual((await client.get(f"http://localhost:{self.get_http_port()}/")).text, "hello")

    async def test_a_limit_of_httpx_in_virtual_time(self) -> None:
        async with httpx.AsyncClient(timeout=600) as client:
            with self.assertRaises(httpx.ReadTimeout):
                await client.get(self.get_url("/slow"))

    async def test_a_port_where_nothing_listens(self) -> None:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        server.close()
        async with aiohttp.ClientSession() as session:
            with self.assertRaises(aiohttp.ClientConnectorError):
                await session.get(url)
        async with httpx.AsyncClient() as client:
            with self.assertRaises(httpx.ConnectError):
                await client.get(url)


class SmallRedis:
    """A server with a few commands of Redis: GET, SET, BLPOP of a list that is empty, PING."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}

    async def __aenter__(self) -> "SmallRedis":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while header := await reader.readline():
                words = []
                for _ in range(int(header[1:])):
                    size = int((await reader.readline())[1:])
                    words.append((await reader.readexactly(size + 2))[:-2])
                writer.write(await self._answer(*words))
        finally:
            writer.close()

    async def _answer(self, command: bytes, *words: bytes) -> bytes:
        command = command.upper()
        if command == b"SET":
            self._values[words[0]] = words[1]
        if command == b"GET":
            value = self._values.get(words[0])
            return b"$-1\r\n" if value is None else b"$%d\r\n%b\r\n" % (len(value), value)
        if command == b"BLPOP":
            await asyncio.sleep(float(words[-1]))
            return b"*-1\r\n"
        return b"-ERR unknown\r\n" if command == b"HELLO" else b"+OK\r\n"


class RedisTest(InMemory):
    clock_factory = VirtualClock

    def client(self, server: SmallRedis) -> Any:
        return redis.asyncio.Redis(host="localhost", port=server.port, protocol=2, socket_timeout=None)

    async def test_values(self) -> None:
        async with SmallRedis() as server, self.client(server) as client:
            await client.set("tea", bytes(100_000))
            self.assertEqual(await client.get("tea"), bytes(100_000))
            self.assertIsNone(await client.get("coffee"))

    async def test_a_command_that_waits_takes_virtual_time(self) -> None:
        async with SmallRedis() as server, self.client(server) as client:
            before = asyncio.get_running_loop().time()
            self.assertIsNone(await client.blpop(["queue"], timeout=1800))
            self.assertEqual(asyncio.get_running_loop().time() - before, 1800)
