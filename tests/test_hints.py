"""Typical mistakes, and the hints in their reports. The gallery has whole reports."""

import asyncio
import json
import unittest
from typing import Any

from tornado import web

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, gen_test
from tests.support import run_body


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

    def test_code_that_is_no_coroutine_has_run_sync(self) -> None:
        def body(case: Any) -> None:
            case.http_client.fetch(case.get_url("/")).code  # noqa: B018

        self.check(body, r"self.run_sync\(\) does so in code that is no coroutine")

    def test_other_errors_have_no_such_hint(self) -> None:
        class Unprintable:
            def __str__(self) -> str:
                raise AssertionError("nobody asks")

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
