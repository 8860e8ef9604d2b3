"""Errors of request handlers, and the reports that show them."""

import asyncio
import contextlib
import io
import logging
import sys
import unittest
from collections.abc import Awaitable
from typing import Any
from unittest import mock

from tornado import gen, locks, web, websocket
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.tcpclient import TCPClient
from tornado.testing import ExpectLog as TornadosExpectLog

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ExpectError, ExpectLog, bind_unused_port
from tests.support import RecordingResult, run_body, run_code

_silence = logging.NullHandler()


def setUpModule() -> None:
    # Log records of the samples are not printed then, and are logged all the same.
    logging.getLogger("tornado").addHandler(_silence)


def tearDownModule() -> None:
    logging.getLogger("tornado").removeHandler(_silence)


class Handler(web.RequestHandler):
    """Raises where the path says, in the first segment."""

    def initialize(self) -> None:
        self.raise_in("initialize")

    def raise_in(self, place: str) -> None:
        if self.request.path == f"/{place}":
            raise ValueError("planted")

    async def prepare(self) -> None:
        await gen.sleep(0)
        self.raise_in("prepare")

    def get(self) -> None:
        self.raise_in("get")
        if self.request.path == "/after_finish":
            self.finish("fine")
            raise ValueError("planted")
        if self.request.path in ("/write_error", "/404"):
            raise web.HTTPError(404)
        if self.request.path == "/send_error":
            try:
                raise ValueError("planted")
            except ValueError:
                self.send_error(500, exc_info=sys.exc_info())
            return
        if self.request.path == "/500":
            raise web.HTTPError(500, "planted")
        self.write("fine")

    async def post(self) -> None:
        self.write("fine")
        await self.flush()
        raise ValueError("planted")

    def on_finish(self) -> None:
        self.raise_in("on_finish")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.raise_in("write_error")
        super().write_error(status_code, **kwargs)


