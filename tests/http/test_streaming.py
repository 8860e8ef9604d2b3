"""Responses that are read while they arrive."""

import asyncio
import contextlib
import json
import logging
import os
import tempfile
import unittest
import unittest.mock
from collections.abc import AsyncIterator
from typing import Any

from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError, SimpleAsyncHTTPClient
from tornado.tcpserver import TCPServer

from asynctest_tornado import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    ExpectError,
    HTTPTestServer,
    ServerSentEvent,
    StreamedResponse,
    VirtualClock,
    bind_unused_port,
)
from tests.support import open_files, run_body, run_python

closed: list[str] = []
sent: list[int] = []


class Events(web.RequestHandler):
    """Sends events until their number is reached, or for ever."""

    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        number = 0
        while number != int(self.get_argument("number", "-1")):
            self.write(f"id: {number}\ndata: {json.dumps({'n': number})}\n\n")
            await self.flush()
            await asyncio.sleep(float(self.get_argument("seconds", "0")))
            number += 1

    def on_connection_close(self) -> None:
        closed.append(str(self.request.uri))


class Parts(web.RequestHandler):
    """Sends a part at each release."""

    async def get(self) -> None:
        go_on: asyncio.Queue[bytes] = self.settings["go_on"]
        self.set_header("X-Own", "own")
        await self.flush()
        while part := await go_on.get():
            self.write(part)
            await self.flush()


class Fails(web.RequestHandler):
    async def get(self) -> None:
        self.write("some")
        await self.flush()
        raise ValueError("planted")


class FailsEarly(web.RequestHandler):
    async def get(self) -> None:
        self.set_header("Content-Length", "10")
        self.write("some")
        await self.flush()
        raise ValueError("planted")


class Moved(web.RequestHandler):
    """Sends the client elsewhere, and goes on."""

    async def get(self) -> None:
        self.set_status(302)
        self.set_header("Location", "/echo")
        await self.flush()
        await asyncio.Event().wait()

    def on_connection_close(self) -> None:
        closed.append("/moved")


class Endless(web.RequestHandler):
    async def get(self) -> None:
        while True:
            self.write(bytes(100_000))
            await self.flush()
            sent.append(100_000)


class Echo(web.RequestHandler):
    def post(self) -> None:
        self.set_header("X-Own", self.request.headers.get("X-Own", ""))
        self.set_header("X-Cookie", self.get_cookie("name", "") or "")
        self.write(self.request.body)

    put = get = post


class Redirect(web.RequestHandler):
    def get(self) -> None:
        self.set_cookie("name", "anna")
        self.redirect("/echo")

    post = get


class Status(web.RequestHandler):
    def get(self, code: str) -> None:
        self.set_status(int(code))
        if code not in ("204", "304"):
            self.write("the reason")

    head = get


class Stuck(web.RequestHandler):
    async def get(self) -> None:
        if self.get_argument("begin", ""):
            self.write("begun")
            await self.flush()
        await asyncio.Event().wait()


def make_app(**settings: Any) -> web.Application:
    handlers: Any = [
        ("/events", Events),
        ("/parts", Parts),
        ("/fails", Fails),
        ("/fails_early", FailsEarly),
        ("/moved", Moved),
        ("/endless", Endless),
        ("/echo", Echo),
        ("/redirect", Redirect),
        (r"/status/(\d+)", Status),
        ("/stuck", Stuck),
    ]
    return web.Application(handlers, log_function=lambda handler: None, **settings)


