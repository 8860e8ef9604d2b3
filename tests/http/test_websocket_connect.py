"""A websocket that a test does not await is an error with the line of the test; all ways to await it are good."""

import asyncio
import contextlib
import sys
import tempfile
import unittest
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any

from tornado import web
from tornado.websocket import WebSocketHandler

from asynctest_tornado import AsyncHTTPTestCase, HTTPTestServer, WebSocket, gen_test
from tests.support import RecordingResult, run_body, run_python

MADE = r"\(made at tests/http/test_websocket_connect\.py:\d+ in body: .*ws_connect\(\"/\"\)"


class GreetingHandler(WebSocketHandler):
    def open(self, *args: str, **kwargs: str) -> None:
        self.write_message("hello")


def make_app() -> web.Application:
    return web.Application([("/", GreetingHandler)], log_function=lambda handler: None)


class Case(AsyncHTTPTestCase):
    leaks = "fail"

    def get_app(self) -> web.Application:
        return make_app()


class ErrorTest(unittest.TestCase):
    def check(self, body: Any, *expected: str, error: str = "RuntimeWarning") -> RecordingResult:
        result = run_body(Case, body)
        self.assertEqual(result.verdicts, ["addError"], result.report)
        self.assertEqual(len(result.errors), 1, result.report)
        for each in (rf"(?m)^{error}: ", *expected):
            self.assertRegex(result.report, each)
        return result


class NeverAwaitedTest(ErrorTest):
    """Without this, nothing of the call would happen, and the test would pass."""

    def test_in_a_coroutine(self) -> None:
        async def body(case: Case) -> None:
            case.ws_connect("/")

        self.check(body, rf"coroutine 'ws_connect' was never awaited {MADE}", "Write .async with ws_connect")

    def test_in_a_generator(self) -> None:
        @gen_test
        def body(case: Case) -> Generator[Any, Any, None]:
            case.ws_connect("/")
            yield asyncio.sleep(0)

        self.check(body, rf"coroutine 'ws_connect' was never awaited {MADE}")

    def test_in_code_that_is_no_coroutine(self) -> None:
        def body(case: Case) -> None:
            case.ws_connect("/")

        self.check(body, rf"coroutine 'ws_connect' was never awaited {MADE}", r" run_sync\(ws_connect, ...\)")

    def test_in_a_variable(self) -> None:
        async def body(case: Case) -> None:
            connecting = case.ws_connect("/")
            await asyncio.sleep(0)
            case.assertIsNotNone(connecting)

        self.check(body, rf"coroutine 'ws_connect' was never awaited {MADE}")

    def test_of_a_server_outside_of_a_test_case(self) -> None:
        async def body(case: Case) -> None:
            async with HTTPTestServer(make_app()) as server:
                server.ws_connect("/")

        self.check(body, rf"coroutine 'ws_connect' was never awaited {MADE}")

    def test_messages_too(self) -> None:
        for name, arguments in ("read_message", ()), ("write_message", ("hello",)), ("close", ()):

            async def body(case: Case, name: str = name, arguments: tuple[Any, ...] = arguments) -> None:
                async with case.ws_connect("/") as socket:
                    getattr(socket, name)(*arguments)

            @gen_test
            def generator(case: Case, name: str = name, arguments: tuple[Any, ...] = arguments) -> Any:
                socket = yield case.ws_connect("/")
                getattr(socket, name)(*arguments)
                yield asyncio.sleep(0)

            for each in body, generator:
                result = self.check(each, r"getattr\(socket, name\)\(\*arguments\)")
                self.assertIn(f"coroutine 'WebSocket.{name}' was never awaited, so that", result.report)

    def test_under_pytest(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "test_sample.py").write_text(PYTEST)
            done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)
        self.assertRegex(done.stdout, r"'ws_connect' was never awaited \(made at test_sample.py:\d+ in test_connect: ")
        self.assertIn("coroutine 'WebSocket.read_message' was never awaited, so that", done.stdout)
        self.assertIn("2 failed", done.stdout)

    def test_elsewhere_python_warns_with_the_line(self) -> None:
        async def body() -> None:
            async with HTTPTestServer(make_app()) as server:
                server.ws_connect("/")

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            asyncio.run(body())
        texts = [str(each.message) for each in caught if issubclass(each.category, RuntimeWarning)]
        self.assertEqual(len(texts), 1, texts)
        self.assertRegex(
            texts[0], r"'ws_connect' was never awaited\n[^$]*test_websocket_connect.py\", line \d+, in body"
        )


