"""Errors that follow from the connections that the end of a test closes, and errors that have another reason."""

import asyncio
import gc
import importlib.util
import socket
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any

from tornado import gen
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPError, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler, websocket_connect

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, gen_test
from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.closed_connections import CLOSING, Closing, comes_of_closing, is_noted
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._harness.feature import Feature, Features
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._leaks.closing import CLOSED_CONNECTIONS
from tests.support import RecordingResult, run_body, run_case, run_code, run_python


def error_of_stream() -> BaseException:
    """Return the error of a stream that is closed."""
    stream = IOStream(socket.socket())
    stream.close()
    try:
        stream.write(b"")
    except StreamClosedError as error:
        return error.with_traceback(None)
    raise AssertionError("the stream is open")


class Slow(RequestHandler):
    """Serves requests that are under way for as long as the test is."""

    async def get(self) -> None:
        self.application.settings["served"].set()
        await asyncio.Event().wait()


class Plain(AsyncTestCase):
    leaks = "ignore"


class Served(AsyncHTTPTestCase):
    leaks = "ignore"

    def get_app(self) -> Application:
        self.served = asyncio.Event()
        handlers: list[Any] = [("/", Slow), ("/ws", WebSocketHandler)]
        return Application(handlers, served=self.served, log_function=lambda handler: None)

    def begin(self, work: Any) -> Any:
        """Begin work that no task waits for, and return once the server knows of it."""
        self.work = asyncio.ensure_future(work)
        return self.served.wait()

    async def poll(self) -> None:
        await self.http_client.fetch(self.get_url("/"))


class OtherClient(AsyncHTTPClient):
    """A client of another make, with errors of its own."""

    def initialize(self, defaults: dict[str, Any] | None = None) -> None:
        super().initialize(defaults)
        self.tasks: list[Any] = []

    def fetch_impl(self, request: HTTPRequest, callback: Any) -> None:
        self.tasks.append(asyncio.ensure_future(self.exchange(request, callback)))

    async def exchange(self, request: HTTPRequest, callback: Any) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(request.url.split(":")[2].split("/")[0]))
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            await reader.read()
        finally:
            writer.close()
        error = type("OtherError", (HTTPError,), {})(599, "empty reply")
        callback(HTTPResponse(request, 599, error=error))


class ServedForOther(Served):
    def get_http_client(self) -> AsyncHTTPClient:
        return OtherClient(force_instance=True)


class ServedForCurl(Served):
    def get_http_client(self) -> AsyncHTTPClient:
        from tornado.curl_httpclient import CurlAsyncHTTPClient

        return CurlAsyncHTTPClient(force_instance=True)


class Gone(Exception):
    """The error of an application that has lost its connection."""


