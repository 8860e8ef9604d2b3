import asyncio
import gc
import os
import shutil
import socket
import ssl
import tempfile
import unittest
import unittest.mock
import weakref
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
from tornado import locks, netutil, web
from tornado.httpclient import AsyncHTTPClient, HTTPError
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.ioloop import IOLoop
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from asynctest_tornado import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    ExpectLog,
    HTTPTestServer,
    bind_unused_port,
    gen_test,
)
from tests.limits import limit_clock
from tests.support import RecordingResult, environ, run_body, run_case


class Handler(web.RequestHandler):
    forever = locks.Event()
    begun: ClassVar[set[str | None]] = set()

    async def get(self, kind: str) -> None:
        if kind == "hello":
            self.write("hello")
        elif kind == "missing":
            raise web.HTTPError(404)
        elif kind == "callback":
            IOLoop.current().add_callback(lambda: 1 / 0)
            await asyncio.Event().wait()
        elif kind == "forever":
            self.begun.add(self.request.uri)
            limit_clock.advance()
            await asyncio.Event().wait()

    def post(self, kind: str) -> None:
        self.write(self.request.body)


def make_app() -> web.Application:
    return web.Application([("/(.*)", Handler)], log_function=lambda handler: None)


class FetchTest(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    def test_it_returns_the_response(self) -> None:
        response = self.fetch("/hello")
        self.assertEqual((response.code, response.body), (200, b"hello"))

    def test_it_hands_arguments_on(self) -> None:
        self.assertEqual(self.fetch("/", method="POST", body="posted").body, b"posted")

    def test_an_error_of_the_server_is_raised_on_request(self) -> None:
        self.assertEqual(self.fetch("/missing").code, 404)
        with self.assertRaisesRegex(HTTPError, "404"):
            self.fetch("/missing", raise_error=True)

    def test_a_full_url_is_fetched_as_it_is(self) -> None:
        url = f"HTTP://localhost:{self.get_http_port()}/hello"
        self.assertEqual(self.fetch(url).request.url, url)

    def test_an_error_in_a_callback_of_the_server_ends_it_at_once(self) -> None:
        self.async_test_timeout = 0
        with self.assertRaises(ZeroDivisionError):
            self.fetch("/callback")

    def test_it_times_out(self) -> None:
        with (
            limit_clock.stopped(),
            environ(ASYNC_TEST_TIMEOUT="0.5"),
            self.assertRaisesRegex(TimeoutError, "0.5 seconds") as caught,
        ):
            self.fetch("/forever")
        self.assertRegex(caught.exception.__notes__[0], r"Handler, which serves GET /forever .*\n +at .*in get: await")

    def test_a_refused_connection_is_an_error_of_the_client(self) -> None:
        self.http_server.stop()
        with self.assertRaises(OSError):
            self.fetch("/hello")

    async def test_in_a_coroutine_it_is_awaited(self) -> None:
        fetch: Any = self.fetch
        for response in await fetch("/hello"), await self.async_fetch("/hello"):
            self.assertEqual((response.code, response.body), (200, b"hello"))

    @gen_test
    def test_in_a_generator_it_is_yielded(self) -> Any:
        response = yield self.fetch("/hello")
        self.assertEqual(response.body, b"hello")

    async def test_in_a_coroutine_it_begins_at_once(self) -> None:
        pending = self.async_fetch("/forever")
        self.assertEqual((await self.async_fetch("/hello")).code, 200)
        pending.cancel()

    async def test_in_a_coroutine_an_error_of_the_server_is_raised_on_request(self) -> None:
        self.assertEqual((await self.async_fetch("/missing")).code, 404)
        with self.assertRaisesRegex(HTTPError, "404"):
            await self.async_fetch("/missing", raise_error=True)

    def test_async_fetch_is_for_coroutines(self) -> None:
        with self.assertRaisesRegex(RuntimeError, r"async_fetch\(\) is for coroutines.*Use fetch"):
            self.async_fetch("/hello")
        self.assertEqual(self.run_sync(self.async_fetch, "/hello").code, 200)

    def test_a_path_begins_with_a_slash(self) -> None:
        with self.assertRaisesRegex(ValueError, "'hello' is no path .* Write '/hello', or a full URL"):
            self.fetch("hello")
        for path in "", "?a=1":
            self.assertEqual(self.fetch(path).code, 200)

    def test_a_url_that_is_not_fetched_may_be_any(self) -> None:
        self.assertEqual(self.get_url("http:/hello"), f"{self.get_url('')}http:/hello")

    def test_an_overridden_get_url_may_take_paths_without_a_slash(self) -> None:
        def get_url(path: str) -> str:
            if path[0] == "/":  # so that there has to be a path
                return type(self).get_url(self, path)
            return f"{type(self).get_url(self, '/hello')}?{path}"

        self.get_url = get_url  # type: ignore[method-assign]
        self.assertEqual(self.fetch("a=1").code, 200)

    def test_if_a_client_gives_up_the_report_shows_the_server(self) -> None:
        path, seconds = "", 0.05
        while path not in Handler.begun:  # a busy computer may take longer to get there
            path, seconds = f"/forever?{seconds}", 2 * seconds
            with self.assertRaises(HTTPError) as caught:
                self.fetch(path, request_timeout=seconds)
        self.assertEqual(caught.exception.code, 599)
        self.assertRegex(
            caught.exception.__notes__[0], r"Handler, which serves GET /forever\S* .*\n +at .*in get: await"
        )

    def test_the_url_is_that_of_this_machine(self) -> None:
        self.assertEqual(self.get_url("/a?b"), f"http://127.0.0.1:{self.get_http_port()}/a?b")


class LifeTest(unittest.TestCase):
    def test_the_methods_of_a_suite_are_called_in_the_order_of_tornado(self) -> None:
        events: list[str] = []

        class Sample(AsyncHTTPTestCase):
            def get_http_client(self) -> AsyncHTTPClient:
                events.append("client")
                return super().get_http_client()

            def get_app(self) -> web.Application:
                events.append("app")
                assert self.get_http_port() > 0
                return make_app()

            def get_httpserver_options(self) -> dict[str, Any]:
                events.append("options")
                return {"xheaders": True}

            def get_http_server(self) -> HTTPServer:
                events.append("server")
                assert self._app is not None
                return super().get_http_server()

            def test(self) -> None:
                self.assertTrue(self.http_server.xheaders)
                self.assertEqual(self.fetch("/hello").code, 200)

        result = run_case(Sample)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertEqual(events, ["client", "app", "server", "options"])

    def test_the_application_is_let_go(self) -> None:
        class Sample(AsyncHTTPTestCase):
            def get_app(self) -> web.Application:
                return make_app()

            def test(self) -> None: ...

        case = Sample("test")
        case.run(unittest.TestResult())
        self.assertFalse(hasattr(case, "_app"))
        self.assertFalse(hasattr(case, "http_server"))

    def test_server_client_and_test_need_no_garbage_collector(self) -> None:
        seen: dict[str, weakref.ref[Any]] = {}

        def test(case: AsyncHTTPTestCase) -> None:
            case.assertEqual(case.fetch("/hello").code, 200)
            seen.update(case=weakref.ref(case), client=weakref.ref(case.http_client))
            seen.update(server=weakref.ref(case.http_server))

        self.addCleanup(gc.enable)
        gc.disable()
        for base in AsyncHTTPTestCase, AsyncHTTPSTestCase:
            case = type("Sample", (base,), {"get_app": lambda self: make_app(), "test": test})("test")
            result = unittest.TestResult()
            case.run(result)
            self.assertEqual(result.errors, [])
            self.assertIsNone(seen["server"]())
            del case
            self.assertEqual([name for name, reference in seen.items() if reference() is not None], [])

    def test_the_result_of_get_app_counts_once_the_test_fetches(self) -> None:
        async def client(case: AsyncHTTPTestCase) -> None:
            await case.http_client.fetch(case.get_url("/"))

        async def websocket(case: AsyncHTTPTestCase) -> None:
            async with case.ws_connect("/"):
                pass

        async def fetch(case: AsyncHTTPTestCase) -> None:
            await case.async_fetch("/")

        bodies = (lambda case: case.fetch("/") and None, fetch, client, websocket)
        wrongs: tuple[Any, ...] = (None, [("/", Handler)], web.Application, 7)
        for base in AsyncHTTPTestCase, AsyncHTTPSTestCase:
            for wrong in wrongs:
                cls = type("Sample", (base,), {"get_app": lambda self, wrong=wrong: wrong})
                unused = run_body(cls, lambda case: None)
                self.assertEqual(unused.verdicts, ["addSuccess"], unused.report)
                for body in bodies if wrong is None else bodies[:1]:
                    report = run_body(cls, body).report
                    returned = "None" if wrong is None else ".* which cannot be served"
                    self.assertRegex(report, f"TypeError: The result of get_app.. of Sample is {returned}. It has")

    def test_a_class_may_be_called_with_the_request(self) -> None:
        class Answer:
            def __init__(self, request: HTTPServerRequest) -> None:
                connection: Any = request.connection
                connection.write_headers(ResponseStartLine("", 200, "OK"), HTTPHeaders({"Content-Length": "0"}))
                connection.finish()

        class Sample(AsyncHTTPTestCase):
            def get_app(self) -> Any:
                return Answer

            def test(self) -> None:
                self.assertEqual(self.fetch("/").code, 200)

        result = run_case(Sample)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_a_mock_of_the_client_hides_no_error(self) -> None:
        class Sample(AsyncHTTPTestCase):
            spec: Any = None

            def get_http_client(self) -> Any:
                return unittest.mock.Mock(spec=self.spec)

            def get_app(self) -> Any:
                raise unittest.SkipTest("planted")

            def test(self) -> None:
                pass

        for spec in None, SimpleAsyncHTTPClient:
            self.assertEqual(run_case(type("Sample", (Sample,), {"spec": spec})).verdicts, ["addSkip"])

    def test_a_mock_of_the_client_may_be_that_of_a_class(self) -> None:
        class Sample(AsyncHTTPTestCase):
            loop_scope = "class"

            def get_http_client(self) -> Any:
                return unittest.mock.Mock(_closed=False)

            def get_app(self) -> web.Application:
                return make_app()

            def test(self) -> None:
                pass

        result = RecordingResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Sample).run(result)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_an_application_may_come_later(self) -> None:
        class Sample(AsyncHTTPTestCase):
            def get_app(self) -> web.Application:
                return None  # type: ignore[return-value]

            def test(self) -> None:
                self.http_server.request_callback = make_app()
                self.assertEqual(self.fetch("/hello").body, b"hello")

        result = run_case(Sample)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_get_app_has_to_be_overridden(self) -> None:
        report = run_body(AsyncHTTPTestCase, lambda case: None).report
        self.assertRegex(report, "NotImplementedError: Sample.*Override get_app")

    def test_a_set_up_that_fails_leaks_nothing(self) -> None:
        class NoApp(AsyncHTTPTestCase):
            def get_app(self) -> web.Application:
                raise ValueError("planted")

        class Later(AsyncHTTPTestCase):
            def get_app(self) -> web.Application:
                return make_app()

            def setUp(self) -> None:
                super().setUp()
                raise ValueError("planted")

        for cls in NoApp, Later:
            before = len(os.listdir("/proc/self/fd"))
            self.assertIn("planted", run_body(cls, lambda case: None).report)
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_a_tear_down_that_forgets_super_leaks_nothing(self) -> None:
        class Sample(AsyncHTTPTestCase):
            def get_app(self) -> web.Application:
                return make_app()

            def tearDown(self) -> None:
                pass

        before = len(os.listdir("/proc/self/fd"))
        self.assertEqual(run_body(Sample, lambda case: case.fetch("/hello") and None).verdicts, ["addSuccess"])
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_clients_in_the_background_do_not_fail_of_the_end_of_the_test(self) -> None:
        class Sample(AsyncHTTPTestCase):
            def get_app(self) -> web.Application:
                return make_app()

            leaks = "ignore"

            async def poll(self) -> None:
                while True:
                    await self.http_client.fetch(self.get_url("/hello"))

            async def listen(self) -> None:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.get_http_port())
                try:
                    writer.write(b"GET /forever HTTP/1.1\r\nHost: x\r\n\r\n")
                    await reader.readexactly(1)
                finally:
                    writer.close()

            async def test(self) -> None:
                self.tasks = [asyncio.ensure_future(self.poll()), asyncio.ensure_future(self.listen())]
                await self.http_client.fetch(self.get_url("/hello"))

        for _ in range(5):
            result = run_case(Sample)
            self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_a_case_serves_by_hand(self) -> None:
        case = FetchTest()
        for _ in range(2):
            case.setUp()
            self.assertEqual(case.fetch("/hello").code, 200)
            case.tearDown()

    def test_a_request_that_is_not_answered_does_not_hold_the_end_up(self) -> None:
        class Sample(AsyncHTTPTestCase):
            leaks = "ignore"

            def get_app(self) -> web.Application:
                return make_app()

            async def test(self) -> None:
                self.future = self.http_client.fetch(self.get_url("/forever"))
                await self.async_fetch("/hello")  # which arrives after it

        with ExpectLog("", ".*", required=False):
            result = run_case(Sample)
        self.assertEqual(result.errors, [])