class Case(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        closed.clear()
        sent.clear()
        self.go_on: asyncio.Queue[bytes] = asyncio.Queue()
        return make_app(go_on=self.go_on)


class ReadingTest(Case):
    async def test_the_headers_are_there_before_the_body(self) -> None:
        async with self.stream("/parts") as response:
            self.assertIsInstance(response, StreamedResponse)
            self.assertEqual((response.code, response.reason, response.headers["X-Own"]), (200, "OK", "own"))
            self.assertEqual(response.effective_url, self.get_url("/parts"))

    async def test_chunks_are_there_as_they_arrive(self) -> None:
        async with self.stream("/parts") as response:
            chunks = aiter(response)
            for part in b"one", b"two":
                self.go_on.put_nowait(part)
                self.assertEqual(await anext(chunks), part)
            self.go_on.put_nowait(b"")
            for _ in range(2):  # and it stays at its end
                with self.assertRaises(StopAsyncIteration):
                    await anext(chunks)
        self.assertEqual(closed, [])

    async def test_read_gives_the_rest(self) -> None:
        for part in b"one", b"two", b"":
            self.go_on.put_nowait(part)
        async with self.stream("/parts") as response:
            chunk = await anext(aiter(response))
            self.assertEqual(chunk + await response.read(), b"onetwo")
            self.assertEqual(await response.read(), b"")

    async def test_lines(self) -> None:
        async with self.stream("/parts") as response:
            for part in b'{"a": 1}\n{"', b'a": 2}\r\n', b'{"a": "\xe2\x80', b"\xa8", b'"}', b"":
                self.go_on.put_nowait(part)
            lines = [json.loads(line) async for line in response.aiter_lines()]
            self.assertEqual(lines, [{"a": 1}, {"a": 2}, {"a": "\u2028"}])

    async def test_lines_have_the_encoding_of_the_response(self) -> None:
        async with self.stream("/echo", method="POST", body="é\nü".encode("latin-1")) as response:
            response.headers["Content-Type"] = 'text/plain; Charset="latin-1"'
            self.assertEqual([line async for line in response.aiter_lines()], ["é", "ü"])

    async def test_events(self) -> None:
        async with self.stream("/events?number=3") as response:
            self.assertEqual(await anext(response.aiter_sse()), ServerSentEvent(data='{"n": 0}', id="0"))
            self.assertEqual([event.json() async for event in response.aiter_sse()], [{"n": 1}, {"n": 2}])

    async def test_a_reader_that_is_cancelled_loses_nothing(self) -> None:
        async with self.stream("/parts") as response:
            lines = response.aiter_lines()
            for number in range(50):
                task = asyncio.ensure_future(anext(lines))
                for _ in range(number % 10):
                    await asyncio.sleep(0)
                self.go_on.put_nowait(b"%d\n" % number)
                for _ in range(number % 7):
                    await asyncio.sleep(0)
                line = await task if task.done() or not task.cancel() else await self.after(task, lines)
                self.assertEqual(line, str(number))

    async def after(self, task: "asyncio.Task[str]", lines: AsyncIterator[str]) -> str:
        try:
            return await task
        except asyncio.CancelledError:
            return await anext(lines)

    async def test_a_body_is_read_in_one_way(self) -> None:
        async with self.stream("/events") as response:
            await anext(response.aiter_sse())
            for read in response.aiter_lines, response.__aiter__:
                with self.assertRaisesRegex(RuntimeError, r"read by aiter_sse\(\).* Go on with"):
                    read()
            with self.assertRaisesRegex(RuntimeError, r"read by aiter_sse\(\)"):
                await response.read()

    async def test_after_its_block_it_cannot_be_read(self) -> None:
        async with self.stream("/events") as response:
            pass
        with self.assertRaisesRegex(RuntimeError, "block of this response has ended"):
            await response.read()

    async def test_only_an_event_stream_has_events(self) -> None:
        async with self.stream("/status/500") as response:
            with self.assertRaisesRegex(ValueError, "no event stream: its status is 500, .*'text/html"):
                response.aiter_sse()
            self.assertEqual(await response.read(), b"the reason")

    async def test_other_names_lead_to_the_right_ones(self) -> None:
        async with self.stream("/events") as response:
            for name, right in ("body", "read"), ("lines", "aiter_lines"), ("events", "aiter_sse"), ("status", "code"):
                with self.assertRaisesRegex(AttributeError, rf"no '{name}'. Write .*{right}"):
                    getattr(response, name)
            with self.assertRaisesRegex(TypeError, "write 'async for chunk in response'"):
                iter(response)  # type: ignore[call-overload]
            self.assertRegex(repr(response), r"<StreamedResponse GET .*/events: 200 OK, ")


class RequestTest(Case):
    async def test_it_takes_the_arguments_of_fetch(self) -> None:
        async with self.stream("/echo", json=[1], headers={"X-Own": "own"}) as response:
            self.assertEqual((response.headers["X-Own"], await response.read()), ("own", b"[1]"))
        async with self.stream("/echo", form={"a": 1}, method="PUT") as response:
            self.assertEqual(await response.read(), b"a=1")
        async with self.stream("/events", params={"number": 1}) as response:
            self.assertEqual(len([event async for event in response.aiter_sse()]), 1)
        async with self.stream("/echo", method="POST", body="late", expect_100_continue=True) as response:
            self.assertEqual((response.code, await response.read()), (200, b"late"))

    async def test_redirects_are_followed_with_their_cookies(self) -> None:
        self.send_cookies = True
        several: tuple[Any, ...] = {}, {"form": {"a": 1}}
        for arguments in several:
            async with self.stream("/redirect", **arguments) as response:
                self.assertEqual((response.code, response.headers["X-Cookie"]), (200, "anna"))
                self.assertEqual(await response.read(), b"")
                self.assertEqual(response.effective_url, self.get_url("/echo"))
                self.assertEqual(response.request.url, self.get_url("/redirect"))
        self.assertEqual(list(self.cookies.values()), ["anna"])

    async def test_a_redirect_need_not_be_followed(self) -> None:
        several: tuple[Any, ...] = {"follow_redirects": False}, {"max_redirects": 0}
        for arguments in several:
            async with self.stream("/redirect", **arguments) as response:
                self.assertEqual((response.code, response.headers["Location"]), (302, "/echo"))

    async def test_the_response_that_leads_elsewhere_is_left(self) -> None:
        async with self.stream("/moved") as response:
            self.assertEqual(await response.read(), b"")
            while not closed:
                await asyncio.sleep(0)

    async def test_responses_without_a_body(self) -> None:
        for path, arguments in ("204", {}), ("304", {}), ("200", {"method": "HEAD"}):
            async with self.stream(f"/status/{path}", **arguments) as response:  # type: ignore[arg-type]
                self.assertEqual((response.code, await response.read()), (int(path), b""))

    async def test_compressed_responses(self) -> None:
        app = make_app(go_on=self.go_on, compress_response=True)
        async with HTTPTestServer(app) as server, server.stream("/parts") as response:
            self.assertEqual(response.headers["X-Consumed-Content-Encoding"], "gzip")
            for part in b"one", b"two":
                self.go_on.put_nowait(part)
                self.assertEqual(await anext(aiter(response)), part)
            async with server.stream("/parts", decompress_response=False) as plain:
                self.assertNotIn("X-Consumed-Content-Encoding", plain.headers)

    async def test_a_status_is_an_error_if_that_is_wanted(self) -> None:
        async with self.stream("/status/404") as response:
            self.assertEqual((response.code, await response.read()), (404, b"the reason"))
        with self.assertRaises(HTTPClientError) as caught:
            async with self.stream("/status/404", raise_error=True):
                self.fail("the block has begun")
        error = caught.exception
        assert error.response is not None
        self.assertEqual((error.code, error.response.body), (404, b"the reason"))
        self.assertIn("b'the reason'", error.__notes__[0])

    async def test_a_status_is_checked_as_that_of_a_fetch(self) -> None:
        async with self.stream("/status/404") as response:
            with self.assertRaisesRegex(
                HTTPClientError, r"404: Not Found, the answer to GET http\S+/status/404"
            ) as caught:
                response.raise_for_status()
            self.assertEqual(caught.exception.code, 404)
            with self.assertRaisesRegex(AssertionError, "^404 Not Found, not 200, is the answer to GET http"):
                self.assertStatus(response, 200)
            self.assertStatus(response, 404)
        async with self.stream("/status/200") as response:
            self.assertIs(response.raise_for_status(), response)

    async def test_wrong_arguments(self) -> None:
        for arguments, message in (
            ({"streaming_callback": print}, "stream.. takes no streaming_callback"),
            ({"header_callback": print}, "takes no header_callback: write 'response.headers'"),
        ):
            with self.assertRaisesRegex(TypeError, message):
                self.stream("/events", **arguments)  # type: ignore[arg-type]
        for seconds in -1, float("nan"):
            with self.assertRaisesRegex(ValueError, f"read_timeout={seconds}"):
                self.stream("/events", read_timeout=seconds)
        with self.assertRaisesRegex(ValueError, "begin with a slash"):
            self.stream("events")
        with self.assertRaisesRegex(TypeError, r"json= and body=|form= and json=|json= and form="):
            async with self.stream("/echo", json=1, form={}):
                self.fail("the block has begun")

    async def test_streams_take_no_place_from_other_requests(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(12):  # more than a client of Tornado has
                await stack.enter_async_context(self.stream("/stuck?begin=1"))
            self.assertEqual((await self.fetch("/echo")).code, 200)

    async def test_a_client_of_another_make(self) -> None:
        class Client(AsyncHTTPClient):
            def initialize(self, defaults: dict[str, Any] | None = None) -> None:
                super().initialize({"user_agent": "own"})

        self.http_client = Client(force_instance=True)
        async with self.stream("/events?number=1") as response:
            self.assertEqual(len(await response.read()), len(b'id: 0\ndata: {"n": 0}\n\n'))


_QUIET = (
    "test_the_handler_has_seen_it_when_the_block_has_ended",
    "test_a_handler_that_writes_just_then_has_failed_of_it",
)


class LeavingTest(Case):
    async def test_the_handler_has_seen_it_when_the_block_has_ended(self) -> None:
        for number in range(20):
            async with self.stream(f"/events?seconds=60&{number}") as response:
                await anext(response.aiter_sse())
            self.assertEqual(closed.pop(), f"/events?seconds=60&{number}")

    async def test_a_handler_that_writes_just_then_has_failed_of_it(self) -> None:
        for _ in range(20):
            async with self.stream("/events") as response:
                await anext(response.aiter_sse())
            self.assertTrue(closed or self.server_errors)
            closed.clear()
            self.server_errors.clear()

    def test_nothing_is_printed(self) -> None:
        tests = [f"{__name__}.LeavingTest.{name}" for name in _QUIET]
        done = run_python("-W", "error", "-m", "unittest", *tests)
        self.assertRegex(done.stderr, r"^\.\.\n-+\nRan 2 tests in \S+\n\nOK\n$")

    async def test_the_connection_of_another_stream_stays(self) -> None:
        async with self.stream("/events?1") as one:
            async with self.stream("/events?seconds=60"):
                pass
            self.assertEqual(closed, ["/events?seconds=60"])
            await anext(one.aiter_sse())

    async def test_of_a_handler_that_waits_for_its_client_to_read(self) -> None:
        async with self.stream("/endless"):
            before, times = -1, 0
            while times < 20 and sum(sent) < 60_000_000:
                times = times + 1 if before == sum(sent) else 0
                before = sum(sent)
                await asyncio.sleep(0.001)
        self.assertEqual(times, 20, f"{before} bytes were sent")

    async def test_one_that_is_cancelled_on_the_way_is_closed(self) -> None:
        async def read() -> None:
            async with self.stream("/events") as response:
                await response.read()

        before = open_files()
        for turns in range(60):
            task = asyncio.ensure_future(read())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
        async with self.stream("/events"):
            pass
        while open_files() > before:  # the server sees it later
            await asyncio.sleep(0)

    async def test_one_that_is_cancelled_before_it_is_refused_fails_nothing(self) -> None:
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def resolve(*args: object) -> None:
            asked.set()
            await go_on.wait()
            raise OSError("planted")

        async def read() -> None:
            async with self.stream("/events"):
                self.fail("the block has begun")

        client: Any = self.http_client
        with unittest.mock.patch.object(client.tcp_client.resolver, "resolve", resolve):
            task = asyncio.ensure_future(read())
            await asked.wait()
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            go_on.set()
            for _ in range(20):
                await asyncio.sleep(0)

    def test_a_failure_of_the_handler_that_follows_is_no_news(self) -> None:
        async def body(case: Any) -> None:
            async with case.stream("/events") as response:
                await anext(response.aiter_sse())
                case.fail("planted")

        report = run_body(Case, body).report
        self.assertIn("200 OK", report)
        self.assertNotIn("StreamClosedError", report)

    def test_nothing_is_left(self) -> None:
        async def body(case: Any) -> None:
            async with case.stream("/events") as response:
                await anext(response.aiter_sse())

        result = run_body(type("Base", (Case,), {"leaks": "fail"}), body)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    async def test_no_timer_is_left(self) -> None:
        loop: Any = asyncio.get_running_loop()
        async with self.stream("/stuck?begin=1", request_timeout=3600):
            timers = [timer for timer in loop._scheduled if not timer.cancelled()]
        left = [timer for timer in loop._scheduled if not timer.cancelled()]
        self.assertEqual(len(left), len(timers) - 1)

    def test_a_task_that_still_reads_is_a_leak_as_any_other(self) -> None:
        async def body(case: Any) -> None:
            async def read() -> None:
                async with case.stream("/stuck?begin=1") as response:
                    began.set()
                    await response.read()

            began = asyncio.Event()
            case.task = asyncio.ensure_future(read())
            await began.wait()

        report = run_body(type("Base", (Case,), {"leaks": "fail"}), body).report
        self.assertRegex(report, r"left these resources open|has left|read")
        self.assertNotIn("HTTPStreamClosedError", report)


class EndTest(Case):
    """Responses that do not come to a good end."""

    def serve(self, *parts: bytes) -> str:
        """Serve these bytes, and close the connection then. Return the URL."""

        class Server(TCPServer):
            async def handle_stream(self, stream: Any, address: Any) -> None:
                await stream.read_until(b"\r\n\r\n")
                for part in parts:
                    await stream.write(part)
                    for _ in range(10):
                        await asyncio.sleep(0)
                stream.close()

        sock, port = bind_unused_port()
        server = Server()
        server.add_sockets([sock])
        self.addCleanup(server.stop)
        return f"http://127.0.0.1:{port}/"

    async def test_the_content_is_shorter_than_its_length(self) -> None:
        url = self.serve(b"HTTP/1.1 200 Fine\r\nContent-Length: 10\r\nX-Own: own\r\n\r\n", b"12345")
        with self.assertRaises(HTTPStreamClosedError) as caught:
            async with self.stream(url) as response:
                self.assertEqual(await anext(aiter(response)), b"12345")
                for _ in range(2):
                    with self.assertRaises(HTTPStreamClosedError):
                        await response.read()
                await response.read()
        self.assertRegex(
            str(caught.exception), "ended too early: after 1 chunk of 5 bytes, where its Content-Length is 10"
        )
        [note] = caught.exception.__notes__
        self.assertRegex(note, r"(?s)of the response to GET http://.*\n  200 Fine\n.*X-Own: own\n.*cut off\n  b'12345'")

    async def test_the_last_chunk_is_missing(self) -> None:
        url = self.serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
        async with self.stream(url) as response:
            with self.assertRaisesRegex(HTTPStreamClosedError, "too early: .*without the chunk that ends it"):
                await response.read()

    async def test_the_end_of_the_connection_may_be_the_end_of_the_body(self) -> None:
        async with self.stream(self.serve(b"HTTP/1.0 200 OK\r\n\r\n", b"one", b"two")) as response:
            self.assertEqual(await response.read(), b"onetwo")

    async def test_a_whole_response_is_read_also_if_the_test_takes_its_time(self) -> None:
        size = 3_000_000
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
        async with self.stream(self.serve(head, bytes(size - 1), b"x")) as response:
            count = 0
            async for chunk in response:
                count += len(chunk)
                for _ in range(20):
                    await asyncio.sleep(0)
            self.assertEqual(count, size)

    async def test_a_body_may_end_with_the_last_bytes_that_are_kept(self) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {65536}\r\n\r\n".encode()
        for parts in (head, bytes(65536)), (head + bytes(65536),), (b"HTTP/1.0 200 OK\r\n\r\n", bytes(65536)):
            async with self.stream(self.serve(*parts)) as response:
                await asyncio.sleep(0.01)
                for _ in range(100):  # the end arrives, and is not read yet
                    await asyncio.sleep(0)
                self.assertEqual(len(await response.read()), 65536)

    async def test_a_body_may_be_larger_than_the_buffer_of_the_client(self) -> None:
        self.http_client = SimpleAsyncHTTPClient(force_instance=True, max_buffer_size=200_000)
        url = self.serve(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", bytes(1_000_000))
        async with self.stream(url) as response:
            self.assertEqual(sum([len(chunk) async for chunk in response]), 1_000_000)

    async def test_there_are_no_headers(self) -> None:
        with self.assertRaises(HTTPStreamClosedError):
            async with self.stream(self.serve()):
                self.fail("the block has begun")

    async def test_informational_responses_come_first(self) -> None:
        url = self.serve(
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
        )
        async with self.stream(url) as response:
            self.assertEqual((response.code, await response.read()), (200, b"x"))

    async def test_the_connection_is_refused(self) -> None:
        sock, port = bind_unused_port()
        sock.close()
        with self.assertRaises(ConnectionRefusedError) as caught:
            async with self.stream(f"http://127.0.0.1:{port}/"):
                self.fail("the block has begun")
        self.assertIn(
            f"The request was GET http://127.0.0.1:{port}/. Nothing listens there.", caught.exception.__notes__
        )

    async def test_the_limit_for_the_whole_response(self) -> None:
        with self.assertRaisesRegex(HTTPTimeoutError, r"\(request_timeout\), after \d+ chunk"):
            async with self.stream("/events?seconds=0.001", request_timeout=0.2) as response:
                await response.read()

    async def test_an_error_of_the_handler_that_the_test_expects(self) -> None:
        with ExpectError(ValueError, "planted"):
            async with self.stream("/fails") as response:
                self.assertEqual(await response.read(), b"some")

    def test_an_error_of_the_handler_fails_the_test(self) -> None:
        async def body(case: Any) -> None:
            async with case.stream("/fails") as response:
                await response.read()

        report = run_body(Case, body).report
        self.assertIn('raise ValueError("planted")', report)
        self.assertEqual(report.count("Traceback"), 1)


class TimeoutTest(Case):
    async def test_the_time_limit_between_chunks(self) -> None:
        with self.assertRaises(TimeoutError) as caught:
            async with self.stream("/stuck?begin=1", read_timeout=0.05) as response:
                await response.read()
        self.assertRegex(str(caught.exception), r"within 0.05 seconds \(read_timeout\), after 1 chunk of 5 bytes")
        place, arrived = caught.exception.__notes__
        self.assertRegex(place, "Stuck, which serves GET /stuck")
        self.assertRegex(
            place, r"HTTP requests in flight:\n  GET \S+ \(a stream: 200 OK, 1 chunk of 5 bytes, the latest b'begun'\)"
        )
        self.assertIn("b'begun'", arrived)

    async def test_it_holds_for_the_headers(self) -> None:
        with self.assertRaisesRegex(TimeoutError, "no headers"):
            async with self.stream("/stuck", read_timeout=0.05):
                self.fail("the block has begun")

    def test_a_deadlock_shows_what_the_test_waits_for(self) -> None:
        async def body(case: Any) -> None:
            async with case.stream("/stuck?begin=1") as response:
                await response.read()

        report = run_body(Case, body).report
        self.assertIn("this is a deadlock", report)
        self.assertRegex(report, r"await response.read\(\)\n    waits for the response to GET http://")
        self.assertRegex(
            report, r"in flight:\n  GET \S+ \(a stream: 200 OK, 1 chunk of 5 bytes, the latest b'begun'\)\n"
        )


class VirtualTimeTest(Case):
    clock_factory = VirtualClock

    async def test_time_jumps_between_events(self) -> None:
        time = asyncio.get_running_loop().time
        begun = time()
        async with self.stream("/events?number=5&seconds=3600", read_timeout=3601) as response:
            async for event in response.aiter_sse():
                self.assertAlmostEqual(time() - begun, 3600 * event.json()["n"], delta=1)
        self.assertAlmostEqual(time() - begun, 5 * 3600, delta=1)

    async def test_the_limit_is_virtual_time(self) -> None:
        async with self.stream("/events?seconds=3600", read_timeout=3599) as response:
            await anext(response.aiter_sse())
            with self.assertRaisesRegex(TimeoutError, "within 3599 seconds"):
                await anext(response.aiter_sse())


class HTTPSTest(AsyncHTTPSTestCase):
    def get_app(self) -> web.Application:
        closed.clear()
        return make_app()

    async def test_events_and_leaving(self) -> None:
        async with self.stream("/events?seconds=60") as response:
            self.assertTrue(response.effective_url.startswith("https:"))
            await anext(response.aiter_sse())
        self.assertEqual(closed, ["/events?seconds=60"])

    async def test_a_wrong_authority_is_refused(self) -> None:
        logging.disable()
        self.addCleanup(logging.disable, logging.NOTSET)
        with self.assertRaisesRegex(OSError, "CERTIFICATE_VERIFY_FAILED"):
            async with self.stream("/events", ssl_options={}, ca_certs=None):
                self.fail("the block has begun")


class ClassTest(Case):
    loop_scope = "class"

    async def test_one(self) -> None:
        async with self.stream("/events?seconds=60") as response:
            await anext(response.aiter_sse())
        self.assertEqual(closed.pop(), "/events?seconds=60")

    test_two = test_one


class ElsewhereTest(unittest.IsolatedAsyncioTestCase):
    """In a test case that is not ours, as it would be with another plugin for pytest."""

    @classmethod
    def setUpClass(cls) -> None:
        logging.disable()  # nothing defers records here, and assertLogs() would expect the errors
        cls.addClassCleanup(logging.disable, logging.NOTSET)

    async def test_it_streams_and_leaves(self) -> None:
        closed.clear()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            several: tuple[dict[str, Any], ...] = (
                {},
                {"https": True},
                {"address": "::1"},
                {"unix_socket": path},
                {"unix_socket": path, "https": True},
            )
            for arguments in several:
                with self.subTest(**arguments):
                    async with HTTPTestServer(make_app(), **arguments) as server:
                        async with server.stream("/events?seconds=60") as response:
                            await anext(response.aiter_sse())
                        self.assertEqual(closed, ["/events?seconds=60"])
                        closed.clear()

    async def test_an_error_of_the_handler_is_the_cause(self) -> None:
        async with HTTPTestServer(make_app()) as server:
            with self.assertRaisesRegex(HTTPStreamClosedError, "has failed") as caught:
                async with server.stream("/fails") as response:
                    async for chunk in response:
                        self.assertEqual(chunk, b"some")
        self.assertIsInstance(caught.exception.__cause__, ValueError)

    async def test_it_is_the_cause_of_an_early_end_as_well(self) -> None:
        async with HTTPTestServer(make_app()) as server, server.stream("/fails_early") as response:
            with self.assertRaisesRegex(HTTPStreamClosedError, "4 bytes, where its Content-Length is 10") as caught:
                await response.read()
        self.assertIsInstance(caught.exception.__cause__, ValueError)

    async def test_there_is_a_limit_if_no_test_case_sets_one(self) -> None:
        async with HTTPTestServer(make_app()) as server:
            server.http_client.defaults["request_timeout"] = 0.05
            with self.assertRaisesRegex(TimeoutError, r"within 0\.05 seconds"):
                async with server.stream("/stuck"):
                    self.fail("the block has begun")

    async def test_the_report_shows_the_server(self) -> None:
        async with HTTPTestServer(make_app()) as server:
            with self.assertRaises(TimeoutError) as caught:
                async with server.stream("/stuck?begin=1", read_timeout=0.05) as response:
                    await response.read()
        self.assertIn("Stuck, which serves GET /stuck", "".join(caught.exception.__notes__))


class MisuseTest(unittest.TestCase):
    def check(self, body: Any) -> None:
        report = run_body(Case, body).report
        self.assertIn("Write 'async with stream(...) as response:' in a coroutine", report)
        self.assertEqual(report.count("Traceback"), 1, report)

    def test_it_is_not_entered(self) -> None:
        async def dropped(case: Any) -> None:
            case.stream("/events")

        async def awaited(case: Any) -> None:
            await case.stream("/events")

        async def iterated(case: Any) -> None:
            async for _ in case.stream("/events"):
                pass

        async def used(case: Any) -> None:
            _ = case.stream("/events").code

        async def again(case: Any) -> None:
            stream = case.stream("/events")
            for _ in range(2):
                async with stream:
                    pass

        def in_a_loop(case: Any) -> None:
            for _ in case.stream("/events"):
                pass

        def plain(case: Any) -> None:
            with case.stream("/events"):
                pass

        def run(case: Any) -> None:
            case.run_sync(case.stream, "/events")

        for body in dropped, awaited, iterated, used, again, in_a_loop, plain, run:
            with self.subTest(body.__name__):
                self.check(body)

    def test_to_look_for_attributes_does_no_harm(self) -> None:
        async def body(case: Any) -> None:
            stream = case.stream("/events?number=1")
            case.assertFalse(hasattr(stream, "other"))
            async with stream as response:
                await response.read()

        self.assertEqual(run_body(Case, body).verdicts, ["addSuccess"])

    def test_there_is_no_application(self) -> None:
        async def body(case: Any) -> None:
            async with case.stream("/events"):
                case.fail("the block has begun")

        result = run_body(type("Base", (AsyncHTTPTestCase,), {"get_app": lambda case: None}), body)
        self.assertIn("TypeError: The result of get_app()", result.report)
        self.assertIn('case.stream("/events")', result.report)

    def test_before_the_server_listens(self) -> None:
        def get_app(case: Any) -> web.Application:
            case.stream("/events")
            return make_app()

        result = run_body(type("Base", (AsyncHTTPTestCase,), {"get_app": get_app}), lambda case: None)
        self.assertIn("does not listen yet", result.report)
