"""Typical mistakes, and the hints in their reports. The gallery has whole reports."""

import _thread
import asyncio
import builtins
import functools
import json
import socket
import threading
import types
import unittest
import unittest.mock
import warnings
from typing import Any

from tornado import web
from tornado.httpclient import AsyncHTTPClient
from tornado.tcpclient import TCPClient

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, HTTPTestServer, bind_unused_port, gen_test
from tests.support import environ, run_body


class Hello(web.RequestHandler):
    def get(self) -> None:
        self.write("hello")


class Served(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/", Hello)], log_function=lambda handler: None)


async def connect() -> str:
    return "connection"


class MissingAwaitTest(unittest.TestCase):
    def check(self, body: Any, hint: str, base: type[unittest.TestCase] = Served) -> None:
        """The report is one, says how to mend the mistake, and does not report the task as a leak in addition."""
        result = run_body(base, body)
        self.assertEqual(result.verdicts, ["addError"], result.report)
        self.assertRegex(result.report, rf"Error: .*\nIts result has to be waited for: {hint}\.\n\Z")

    def test_a_variable_is_shown_with_the_word_that_is_missing(self) -> None:
        async def attribute(case: Any) -> None:
            response = case.fetch("/")
            response.code  # noqa: B018

        async def item(case: Any) -> None:
            response: Any = case.async_fetch("/", method="GET")
            response["name"]

        async def argument(case: Any) -> None:
            response = case.fetch("/")
            json.loads(response)

        async def coroutine(case: Any) -> None:
            connection: Any = connect()
            connection.cursor()

        @gen_test
        def generator(case: Any) -> Any:
            response = case.http_client.fetch(case.get_url("/"))
            case.assertEqual(response.code, 200)
            yield response

        self.check(attribute, r"write 'response = await case.fetch\(\"/\"\)'")
        self.check(item, r"write 'response = await case.async_fetch\(\"/\", method=\"GET\"\)'")
        self.check(argument, r"write 'response = await case.fetch\(\"/\"\)'")
        self.check(coroutine, r"write 'connection = await connect\(\)'")
        self.check(generator, r"write 'response = yield case.http_client.fetch\(case.get_url\(\"/\"\)\)'")

    def test_without_a_variable_there_is_the_word(self) -> None:
        async def body(case: Any) -> None:
            case.assertEqual(case.fetch("/").code, 200)

        self.check(body, "write 'await' before the call")

    def test_a_plain_function_can_become_a_coroutine(self) -> None:
        def body(case: Any) -> None:
            case.http_client.fetch(case.get_url("/")).code  # noqa: B018

        self.check(body, r"make body\(\) an 'async def' and write 'await' before the call, or use run_sync\(\)")

    def test_an_argument_was_made_by_a_caller(self) -> None:
        def check(response: Any) -> None:
            self.assertEqual(response.code, 200)

        async def named(case: Any) -> None:
            response = case.fetch("/")
            check(response)

        async def unnamed(case: Any) -> None:
            check(case.fetch("/"))

        self.check(named, r"write 'response = await case.fetch\(\"/\"\)'")
        self.check(unnamed, "write 'await' before the call")

    def test_other_errors_have_no_such_hint(self) -> None:
        class Unprintable:
            def __str__(self) -> str:
                raise AssertionError("not to be called")

        def other(case: Any) -> None:
            None.code  # type: ignore[attr-defined]  # noqa: B018

        def unprintable(case: Any) -> None:
            raise TypeError(Unprintable())

        async def of_a_task(case: Any) -> None:
            task = asyncio.ensure_future(connect())
            await task
            raise AttributeError("'Thing' object has no attribute 'code'", name="code", obj=task)

        for body in other, unprintable, of_a_task:
            result = run_body(AsyncTestCase, body)
            self.assertEqual(result.verdicts, ["addError"])
            self.assertNotIn("waited for", result.report)

    def test_an_assertion_shows_the_word_that_is_missing(self) -> None:
        async def equal(case: Any) -> None:
            case.assertEqual(connect(), "connection")

        async def variable(case: Any) -> None:
            connection = connect()
            case.assertFalse(connection)

        def plain(case: Any) -> None:
            case.assertIsNone(case.http_client.fetch(case.get_url("/")))

        for body, hint in {
            equal: "write 'await' before the call",
            variable: r"write 'connection = await connect\(\)'",
            plain: r"make plain\(\) an 'async def' and write 'await' before the call, or use run_sync\(\)",
        }.items():
            with warnings.catch_warnings(record=True) as caught:
                result = run_body(Served, body)
            self.assertEqual(result.verdicts, ["addFailure"], result.report)
            self.assertRegex(result.report, rf"Error: .*\nIts result has to be waited for: {hint}\.\n\Z")
            self.assertEqual([str(each.message) for each in caught], [])

    def test_an_assertion_about_the_awaitable_itself_has_no_such_hint(self) -> None:
        async def identity(case: Any) -> None:
            task = asyncio.ensure_future(asyncio.sleep(0))
            try:
                case.assertIs(task, None)
            finally:
                await task

        async def two(case: Any) -> None:
            first, second = asyncio.ensure_future(asyncio.sleep(0)), asyncio.ensure_future(asyncio.sleep(0))
            try:
                case.assertEqual(first, second)
            finally:
                await asyncio.wait([first, second])

        async def begun(case: Any) -> None:
            coro: Any = forever()
            coro.send(None)
            try:
                case.assertEqual(coro, 1)
            finally:
                coro.close()

        for body in identity, two, begun:
            result = run_body(AsyncTestCase, body)
            self.assertEqual(result.verdicts, ["addFailure"], result.report)
            self.assertNotIn("waited for", result.report)


@types.coroutine
def forever() -> Any:
    while True:
        yield


class RunSyncTest(unittest.TestCase):
    def test_a_future_is_no_function_either(self) -> None:
        def body(case: Any) -> None:
            case.io_loop.run_sync(case.io_loop.asyncio_loop.create_future())

        result = run_body(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertRegex(
            result.report, r"TypeError: .* and got a Future\. Write self\.run_sync\(f\), without calling it"
        )

    def test_so_of_callbacks(self) -> None:
        def add(case: Any) -> None:
            case.io_loop.add_callback(case.stop())

        def spawn(case: Any) -> None:
            case.io_loop.spawn_callback(connect())

        for body, hint in {
            add: r"add_callback\(\) calls .* and got a NoneType\. Write add_callback\(f\), without calling it",
            spawn: r"spawn_callback\(\) calls .* and got a coroutine\. Write spawn_callback\(connect\), without",
        }.items():
            with warnings.catch_warnings(record=True) as caught:
                result = run_body(AsyncTestCase, body)
            self.assertRegex(result.report, hint)
            self.assertNotIn("tornado/", result.report)
            self.assertEqual(caught, [])


class AsyncSetUpTest(unittest.TestCase):
    def test_only_an_attribute_that_it_would_make_is_explained(self) -> None:
        class Plain(AsyncTestCase):
            def asyncSetUp(self) -> None:  # type: ignore[override]
                self.made = 1

        class Coroutine(AsyncTestCase):
            async def asyncSetUp(self) -> None:
                if False:
                    self.made = 1

        def made(case: Any) -> None:
            case.made  # noqa: B018

        def other(case: Any) -> None:
            case.other  # noqa: B018

        hint = "asyncSetUp() of this class is no 'async def'"
        self.assertIn(hint, run_body(Plain, made).report)
        self.assertNotIn(hint, run_body(Plain, other).report)
        self.assertNotIn(hint, run_body(Coroutine, made).report)


class MockTest(unittest.TestCase):
    """A mock in the place of ``AsyncHTTPClient.fetch`` reaches the test as well."""

    HINT = "AsyncHTTPClient.fetch was a mock"

    def report(self, **patched: Any) -> str:
        async def test(case: Any) -> None:
            with unittest.mock.patch.object(AsyncHTTPClient, "fetch", **patched):
                response = await case.fetch("/")
            case.assertEqual(response.body, b"hello from a mock")

        return run_body(Served, test).report

    def test_its_answers_are_explained(self) -> None:
        answer = unittest.mock.Mock(body=b"other")
        for patched in (
            {"new_callable": unittest.mock.AsyncMock, "return_value": answer},
            {"return_value": answer},  # cannot be awaited
            {"side_effect": OSError("planted")},
            {"autospec": True, "side_effect": OSError("planted")},
        ):
            with self.subTest(patched):
                self.assertEqual(self.report(**patched).count(self.HINT), 1)

    def test_the_server_has_answered_nevertheless(self) -> None:
        self.assertIn("b'hello' != ", self.report(autospec=True, side_effect=AsyncHTTPClient.fetch))
        self.assertNotIn(self.HINT, self.report(autospec=True, side_effect=AsyncHTTPClient.fetch))

    def test_later_requests(self) -> None:
        async def test(case: Any) -> None:
            with unittest.mock.patch.object(AsyncHTTPClient, "fetch", unittest.mock.AsyncMock()):
                await case.fetch("/")
            case.assertEqual((await case.fetch("/")).body, b"other")

        self.assertNotIn(self.HINT, run_body(Served, test).report)


class AssertRaisesTest(unittest.TestCase):
    def check(self, body: Any, is_explained: bool) -> None:
        report = run_body(AsyncTestCase, body).report
        self.assertIn("ValueError: planted", report)
        hint = "The test waits in a block of assertRaisesRegex(), which cannot catch the error of a callback or another"
        self.assertEqual(hint in report, is_explained, report)
        self.assertEqual("use ExpectError(ValueError)." in report, is_explained)

    def test_it_is_for_errors_of_the_block_itself(self) -> None:
        async def coroutine(case: Any) -> None:
            with case.subTest(), case.assertRaisesRegex((OSError, Exception), "planted"):
                case.io_loop.add_callback(plant)
                await asyncio.Event().wait()

        @gen_test
        def generator(case: Any) -> Any:
            with case.assertRaisesRegex(builtins.ValueError, "planted"):
                case.io_loop.add_callback(plant)
                yield asyncio.Event().wait()

        self.check(coroutine, True)
        self.check(generator, True)

    def test_other_errors_and_blocks_have_no_such_hint(self) -> None:
        async def other_class(case: Any) -> None:
            with case.assertRaisesRegex(KeyError, "planted"):
                case.io_loop.add_callback(plant)
                await asyncio.Event().wait()

        async def outside(case: Any) -> None:
            with case.assertRaisesRegex(ValueError, "planted"):
                plant()
            case.io_loop.add_callback(plant)
            await asyncio.Event().wait()

        async def in_thread(case: Any) -> None:
            with case.assertRaisesRegex(ValueError, "planted"):
                thread = threading.Thread(target=plant)
                thread.start()
                thread.join()
                await asyncio.Event().wait()

        for body in other_class, outside, in_thread:
            self.check(body, False)


def plant() -> None:
    raise ValueError("planted")


class StopTest(unittest.TestCase):
    def report(self, body: Any) -> str:
        result = run_body(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addFailure"], result.report)
        return result.report

    def test_two_for_one_wait(self) -> None:
        def body(case: AsyncTestCase, *values: object) -> None:
            for value in values:
                case.io_loop.add_callback(case.stop, value)
            case.wait()
            case.fail()

        for values, hint in {
            (1, "two"): r"stop\(\) was called twice during one wait\(\), with 1 and 'two': the last one counts\.",
            (
                thing := AsyncTestCase(),
                thing,
            ): r"stop\(\) was called twice during one wait\(\): none is left",
            (thing, None): "with <AsyncTestCase> and None",
        }.items():
            self.assertRegex(self.report(lambda case, values=values: body(case, *values)), hint)

    def test_the_line_of_the_second_one(self) -> None:
        def body(case: AsyncTestCase) -> None:
            def call() -> None:
                case.stop(1)
                case.stop(2)

            case.io_loop.add_callback(call)
            case.wait()
            case.fail()

        line = r"The second call was at .*test_hints\.py:\d+ in call: case\.stop\(2\)"
        self.assertRegex(self.report(body), line)

    def test_the_next_wait_has_none_left(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(case.stop)
            case.io_loop.add_callback(case.stop)
            case.wait()
            case.wait()

        report = self.report(body)
        self.assertRegex(report, r"deadlock.*self\.stop\(\) was not called, and nothing is left that could call it: ")
        self.assertIn("stop() was called twice during one wait(): none is left for the next one.", report)

    def test_one_that_came_before(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.stop(1)
            case.assertEqual(case.wait(), 2)

        hint = r"wait\(\) returned at once, for a stop\(\) that came before it, at \S+:\d+ in body: case\.stop\(1\)"
        self.assertRegex(self.report(body), hint)

    def test_one_of_a_callback_that_came_before(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(case.stop)
            case.run_sync(asyncio.sleep, 0)
            case.wait()
            case.fail()

        self.assertIn("wait() returned at once, for a stop() that came before it.", self.report(body))

    def test_one_of_a_bare_thread(self) -> None:
        def body(case: AsyncTestCase) -> None:
            _thread.start_new_thread(case.stop, (1,))
            case.assertEqual(case.wait(), 1)

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_a_wait_in_good_order_has_the_last_word(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.stop()
            case.stop()
            case.wait()
            case.io_loop.add_callback(case.stop)
            case.wait()
            case.fail()

        self.assertNotIn("stop()", self.report(body).replace("case.stop()", ""))

    def test_a_condition_takes_any_number(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(case.stop)
            case.io_loop.add_callback(case.stop)
            case.wait(lambda: True)
            case.fail()

        self.assertNotIn("twice", self.report(body))


#: Stands in for a look-up, which would ask servers of this machine's network: code of the module socket, as it seems.
unknown: Any = eval(
    "lambda *args, **kwargs: (each for each in ()).throw(make())",
    {"__name__": "socket", "make": functools.partial(socket.gaierror, socket.EAI_NONAME, "Name not known")},
)


class ConnectionTest(unittest.TestCase):
    def check(self, body: Any, error: str, base: type[unittest.TestCase] = Served) -> None:
        """There is one error, and one line of code, which the user has written."""
        result = run_body(base, body)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertRegex(
            result.report, rf"\ATraceback .*\n  File \"\S+test_hints.py\", .*\n.*\n(?: *[~^]+\n)?{error}\n\Z"
        )

    def test_an_unknown_host(self) -> None:
        url = "http://provider.invalid/token"

        async def by_client(case: Any) -> None:
            await AsyncHTTPClient().fetch(url, method="POST", body="")

        def by_fetch(case: Any) -> None:
            case.fetch(url)

        async def by_websocket(case: Any) -> None:
            await case.ws_connect("ws://provider.invalid/")

        async def by_asyncio(case: Any) -> None:
            await asyncio.open_connection("provider.invalid", 80)

        async def by_tornado(case: Any) -> None:
            await TCPClient().connect("provider.invalid", 80)

        error = r"socket\.gaierror: \[Errno -2\] Name not known"
        request = r"\nThe request was GET http://provider\.invalid/token\."
        with unittest.mock.patch("socket.getaddrinfo", unknown):
            self.check(by_client, error + request.replace("GET", "POST"), AsyncTestCase)
            self.check(by_asyncio, error, AsyncTestCase)
            self.check(by_tornado, error, AsyncTestCase)
        with unittest.mock.patch.object(Served, "get_app", _app_without_hosts):
            self.check(by_fetch, error + request)
            self.check(by_websocket, error + r"\nThe request was GET ws://provider\.invalid/\.")

    def test_a_port_that_nobody_serves(self) -> None:
        def body(case: Any) -> None:
            case.http_server.stop()
            case.fetch("/page?a=1")

        request = r"GET http://127\.0\.0\.1:\d+/page\?a=1"
        error = rf"ConnectionRefusedError: .*\nThe request was {request}\. Nothing listens there\."
        self.check(body, error)

    def test_a_port_that_nobody_serves_and_a_client_of_the_user(self) -> None:
        async def body(case: Any) -> None:
            case.http_server.stop()
            await AsyncHTTPClient().fetch(case.get_url("/page"), method="POST", body="")

        error = (
            r"ConnectionRefusedError: .*\nThe request was POST http://127\.0\.0\.1:\d+/page\. Nothing listens there\."
        )
        self.check(body, error)

    def test_an_https_url_of_an_http_server(self) -> None:
        """The server waits for the end of the headers, until the client or the test gives up."""

        async def by_test(case: Any) -> None:
            await AsyncHTTPClient().fetch(case.get_url("/").replace("http:", "https:"))

        async def by_client(case: Any) -> None:
            await AsyncHTTPClient().fetch(case.get_url("/").replace("http:", "https:"), request_timeout=0.01)

        hint = r"The server speaks HTTP: the URL is http://127\.0\.0\.1:\d+/\.\n"
        with environ(ASYNC_TEST_TIMEOUT="0.05"):
            report = run_body(Served, by_test).report
        self.assertRegex(report, r"in flight:\n  GET https://127\.0\.0\.1:\d+/\n    " + hint)
        self.assertNotIn("Timers", report)
        self.assertRegex(run_body(Served, by_client).report, r"HTTPTimeoutError: .*\n" + hint)

    def test_a_timer_for_a_wait_that_fails_is_no_leak(self) -> None:
        async def body(case: Any) -> None:
            case.io_loop.call_later(60, case.stop)
            case.wait()

        report = run_body(AsyncTestCase, body).report
        self.assertIn("is running already", report)
        self.assertNotIn("left these resources open", report)

    def test_a_loop_that_is_run_while_a_loop_runs(self) -> None:
        async def run(case: Any) -> None:
            asyncio.run(connect())

        async def variable(case: Any) -> None:
            coro = connect()
            case.io_loop.asyncio_loop.run_until_complete(coro)

        async def other_loop(case: Any) -> None:
            loop = asyncio.new_event_loop()
            case.addCleanup(loop.close)
            loop.run_until_complete(asyncio.sleep(0, None))

        def helper() -> None:
            asyncio.run(connect())

        async def in_function(case: Any) -> None:
            helper()

        hints = {
            run: r"Write 'await connect\(\)' instead of 'asyncio\.run\(connect\(\)\)'",
            variable: r"Write 'await coro' instead of 'case\..*\.run_until_complete\(coro\)'",
            other_loop: r"Write 'await asyncio.sleep\(0, None\)' instead of 'loop\.run_until_complete\(.*\)'",
            in_function: r"Make helper\(\) an 'async def', and await the coroutine there",
        }
        for body, hint in hints.items():
            with self.subTest(hint):
                result = run_body(AsyncTestCase, body)
                self.assertEqual(result.verdicts, ["addError"], result.report)
                self.assertRegex(result.report, rf"RuntimeError: .*\nA loop runs already\. {hint}\.\n\Z")

    def test_a_coroutine_that_is_not_run_is_not_reported_twice(self) -> None:
        """It was handed to ``run_sync`` in a coroutine."""

        async def body(case: Any) -> None:
            case.run_sync(connect())

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            report = run_body(AsyncTestCase, body).report
        self.assertIn("Write 'await connect()' instead of 'case.run_sync(connect())'.", report)
        self.assertNotIn("never awaited", report)

    def test_a_port_that_is_taken(self) -> None:
        sock, port = bind_unused_port()
        self.addCleanup(sock.close)

        def by_tornado(case: Any) -> None:
            web.Application().listen(port, "127.0.0.1")

        async def by_asyncio(case: Any) -> None:
            await asyncio.start_server(print, "127.0.0.1", port)

        advice = r"bind_unused_port\(\) returns a socket on a port that none has, for example for .*\."
        with warnings.catch_warnings(record=True) as caught:
            self.check(by_tornado, rf"OSError: .*\nAnother socket has the address 127\.0\.0\.1:{port}\. {advice}")
        self.assertEqual([str(each.message) for each in caught], [])
        self.check(by_asyncio, rf"OSError: .*{port}.*\nAnother socket has this address\. {advice}")

    def test_a_taken_port_of_a_test_server_has_its_own_advice(self) -> None:
        sock, port = bind_unused_port()
        self.addCleanup(sock.close)

        async def body(case: Any) -> None:
            async with HTTPTestServer(web.Application(), port=port):
                pass

        report = run_body(AsyncTestCase, body).report
        self.assertIn("Give port=0", report)
        self.assertNotIn("bind_unused_port", report)


def _app_without_hosts(case: AsyncHTTPTestCase) -> web.Application:
    """Return an application, for tests that find no host any more."""
    case.enterContext(unittest.mock.patch("socket.getaddrinfo", unknown))
    return web.Application()
