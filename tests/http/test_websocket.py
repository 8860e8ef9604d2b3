"""The websocket client."""

import asyncio
import json
import unittest
import unittest.mock
from collections.abc import Awaitable
from typing import Any

from tornado import locks, web
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError, WebSocketError, WebSocketHandler

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, ExpectError, WebSocket
from asynctest_tornado._http import websocket
from tests.limits import limit_clock
from tests.support import run_body


class SocketHandler(WebSocketHandler):
    """Acts on the text of the message."""

    def initialize(self, events: list[str], go_on: locks.Event) -> None:
        self.events = events
        self.go_on = go_on

    def prepare(self) -> None:
        if self.get_query_argument("refuse", ""):
            raise web.HTTPError(403)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return subprotocols[-1] if subprotocols else None

    def open(self, *args: str, **kwargs: str) -> None:
        if self.get_query_argument("raise", ""):
            raise ValueError("planted")
        self.events.append(f"open {self.request.headers.get('X-Own')} {self.get_cookie('own')}")

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        if isinstance(message, bytes):
            self.write_message(message, binary=True)
        elif message == "raise":
            raise ValueError("planted")
        elif message == "close":
            self.close()
        elif message == "abort":
            assert self.ws_connection is not None
            self.ws_connection.stream.close()  # type: ignore[union-attr]
        elif message == "wait":
            return self.go_on.wait()
        elif message == "twice":
            self.write_message("one")
            self.write_message("two")
        elif message.isdigit():
            self.close(int(message), "planted")
        else:
            self.write_message(message)
        return None

    def on_close(self) -> None:
        self.events.append(f"close {self.close_code}")


class PageHandler(web.RequestHandler):
    def get(self) -> None:
        self.write("fine")