PYTEST = """
import pytest
from tornado.web import Application
from tornado.websocket import WebSocketHandler
from asynctest_tornado import HTTPTestServer

app = Application([("/", WebSocketHandler)], log_function=lambda handler: None)

@pytest.mark.gen_test
async def test_connect():
    async with HTTPTestServer(app) as server:
        server.ws_connect("/")

@pytest.mark.gen_test
def test_read():
    server = yield HTTPTestServer(app).__aenter__()
    socket = yield server.ws_connect("/")
    socket.read_message()
    yield server.__aexit__()
"""


class MistakenTest(ErrorTest):
    """Other mistakes are reported once."""

    def test_a_plain_with(self) -> None:
        async def body(case: Any) -> None:
            with case.ws_connect("/"):
                pass

        async def on_a_stack(case: Any) -> None:
            case.enterContext(case.ws_connect("/"))

        for each in body, on_a_stack:
            self.check(each, "no context manager for a plain 'with'. Write 'async with ws_c", error="TypeError")

    def test_a_websocket_that_is_not_connected_yet(self) -> None:
        async def body(case: Any) -> None:
            case.ws_connect("/").write_message("hello")

        def closes(case: Any) -> None:
            case.ws_connect("/").close()

        for each, name in (body, "write_message"), (closes, "close"):
            self.check(each, f"not connected yet, and has no '{name}'. Write 'async with", error="AttributeError")

    def test_one_that_a_test_returns(self) -> None:
        async def body(case: Case) -> Any:
            return case.ws_connect("/")

        self.check(body, "returned a Connecting, which nothing runs", error="TypeError")

    @unittest.skipIf(sys.version_info < (3, 13), "before, a group of tasks does not close the coroutine")
    def test_one_in_a_group_of_tasks_that_has_ended(self) -> None:
        async def body(case: Case) -> None:
            async with asyncio.TaskGroup() as group:
                pass
            group.create_task(case.ws_connect("/"))

        self.check(body, "is finished", error="RuntimeError")


class AwaitedTest(Case):
    """None of these is an error, or leaves anything."""

    async def assert_greets(self, *sockets: WebSocket) -> None:
        for socket in sockets:
            self.assertEqual(await socket.read_message(), "hello")
            await socket.close()

    async def test_later(self) -> None:
        connecting = self.ws_connect("/")
        await asyncio.sleep(0)
        await self.assert_greets(await connecting)

    async def test_more_than_once(self) -> None:
        connecting = self.ws_connect("/")
        await self.assert_greets(await connecting, await connecting)
        async with connecting as socket:
            await self.assert_greets(socket)

    async def test_by_functions_of_asyncio(self) -> None:
        await self.assert_greets(*await asyncio.gather(self.ws_connect("/"), self.ws_connect("/")))
        await self.assert_greets(await asyncio.wait_for(self.ws_connect("/"), 60))
        await self.assert_greets(await asyncio.shield(self.ws_connect("/")))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.ws_connect("/"))
        await self.assert_greets(task.result())

    async def test_by_context_managers(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            await self.assert_greets(await stack.enter_async_context(self.ws_connect("/")))
        await self.assert_greets(await self.enterAsyncContext(self.ws_connect("/")))

    async def test_by_a_task_that_is_cancelled_before_it_begins(self) -> None:
        for begin in asyncio.ensure_future, asyncio.create_task, asyncio.gather:
            future: Any = begin(self.ws_connect("/"))
            future.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await future

    async def test_without_time(self) -> None:
        with self.assertRaises(TimeoutError):
            await asyncio.wait_for(self.ws_connect("/"), 0)

    @gen_test
    def test_by_a_generator(self) -> Any:
        one, other = yield [self.ws_connect("/"), self.ws_connect("/")]
        connecting = self.ws_connect("/")
        yield asyncio.sleep(0)
        yield self.assert_greets(one, other, (yield connecting))

    def test_by_code_that_is_no_coroutine(self) -> None:
        sockets = [self.run_sync(self.ws_connect, "/"), self.run_sync(self.ws_connect("/"))]
        sockets.append(self.io_loop.run_sync(lambda: self.ws_connect("/")))
        self.run_sync(self.assert_greets, *sockets)

    async def test_its_task_has_its_name(self) -> None:
        task = asyncio.ensure_future(self.ws_connect("/"))
        self.assertIn("coro=<ws_connect() ", repr(task))
        await self.assert_greets(await task)