class GatherHandler(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.gather(self.fail("planted first"), self.fail("planted second"))

    async def fail(self, message: str) -> None:
        raise ValueError(message)


class StaticHandler(web.RequestHandler):
    @staticmethod
    def log_exception(typ: Any, value: Any, tb: Any) -> None:
        pass

    @classmethod
    def write_error(cls, status_code: int, **kwargs: Any) -> None:
        pass

    def get(self) -> None:
        raise ValueError("planted")


class QuietHandler(Handler):
    """Logs in its own way, which is not to log at all."""

    def log_exception(self, *exc_info: Any) -> None:
        pass


class WaitingHandler(web.RequestHandler):
    async def get(self) -> None:
        self.arrived.set()
        await asyncio.Event().wait()

    def initialize(self, arrived: locks.Event) -> None:
        self.arrived = arrived

    def on_connection_close(self) -> None:
        raise ValueError("planted")


@web.stream_request_body
class StreamHandler(web.RequestHandler):
    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if self.request.path == "/async":
            return self.receive()
        raise ValueError("planted")

    async def receive(self) -> None:
        await gen.sleep(0)
        raise ValueError("planted")


class SocketHandler(websocket.WebSocketHandler):
    def raise_in(self, place: str) -> None:
        if self.request.path == f"/socket/{place}":
            raise ValueError("planted")

    def select_subprotocol(self, subprotocols: list[str]) -> None:
        self.raise_in("select_subprotocol")

    def open(self, *args: str, **kwargs: str) -> None:
        self.raise_in("open")

    async def on_message(self, message: str | bytes) -> None:
        await gen.sleep(0)
        self.raise_in("on_message")
        await self.write_message(message)

    def on_close(self) -> None:
        self.raise_in("on_close")


class Case(AsyncHTTPTestCase):
    handler: type[web.RequestHandler] = Handler

    def get_app(self) -> web.Application:
        self.arrived = locks.Event()
        return web.Application(
            [
                ("/waiting", WaitingHandler, {"arrived": self.arrived}),
                ("/(?:a?sync)", StreamHandler),
                ("/socket/.*", SocketHandler),
                ("/gather", GatherHandler),
                ("/static", StaticHandler),
                ("/.*", self.handler),
            ],
            log_function=lambda handler: None,
        )


class QuietCase(Case):
    handler = QuietHandler


class StrictCase(Case):
    fail_on_server_error = True


def fetch(path: str, code: int = 200) -> Any:
    """Return a test that fetches the path and expects the code."""

    def test(case: Case) -> None:
        case.assertEqual(case.fetch(path).code, code)

    return test


class ReasonsTest(unittest.TestCase):
    """The report of a failed test has the errors of handlers."""

    def assert_told_once(self, result: RecordingResult, verdict: str = "addFailure") -> None:
        self.assertEqual(result.verdicts, [verdict], result.report)
        self.assertEqual(result.report.count("ValueError: planted"), 1, result.report)

    def test_a_failure_carries_the_error_that_was_behind_the_response(self) -> None:
        for cls in Case, QuietCase:
            for place in "prepare", "get":
                with self.subTest(cls=cls, place=place):
                    result = run_body(cls, fetch(f"/{place}"))
                    self.assert_told_once(result)
                    self.assertIn("AssertionError: 500 != 200", result.report)
                    self.assertIn(f"While serving GET /{place} by {cls.handler.__qualname__}:", result.report)
                    self.assertRegex(result.report, r'File ".*test_request_handlers.py", line \d+, in raise_in')
                    self.assertNotIn("tornado/web.py", result.report)

    def test_an_error_of_the_application_that_is_a_response_of_its_own_is_reported(self) -> None:
        report = run_body(Case, fetch("/500")).report
        self.assertIn("HTTPError: HTTP 500: Internal Server Error (planted)", report)

    def test_an_error_that_the_handler_itself_has_caught_is_reported(self) -> None:
        self.assert_told_once(run_body(Case, fetch("/send_error")))

    def test_methods_may_be_of_any_kind(self) -> None:
        self.assert_told_once(run_body(Case, fetch("/static")))

    def test_both_errors_of_gather_are_reported(self) -> None:
        report = run_body(Case, fetch("/gather")).report
        for message in "planted first", "planted second":
            self.assertEqual(report.count(f"ValueError: {message}"), 1, report)

    def test_a_refusal_is_no_error(self) -> None:
        result = run_body(Case, fetch("/404"))
        self.assertIn("404 != 200", result.report)
        self.assertNotIn("While serving", result.report)

    def test_an_error_of_the_test_carries_it_too(self) -> None:
        result = run_body(Case, lambda case: case.fetch("/get", raise_error=True))
        self.assert_told_once(result, "addError")
        self.assertIn("HTTP 500: Internal Server Error", result.report)

    def test_one_that_is_the_reason_of_several_failures_is_reported_once(self) -> None:
        class Sample(Case):
            def test(self) -> None:
                for _ in range(2):
                    with self.subTest():
                        self.assertEqual(self.fetch("/").code, 404)
                    with self.subTest():
                        self.assertEqual(self.fetch("/get").code, 200)
                        self.fail("not reached")
                self.fail("last")

            def tearDown(self) -> None:
                super().tearDown()
                self.fail("torn down")

        result = RecordingResult()
        Sample("test").run(result)
        reported = ["While serving" in text for _, text in result.failures]
        self.assertEqual(reported, [False, True, False, True, False, False], result.report)

    def test_one_in_setup_is_reported_there(self) -> None:
        class Sample(Case):
            async def asyncSetUp(self) -> None:
                self.assertEqual((await self.async_fetch("/get")).code, 200)

        self.assert_told_once(run_body(Sample, lambda case: None))

    def test_a_skipped_test_has_no_reasons(self) -> None:
        def test(case: Case) -> None:
            case.fetch("/get")
            case.skipTest("enough")

        self.assertEqual(run_body(Case, test).skipped[0][1], "enough")

    def test_one_in_the_handshake_of_a_websocket_is_reported(self) -> None:
        for place in "select_subprotocol", "open":

            async def connect(case: Case, place: str = place) -> None:
                async with case.ws_connect(f"/socket/{place}") as socket:
                    await socket.read_message()

            with self.subTest(place=place):
                result = run_body(Case, lambda case: case.run_sync(connect, case))
                self.assert_told_once(result, "addError")

    def test_many_errors_are_cut(self) -> None:
        def test(case: Case) -> None:
            for _ in range(13):
                case.fetch("/get")
            case.fail("enough")

        report = run_body(Case, test).report
        self.assertEqual(report.count("While serving"), 10)
        self.assertIn("3 more errors of request handlers are not shown.", report)

    def test_one_that_was_expected_is_marked(self) -> None:
        def test(case: Case) -> None:
            with ExpectLog("tornado.application", "Uncaught exception GET /get"):
                case.assertEqual(case.fetch("/get").code, 200)

        self.assertIn("by Handler, which the test expects:", run_body(Case, test).report)

    def test_a_test_that_expects_the_response_passes(self) -> None:
        result = run_body(Case, fetch("/get", 500))
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_a_server_that_the_test_made_by_hand_counts_as_well(self) -> None:
        class Sample(AsyncTestCase):
            async def test(self) -> None:
                sock, port = bind_unused_port()
                server = HTTPServer(web.Application([("/.*", Handler)], log_function=lambda handler: None))
                server.add_sockets([sock])
                self.addCleanup(server.stop)
                stream = await TCPClient().connect("127.0.0.1", port)
                await stream.write(b"GET /get HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertIn(b"200", await stream.read_until(b"\n"))

        result = RecordingResult()
        Sample("test").run(result)
        self.assert_told_once(result)

    def test_debug_reports_it_too(self) -> None:
        case = type("Sample", (Case,), {"test": fetch("/get")})("test")
        with self.assertRaises(AssertionError) as caught:
            case.debug()
        self.assertIn("ValueError: planted", caught.exception.__notes__[0])


class UnansweredTest(unittest.TestCase):
    """An error that the client cannot learn of fails the test by itself."""

    def assert_fails(self, cls: type[Case], test: Any, request: str, ends_at_once: bool = True) -> None:
        collected: list[Any] = []

        def test_and_collect(case: Case) -> None:
            try:
                test(case)
                if ends_at_once:
                    case.wait()
            finally:
                collected.append(case)

        class Sample(cls):  # type: ignore[valid-type,misc]
            def tearDown(self) -> None:
                super().tearDown()
                self.kept = list(self.server_errors)

        result = run_body(Sample, test_and_collect)
        self.assertEqual(result.verdicts, ["addError"], result.report)
        self.assertEqual(result.report.count("ValueError: planted"), 1, result.report)
        self.assertNotIn("timed out", result.report)
        if not request.startswith("POST /") and "initialize" not in request and "write_error" not in request:
            self.assertIn(f"That was while serving {request} by", result.report)
        (failure,) = collected[0].kept
        self.assertEqual(str(failure.error), "planted")
        self.assertEqual(f"{failure.request.method} {failure.request.uri}", request)

    def test_after_the_response(self) -> None:
        for cls in Case, QuietCase:
            for place in "after_finish", "on_finish":
                with self.subTest(cls=cls, place=place):
                    self.assert_fails(cls, fetch(f"/{place}"), f"GET /{place}")

    def test_in_the_middle_of_the_response(self) -> None:
        for cls in Case, QuietCase:
            with self.subTest(cls=cls):
                self.assert_fails(cls, lambda case: case.fetch("/", method="POST", body=""), "POST /")

    def test_in_the_page_that_reports_another_error(self) -> None:
        self.assert_fails(Case, fetch("/write_error", 404), "GET /write_error")

    def test_where_the_handler_is_made(self) -> None:
        self.assert_fails(Case, fetch("/initialize"), "GET /initialize")

    def test_in_the_middle_of_the_request(self) -> None:
        for path in "/sync", "/async":
            with self.subTest(path=path):
                self.assert_fails(Case, lambda case, path=path: case.fetch(path, form={"a": "b"}), f"POST {path}")

    def test_when_the_client_goes_away(self) -> None:
        async def go_away(case: Case) -> None:
            stream = await TCPClient().connect("127.0.0.1", case.get_http_port())
            await stream.write(b"GET /waiting HTTP/1.1\r\nHost: x\r\n\r\n")
            await case.arrived.wait()
            stream.close()

        self.assert_fails(Case, lambda case: case.run_sync(go_away, case), "GET /waiting")

    def test_in_on_close_of_a_websocket(self) -> None:
        async def connect(case: Case) -> None:
            async with case.ws_connect("/socket/on_close"):
                pass

        self.assert_fails(Case, lambda case: case.run_sync(connect, case), "GET /socket/on_close")

    def test_an_error_in_a_callback_of_the_client_of_a_websocket(self) -> None:
        class Sample(Case):
            async def test(self) -> None:
                url = self.get_url("/socket/").replace("http", "ws")
                connection = await websocket.websocket_connect(url, on_message_callback=self.receive)
                self.addCleanup(connection.close)
                await connection.write_message("hello")
                await asyncio.Event().wait()

            def receive(self, message: object) -> None:
                if message is not None:
                    raise ValueError("planted")

        result = RecordingResult()
        Sample("test").run(result)
        self.assertEqual(result.report.count("ValueError: planted"), 1, result.report)
        self.assertNotIn("timed out", result.report)

    def test_a_client_that_goes_away_is_no_error(self) -> None:
        """A handler that writes on and on gets a StreamClosedError, and the client knows why."""

        class Endless(web.RequestHandler):
            ended = asyncio.Event()

            async def get(self) -> None:
                try:
                    while True:
                        self.write(b"x" * 100_000)
                        await self.flush()
                finally:
                    self.ended.set()

        class Sample(AsyncHTTPTestCase):
            def get_app(self) -> web.Application:
                Endless.ended = asyncio.Event()
                return web.Application([("/", Endless)], log_function=lambda handler: None)

            async def test(self) -> None:
                stream = await TCPClient().connect("127.0.0.1", self.get_http_port())
                await stream.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                await stream.read_bytes(1000)
                stream.close()
                with ExpectLog("tornado.application", "Uncaught exception", required=False):
                    await Endless.ended.wait()

        result = RecordingResult()
        Sample("test").run(result)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)


class ExpectationsTest(Case):
    """A test says that it expects an error of a handler."""

    def test_by_expect_error(self) -> None:
        for path in "/get", "/on_finish", "/after_finish":
            with self.subTest(path=path), ExpectError(ValueError, "planted") as expectation:
                self.fetch(path)
            self.assertEqual(len(expectation.exceptions), 1)

    def test_by_the_log(self) -> None:
        for path in "/get", "/on_finish", "/after_finish":
            with self.subTest(path=path):
                with ExpectLog("tornado.application", f"Uncaught exception GET {path}"):
                    self.fetch(path)
                with TornadosExpectLog("tornado.application", f"Uncaught exception GET {path}"):
                    self.fetch(path)
                with self.assertLogs("tornado.application") as logs:
                    self.fetch(path)
                self.assertIn(f"Uncaught exception GET {path}", logs.output[0])

    def test_the_errors_are_listed(self) -> None:
        self.assertEqual(self.server_errors, [])
        with ExpectError(ValueError):
            self.fetch("/get")
        (failure,) = self.server_errors
        self.assertIsInstance(failure.error, ValueError)
        self.assertEqual(failure.request.path, "/get")
        self.assertIs(failure.handler, Handler)
        self.assertTrue(failure.is_expected)
        self.assertEqual(repr(failure), "<ServerError ValueError('planted') while serving GET /get by Handler>")


class StrictTest(unittest.TestCase):
    """``fail_on_server_error`` makes a failure of each error that was not expected."""

    def test_an_error_fails_the_test(self) -> None:
        result = run_body(StrictCase, fetch("/get", 500))
        self.assertEqual(result.verdicts, ["addError"])
        self.assertEqual(result.report.count("ValueError: planted"), 1, result.report)

    def test_one_that_the_handler_itself_has_caught_does_too(self) -> None:
        self.assertEqual(run_body(StrictCase, fetch("/send_error", 500)).verdicts, ["addError"])

    def test_it_ends_the_test_at_once(self) -> None:
        def test(case: Case) -> None:
            case.fetch("/get")
            case.fail("not reached")

        self.assertNotIn("not reached", run_body(StrictCase, test).report)

    def test_a_refusal_does_not(self) -> None:
        self.assertEqual(run_body(StrictCase, fetch("/404", 404)).verdicts, ["addSuccess"])

    def test_an_expected_one_does_not(self) -> None:
        def by_error(case: Case) -> None:
            with ExpectError(ValueError):
                case.fetch("/get")

        def by_log(case: Case) -> None:
            with ExpectLog("tornado.application", "Uncaught exception"):
                case.fetch("/get")

        def by_warning(case: Case) -> None:
            with ExpectLog("tornado.general", "500 GET"):
                case.fetch("/500")

        for test in by_error, by_log, by_warning:
            result = run_body(StrictCase, test)
            self.assertEqual(result.verdicts, ["addSuccess"], result.report)


class ByHandTest(Case):
    """Tests call the methods of handlers themselves, and replace them."""

    def make(self) -> Handler:
        connection = mock.Mock()
        start_line = RequestStartLine("GET", "/on_finish", "HTTP/1.1")
        request = HTTPServerRequest(start_line=start_line, headers=HTTPHeaders({"Host": "x"}), connection=connection)
        return Handler(self._app, request)

    def test_what_the_test_calls_is_its_own_business(self) -> None:
        async def main() -> None:
            waiting = WaitingHandler(self._app, self.make().request, arrived=locks.Event())
            with self.assertRaises(ValueError):
                waiting.on_connection_close()
            with self.assertRaises(ValueError):
                self.make().on_finish()
            self.make().log_exception(ValueError, ValueError("planted"), None)

        self.run_sync(main)
        self.assertEqual(self.server_errors, [])

    async def test_a_mock_is_called_as_ever(self) -> None:
        with mock.patch.object(SocketHandler, "on_close") as on_close:
            async with self.ws_connect("/socket/"):
                pass
        on_close.assert_called_once_with()
        with mock.patch.object(Handler, "log_exception") as log_exception:
            await self.async_fetch("/get")
        log_exception.assert_called_once()
        self.assertIs(log_exception.call_args.args[0], ValueError)


class OwnNamesTest(Case):
    def test_a_suite_may_use_these_names_for_itself(self) -> None:
        self.cookies = {"own": "value"}  # type: ignore[misc,assignment]
        self.server_errors = []  # type: ignore[misc]
        self.assertEqual(self.cookies, {"own": "value"})
        self.assertEqual(self.fetch("/").code, 200)


class LogTest(unittest.TestCase):
    """An error in the report is not in the terminal as well; everything else is logged as usual."""

    program = """
import logging, sys, unittest
from tests.sources.test_request_handlers import Case, QuietCase, fetch
{configure}
class Test(Case):
    test = fetch("{path}", {code})
unittest.main()
"""

    def said(self, path: str, code: int, configure: str = "") -> str:
        return run_code(self.program.format(path=path, code=code, configure=configure)).stderr

    def test_an_error_that_the_report_shows_is_not_printed_twice(self) -> None:
        configurations = "", "logging.basicConfig()", "import tornado.log; tornado.log.enable_pretty_logging()"
        for configure in configurations:
            for path in "/get", "/on_finish":
                with self.subTest(path=path, configure=configure):
                    self.assertEqual(self.said(path, 200, configure).count("ValueError: planted"), 1)

    def test_an_error_that_no_report_shows_is_logged(self) -> None:
        for configure in "", "logging.basicConfig()":
            with self.subTest(configure=configure):
                said = self.said("/get", 500, configure)
                self.assertEqual(said.count("ValueError: planted"), 1)
                self.assertIn("Uncaught exception GET /get", said)
                self.assertTrue(said.endswith("OK\n"), said)

    def test_what_else_is_logged_meanwhile_is_logged(self) -> None:
        configure = """
class Alert(logging.Handler):
    def emit(self, record):
        logging.getLogger("alerts").error("alert sent")
logging.basicConfig()
logging.getLogger("tornado.application").addHandler(Alert())
"""
        self.assertIn("alert sent", self.said("/get", 500, configure))

    def test_what_a_test_captures_is_there_at_once(self) -> None:
        class Sample(Case):
            def test(self) -> None:
                logger = logging.getLogger("tornado.application")
                with contextlib.redirect_stderr(io.StringIO()) as captured:
                    handler = logging.StreamHandler()
                    logger.addHandler(handler)
                    self.addCleanup(logger.removeHandler, handler)
                    self.fetch("/get")
                self.assertIn("ValueError: planted", captured.getvalue())

        result = run_body(Sample, Sample.test)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_another_handler_of_logs_gets_it_at_once(self) -> None:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)

        def test(case: Case) -> None:
            case.fetch("/get")
            case.assertIn("ValueError: planted", stream.getvalue())
            case.fail("enough")

        logger = logging.getLogger("tornado.application")
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)
        self.assertIn("AssertionError: enough", run_body(Case, test).report)
        self.assertEqual(stream.getvalue().count("ValueError: planted"), 1)


