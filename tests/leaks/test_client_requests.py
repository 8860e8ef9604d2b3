"""Requests to its own server that a test has left unfinished are reported before the server is closed."""

import asyncio
import tempfile
import unittest
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase
from tests.support import RecordingResult, run_python


class Slow(RequestHandler):
    async def get(self) -> None:
        self.application.settings["served"].set()
        await asyncio.Event().wait()


class Fast(RequestHandler):
    def get(self) -> None:
        self.write("fine")

    def on_finish(self) -> None:
        self.application.settings["served"].set()


class Served(AsyncHTTPTestCase):
    leaks = "fail"

    def get_app(self) -> Application:
        self.served = asyncio.Event()
        return Application([("/slow", Slow), ("/fast", Fast)], served=self.served, log_function=lambda handler: None)


class ServedByTLS(AsyncHTTPSTestCase, Served):
    pass


class UnfinishedTest(unittest.TestCase):
    def run_body(self, body: Any, base: type[Served] = Served, loop_scope: str = "test", **attributes: Any) -> Any:
        sample = type("Sample", (base,), {"test": body, "loop_scope": loop_scope, **attributes})
        result = RecordingResult()
        unittest.TestSuite([sample("test")]).run(result)
        return result

    def check(self, body: Any, *lines: str) -> None:
        for base in Served, ServedByTLS:
            for loop_scope in "test", "class":
                with self.subTest(base=base.__name__, loop_scope=loop_scope):
                    result = self.run_body(body, base, loop_scope)
                    self.assertEqual(result.verdicts, ["addFailure"], result.report)
                    for line in lines:
                        self.assertRegex(result.report, line)
                    self.assertEqual(result.report.count("unfinished requests"), 1)
                    self.assertRegex(result.report, r"made at .*test_client_requests.py:\d+ in body: .*fetch\(")

    def test_by_the_client_of_the_test(self) -> None:
        async def body(case: Served) -> None:
            case.future = case.http_client.fetch(case.get_url("/slow"))  # type: ignore[attr-defined]
            await case.served.wait()

        self.check(body, r"HTTP client SimpleAsyncHTTPClient with unfinished requests: GET https?://.*/slow\n")

    def test_by_a_client_of_its_own_which_is_reported_once(self) -> None:
        async def body(case: Served) -> None:
            client = SimpleAsyncHTTPClient(force_instance=True, defaults=case.http_client.defaults)
            client.fetch(HTTPRequest(case.get_url("/slow"), method="GET"))
            await case.served.wait()

        self.check(body, r"HTTP client SimpleAsyncHTTPClient with unfinished requests: GET https?://.*/slow\n")

    def test_several_at_once(self) -> None:
        async def body(case: Served) -> None:
            for path in "/slow?1", "/slow?2":
                case.http_client.fetch(case.get_url(path))
            await case.served.wait()

        self.check(body, r"unfinished requests: GET .*/slow\?1, GET .*/slow\?2\n")

    def test_in_a_synchronous_test(self) -> None:
        def body(case: Served) -> None:
            case.http_client.fetch(case.get_url("/slow"))
            case.run_sync(case.served.wait)

        self.check(body, "unfinished requests: GET .*/slow\n")

    def test_in_a_test_with_an_asynchronous_cleanup_that_has_nothing_to_do_with_it(self) -> None:
        async def clean_up() -> None:
            await asyncio.sleep(0)

        async def body(case: Served) -> None:
            case.addAsyncCleanup(clean_up)
            case.http_client.fetch(case.get_url("/slow"))
            await case.served.wait()

        self.check(body, "unfinished requests: GET .*/slow\n")

    def test_a_client_that_is_never_closed(self) -> None:
        async def body(case: Served) -> None:
            case.client = AsyncHTTPClient(force_instance=True)  # type: ignore[attr-defined]

        self.assertRegex(
            self.run_body(body).report, r"unclosed HTTP client SimpleAsyncHTTPClient\n +made at .* in body"
        )

    def test_none_that_a_task_waits_for_which_is_reported_itself(self) -> None:
        async def body(case: Served) -> None:
            case.task = case.async_fetch("/slow")  # type: ignore[attr-defined]
            await case.served.wait()

        report = self.run_body(body).report
        self.assertIn("pending task", report)
        self.assertNotIn("unfinished requests", report)

    def test_none_that_is_about_to_end(self) -> None:
        async def body(case: Served) -> None:
            case.http_client.fetch(case.get_url("/fast"))
            await case.served.wait()

        self.assertEqual(self.run_body(body).report, "")

    def test_none_that_a_cleanup_waits_for(self) -> None:
        async def wait(future: Any) -> None:
            await asyncio.wait([future])

        async def body(case: Served) -> None:
            case.addAsyncCleanup(wait, case.http_client.fetch(case.get_url("/slow")))
            await case.served.wait()

        self.assertEqual(self.run_body(body).report, "")

    def test_none_that_may_be_left(self) -> None:
        async def body(case: Served) -> None:
            case.http_client.fetch(case.get_url("/slow"))
            await case.served.wait()

        self.assertEqual(self.run_body(body, allowed_leaks=(r"GET .*/slow",)).report, "")

    def test_under_pytest(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "test_sample.py")
            path.write_text(PYTEST)
            done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", str(path), cwd=folder)
        self.assertRegex(done.stdout, r"HTTP client SimpleAsyncHTTPClient with unfinished requests: GET http://.*/slow")
        self.assertIn("1 passed, 1 error", done.stdout)


PYTEST = """
import asyncio, pytest
from tornado.web import Application, RequestHandler

served = asyncio.Event()

class Slow(RequestHandler):
    async def get(self):
        served.set()
        await asyncio.Event().wait()

@pytest.fixture
def app():
    return Application([("/slow", Slow)], log_function=lambda handler: None)

@pytest.mark.gen_test(leaks="fail")
async def test(http_client, http_server, base_url):
    http_client.fetch(f"{base_url}/slow")
    await served.wait()
"""
