"""No message of a websocket is lost if its reader is cancelled; cookies of a handshake; limits of messages."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any

from tornado import web
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from asynctest_tornado import AsyncHTTPTestCase, VirtualClock


class CountingHandler(WebSocketHandler):
    """Sends numbers: at once those up to the query, and one for each message."""

    def initialize(self, sent: asyncio.Event) -> None:
        self.sent = sent

    def prepare(self) -> None:
        self.set_cookie("visited", "yes")
        if self.get_query_argument("refuse", ""):
            raise web.HTTPError(403)

    async def open(self, *args: str, **kwargs: str) -> None:
        for number in range(int(self.get_query_argument("count", "0"))):
            await self.write_message(str(number))
        if self.get_query_argument("close", ""):
            self.close()
        self.sent.set()

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        if message == "break":
            assert self.ws_connection is not None
            self.ws_connection.stream.close()  # type: ignore[union-attr]
            return None
        return self.write_message(message)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_cookie("refused", "yes")
        super().write_error(status_code, **kwargs)


class Case(AsyncHTTPTestCase):
    limit = 1000

    def get_app(self) -> web.Application:
        self.sent = asyncio.Event()
        handlers: Any = [("/", CountingHandler, {"sent": self.sent})]
        return web.Application(handlers, log_function=lambda handler: None, websocket_max_message_size=self.limit)


class TimeoutTest(Case):
    async def test_without_time_it_gives_messages_that_are_there(self) -> None:
        async with self.ws_connect("/?count=5") as socket:
            await self.sent.wait()
            self.assertEqual([await socket.read_message(timeout=0) for _ in range(5)], list("01234"))
            with self.assertRaisesRegex(TimeoutError, "within 0 seconds"):
                await socket.read_message(timeout=0)

    async def test_a_message_that_comes_too_late_stays(self) -> None:
        async with self.ws_connect("/") as socket:
            for timeout in 0, -1, 0.001:
                with self.assertRaises(TimeoutError):
                    await socket.read_message(timeout=timeout)
            await socket.write_message("hello")
            self.assertEqual(await socket.read_message(), "hello")

    async def test_none_is_lost_by_polling(self) -> None:
        numbers = [str(number) for number in range(200)]
        got: list[str | bytes | None] = []
        async with self.ws_connect("/") as socket:
            for number in numbers:
                await socket.write_message(number)
                with contextlib.suppress(TimeoutError):
                    got.append(await socket.read_message(timeout=0.0002))
            while len(got) < len(numbers):
                got.append(await socket.read_message())
        self.assertEqual(got, numbers)

    async def test_the_end_is_there_as_well(self) -> None:
        async with self.ws_connect("/?count=1&close=1") as socket:
            await self.sent.wait()
            self.assertEqual([await socket.read_message(timeout=0) for _ in range(3)], ["0", None, None])


class VirtualTimeoutTest(TimeoutTest):
    clock_factory = VirtualClock


class CancelledReaderTest(Case):
    async def test_its_message_is_for_the_next_one(self) -> None:
        for turns in range(30):
            async with self.ws_connect("/") as socket:
                reader = asyncio.ensure_future(socket.read_message())
                await asyncio.sleep(0)
                await socket.write_message("hello")
                for _ in range(turns):
                    await asyncio.sleep(0)
                reader.cancel()
                (got,) = await asyncio.gather(reader, return_exceptions=True)
                if isinstance(got, asyncio.CancelledError):
                    got = await socket.read_message()
                self.assertEqual(got, "hello")

    async def test_a_second_reader_gets_it(self) -> None:
        async with self.ws_connect("/") as socket:
            one, other = (asyncio.ensure_future(socket.read_message()) for _ in range(2))
            await asyncio.sleep(0)
            one.cancel()
            await socket.write_message("hello")
            self.assertEqual(await other, "hello")
            self.assertTrue(one.cancelled())

    async def test_messages_before_a_broken_connection_stay(self) -> None:
        async with self.ws_connect("/?count=3") as socket:
            self.assertEqual(await socket.read_message(), "0")  # so that the next one is there, too
            with self.assertRaises(WebSocketClosedError):
                while True:
                    await socket.write_message("break")
            self.assertEqual(await socket.read_message(), "1")


class LimitTest(Case):
    limit = 50

    async def test_a_message_above_that_of_the_client_says_so(self) -> None:
        several: tuple[dict[str, Any], ...] = ({}, {"compression_options": {}})
        for options in several:
            async with self.ws_connect("/", max_message_size=10, **options) as socket:
                await socket.write_message("x" * 20)
                with self.assertRaisesRegex(
                    WebSocketClosedError,
                    "The client has ended .* above its own limit, while the test waits .*max_message_size above 10 b",
                ):
                    await socket.read_message()

    async def test_a_message_above_that_of_the_server_says_so(self) -> None:
        async with self.ws_connect("/") as socket:
            await socket.write_message("x" * 100)
            with self.assertRaisesRegex(
                WebSocketClosedError, "The server has .*1009.*limit of the server, the setting"
            ):
                await socket.read_message()

    async def test_a_code_that_the_test_gives_is_its_own(self) -> None:
        socket = await self.ws_connect("/")
        await socket.close(1009, "message too big")
        self.assertIsNone(await socket.read_message())


class CookieTest(Case):
    def visited(self) -> list[str]:
        return sorted(self.cookies)

    async def test_those_of_a_handshake_are_kept(self) -> None:
        async with self.ws_connect("/"):
            self.assertEqual(self.visited(), ["visited"])

    async def test_those_of_a_refusal_too(self) -> None:
        with self.assertRaises(HTTPClientError):
            await self.ws_connect("/?refuse=1")
        self.assertIn("refused", self.visited())

    def test_those_of_an_answer_that_is_raised_too(self) -> None:
        with self.assertRaises(HTTPClientError):
            self.fetch("/?refuse=1", raise_error=True)
        self.assertIn("refused", self.visited())
