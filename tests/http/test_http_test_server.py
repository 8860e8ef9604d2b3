"""A server outside of a test case."""

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path
from typing import Any, ClassVar

from tornado import web
from tornado.httpclient import HTTPClientError

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, HTTPTestServer, bind_unused_port
from tests.sources.test_request_handlers import Handler, SocketHandler, setUpModule, tearDownModule
from tests.support import run_body

__all__ = ["setUpModule", "tearDownModule"]


class WaitingHandler(web.RequestHandler):
    go_on: asyncio.Event
    begun: ClassVar[set[str | None]] = set()

    async def get(self) -> None:
        self.begun.add(self.request.uri)
        await self.go_on.wait()


def make_app() -> web.Application:
    handlers: Any = [("/socket/.*", SocketHandler), ("/wait", WaitingHandler), ("/.*", Handler)]
    return web.Application(handlers, log_function=lambda handler: None)


class HTTPTestServerTest(unittest.IsolatedAsyncioTestCase):
    """In a test case that is not ours, as it would be with pytest."""

    async def test_it_serves_and_fetches(self) -> None:
        async with HTTPTestServer(make_app()) as server:
            response = await server.fetch("/")
            self.assertEqual((response.code, response.body), (200, b"fine"))
            port = server.port
            self.assertEqual(server.get_url("/a"), f"http://127.0.0.1:{port}/a")
        with self.assertRaises(OSError):
            await asyncio.open_connection("127.0.0.1", port)

    async def test_it_serves_websockets(self) -> None:
        async with HTTPTestServer(make_app()) as server, server.ws_connect("/socket/") as socket:
            await socket.write_message("hello")
            self.assertEqual(await socket.read_message(), "hello")

    async def test_it_knows_the_errors_of_handlers(self) -> None:
        async with HTTPTestServer(make_app()) as server:
            for path in "/get", "/on_finish", "/404":
                await server.fetch(path)
        self.assertEqual([failure.request.path for failure in server.errors], ["/get", "/on_finish"])

    async def test_a_websocket_that_ends_shows_why(self) -> None:
        async with HTTPTestServer(make_app()) as server:
            with self.assertRaisesRegex(Exception, "without a close frame") as caught:
                async with server.ws_connect("/socket/open") as socket:
                    await socket.read_message()
        self.assertIsInstance(caught.exception.__cause__, ValueError)

    async def test_if_a_client_gives_up_the_report_shows_the_server(self) -> None:
        async with HTTPTestServer(make_app()) as server:
            WaitingHandler.go_on = asyncio.Event()
            path, seconds = "", 0.05
            while path not in WaitingHandler.begun:  # a busy computer may take longer to get there
                path, seconds = f"/wait?{seconds}", 2 * seconds
                with self.assertRaises(HTTPClientError) as caught:
                    await server.fetch(path, request_timeout=seconds)
            WaitingHandler.go_on.set()
        self.assertRegex(caught.exception.__notes__[0], r"WaitingHandler, which serves GET /wait\S* .*\n +at .* in get")

    async def test_a_mock_for_the_code_under_test_does_not_mislead_the_report(self) -> None:
        async with HTTPTestServer(make_app()) as server, server.ws_connect("/socket/") as line:
            with unittest.mock.patch("asyncio.all_tasks", return_value=set()) as mock:
                with self.assertRaises(TimeoutError) as caught:
                    await line.read_message(timeout=0)
                self.assertEqual(mock.mock_calls, [])
        self.assertIn("SocketHandler, which serves GET /socket/", caught.exception.__notes__[0])

    async def test_cookies_are_kept(self) -> None:
        class Login(web.RequestHandler):
            def get(self) -> None:
                self.write(self.get_cookie("name", "unknown"))
                self.set_cookie("name", "anna")

        async with HTTPTestServer(web.Application([("/", Login)], log_function=lambda handler: None)) as server:
            self.assertEqual((await server.fetch("/")).body, b"unknown")
            self.assertEqual(server.cookies, {"name": "anna"})
            server.cookies["name"] = server.cookies["name"]  # from here on, they are sent
            self.assertEqual((await server.fetch("/")).body, b"anna")

    async def test_it_serves_https(self) -> None:
        async with HTTPTestServer(make_app(), https=True) as server:
            self.assertTrue(server.get_url("/").startswith("https://127.0.0.1:"))
            self.assertEqual((await server.fetch("/")).code, 200)
            async with server.ws_connect("/socket/") as socket:
                self.assertTrue(socket.url.startswith("wss://"))

    async def test_it_listens_on_the_given_address(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            several: tuple[dict[str, Any], ...] = (
                {"address": "::1"},
                {"unix_socket": path},
                {"unix_socket": path, "https": True},
            )
            for arguments in several:
                async with HTTPTestServer(make_app(), **arguments) as server:
                    self.assertEqual((await server.fetch("/")).code, 200)
                    async with server.ws_connect("/socket/") as socket:
                        await socket.write_message("hello")
                        self.assertEqual(await socket.read_message(), "hello")
            self.assertEqual(os.listdir(folder), [])

    async def test_other_arguments_are_those_of_the_server(self) -> None:
        async with HTTPTestServer(make_app(), xheaders=True) as server:
            self.assertTrue(server.http_server.xheaders)

    async def test_bad_input_is_an_error(self) -> None:
        for app in None, [("/", Handler)], web.Application:
            with self.assertRaisesRegex(TypeError, "The application of this HTTPTestServer is .*It has to be the"):
                HTTPTestServer(app)
        sock, port = bind_unused_port()
        self.addCleanup(sock.close)
        with self.assertRaisesRegex(OSError, f"port {port} of 127.0.0.1: .*in use. Give port=0"):
            await HTTPTestServer(make_app(), port=port).__aenter__()
        with self.assertRaisesRegex(ValueError, "'0.0.0.0'.*Give 127.0.0.1"):
            await HTTPTestServer(make_app(), address="0.0.0.0").__aenter__()
        with self.assertRaisesRegex(RuntimeError, "not running. Use it in 'async with"):
            await HTTPTestServer(make_app()).fetch("/")
        async with HTTPTestServer(make_app()) as server:
            with self.assertRaisesRegex(RuntimeError, "is running already. Make another one"):
                await server.__aenter__()
            self.assertEqual((await server.fetch("/")).code, 200)
        with self.assertRaisesRegex(TypeError, "xheader"):
            await HTTPTestServer(make_app(), xheader=True).__aenter__()

    async def test_a_plain_with_is_an_error(self) -> None:
        with self.assertRaisesRegex(TypeError, "Write 'async with'"), HTTPTestServer(web.Application()):  # type: ignore[attr-defined]
            pass

    async def test_it_leaves_nothing_open(self) -> None:
        async with HTTPTestServer(make_app()):
            before = len(os.listdir("/proc/self/fd"))
        several: tuple[dict[str, Any], ...] = ({}, {"https": True}, {"xheader": True})
        for arguments in several:
            try:
                async with HTTPTestServer(make_app(), **arguments) as server:
                    await server.fetch("/")
            except TypeError:
                self.assertIn("xheader", arguments)
        self.assertLess(len(os.listdir("/proc/self/fd")), before)


class UnixSocketTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.other = self.enterContext(tempfile.TemporaryDirectory())

    async def assert_serves(self, server: HTTPTestServer) -> None:
        self.assertEqual((await server.fetch("/")).body, b"fine")
        async with server.ws_connect("/socket/") as socket:
            await socket.write_message("hello")
            self.assertEqual(await socket.read_message(), "hello")

    async def test_a_relative_path_is_that_of_the_beginning(self) -> None:
        Path(self.other, "socket").write_text("precious")
        for path in "socket", Path("socket"), b"socket":
            with contextlib.chdir(self.folder):
                async with HTTPTestServer(make_app(), unix_socket=path) as server:
                    with contextlib.chdir(self.other):
                        await self.assert_serves(server)
                    self.assertEqual(os.listdir(self.folder), ["socket"])
                    os.chdir(self.other)
            self.assertEqual(os.listdir(self.folder), [])
            self.assertEqual(Path(self.other, "socket").read_text(), "precious")

    async def test_a_relative_path_may_be_in_a_folder_with_a_long_name(self) -> None:
        folder = Path(self.folder, "long" * 50)
        folder.mkdir()
        with contextlib.chdir(folder):
            async with HTTPTestServer(make_app(), unix_socket="socket") as server:
                await self.assert_serves(server)
                os.chdir(self.other)
        self.assertEqual(os.listdir(folder), [])

    async def test_a_file_in_its_place_is_not_removed(self) -> None:
        path = Path(self.folder, "socket")
        for content in "precious", None:
            async with HTTPTestServer(make_app(), unix_socket=path):
                path.unlink()
                if content is not None:
                    path.write_text(content)
            self.assertEqual(path.exists(), content is not None)
            path.unlink(missing_ok=True)

    @unittest.skipUnless(sys.platform == "linux", "There are abstract names on Linux alone")
    async def test_an_abstract_name_has_no_file(self) -> None:
        name = f"\0asynctest_tornado {os.getpid()}"
        with contextlib.chdir(self.folder):
            for path in name, name.encode(), "":
                async with HTTPTestServer(make_app(), unix_socket=path) as server:
                    await self.assert_serves(server)
                    self.assertEqual((server.port, server.get_url("/a")), (0, "http://localhost/a"))
            async with HTTPTestServer(make_app(), unix_socket=name, https=True) as server:
                await self.assert_serves(server)
        self.assertEqual(os.listdir(self.folder), [])

    async def test_a_failure_leaves_no_socket(self) -> None:
        path = Path(self.folder, "socket")
        before = len(os.listdir("/proc/self/fd"))
        bad: tuple[tuple[type[Exception], dict[str, Any]], ...] = (
            (TypeError, {"unix_socket": path, "xheader": True}),
            (KeyError, {"unix_socket": path, "ssl_options": {}}),
            (ValueError, {"unix_socket": f"{path}\0more"}),
            (OSError, {"unix_socket": self.folder}),
            (OSError, {"unix_socket": f"{path}/nowhere"}),
            (OSError, {"unix_socket": "long" * 100}),
            (ValueError, {"port": 65536}),
            (ValueError, {"port": -1}),
            (ValueError, {"port": "80"}),
            (ValueError, {"port": None}),
        )
        for expected, arguments in bad:
            with self.subTest(arguments=arguments):
                server = HTTPTestServer(make_app(), **arguments)
                with self.assertRaises(expected):
                    await server.__aenter__()
                self.assertEqual(os.listdir(self.folder), [])
                with self.assertRaisesRegex(RuntimeError, "not running"):
                    await server.fetch("/")
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    async def test_the_error_for_a_wrong_port_shows_the_right_ones(self) -> None:
        with self.assertRaisesRegex(ValueError, "port 70000: give a number from 0 to 65535"):
            await HTTPTestServer(make_app(), port=70000).__aenter__()


class SocketOfATestTest(AsyncHTTPTestCase):
    """A Unix-domain socket that a test has bound, and that blocks."""

    def get_app(self) -> web.Application:
        return make_app()

    def get_http_socket(self) -> socket.socket:
        self.enterContext(contextlib.chdir(self.enterContext(tempfile.TemporaryDirectory())))
        sock = socket.socket(socket.AF_UNIX)
        sock.bind("socket")
        sock.listen()
        return sock

    def test_it_is_found_from_elsewhere(self) -> None:
        with contextlib.chdir("/"):
            self.assertEqual(self.fetch("/").body, b"fine")


class InATestTest(unittest.TestCase):
    def test_a_test_of_ours_fails_of_the_errors_of_handlers(self) -> None:
        async def answered(case: AsyncTestCase) -> None:
            async with HTTPTestServer(make_app()) as server:
                case.assertEqual((await server.fetch("/get")).code, 200)

        async def unanswered(case: AsyncTestCase) -> None:
            async with HTTPTestServer(make_app()) as server:
                await server.fetch("/on_finish")

        for test, verdict in (answered, "addFailure"), (unanswered, "addError"):
            result = run_body(AsyncTestCase, test)
            self.assertEqual(result.verdicts, [verdict], result.report)
            self.assertEqual(result.report.count("ValueError: planted"), 1, result.report)