class OutsideTest(unittest.TestCase):
    def test_a_server_of_ours_outside_of_a_test_logs_as_ever(self) -> None:
        code = """
import asyncio
from tornado.web import Application
from asynctest_tornado import HTTPTestServer
from tests.sources.test_request_handlers import Handler

async def main():
    async with HTTPTestServer(Application([("/.*", Handler)])) as server:
        await server.fetch("/get")
        await server.fetch("/on_finish")

asyncio.run(main())
"""
        said = run_code(code).stderr
        for path in "/get", "/on_finish":
            self.assertEqual(said.count(f"Uncaught exception GET {path}"), 1, said)
        self.assertEqual(said.count("ValueError: planted"), 2)

    def test_a_server_of_nobodys_test_logs_as_ever(self) -> None:
        code = """
import asyncio
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.web import Application
from asynctest_tornado import bind_unused_port
from tests.sources.test_request_handlers import Handler

async def main():
    sock, port = bind_unused_port()
    server = HTTPServer(Application([("/.*", Handler)]))
    server.add_sockets([sock])
    response = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/get", raise_error=False)
    print(response.code)

asyncio.run(main())
"""
        done = run_code(code)
        self.assertEqual(done.stdout, "500\n")
        self.assertEqual(done.stderr.count("ValueError: planted"), 1)
