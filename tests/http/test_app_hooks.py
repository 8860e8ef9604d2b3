import asyncio
import unittest
from collections.abc import Awaitable, Generator
from typing import Any, ClassVar
from unittest import mock

from tornado import gen, web
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, HTTPTestServer, VirtualClock, gen_test
from tests.support import RecordingResult, run_body


class Handler(web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["database"])


async def connect() -> str:
    await asyncio.sleep(0)
    return "database"


async def make_app() -> web.Application:
    return web.Application([("/", Handler)], database=await connect(), log_function=lambda handler: None)


class CoroutineTest(AsyncHTTPTestCase):
    """All hooks that make the server may be coroutine functions."""

    async def get_app(self) -> web.Application:
        self.loop_of_app = asyncio.get_running_loop()
        return await make_app()

    async def get_http_server(self) -> HTTPServer:
        await asyncio.sleep(0)
        server: Any = super().get_http_server()
        return await server  # type: ignore[no-any-return]

    async def get_httpserver_options(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {**super().get_httpserver_options(), "xheaders": True}

    def test_they_are_awaited_before_the_server_listens(self) -> None:
        self.assertEqual(self.fetch("/").body, b"database")
        self.assertTrue(self.http_server.xheaders)

    async def test_they_run_on_the_loop_of_the_test(self) -> None:
        self.assertIs(self.loop_of_app, asyncio.get_running_loop())
        self.assertEqual((await self.async_fetch("/")).body, b"database")


class SharedCoroutineTest(CoroutineTest):
    """The same, with a server for all tests of the class."""

    loop_scope = "class"
    loop_of_app: ClassVar[Any] = None  # type: ignore[misc]
    apps: ClassVar[list[web.Application]] = []

    async def get_app(self) -> web.Application:
        type(self).loop_of_app = asyncio.get_running_loop()
        self.apps.append(await make_app())
        return self.apps[-1]

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        assert len(cls.apps) == 1
        cls.apps.clear()


class OptionsTest(AsyncHTTPSTestCase):
    """Coroutine functions go with plain functions, and with coroutines of Tornado."""

    @gen.coroutine
    def get_app(self) -> Any:
        database = yield connect()
        return web.Application([("/", Handler)], database=database, log_function=lambda handler: None)

    async def get_httpserver_options(self) -> dict[str, Any]:
        return {**super().get_httpserver_options(), "xheaders": True}

    def get_http_server(self) -> HTTPServer:
        server: HTTPServer = super().get_http_server()
        assert server.xheaders
        return server

    def test(self) -> None:
        self.assertEqual(self.fetch("/").body, b"database")


class AwaitableServer(HTTPServer):
    """A server that its program starts by ``await``."""

    def __await__(self) -> Generator[Any, Any, "AwaitableServer"]:
        yield from asyncio.sleep(0).__await__()
        return self


class AwaitableServerTest(AsyncHTTPTestCase):
    """It is a server like any other, and not awaited."""

    def get_app(self) -> web.Application:
        return web.Application([("/", Handler)], database="database", log_function=lambda handler: None)

    def get_http_server(self) -> HTTPServer:
        return AwaitableServer(self._app)

    def test(self) -> None:
        self.assertIsInstance(self.http_server, AwaitableServer)
        self.assertEqual(self.fetch("/").body, b"database")


class AwaitableApp(HTTPServerConnectionDelegate):
    """An application that its program starts by ``await``."""

    def __init__(self) -> None:
        self.application = web.Application([("/", Handler)], database="database", log_function=lambda handler: None)

    def __await__(self) -> Generator[Any, Any, "AwaitableApp"]:
        yield from asyncio.sleep(0).__await__()
        return self

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return self.application.start_request(server_conn, request_conn)


class AwaitableAppTest(AsyncHTTPTestCase):
    """It may return itself: it is awaited once."""

    def get_app(self) -> Any:
        return AwaitableApp()

    def test(self) -> None:
        self.assertEqual(self.fetch("/").body, b"database")


class KindsTest(unittest.TestCase):
    """A coroutine function may be any kind of attribute, and go with any setting."""

    class Base(AsyncHTTPTestCase):
        get_app: Any = None

        def setUp(self) -> None:
            super().setUp()
            self.response = self.fetch("/")

        async def asyncSetUp(self) -> None:
            self.later = await self.async_fetch("/")

        def test(self) -> None:
            self.assertEqual((self.response.body, self.later.body), (b"database", b"database"))

        async def test_in_a_coroutine(self) -> None:
            self.assertEqual((await self.async_fetch("/")).body, b"database")

        @gen_test
        def test_in_a_generator(self) -> Generator[Any, Any, None]:
            response = yield self.fetch("/")
            self.assertEqual(response.body, b"database")

    def check(self, name: str = "test", **members: Any) -> None:
        case: Any = type("Sample", (self.Base,), members)(name)
        result = RecordingResult()
        case.run(result)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_of_a_class(self) -> None:
        async def get_app(cls: type | None = None) -> web.Application:
            return await make_app()

        for kind in classmethod, staticmethod, lambda function: function:
            self.check(get_app=kind(get_app))
        self.check(get_app=mock.AsyncMock(side_effect=make_app))
        self.check(get_app=lambda case: make_app())

    def test_with_settings(self) -> None:
        async def get_app(case: Any) -> web.Application:
            await asyncio.sleep(3600 if hasattr(case, "clock") else 0)
            return await make_app()

        several: tuple[dict[str, Any], ...]
        several = {"leaks": "fail"}, {"schedules": 3}, {"clock_factory": VirtualClock}, {"loop_scope": "test"}
        for settings in several:
            for name in "test", "test_in_a_coroutine", "test_in_a_generator":
                self.check(name, get_app=get_app, **settings)

    def test_by_hand(self) -> None:
        case = CoroutineTest("test_they_are_awaited_before_the_server_listens")
        case.setUp()
        self.addCleanup(case.tearDown)
        self.assertIsInstance(case._app, web.Application)
        self.assertEqual(case.fetch("/").body, b"database")


class FailureTest(unittest.TestCase):
    def test_an_error_is_reported_once_with_the_line_of_the_user(self) -> None:
        class Sample(AsyncHTTPTestCase):
            async def get_app(self) -> web.Application:
                raise ValueError("planted")

            def test(self) -> None: ...

        for scope in "test", "class":
            cls = type("Sample", (Sample,), {"loop_scope": scope})
            result = RecordingResult()
            unittest.TestSuite([cls("test")]).run(result)
            self.assertEqual(result.verdicts, ["addError"])
            self.assertRegex(
                result.report, r"\ATraceback.*\n.*in get_app\n.*planted.*\n(?:.*\^\n)?ValueError: planted\n\Z"
            )

    def test_one_that_never_ends_is_a_deadlock_and_its_line_is_shown(self) -> None:
        class Sample(AsyncHTTPTestCase):
            async_test_timeout = 0

            async def get_app(self) -> web.Application:
                await asyncio.Event().wait()
                raise AssertionError

            def test(self) -> None: ...

        for scope in "test", "class":
            cls = type("Sample", (Sample,), {"loop_scope": scope})
            result = RecordingResult()
            unittest.TestSuite([cls("test")]).run(result)
            self.assertEqual(result.verdicts, ["addError"])
            self.assertRegex(result.report, r"this is a deadlock[^$]*at .*in get_app: await asyncio.Event\(\).wait\(\)")

    def test_a_coroutine_that_returns_no_application(self) -> None:
        class Sample(AsyncHTTPTestCase):
            async def get_app(self) -> Any:
                return 7

        def fetch(case: Any) -> None:
            case.fetch("/")

        report = run_body(Sample, fetch).report
        self.assertRegex(report, r"TypeError: The result of get_app\(\) of Sample is 7, which cannot be served")

    def test_the_function_that_makes_the_application_is_no_application(self) -> None:
        def make() -> web.Application:
            raise AssertionError

        def make_with(setting: object = None) -> web.Application:
            return web.Application()

        async def make_later() -> web.Application:
            raise AssertionError

        for function, message in (
            (make, r"is the function make, which cannot be called with a request. .* write make\(\)"),
            (make_with, r"is the function make_with, which makes an application .* Write make_with\(\)"),
            (make_later, r"is the coroutine function make_later, not its result. Write 'await make_later\(\)'"),
        ):

            class Sample(AsyncHTTPTestCase):
                def get_app(self, function: Any = function) -> Any:
                    return function

            result = run_body(Sample, lambda case: case.fetch("/"))
            self.assertEqual(result.verdicts, ["addError"])
            self.assertRegex(result.report, rf"TypeError: The result of get_app\(\) of .*Sample {message}")

    def test_a_server_outside_of_a_test_case_awaits_nothing(self) -> None:
        app: Awaitable[web.Application] = make_app()
        with self.assertRaisesRegex(TypeError, "HTTPTestServer is a coroutine. Await it"):
            HTTPTestServer(app)


class NotYetTest(unittest.TestCase):
    """A request in get_app() to the server itself cannot be answered."""

    def check(self, body: Any) -> None:
        class Sample(AsyncHTTPTestCase):
            async_test_timeout = 0.1
            get_app = body

            def test(self) -> None: ...

        result = RecordingResult()
        Sample("test").run(result)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertRegex(
            result.report, r"The server of .*Sample does not listen yet: get_app\(\) makes.*asyncSetUp\(\)"
        )

    def test_by_fetch(self) -> None:
        def get_app(case: Any) -> None:
            case.fetch("/")

        def get_app_by_name(case: Any) -> None:
            case.fetch(case.get_url("/").replace("127.0.0.1", "localhost"))

        async def get_app_in_a_coroutine(case: Any) -> None:
            await case.fetch("/")

        for body in get_app, get_app_by_name, get_app_in_a_coroutine:
            self.check(body)

    def test_by_websocket(self) -> None:
        async def get_app(case: Any) -> None:
            async with case.ws_connect("/"):
                pass

        self.check(get_app)

    def test_by_the_client_alone(self) -> None:
        def get_app(case: Any) -> None:
            case.run_sync(case.http_client.fetch, case.get_url("/"))

        self.check(get_app)

    def test_of_another_server_is_possible(self) -> None:
        class Sample(AsyncHTTPTestCase):
            async def get_app(self) -> web.Application:
                async with HTTPTestServer(await make_app()) as other:
                    response = await self.fetch(other.get_url("/"))
                    return web.Application([("/", Handler)], database=response.body)

            def test(self) -> None:
                self.assertEqual(self.fetch("/").body, b"database")

        result = RecordingResult()
        Sample("test").run(result)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
