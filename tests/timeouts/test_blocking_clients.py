import asyncio
import contextlib
import traceback
import unittest
import urllib.request
from typing import Any
from unittest import mock

from tornado import web
from tornado.httpclient import HTTPClient

from asynctest_tornado import AsyncHTTPTestCase, bind_unused_port
from tests.support import run_body

_HINT = "is on the event loop of this thread, which the client blocks. Use fetch()"


class _Silent(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.Event().wait()


class _Served(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/silent", _Silent)], log_function=lambda handler: None)


def open_url(url: str, timeout: float = 0.01) -> None:
    urllib.request.urlopen(url, timeout=timeout)


class BlockingClientTest(unittest.TestCase):
    def check(self, body: Any) -> None:
        """The report has the advice, one traceback, and ends at the last line of the user."""
        result = run_body(_Served, body)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertIn(_HINT, result.report)
        self.assertEqual(result.report.count("Traceback"), 1, result.report)
        files = [line for line in result.report.splitlines() if line.startswith("  File")]
        self.assertTrue(all("test_blocking_clients.py" in line for line in files), files)

    def test_in_a_coroutine(self) -> None:
        async def body(case: Any) -> None:
            open_url(case.get_url("/silent"))

        self.check(body)

    def test_in_a_synchronous_test(self) -> None:
        self.check(lambda case: open_url(case.get_url("/silent")))

    def test_the_blocking_client_of_tornado(self) -> None:
        def body(case: Any) -> None:
            with contextlib.closing(HTTPClient()) as client:
                client.fetch(case.get_url("/silent"), request_timeout=0.01)

        self.check(body)

    def test_a_client_with_exceptions_of_its_own(self) -> None:
        def body(case: Any) -> None:
            try:
                open_url(case.get_url("/silent"))
            except TimeoutError as error:
                raise LookupError("the client of an application") from error

        self.check(body)

    def test_one_that_the_user_interrupts(self) -> None:
        with mock.patch("socket.SocketIO.readinto", side_effect=KeyboardInterrupt):
            try:
                run_body(_Served, lambda case: open_url(case.get_url("/silent")))
            except KeyboardInterrupt as error:
                report = traceback.format_exc()
                self.assertEqual(traceback.extract_tb(error.__traceback__)[-1].name, "open_url")
        self.assertIn(_HINT, report)

    def test_a_client_in_a_thread_blocks_nothing(self) -> None:
        async def body(case: Any) -> None:
            await asyncio.to_thread(open_url, case.get_url("/silent"))

        self.assertNotIn(_HINT, run_body(_Served, body).report)

    def test_a_server_elsewhere_is_not_blocked(self) -> None:
        sock, port = bind_unused_port()
        self.addCleanup(sock.close)
        self.assertNotIn(_HINT, run_body(_Served, lambda case: open_url(f"http://127.0.0.1:{port}/")).report)

    def test_another_error_of_a_client_has_no_such_hint(self) -> None:
        async def body(case: Any) -> None:
            await asyncio.to_thread(open_url, case.get_url("/none"), 60)

        report = run_body(_Served, body).report
        self.assertIn("404", report)
        self.assertNotIn(_HINT, report)
