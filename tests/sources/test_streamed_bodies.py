"""Errors of data_received(), to which Tornado sends no response."""

import unittest
from collections.abc import Awaitable
from typing import Any

from tornado import web
from tornado.simple_httpclient import HTTPStreamClosedError

from asynctest_tornado import AsyncHTTPTestCase, ExpectLog
from tests.support import run_body


@web.stream_request_body
class Upload(web.RequestHandler):
    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if self.request.path == "/answers":
            if not self._finished:
                self.send_error(413)
            return None
        if self.request.path == "/waits":
            return self.refuse()
        if self.request.path == "/broken":
            raise KeyError("planted")
        raise web.HTTPError(413)

    async def refuse(self) -> None:
        raise web.HTTPError(413)

    def post(self) -> None: ...


class Served(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/.*", Upload)], log_function=lambda handler: None)


def upload(case: Any, path: str) -> int:
    code: int = case.fetch(path, method="POST", body=b"data").code
    return code


HINT = (
    r"Tornado sends no response to an exception in data_received\(\): it closes the connection\. To answer, call "
    r"self\.send_error\(413\) there\.\n"
)


class ReportTest(unittest.TestCase):
    def test_a_refusal_is_in_the_report_of_what_comes_of_it(self) -> None:
        for path in "/raises", "/waits":

            def body(case: Any, path: str = path) -> None:
                upload(case, path)

            result = run_body(Served, body)
            self.assertEqual(result.verdicts, ["addError"])
            self.assertRegex(
                result.report,
                rf"HTTPStreamClosedError: [^$]*While serving POST {path} by Upload:\nTraceback.*\n"
                rf"  File \S+, line \d+, in (data_received|refuse)\n    raise .*\n(?: *[~^]+\n)?"
                rf"tornado.web.HTTPError: HTTP 413: .*\n{HINT}\Z",
            )

    def test_another_error_fails_the_test_as_itself(self) -> None:
        result = run_body(Served, lambda case: upload(case, "/broken"))
        self.assertEqual(result.verdicts, ["addError"])
        self.assertRegex(
            result.report,
            r'in upload\n.*\n(?: *[~^]+\n)?  File ".*test_streamed_bodies.py", line \d+, in data_received\n.*\n'
            r"(?: *[~^]+\n)?KeyError: 'planted'\nThat was while serving POST /broken by Upload\.\n"
            + HINT.replace("413", "500"),
        )

    def test_a_refusal_by_itself_fails_no_test(self) -> None:
        """As on tornado.testing, where the client learns that the connection was closed, and the log has the rest."""

        def body(case: Any) -> None:
            for path in "/raises", "/waits":
                with case.assertRaises(HTTPStreamClosedError):
                    upload(case, path)
            case.assertEqual(case.server_errors, [])

        with self.assertLogs("tornado.application") as log:
            result = run_body(Served, body)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertEqual(str(log.output).count("tornado.web.HTTPError: HTTP 413"), 2)


class Client(Served):
    def test_its_log_can_be_expected(self) -> None:
        with ExpectLog("tornado.application", "Uncaught exception"), self.assertRaises(HTTPStreamClosedError):
            upload(self, "/raises")

    def test_the_way_that_the_hint_shows(self) -> None:
        self.assertEqual(upload(self, "/answers"), 413)
