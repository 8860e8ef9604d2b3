"""The methods of responses; responses in the reports of tests that fail because of them."""

import json
import pickle
import unittest
from http import HTTPStatus
from typing import Any

from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPResponse

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, HTTPTestServer, Response
from tests.support import run_body


class ItemsHandler(web.RequestHandler):
    def get(self) -> None:
        self.write({"item": "tea"})

    def post(self) -> None:
        self.set_status(400)
        self.write({"error": "no item"})

    def put(self) -> None:
        raise KeyError("planted")

    def patch(self) -> None:
        self.set_status(409)
        self.write("x" * 300)


def make_app() -> web.Application:
    return web.Application([("/items", ItemsHandler)], log_function=lambda handler: None)


class Case(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return make_app()


class ResponseTest(Case):
    def test_it_is_a_response_of_tornado(self) -> None:
        response = self.fetch("/items")
        self.assertIsInstance(response, HTTPResponse)
        self.assertIsInstance(response, Response)
        self.assertEqual(pickle.loads(pickle.dumps(response.headers)), response.headers)

    def test_its_repr_names_the_request_and_the_body(self) -> None:
        self.assertEqual(
            repr(self.fetch("/items")),
            f'<Response [200 OK] to GET {self.get_url("/items")}: b\'{{"item": "tea"}}\'>',
        )

    def test_the_page_of_tornado_is_not_shown(self) -> None:
        response = self.fetch("/items", method="DELETE")
        self.assertRegex(repr(response), r"<Response \[405 .*\] to DELETE .*: the error page of Tornado>")
        with self.assertRaisesRegex(HTTPError, "Its body is the error page of Tornado.$"):
            response.raise_for_status()
        self.assertRegex(repr(self.fetch("/hmoe")), r"<Response \[404 .*\] to GET .*: No handler matches /hmoe.>")

    def test_raise_for_status_returns_it(self) -> None:
        response = self.fetch("/items")
        self.assertIs(response.raise_for_status(), response)
        self.assertEqual(self.fetch("/items").raise_for_status().json(), {"item": "tea"})
        self.fetch("/items", headers={"If-None-Match": response.headers["Etag"]}).raise_for_status()  # 304

    def test_raise_for_status_raises_with_request_status_and_body(self) -> None:
        response = self.fetch("/items", json={})
        with self.assertRaises(HTTPError) as caught:
            response.raise_for_status()
        self.assertEqual(
            str(caught.exception),
            f"HTTP 400: Bad Request, the answer to POST {self.get_url('/items')}. Its body is "
            'b\'{"error": "no item"}\'.',
        )
        self.assertEqual((caught.exception.code, caught.exception.response), (400, response))

    def test_of_a_long_body_the_beginning_is_shown(self) -> None:
        with self.assertRaisesRegex(HTTPError, "It begins with b'x{200}'.$"):
            self.fetch("/items", method="PATCH", body="").raise_for_status()

    def test_a_path_without_a_handler(self) -> None:
        with self.assertRaisesRegex(HTTPError, "HTTP 404: Not Found, .*/hmoe[?]a=1. No handler matches /hmoe.$"):
            self.fetch("/hmoe?a=1").raise_for_status()
        with self.assertRaisesRegex(ValueError, "is no JSON.* No handler matches /hmoe"):
            self.fetch("/hmoe").json()


class StatusTest(Case):
    def test_it_passes(self) -> None:
        self.assertStatus(self.fetch("/items"), 200)

    def test_its_failure_shows_the_response(self) -> None:
        with self.assertRaisesRegex(
            AssertionError, r"400 Bad Request, not 201, is the answer to POST http://.*/items. Its body is .*no item"
        ):
            self.assertStatus(self.fetch("/items", json={}), 201)
        with self.assertRaisesRegex(AssertionError, "No handler matches /hmoe. : the page$"):
            self.assertStatus(self.fetch("/hmoe"), 200, "the page")

    def test_the_response_comes_first(self) -> None:
        response: Any = self.fetch("/items")
        status: Any
        for status in 200, HTTPStatus.OK:
            with self.assertRaisesRegex(TypeError, r"got .*200.* as the response. Write assertStatus\(response, 200\)"):
                self.assertStatus(status, response)

    def test_a_missing_await_is_explained(self) -> None:
        async def body(case: Any) -> None:
            case.assertStatus(case.fetch("/items"), 200)

        self.assertRegex(run_body(Case, body).report, "has no attribute 'code'\nIts result has to be waited for: write")


class ReportTest(unittest.TestCase):
    """A failure that a response explains shows the response, once."""

    def report(self, body: Any, base: type[unittest.TestCase] = Case) -> str:
        report = run_body(base, body).report
        self.assertNotIn("httpclient.py", report)
        return report

    def test_of_a_client_of_the_user_that_asks_for_an_unknown_path(self) -> None:
        async def body(case: Any) -> None:
            await AsyncHTTPClient().fetch(case.get_url("/unknown?page=1"))

        hint = r"That is the answer to GET http://127\.0\.0\.1:\d+/unknown\?page=1\. No handler matches /unknown\.\n"
        self.assertRegex(self.report(body), hint)

    def test_of_a_wrong_status(self) -> None:
        report = self.report(lambda case: case.assertEqual(case.fetch("/hmoe").code, 200))
        self.assertRegex(
            report,
            r"AssertionError: 404 != 200\nThe last response was 404 Not Found to GET http://[^ ]*/hmoe. No handler "
            r"matches /hmoe.\n\Z",
        )
        report = self.report(lambda case: case.assertEqual(case.fetch("/items", json={}).code, 201))
        self.assertRegex(
            report, r"The last response was 400 Bad Request to POST http://.*Its body is b'.*no item.*'.\n\Z"
        )

    def test_not_of_another_failure(self) -> None:
        def after_a_right_response(case: Any) -> None:
            case.fetch("/hmoe")
            case.fetch("/items")
            case.assertEqual(404, 200)

        def without_the_status(case: Any) -> None:
            case.fetch("/hmoe")
            case.assertEqual(1, 2)

        def which_shows_it(case: Any) -> None:
            case.assertStatus(case.fetch("/hmoe"), 200)

        def of_another_text(case: Any) -> None:
            case.fetch("/hmoe")
            json.loads("no JSON")

        for body in after_a_right_response, without_the_status, which_shows_it, of_another_text:
            self.assertNotIn("last response", self.report(body))

    def test_a_failure_without_a_text_is_reported_as_it_is(self) -> None:
        class Own(AssertionError):
            def __str__(self) -> str:
                raise ValueError("planted")

        def body(case: Any) -> None:
            case.fetch("/hmoe")
            raise Own

        result = run_body(Case, body)
        self.assertEqual(result.verdicts, ["addFailure"], result.report)
        self.assertNotIn("last response", result.report)

    def test_the_error_of_the_handler_says_more(self) -> None:
        for body in (
            lambda case: case.assertEqual(case.fetch("/items", method="PUT", body="").code, 200),
            lambda case: case.assertStatus(case.fetch("/items", method="PUT", body=""), 200),
            lambda case: case.fetch("/items", method="PUT", body="").raise_for_status(),
        ):
            report = self.report(body)
            self.assertEqual(report.count("While serving PUT /items by ItemsHandler:"), 1)
            self.assertNotIn("last response", report)

    def test_of_a_body_that_is_no_json(self) -> None:
        report = self.report(lambda case: json.loads(case.fetch("/hmoe").body))
        self.assertRegex(
            report,
            r"JSONDecodeError.*\nThat is the body of the last response, 404 Not Found to GET .*No handler .*\n\Z",
        )

    def test_of_an_error_of_the_client(self) -> None:
        async def body(case: Any) -> None:
            await case.http_client.fetch(case.get_url("/items"), method="POST", body="")

        self.assertRegex(
            self.report(body), r"HTTP 400: Bad Request\nThat is the answer to POST http://.*/items. Its body is .*\n\Z"
        )
        report = self.report(lambda case: case.fetch("/hmoe", raise_error=True))
        self.assertEqual(report.count("/hmoe"), 3)  # the line, the note with the URL, and the path

    def test_of_arguments_for_other_clients(self) -> None:
        for arguments, hint in (
            ({"data": {"a": 1}}, r"'data'\nfetch\(\) has no argument data=. Did you mean json= or form=\?"),
            ({"timeout": 1}, r"fetch\(\) has no argument timeout=. Did you mean request_timeout=\?"),
            ({"methods": "PUT"}, r"fetch\(\) has no argument methods=. Did you mean method=\?"),
            ({"wrong": 1}, r"fetch\(\) has no argument wrong=\."),
            ({"body": {"a": 1}}, r"body= got \{'a': 1\}, and takes bytes or text. Did you mean json= or form=\?"),
            ({"body": None}, r'Give body="" for an empty body, or json= or form=.'),
        ):
            report = self.report(
                lambda case, arguments=arguments: case.fetch("/items", **{"method": "POST", **arguments})
            )
            self.assertRegex(report, hint + r"\n\Z")


class HTTPSReportTest(unittest.TestCase):
    class Case(AsyncHTTPSTestCase):
        def get_app(self) -> web.Application:
            return make_app()

    def report(self, body: Any) -> str:
        with self.assertLogs("tornado.general", "WARNING"):  # the handshake has failed
            return run_body(self.Case, body).report

    def test_of_a_client_that_does_not_know_the_certificate(self) -> None:
        async def body(case: Any) -> None:
            client = AsyncHTTPClient(force_instance=True)
            case.addCleanup(client.close)
            await client.fetch(case.get_url("/items"))

        self.assertRegex(
            self.report(body), r"The server has the test certificate, .* ca_certs=AsyncHTTPSTestCase\.ca_certs, or"
        )

    def test_of_a_url_that_speaks_http(self) -> None:
        def with_the_client(case: Any) -> None:
            case.run_sync(case.http_client.fetch, case.get_url("/items").replace("https", "http"))

        for body in with_the_client, lambda case: case.fetch(case.get_url("/items").replace("https", "http")):
            report = self.report(body)
            self.assertRegex(report, r"The server speaks HTTPS: the URL is https://127\.0\.0\.1:\d+/items\.\n")
            self.assertEqual(report.count("speaks HTTPS"), 1)


class ServerTest(unittest.IsolatedAsyncioTestCase):
    """Outside of the tests of this library, no report has the error of a handler by itself."""

    async def test_raise_for_status_shows_the_error_of_the_handler(self) -> None:
        with self.assertLogs("tornado.application", "ERROR"):
            async with HTTPTestServer(make_app()) as server:
                response = await server.fetch("/items", method="PUT", body="")
        with self.assertRaises(HTTPError) as caught:
            response.raise_for_status()
        [note] = caught.exception.__notes__
        self.assertRegex(note, r"(?s)\AWhile serving PUT /items by ItemsHandler.*:.*in put.*KeyError: 'planted'\Z")