class Case(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        self.events: list[str] = []
        self.go_on = locks.Event()
        arguments = {"events": self.events, "go_on": self.go_on}
        handlers: Any = [("/socket", SocketHandler, arguments), ("/page", PageHandler)]
        return web.Application(handlers, log_function=lambda handler: None)


class WebSocketTest(Case):
    async def test_messages_go_there_and_back(self) -> None:
        async with self.ws_connect("/socket") as socket:
            for message in "text", b"bytes", "":
                await socket.write_message(message, binary=isinstance(message, bytes))
                self.assertEqual(await socket.read_message(timeout=60), message)
            await socket.write_message({"a": 1})
            self.assertEqual(await socket.read_message(), '{"a": 1}')

    async def test_leaving_waits_for_on_close(self) -> None:
        for _ in range(20):
            async with self.ws_connect("/socket") as socket:
                await socket.write_message("hello")
            self.assertEqual(self.events, ["open None None", "close None"])
            self.events.clear()

    async def test_leaving_with_unread_messages_waits_for_on_close(self) -> None:
        async with self.ws_connect("/socket") as socket:
            for _ in range(10):
                await socket.write_message("twice")
        self.assertEqual(self.events[-1], "close None")

    async def test_one_that_is_cancelled_on_the_way_is_closed(self) -> None:
        async def connect() -> None:
            await self.ws_connect("/socket")

        most = 0
        for turns in range(100):  # up to where it is through before that
            task = asyncio.ensure_future(connect())
            for _ in range(turns):
                await asyncio.sleep(0)
            if not task.cancel():
                break
            with self.assertRaises(asyncio.CancelledError):
                await task
            async with self.ws_connect("/socket"):
                most = max(most, self.events.count("open None None"))
            while len(self.events) % 2:
                await asyncio.sleep(0)
            self.events.clear()
        self.assertEqual(most, 2, "None was cancelled after the server had opened it.")

    async def test_two_connections_do_not_mix(self) -> None:
        async with self.ws_connect("/socket") as one, self.ws_connect("/socket") as other:
            await one.close(4000, "enough")
            self.assertEqual(self.events, ["open None None"] * 2 + ["close 4000"])
            await other.write_message("still there")
            self.assertEqual(await other.read_message(), "still there")

    async def test_headers_subprotocols_and_cookies_are_sent(self) -> None:
        self.cookies.clear()
        async with self.ws_connect("/socket", headers={"X-Own": "1"}, subprotocols=("a", "b")) as socket:
            self.assertEqual(socket.selected_subprotocol, "b")
        async with self.ws_connect("/socket", headers={"Cookie": "own=2"}) as socket:
            self.assertIsNone(socket.selected_subprotocol)
        opened = [event for event in self.events if event.startswith("open")]
        self.assertEqual(opened, ["open 1 None", "open None 2"])

    def test_synchronous_code_runs_it(self) -> None:
        socket = self.run_sync(self.ws_connect, "/socket")
        self.run_sync(socket.write_message, "hello")
        self.assertEqual(self.run_sync(socket.read_message), "hello")
        self.run_sync(socket.close)
        self.assertEqual(self.events[-1], "close None")

    def test_one_that_is_left_open_is_closed_with_the_test(self) -> None:
        self.addCleanup(lambda: self.assertEqual(self.events[1:], ["close None"]))
        self.socket = self.run_sync(self.ws_connect, "/socket")

    async def test_a_message_is_expected(self) -> None:
        async with self.ws_connect("/socket") as socket:
            sent: tuple[Any, ...] = ("text", b"bytes", {"a": [1, None]}, [1, {"b": 2}])
            for message in sent:
                is_binary = isinstance(message, bytes)
                await socket.write_message(json.dumps(message) if isinstance(message, list) else message, is_binary)
                await socket.expect(message)
            await socket.write_message("close")
            await socket.expect(None, timeout=5)

    async def test_the_failure_shows_the_messages(self) -> None:
        async with self.ws_connect("/socket") as socket:
            for sent, expected, failure in (
                ("one", "two", r"'one' != 'two'\n(.*\n)*From ws://.*/socket, came 'one'\.\Z"),
                ("two", b"two", r"'two' != b'two'\nFrom ws://.*/socket, came 'two', after 'one'\.\Z"),
                ("no", {"a": 1}, r"'no' != \{'a': 1\}\nFrom .*, came 'no', after 'one', 'two'\.\Z"),
                (
                    {"a": 2},
                    {"a": 1},
                    r"\{'a': 2\} != \{'a': 1\}\n- (.*\n)*From .*, came '\{\"a\": 2\}', after .*\.\Z",
                ),
                ("close", "more", r"None != 'more'\nFrom .*, the connection ended \(None\), after 'one', .*2}'\.\Z"),
            ):
                await socket.write_message(sent)
                with self.assertRaises(AssertionError) as caught:
                    await socket.expect(expected)
                self.assertRegex("\n".join([str(caught.exception), *caught.exception.__notes__]), failure)

    async def test_no_message_is_a_timeout(self) -> None:
        async with self.ws_connect("/socket") as socket:
            with self.assertRaisesRegex(TimeoutError, "No message came from ws://.*/socket within 0 seconds"):
                await socket.expect("text", timeout=0)

    async def test_messages_can_be_iterated_over(self) -> None:
        async with self.ws_connect("/socket") as socket:
            await socket.write_message("twice")
            await socket.write_message("close")
            self.assertEqual([message async for message in socket], ["one", "two"])

    async def test_an_orderly_end_is_none(self) -> None:
        for message, code in ("close", None), ("1000", 1000), ("1001", 1001), ("4001", 4001):
            async with self.ws_connect("/socket") as socket:
                await socket.write_message(message)
                for _ in range(2):
                    self.assertIsNone(await socket.read_message())
                self.assertEqual(socket.close_code, code)
                self.assertEqual(socket.close_reason, None if code is None else "planted")

    async def test_one_that_the_test_has_closed_is_at_its_end(self) -> None:
        socket = await self.ws_connect("/socket")
        await socket.close(1000)
        await socket.close()
        self.assertIsNone(await socket.read_message())
        with self.assertRaisesRegex(WebSocketClosedError, "The test has closed the websocket ws://.*/socket"):
            await socket.write_message("hello")

    async def test_a_code_that_stands_for_an_error_is_one(self) -> None:
        for code in 1002, 1008, 1011:
            async with self.ws_connect("/socket") as socket:
                await socket.write_message(str(code))
                with self.assertRaisesRegex(WebSocketClosedError, rf"with the close code {code} \(planted\), while"):
                    await socket.read_message()

    async def test_an_end_without_a_close_frame_is_an_error(self) -> None:
        async with self.ws_connect("/socket") as socket:
            await socket.write_message("abort")
            with self.assertRaisesRegex(WebSocketClosedError, "without a close frame, while the test waits"):
                await socket.read_message()
            with self.assertRaisesRegex(WebSocketClosedError, "without a close frame, and the test writes"):
                await socket.write_message("hello")

    async def test_a_message_that_does_not_come_is_an_error_that_shows_the_server(self) -> None:
        async with self.ws_connect("/socket") as socket:
            await socket.write_message("wait")
            with self.assertRaisesRegex(TimeoutError, "No message came from ws://.* within 0.2 seconds") as caught:
                await socket.read_message(timeout=0.2)
            self.assertIn("SocketHandler, which serves GET /socket", caught.exception.__notes__[0])
            self.go_on.set()

    async def test_a_handler_that_does_not_end_is_an_error_that_shows_it(self) -> None:
        self.enterContext(unittest.mock.patch.object(websocket, "CLOSE_SECONDS", 0.2))
        socket = await self.ws_connect("/socket")
        await socket.write_message("wait")
        with self.assertRaisesRegex(TimeoutError, "goes on 0.2 seconds after .*on_close.* has not run") as caught:
            await socket.close()
        self.assertIn("SocketHandler", caught.exception.__notes__[0])
        self.go_on.set()

    async def test_a_refusal_is_reported(self) -> None:
        with self.assertRaises(HTTPClientError) as caught:
            await self.ws_connect("/socket?refuse=1")
        self.assertEqual(caught.exception.code, 403)
        self.assertIn("has refused the websocket ws://", caught.exception.__notes__[0])
        with self.assertRaises(HTTPClientError):
            await self.ws_connect("/nowhere")
        with self.assertRaises(WebSocketError):
            await self.ws_connect("/page")

    async def test_a_connection_can_break(self) -> None:
        async with self.ws_connect("/socket") as socket:
            socket.abort()
            self.assertIsNone(await socket.read_message())
        self.assertEqual(self.events, ["open None None", "close None"])

    async def test_a_refused_one_is_not_waited_for(self) -> None:
        with self.assertRaises(HTTPClientError):
            await self.ws_connect("/socket?refuse=1")
        self.assertEqual(self._asynctest.server._record.closings, {})

    def test_unread_messages_do_not_keep_one_that_is_left_open_from_ending(self) -> None:
        self.addCleanup(lambda: self.assertEqual(self.events[1:], ["close None"]))
        self.socket = self.run_sync(self.ws_connect, "/socket")
        for _ in range(5):
            self.run_sync(self.socket.write_message, "twice")

    async def test_a_task_may_read_in_the_background(self) -> None:
        async def read(socket: WebSocket) -> list[str | bytes]:
            return [message async for message in socket]

        async with self.ws_connect("/socket") as socket:
            tasks = [asyncio.ensure_future(read(socket)) for _ in range(2)]
            await socket.write_message("twice")
            await asyncio.sleep(0)
        self.assertLessEqual({message for task in tasks for message in await task}, {"one", "two"})

    def test_a_task_that_still_reads_gets_none_at_the_end_of_the_test(self) -> None:
        async def connect() -> None:
            self.socket = await self.ws_connect("/socket")
            self.task = asyncio.ensure_future(self.socket.read_message())

        self.run_sync(connect)
        self.addCleanup(lambda: self.assertIsNone(self.task.result()))

    async def test_its_repr_shows_how_it_was_closed(self) -> None:
        async with self.ws_connect("/socket") as socket:
            self.assertEqual(repr(socket), f"<WebSocket {socket.url}>")
            await socket.write_message("4001")
            await socket.read_message()
            self.assertEqual(repr(socket), f"<WebSocket {socket.url}, closed with 4001 (planted)>")

    async def test_bad_input_is_an_error(self) -> None:
        with self.assertRaisesRegex(ValueError, "'socket' is no path"):
            self.ws_connect("socket")
        with self.assertRaisesRegex(TypeError, "on_message_callback.*Use read_message"):
            self.ws_connect("/socket", on_message_callback=print)
        with self.assertRaisesRegex(AttributeError, "not connected yet, and has no 'write_message'. Write 'async with"):
            self.ws_connect("/socket").write_message("hello")  # type: ignore[attr-defined]


class TimeoutTest(unittest.TestCase):
    def test_the_report_names_the_websocket(self) -> None:
        async def test(case: Case) -> None:
            async with case.ws_connect("/socket") as socket:
                limit_clock.advance()
                await socket.read_message()

        with limit_clock.stopped():
            report = run_body(type("Sample", (Case,), {"async_test_timeout": 0.05}), test).report
        self.assertRegex(report, r"waits for the websocket ws://127.0.0.1:\d+/socket")

    def test_the_report_names_a_websocket_that_is_being_closed(self) -> None:
        async def test(case: Case) -> None:
            socket = await case.ws_connect("/socket")
            await socket.write_message("wait")
            limit_clock.advance()
            await socket.close()

        with limit_clock.stopped():
            report = run_body(type("Sample", (Case,), {"async_test_timeout": 0.05}), test).report
        self.assertRegex(report, r"waits for the websocket ws://127.0.0.1:\d+/socket")


class ErrorOfTheHandlerTest(unittest.TestCase):
    """The exception of the handler is the cause of the error, and is reported once."""

    def report(self, test: Any) -> str:
        result = run_body(Case, test)
        self.assertEqual(result.verdicts, ["addError"], result.report)
        self.assertEqual(result.report.count("ValueError: planted"), 1, result.report)
        return result.report

    def test_where_the_test_reads(self) -> None:
        async def test(case: Case) -> None:
            async with case.ws_connect("/socket") as socket:
                await socket.write_message("raise")
                await socket.read_message()

        self.assertIn("without a close frame, while the test waits for a message", self.report(test))

    def test_where_it_could_not_be_opened(self) -> None:
        """Tornado calls no ``on_close`` then, and the test does not wait for one."""

        async def test(case: Case) -> None:
            async with case.ws_connect("/socket?raise=1") as socket:
                await socket.read_message()

        self.assertNotIn("goes on", self.report(test))

    def test_where_the_test_writes(self) -> None:
        async def test(case: Case) -> None:
            async with case.ws_connect("/socket") as socket:
                await socket.write_message("raise")
                while True:
                    await socket.write_message("hello")
                    await asyncio.sleep(0)

        self.assertIn("without a close frame, and the test writes to it", self.report(test))

    def test_where_the_test_has_seen_nothing_of_it(self) -> None:
        async def test(case: Case) -> None:
            async with case.ws_connect("/socket") as socket:
                await socket.write_message("raise")

        self.assertIn("as the test finds when it closes it", self.report(test))

    def test_where_the_test_fails_anyway(self) -> None:
        async def test(case: Case) -> None:
            async with case.ws_connect("/socket") as socket:
                await socket.write_message("raise")
                case.fail("enough")

        result = run_body(Case, test)
        self.assertEqual(result.verdicts, ["addFailure"], result.report)
        self.assertIn("AssertionError: enough\nIn addition: The server has ended the websocket", result.report)
        self.assertEqual(result.report.count("ValueError: planted"), 1, result.report)

    def test_one_that_is_expected_is_none(self) -> None:
        async def test(case: Case) -> None:
            with ExpectError(ValueError, "planted"):
                async with case.ws_connect("/socket") as socket:
                    await socket.write_message("raise")

        result = run_body(Case, test)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)


class SecureTest(Case, AsyncHTTPSTestCase):
    async def test_the_server_is_verified(self) -> None:
        for host in "127.0.0.1", "localhost":
            async with self.ws_connect(f"wss://{host}:{self.get_http_port()}/socket") as socket:
                await socket.write_message("hello")
                self.assertEqual(await socket.read_message(), "hello")
        self.assertTrue(socket.url.startswith("wss://"))