class OwnServer(HTTPServer):
    closed = 0

    async def close_all_connections(self) -> None:
        await super().close_all_connections()
        OwnServer.closed += 1


class FailOnServerErrorTest(unittest.TestCase):
    def test_a_text_is_no_truth(self) -> None:
        class Sample(AsyncHTTPTestCase):
            fail_on_server_error: Any = "no"

            def get_app(self) -> web.Application:
                return web.Application()

            def test(self) -> None:
                self.fail("it has run")

        result = run_case(Sample)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertIn(
            "TypeError: The class attribute fail_on_server_error cannot be 'no'. Set it to True or False.",
            result.report,
        )


class OwnServerTest(unittest.TestCase):
    def test_it_closes_its_connections_also_if_there_are_none(self) -> None:
        class Sample(AsyncHTTPTestCase):
            def get_app(self) -> web.Application:
                return web.Application()

            def get_http_server(self) -> HTTPServer:
                return OwnServer(self._app)

            def test(self) -> None:
                pass

        before = OwnServer.closed
        result = RecordingResult()
        Sample("test").run(result)
        self.assertEqual((result.verdicts, OwnServer.closed), (["addSuccess"], before + 1), result.report)


class IPv6Test(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    def get_http_socket(self) -> socket.socket:
        return bind_unused_port(address="::1")[0]

    def test_the_server_listens_there(self) -> None:
        self.assertEqual(self.get_url("/hello"), f"http://[::1]:{self.get_http_port()}/hello")
        self.assertEqual(self.fetch("/hello").body, b"hello")


class UnixSocketTest(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    def get_http_socket(self) -> socket.socket:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return netutil.bind_unix_socket(os.path.join(folder.name, "socket"))

    def test_the_server_listens_there(self) -> None:
        self.assertEqual(self.get_url("/hello"), "http://localhost/hello")
        self.assertEqual(self.fetch("/hello").body, b"hello")

    async def test_other_servers_can_be_reached_all_the_same(self) -> None:
        async with HTTPTestServer(make_app()) as other:
            response = await self.async_fetch(other.get_url("/hello"))
        self.assertEqual(response.body, b"hello")


class HTTPSTest(AsyncHTTPSTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    def test_the_server_is_verified(self) -> None:
        for host in "127.0.0.1", "localhost":
            response = self.fetch(f"https://{host}:{self.get_http_port()}/hello", raise_error=True)
            self.assertEqual(response.body, b"hello")

    def test_the_url_is_secure(self) -> None:
        self.assertEqual(self.get_url("/"), f"https://127.0.0.1:{self.get_http_port()}/")

    def test_a_name_that_is_not_in_the_certificate_is_refused(self) -> None:
        class Resolver(netutil.Resolver):
            async def resolve(self, host: str, port: int, family: Any = None) -> Any:
                return [(2, ("127.0.0.1", port))]

        trust = {"ca_certs": self.ca_certs}
        client = SimpleAsyncHTTPClient(force_instance=True, resolver=Resolver(), defaults=trust)
        self.addCleanup(client.close)
        with ExpectLog("tornado.general", "SSL Error"), self.assertRaisesRegex(ssl.SSLError, "example.com"):
            self.run_sync(client.fetch, f"https://example.com:{self.get_http_port()}/hello")

    def test_a_client_that_does_not_know_the_authority_refuses(self) -> None:
        client = AsyncHTTPClient(force_instance=True)
        self.addCleanup(client.close)
        with ExpectLog("tornado.general", "SSL Error"), self.assertRaises(ssl.SSLError):
            self.run_sync(client.fetch, self.get_url("/hello"))

    def test_a_suite_may_choose_not_to_verify(self) -> None:
        self.assertEqual(self.fetch("/hello", validate_cert=False, raise_error=True).body, b"hello")


class OtherCertificateTest(AsyncHTTPSTestCase):
    """A suite with a certificate of its own, self-signed and for another name: Tornado's own."""

    def get_app(self) -> web.Application:
        return make_app()

    def get_ssl_options(self) -> dict[str, Any]:
        folder = Path(web.__file__).with_name("test")
        return {"certfile": str(folder / "test.crt"), "keyfile": str(folder / "test.key")}

    def test_it_works_as_with_tornado_testing(self) -> None:
        self.assertEqual(self.fetch("/hello", raise_error=True).body, b"hello")
        self.assertEqual(self.fetch(self.get_url("/hello").replace("127.0.0.1", "localhost")).code, 200)

    async def test_another_server_need_not_be_known_either(self) -> None:
        async with HTTPTestServer(make_app(), ssl_options=self.get_ssl_options()) as other:
            self.assertEqual((await self.async_fetch(other.get_url("/hello"))).code, 200)


class ForeignClientsTest(AsyncHTTPSTestCase):
    """Clients that know nothing of this library verify the server by the authority that it names."""

    def get_app(self) -> web.Application:
        return make_app()

    async def curl(self, *arguments: str) -> tuple[int | None, bytes, str]:
        process = await asyncio.create_subprocess_exec(
            "curl", "--silent", "--show-error", "--noproxy", "*", *arguments, stdout=PIPE, stderr=PIPE
        )
        out, err = await process.communicate()
        return process.returncode, out, err.decode()

    @unittest.skipUnless(shutil.which("curl"), "there is no curl here")
    async def test_curl(self) -> None:
        for host in "127.0.0.1", "localhost":
            url = f"https://{host}:{self.get_http_port()}/hello"
            self.assertEqual(await self.curl("--cacert", self.ca_certs, url), (0, b"hello", ""))
        with ExpectLog("tornado.general", "SSL Error", required=False):
            code, out, err = await self.curl(self.get_url("/hello"))
        self.assertEqual((code, out), (60, b""), err)  # 60: the certificate cannot be verified

    async def test_aiohttp(self) -> None:
        context = ssl.create_default_context(cafile=self.ca_certs)
        async with aiohttp.ClientSession(trust_env=False) as session:
            async with session.get(self.get_url("/hello"), ssl=context) as response:
                self.assertEqual((response.status, await response.read()), (200, b"hello"))
            unverified = self.assertRaises(aiohttp.ClientConnectorCertificateError)
            with ExpectLog("tornado.general", "SSL Error", required=False), unverified:
                await session.get(self.get_url("/hello"))