class ClosingTest(AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        trap = contexts.chain_here()[0]
        assert isinstance(trap, Trap)
        self.trap = trap

    def begin(self, *under_way: "asyncio.Future[None]") -> Closing:
        closing = self.trap.data[CLOSING] = Closing([], under_way)
        return closing

    def test_it_causes_errors_of_connections_up_to_the_end_of_the_test(self) -> None:
        self.assertFalse(comes_of_closing(self.trap, error_of_stream()))
        closing = self.begin()
        self.assertTrue(comes_of_closing(self.trap, error_of_stream()))
        closing.have_cut_off()
        self.assertTrue(comes_of_closing(self.trap, error_of_stream()))
        closing.end()
        self.assertFalse(comes_of_closing(self.trap, error_of_stream()))

    def test_errors_of_futures_that_were_under_way_are_noted_at_the_end(self) -> None:
        future: asyncio.Future[None] = asyncio.Future()
        closing = self.begin(future)
        future.set_exception(ConnectionResetError())
        closing.end()
        error = future.exception()
        assert error is not None
        self.assertTrue(is_noted(error))


class FeatureTest(unittest.TestCase):
    """From when on closed connections explain errors, and up to when."""

    def raised(self) -> BaseException:
        try:
            raise ConnectionResetError("of the user")
        except ConnectionResetError as error:
            return error  # with its traceback, which assertRaises() would clear

    def test_code_that_begins_when_all_is_closed_has_reasons_of_its_own(self) -> None:
        make_error = self.raised

        class Late(Feature):
            def closed(self, harness: Harness) -> None:
                harness.trap.add(make_error())

        with (
            self.assertRaisesRegex(ConnectionResetError, "of the user"),
            HarnessByHand(lambda: "it", features=Features([CLOSED_CONNECTIONS, Late()])) as harness,
        ):
            harness.loop.loop.call_soon(lambda: None)

    def test_an_error_after_the_loop_was_closed_has_another_reason(self) -> None:
        with (
            self.assertRaises(StreamClosedError),
            HarnessByHand(lambda: "it", features=Features([CLOSED_CONNECTIONS])) as harness,
        ):
            harness.loop.loop.call_soon(lambda: None)
            harness.close()
            harness.trap.add(error_of_stream())

    def test_connections_that_the_leak_check_closes_explain_errors(self) -> None:
        def body(case: Any) -> None:
            case.far, near = socket.socketpair()
            case.addCleanup(case.far.close)
            case.stream = IOStream(near)
            case.future = asyncio.Future()
            case.stream.set_close_callback(lambda: case.future.set_exception(StreamClosedError()))

        result = run_body(type("Sample", (AsyncTestCase,), {"leaks": "fail"}), body)
        self.assertEqual(result.verdicts, ["addFailure"], result.report)  # of the leak, and of nothing else


class ConsequenceTest(unittest.TestCase):
    """Work that the end of the test cuts off fails of that, and the test does not."""

    bases: tuple[type[Served], ...] = (Served, ServedForOther)

    def check(self, body: Any) -> None:
        for base in self.bases:
            for loop_scope in "test", "class":
                with self.subTest(base=base.__name__, loop_scope=loop_scope):
                    result = RecordingResult()
                    sample = type("Sample", (base,), {"test": body, "loop_scope": loop_scope})
                    unittest.TestSuite([sample("test")]).run(result)
                    self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_a_request(self) -> None:
        async def body(case: Served) -> None:
            case.future = case.http_client.fetch(case.get_url("/"))  # type: ignore[attr-defined]
            await case.served.wait()

        self.check(body)

    def test_a_request_whose_future_is_dropped(self) -> None:
        async def body(case: Served) -> None:
            case.http_client.fetch(case.get_url("/"))
            await case.served.wait()

        self.check(body)

    def test_a_request_that_a_task_waits_for(self) -> None:
        async def body(case: Served) -> None:
            await case.begin(case.poll())

        self.check(body)

    def test_requests_of_a_group_of_tasks(self) -> None:
        async def both(case: Served) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(case.poll())
                group.create_task(case.poll())

        async def body(case: Served) -> None:
            await case.begin(both(case))

        self.check(body)

    def test_one_that_the_application_reports_in_its_own_words(self) -> None:
        async def poll(case: Served, explicitly: bool) -> None:
            try:
                await case.poll()
            except HTTPClientError as error:
                if explicitly:
                    raise Gone("the server is gone") from error
                raise Gone("the server is gone")  # noqa: B904

        for explicitly in True, False:

            async def body(case: Served, explicitly: bool = explicitly) -> None:
                await case.begin(poll(case, explicitly))

            self.check(body)

    def test_streams(self) -> None:
        async def read(case: Served) -> None:
            stream = await TCPClient().connect("127.0.0.1", case.get_http_port())
            await stream.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await stream.read_until(b"never")

        async def body(case: Served) -> None:
            await case.begin(read(case))

        self.check(body)

    def test_an_end_that_the_code_of_the_user_has_noticed(self) -> None:
        async def read(case: Served) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", case.get_http_port())
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try:
                if not await reader.read():
                    raise ConnectionError("lost the server")
            finally:
                writer.close()

        async def body(case: Served) -> None:
            await case.begin(read(case))

        self.check(body)

    def test_websockets(self) -> None:
        async def read(case: Served) -> None:
            connection = await websocket_connect(f"ws://127.0.0.1:{case.get_http_port()}/ws")
            case.served.set()
            try:
                if await connection.read_message() is None:
                    raise WebSocketClosedError()
            finally:
                connection.close()

        async def body(case: Served) -> None:
            await case.begin(read(case))

        self.check(body)

    def test_the_use_of_a_closed_client(self) -> None:
        async def say_goodbye(case: Served) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await case.poll()

        async def body(case: Served) -> None:
            case.served.set()
            await case.begin(say_goodbye(case))

        self.check(body)


class FailedTogetherTest(unittest.TestCase):
    """Work that is cut off because a test has failed or is skipped adds nothing to its report, nor to other tests."""

    def check(self, verdict: str, begin: Any, end: Any) -> None:
        async def body(case: Any) -> None:
            begun = begin(case)
            await case.served.wait()
            await end(case, begun)

        async def innocent(case: Any) -> None:
            gc.collect()
            await asyncio.sleep(0)

        for loop_scope in "test", "class":
            with self.subTest(loop_scope=loop_scope):
                result = RecordingResult()
                wrapped = unittest.expectedFailure(body) if verdict == "addExpectedFailure" else body
                members = {"test_a": wrapped, "test_b": innocent, "loop_scope": loop_scope}
                sample = type("Sample", (Served,), members)
                unittest.TestSuite([sample("test_a"), sample("test_b")]).run(result)
                self.assertEqual(result.verdicts, [verdict, "addSuccess"], result.report)
                self.assertNotRegex(result.report, CLOSED)

    def test_requests_beside_a_failed_assertion(self) -> None:
        def begin(case: Any) -> Any:
            return asyncio.gather(_fail(case), case.poll(), case.poll())

        for verdict in "addFailure", "addExpectedFailure":
            self.check(verdict, begin, _wait_for)

    def test_requests_of_the_client_beside_a_failed_assertion(self) -> None:
        def begin(case: Any) -> Any:
            fetches = (case.http_client.fetch(case.get_url("/")) for _ in range(2))
            return asyncio.gather(_fail(case), *fetches)

        self.check("addFailure", begin, _wait_for)

    def test_generators_beside_a_failed_assertion(self) -> None:
        def begin(case: Any) -> Any:
            return asyncio.gather(_fail(case), _poll_by_yield(case), _poll_by_yield(case))

        self.check("addFailure", begin, _wait_for)

    def test_streams_beside_a_failed_assertion(self) -> None:
        def begin(case: Any) -> Any:
            return asyncio.gather(_fail(case), _read_response(case), _read_response(case))

        self.check("addFailure", begin, _wait_for)

    def test_websockets_beside_a_failed_assertion(self) -> None:
        def begin(case: Any) -> Any:
            return asyncio.gather(_fail(case), _read_message(case), _read_message(case))

        self.check("addFailure", begin, _wait_for)

    def test_tasks_of_which_the_first_is_awaited(self) -> None:
        async def end(case: Any, tasks: list[Any]) -> None:
            done, _ = await asyncio.wait(tasks, return_when="FIRST_COMPLETED")
            for task in done:
                await task

        self.check("addFailure", lambda case: [asyncio.ensure_future(work) for work in _works(case)], end)

    def test_a_skip_while_something_is_in_flight(self) -> None:
        begin: list[Any] = [
            lambda case: asyncio.gather(case.poll(), case.poll()),
            lambda case: asyncio.gather(*(case.http_client.fetch(case.get_url("/")) for _ in range(2))),
            lambda case: asyncio.gather(_poll_by_yield(case), _poll_by_yield(case)),
            lambda case: asyncio.gather(_read_response(case), _read_response(case)),
            lambda case: asyncio.gather(_read_message(case), _read_message(case)),
            lambda case: gen.multi([case.poll(), case.poll()]),
            lambda case: asyncio.shield(case.poll()),
            lambda case: asyncio.ensure_future(_in_group(case)),
            lambda case: asyncio.gather(_in_group(case), _in_group(case)),
            lambda case: asyncio.gather(_poll_in_own_words(case), _poll_in_own_words(case)),
        ]

        async def end(case: Any, begun: Any) -> None:
            case.skipTest("planted")

        for each in begin:
            self.check("addSkip", each, end)

    def test_nothing_is_logged_after_the_test(self) -> None:
        done = run_code(SKIPPED_CASE)
        self.assertIn("OK (skipped=1)", done.stderr)
        self.assertNotRegex(done.stderr, CLOSED)

    def test_a_skip_in_a_function_of_pytest(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "test_sample.py")
            path.write_text(SKIP)
            done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", str(path), cwd=folder)
        self.assertIn("1 failed, 1 passed, 1 skipped", done.stdout)
        self.assertNotRegex(done.stdout + done.stderr, CLOSED)


CLOSED = r"ClosedError|Stream closed|\b599\b"
SKIP = """
import asyncio, gc, pytest
from tornado.web import Application, RequestHandler

pytestmark = pytest.mark.gen_test(leaks="ignore")

class Slow(RequestHandler):
    async def get(self):
        self.settings["served"].set()
        await asyncio.Event().wait()

@pytest.fixture
def app():
    return Application([("/", Slow)], served=asyncio.Event(), log_function=lambda handler: None)

async def test_skips(app, http_client, base_url):
    async def poll():
        await http_client.fetch(base_url)
    work = asyncio.gather(poll(), poll())
    await app.settings["served"].wait()
    pytest.skip("planted")

async def test_fails(app, http_client, base_url):
    async def poll():
        await http_client.fetch(base_url)
    async def fail():
        await app.settings["served"].wait()
        assert False
    await asyncio.gather(fail(), poll(), poll())

async def test_innocent():
    gc.collect()
"""


SKIPPED_CASE = """
import asyncio, unittest
from tornado.web import Application, RequestHandler
from asynctest_tornado import AsyncHTTPTestCase

class Slow(RequestHandler):
    async def get(self):
        self.settings["served"].set()
        await asyncio.Event().wait()

class Sample(AsyncHTTPTestCase):
    leaks = "ignore"

    def get_app(self):
        self.served = asyncio.Event()
        return Application([("/", Slow)], served=self.served, log_function=lambda handler: None)

    async def poll(self):
        await self.fetch("/")

    async def test(self):
        work = asyncio.gather(self.poll(), self.poll())
        await self.served.wait()
        self.skipTest("planted")

unittest.main()
"""


async def _fail(case: Any) -> None:
    await case.served.wait()
    raise AssertionError("planted")


async def _fail_as_cancelled(case: Any, error: Exception) -> None:
    case.event = asyncio.Event()  # or the garbage collector would find the task
    try:
        await case.event.wait()
    finally:
        raise error


async def _wait_for(case: Any, begun: Any) -> None:
    await begun


def _works(case: Any) -> list[Any]:
    return [_fail(case), case.poll(), case.poll()]


@gen.coroutine
def _poll_by_yield(case: Any) -> Any:
    yield case.http_client.fetch(case.get_url("/"))


async def _poll_in_own_words(case: Any) -> None:
    try:
        await case.poll()
    except HTTPClientError as error:
        raise Gone("the server is gone") from error


async def _in_group(case: Any) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(case.poll())
        group.create_task(case.poll())


async def _read_response(case: Any) -> None:
    stream = await TCPClient().connect("127.0.0.1", case.get_http_port())
    await stream.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await stream.read_until(b"never")


async def _read_message(case: Any) -> None:
    connection = await websocket_connect(f"ws://127.0.0.1:{case.get_http_port()}/ws")
    case.served.set()
    try:
        if await connection.read_message() is None:
            raise WebSocketClosedError()
    finally:
        connection.close()


@unittest.skipUnless(importlib.util.find_spec("pycurl"), "there is no pycurl here")
class CurlTest(ConsequenceTest):
    bases = (ServedForCurl,)


class OwnReasonTest(unittest.TestCase):
    """An error that has another reason fails the test, also if its class is about connections."""

    def check(self, body: Any, error: str, bases: tuple[Any, ...] = (Plain, Served), only: str = "") -> None:
        for base in bases:
            for loop_scope in (only,) if only else ("test", "class"):
                with self.subTest(base=base.__name__, loop_scope=loop_scope):
                    sample = type("Sample", (base,), {"test": body, "loop_scope": loop_scope})
                    result = RecordingResult()
                    unittest.TestSuite([sample("test")]).run(result)
                    self.assertEqual(len(result.verdicts), 1, result.report)
                    self.assertIn(result.verdicts[0], ("addError", "addFailure"))
                    self.assertEqual(result.report.count(error), 1, result.report)

    def test_a_task_that_has_failed_in_the_middle_of_the_test(self) -> None:
        for error in ConnectionRefusedError("planted"), EOFError("planted"), StreamClosedError(), Gone("planted"):

            async def work(error: Exception = error) -> None:
                raise error

            async def body(case: Any, work: Any = work) -> None:
                case.work = asyncio.ensure_future(work())
                await asyncio.wait([case.work])

            self.check(body, f"{type(error).__name__}: {error}")

    def test_one_that_the_application_holds(self) -> None:
        held: list[Any] = []
        self.addCleanup(held.clear)

        async def work() -> None:
            raise BrokenPipeError("planted")

        async def body(case: Any) -> None:
            held.append(asyncio.ensure_future(work()))
            await asyncio.wait(held[-1:])

        self.check(body, "BrokenPipeError: planted")

    def test_a_generator(self) -> None:
        @gen.coroutine
        def work() -> Any:
            yield gen.moment
            raise BrokenPipeError("planted")

        @gen_test
        async def body(case: Any) -> None:
            case.work = work()
            await asyncio.wait([case.work])

        self.check(body, "BrokenPipeError: planted")

    def test_a_timer_that_ends_while_connections_are_closed(self) -> None:
        for name in "asyncio_loop", "tornado":
            with self.subTest(name):

                class Closing(HTTPServer):
                    async def close_all_connections(self, name: str = name) -> None:
                        done = asyncio.Event()

                        def fail() -> None:
                            done.set()
                            raise ConnectionResetError("planted")

                        loop: Any = asyncio.get_running_loop() if name == "asyncio_loop" else IOLoop.current()
                        loop.call_later(0.001, fail)
                        await done.wait()
                        await super().close_all_connections()

                class Sample(Served):
                    def get_http_server(self) -> HTTPServer:
                        return Closing(self._app)

                async def body(case: Any) -> None:
                    await case.begin(case.poll())

                self.check(body, "ConnectionResetError: planted", (Sample,), "test")

    def test_a_future(self) -> None:
        async def body(case: Any) -> None:
            case.future = asyncio.get_running_loop().create_future()
            case.future.set_exception(EOFError("planted"))

        self.check(body, "EOFError: planted")

    def test_a_connection_that_another_one_has_closed(self) -> None:
        async def body(case: Any) -> None:
            ours, theirs = socket.socketpair()
            stream = IOStream(ours)
            theirs.close()
            case.work = asyncio.ensure_future(_read(stream))
            await asyncio.wait([case.work])

        self.check(body, "StreamClosedError: Stream is closed")

    def test_a_task_that_fails_as_it_is_cancelled(self) -> None:
        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise EOFError("planted")

        async def body(case: Any) -> None:
            case.work = asyncio.ensure_future(work())
            await asyncio.sleep(0)

        self.check(body, "EOFError: planted")

    def test_a_file_that_is_missing(self) -> None:
        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                Path("/missing/planted").read_text()

        async def body(case: Any) -> None:
            case.work = asyncio.ensure_future(work())
            await asyncio.sleep(0)

        self.check(body, "FileNotFoundError: ")

    def test_a_task_that_gather_drops_since_another_has_failed(self) -> None:
        async def fail() -> None:
            raise AssertionError("planted")

        for error in ZeroDivisionError("of its own"), EOFError("of its own"), AssertionError("of its own"):

            async def body(case: Any, error: Exception = error) -> None:
                await asyncio.gather(fail(), _fail_as_cancelled(case, error))

            report = run_body(Served, body).report
            for each in f"{type(error).__name__}: {error}", "AssertionError: planted":
                self.assertEqual(report.count(each), 1, report)

    def test_a_task_that_gather_drops_since_a_request_was_cut_off(self) -> None:
        async def body(case: Served) -> None:
            case.work = asyncio.gather(case.poll(), _fail_as_cancelled(case, EOFError("planted")))
            await case.served.wait()

        self.check(body, "EOFError: planted", (Served,), "test")

    def test_a_thread(self) -> None:
        go = threading.Event()

        def fail() -> None:
            go.wait()
            raise ConnectionError("planted")

        async def work(thread: threading.Thread) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                go.set()
                thread.join()

        async def body(case: Any) -> None:
            go.clear()
            thread = threading.Thread(target=fail)
            thread.start()
            case.work = asyncio.ensure_future(work(thread))
            await asyncio.sleep(0)

        self.check(body, "ConnectionError: planted")

    def test_a_job_of_an_executor(self) -> None:
        def fail() -> None:
            raise ConnectionError("planted")

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.to_thread(fail)

        async def body(case: Any) -> None:
            case.work = asyncio.ensure_future(work())
            await asyncio.sleep(0)

        self.check(body, "ConnectionError: planted")

    def test_a_mistake_in_what_handles_the_lost_connection(self) -> None:
        async def work(case: Served) -> None:
            try:
                await case.poll()
            except HTTPClientError:
                misspelled  # type: ignore[name-defined]  # noqa: B018, F821

        async def body(case: Served) -> None:
            await case.begin(work(case))

        self.check(body, "NameError: name 'misspelled' is not defined", (Served,), "test")

    def test_an_assertion_about_the_lost_connection(self) -> None:
        async def work(case: Served) -> None:
            try:
                await case.poll()
            except HTTPClientError:
                raise AssertionError("planted") from None

        async def body(case: Served) -> None:
            await case.begin(work(case))

        self.check(body, "AssertionError: planted", (Served,), "test")

    def test_a_generator_that_fails_as_it_is_closed(self) -> None:
        async def numbers() -> Any:
            try:
                yield 1
            finally:
                raise ConnectionError("planted")

        async def body(case: Any) -> None:
            case.numbers = numbers()
            await case.numbers.__anext__()

        self.check(body, "ConnectionError: planted", only="test")

    def test_a_task_of_a_fixture_of_pytest(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "test_sample.py")
            path.write_text(FIXTURE)
            done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", str(path), cwd=folder)
        self.assertIn("ConnectionError: planted", done.stdout)
        self.assertIn("1 passed, 1 error", done.stdout)

    def test_a_task_of_a_cleanup(self) -> None:
        async def work() -> None:
            raise ConnectionError("planted")

        async def clean_up(case: Any) -> None:
            case.work = asyncio.ensure_future(work())
            await asyncio.wait([case.work])

        async def body(case: Any) -> None:
            case.addAsyncCleanup(clean_up, case)

        self.check(body, "ConnectionError: planted")


FIXTURE = """
import asyncio, pytest
from tornado.web import Application

async def fail():
    raise ConnectionError("planted")

@pytest.fixture
def app():
    return Application(log_function=lambda handler: None)

@pytest.fixture
async def fails_after_the_server_was_closed(io_loop):
    yield
    task = asyncio.ensure_future(fail())
    await asyncio.wait([task])

@pytest.mark.gen_test(leaks="ignore")
async def test(fails_after_the_server_was_closed, http_client, base_url):
    await http_client.fetch(base_url, raise_error=False)
"""


async def _read(stream: IOStream) -> None:
    await stream.read_bytes(1)


class AfterwardsTest(unittest.TestCase):
    def test_a_late_error_of_a_connection_is_reported_for_its_test(self) -> None:
        done = run_code(LATE)
        self.assertRegex(done.stderr, r"ERROR: test_guilty(?s:.*)ConnectionResetError: planted")
        self.assertNotIn("ERROR: test_innocent", done.stderr)

    def test_a_second_loop_of_the_same_test_begins_anew(self) -> None:
        async def fail() -> None:
            raise ConnectionError("planted")

        def body(case: Served) -> None:
            case.tearDown()
            case.setUp()
            case.work = asyncio.ensure_future(fail(), loop=case.io_loop.asyncio_loop)  # type: ignore[attr-defined]
            case.io_loop.add_callback(case.stop)
            case.wait()

        self.assertIn("ConnectionError: planted", run_body(Served, body).report)

    def test_a_cleanup_may_still_expect_the_error_of_a_task(self) -> None:
        async def fail() -> None:
            raise ConnectionError("planted")

        class Sample(Served):
            async def test(self) -> None:
                self.work = asyncio.ensure_future(fail())
                await asyncio.wait([self.work])
                self.addAsyncCleanup(self.check)

            async def check(self) -> None:
                with self.assertRaises(ConnectionError):
                    await self.work

        self.assertEqual(run_case(Sample).verdicts, ["addSuccess"])


LATE = """
import asyncio, unittest
from tornado.ioloop import IOLoop
from tornado.web import Application
from asynctest_tornado import AsyncHTTPTestCase

io_loop = IOLoop(make_current=False, asyncio_loop=asyncio.new_event_loop())
later = io_loop.asyncio_loop.create_future()

class Shared(AsyncHTTPTestCase):
    leaks = "ignore"

    def get_app(self):
        return Application()

    def get_new_ioloop(self):
        return io_loop

    def test_guilty(self):
        def fail(future):
            raise ConnectionResetError("planted")
        self.io_loop.add_future(later, fail)
        self.fetch("/")

    def test_innocent(self):
        later.set_result(None)
        later.add_done_callback(lambda future: self.io_loop.add_callback(self.stop))
        self.wait()

unittest.main(verbosity=2, exit=False)
io_loop.close()
"""
