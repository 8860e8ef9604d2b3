"""The arguments of fetch that Tornado does not have, redirects, and cookies."""

import asyncio
import io
import json
import tempfile
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders

from asynctest_tornado import AsyncHTTPTestCase, HTTPTestServer
from tests.support import run_python


class EchoHandler(web.RequestHandler):
    """Answers with the request that it got."""

    async def get(self) -> None:
        request = self.request
        self.write(
            {
                "method": request.method,
                "uri": request.uri,
                "type": request.headers.get("Content-Type"),
                "authorization": request.headers.get("Authorization"),
                "body": request.body.decode("latin-1"),
                "query": {name: self.get_query_arguments(name) for name in request.query_arguments},
                "fields": {name: self.get_body_arguments(name) for name in request.body_arguments},
                "files": {
                    name: [(file.filename, file.content_type, file.body.decode("latin-1")) for file in files]
                    for name, files in request.files.items()
                },
                "cookies": {name: morsel.value for name, morsel in self.cookies.items()},
            }
        )

    post = put = patch = delete = get


class RedirectHandler(web.RequestHandler):
    """Redirects to the URL in the query, and sets a cookie."""

    async def get(self) -> None:
        self.set_cookie("visited", self.get_query_argument("code"))
        self.redirect(self.get_query_argument("to"), status=int(self.get_query_argument("code")))

    post = put = get

    async def head(self) -> None:
        await self.get()


class CookieHandler(web.RequestHandler):
    async def get(self) -> None:
        for name in self.get_query_arguments("name"):
            self.set_cookie(name, "set", path=self.get_query_argument("path", "/"))
        for name in self.get_query_arguments("clear"):
            self.clear_cookie(name)


def make_app() -> web.Application:
    handlers = [("/redirect", RedirectHandler), ("/cookie", CookieHandler), ("/.*", EchoHandler)]
    return web.Application(handlers, log_function=lambda handler: None)


class Case(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    def echo(self, path: str = "/", **kwargs: Any) -> Any:
        return self.fetch(path, raise_error=True, **kwargs).json()


class BodyTest(Case):
    def test_json(self) -> None:
        got = self.echo(json={"item": "tea", "number": [1, 2]})
        self.assertEqual((got["method"], got["type"]), ("POST", "application/json"))
        self.assertEqual(json.loads(got["body"]), {"item": "tea", "number": [1, 2]})

    def test_a_false_value_is_json_as_well(self) -> None:
        values: tuple[Any, ...] = ({}, [], 0, False, "")
        for value in values:
            self.assertEqual(json.loads(self.echo(json=value)["body"]), value)

    def test_a_value_that_is_no_json_is_an_error(self) -> None:
        with self.assertRaisesRegex(TypeError, "not JSON serializable"):
            self.echo(json=object())

    def test_a_form(self) -> None:
        got = self.echo(form={"name": "Jürgen & Söhne", "number": 7, "tag": ["a", "b"]})
        self.assertEqual((got["method"], got["type"]), ("POST", "application/x-www-form-urlencoded"))
        self.assertEqual(got["fields"], {"name": ["Jürgen & Söhne"], "number": ["7"], "tag": ["a", "b"]})
        self.assertEqual(self.echo(form=[("tag", "a"), ("tag", "b")])["fields"], {"tag": ["a", "b"]})

    def test_an_empty_form(self) -> None:
        self.assertEqual(self.echo(form={})["body"], "")

    def test_files(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name, "notes.txt")
        path.write_bytes(b"on disk\r\n--")
        with path.open("rb") as opened:
            files = {
                "plain": b"\x00\xff\r\n",
                "text": "text",
                "named": ("a.png", b"png"),
                "typed": ("a.bin", "bin", "text/x-own"),
                "path": path,
                "open": opened,
                "memory": io.BytesIO(b"memory"),
            }
            got = self.echo(form={"name": "ü", "tag": ["a", "b"]}, files=files)
        self.assertEqual(got["fields"], {"name": ["ü"], "tag": ["a", "b"]})
        self.assertEqual(
            got["files"],
            {
                "plain": [["plain", "application/octet-stream", "\x00\xff\r\n"]],
                "text": [["text", "application/octet-stream", "text"]],
                "named": [["a.png", "image/png", "png"]],
                "typed": [["a.bin", "text/x-own", "bin"]],
                "path": [["notes.txt", "text/plain", "on disk\r\n--"]],
                "open": [["notes.txt", "text/plain", "on disk\r\n--"]],
                "memory": [["memory", "application/octet-stream", "memory"]],
            },
        )

    def test_several_files_of_one_field(self) -> None:
        expected = [["a.txt", "text/plain", "1"], ["b.txt", "text/plain", "2"], ["up", "application/octet-stream", "3"]]
        files: list[Any] = [("a.txt", b"1"), ("b.txt", io.StringIO("2")), bytearray(b"3")]
        self.assertEqual(self.echo(files={"up": files})["files"], {"up": expected})
        self.assertEqual(
            self.echo(files=[("up", file) for file in [*files[:1], ("b.txt", "2"), memoryview(b"3")]])["files"],
            {"up": expected},
        )
        self.assertEqual(self.echo(files={"up": [], "other": "1"})["files"].keys(), {"other"})

    def test_the_content_beside_a_name_may_be_a_file(self) -> None:
        path = Path(self.enterContext(tempfile.TemporaryDirectory()), "notes.txt")
        path.write_bytes(b"on disk")
        with path.open("rb") as opened:
            files: dict[str, Any] = {"path": ("a.png", path), "open": ("b.bin", opened, "text/x-own")}
            got = self.echo(files=files)["files"]
        self.assertEqual(got["path"], [["a.png", "image/png", "on disk"]])
        self.assertEqual(got["open"], [["b.bin", "text/x-own", "on disk"]])

    def test_a_value_that_is_no_file_is_an_error(self) -> None:
        wrong: tuple[Any, ...] = (
            None,
            7,
            ("name",),
            ("name", 7),
            ("name", None),
            (None, b"1"),
            ("name", b"1", 7),
            ("name", b"1", "a/b", {}),
            [b"1", None],
            {"a": 1},
        )
        for file in wrong:
            with (
                self.subTest(file=file),
                self.assertRaisesRegex(TypeError, "no content for the file 'up': .*Give bytes,"),
            ):
                self.echo(files={"up": file})
        for files in "up", b"up", 7, ["up"], [("up", b"1", b"2")]:
            with self.subTest(files=files), self.assertRaisesRegex(TypeError, r"fetch\(\) got .*files="):
                self.fetch("/", files=files)  # type: ignore[arg-type]

    def test_names_of_fields_and_files_cannot_break_the_form(self) -> None:
        got = self.echo(files={"a": ('x"; filename="y\r\nX: 1', b"")})
        self.assertEqual(got["files"]["a"][0][0], "x%22; filename=%22y%0D%0AX: 1")

    def test_method_and_headers_are_those_of_the_test(self) -> None:
        got = self.echo(json=1, method="PUT", headers={"content-type": "text/x-own"})
        self.assertEqual((got["method"], got["type"]), ("PUT", "text/x-own"))

    def test_there_is_one_body(self) -> None:
        for other, value in ("form", {}), ("files", {}), ("body", ""):
            arguments: dict[str, Any] = {"json": 1, other: value}
            with self.assertRaisesRegex(TypeError, rf"fetch\(\) got json= and {other}=: .* Give one of them"):
                self.fetch("/", **arguments)

    def test_a_misspelt_argument_is_an_error(self) -> None:
        with self.assertRaisesRegex(TypeError, "jason"):
            self.fetch("/", jason=1)  # type: ignore[call-arg]

    def test_params_add_to_the_query(self) -> None:
        got = self.echo("/?a=1", params={"a": [2, 3], "b": "ü&"})
        self.assertEqual(got["query"], {"a": ["1", "2", "3"], "b": ["ü&"]})

    def test_none_leaves_a_field_out(self) -> None:
        fields = {"a": None, "b": [None, 1], "c": (), "d": 0, "e": ""}
        for each in fields, list(fields.items()):
            self.assertEqual(self.echo(params=each)["uri"], "/?b=1&d=0&e=")
            self.assertEqual(self.echo(form=each)["body"], "b=1&d=0&e=")
            self.assertEqual(self.echo(form=each, files={"up": "1"})["fields"].keys(), {"b", "d", "e"})
        self.assertEqual(self.echo(params={"a": None})["uri"], "/")

    def test_a_value_that_has_no_fields_is_an_error(self) -> None:
        for name in "params", "form":
            for fields in "a=1", b"a=1", 7, ["a"], [("a", 1, 2)], ["ab"]:
                arguments: dict[str, Any] = {name: fields}
                said = rf"fetch\(\) got .*{name}=.*Give a mapping, or .*pairs"
                with self.subTest(arguments=arguments), self.assertRaisesRegex(TypeError, said):
                    self.fetch("/", **arguments)


class ResponseTest(Case):
    def test_the_error_for_a_body_that_is_no_json_describes_it(self) -> None:
        response = self.fetch("/cookie")
        with self.assertRaisesRegex(ValueError, r"GET http.*/cookie is no JSON: .* status 200, .*text/html.*begins"):
            response.json()

    def test_one_that_is_raised_can_be_read_as_well(self) -> None:
        with self.assertRaises(HTTPError) as caught:
            self.fetch("/redirect?code=302&to=/", follow_redirects=False, raise_error=True)
        self.assertRegex(caught.exception.__notes__[0], r"answer to GET http://.*/redirect.*\. Its body is b''\.")
        self.assertTrue(hasattr(caught.exception.response, "json"))

    def test_it_is_that_of_tornado(self) -> None:
        response = self.fetch("/")
        self.assertIsInstance(response, HTTPResponse)
        self.assertEqual(response.effective_url, self.get_url("/"))


class RedirectTest(Case):
    """With cookies, it is not Tornado's client that follows them: each is compared with that."""

    def setUp(self) -> None:
        super().setUp()
        self.cookies.clear()

    def assert_alike(self, **kwargs: Any) -> None:
        client: AsyncHTTPClient = self.http_client
        for code in 301, 302, 303, 307, 308:
            url = self.get_url(f"/redirect?code={code}&to=/there?a%3D1")
            ours = self.fetch(url, **kwargs)
            theirs = self.run_sync(client.fetch, url, raise_error=False, **kwargs)
            self.cookies.clear()
            bodies = [response.body.replace(b'"visited": "%d"' % code, b"") for response in (ours, theirs)]
            self.assertEqual(bodies[0], bodies[1], code)
            for name in "code", "reason", "effective_url":
                self.assertEqual(getattr(ours, name), getattr(theirs, name), (code, name))
            for name in "url", "method", "body", "follow_redirects", "max_redirects":
                self.assertEqual(getattr(ours.request, name), getattr(theirs.request, name), (code, name))
            for name in "User-Agent", "X-Own":  # older versions of Tornado take others out of the first request, too
                self.assertEqual(ours.request.headers.get(name), theirs.request.headers.get(name), (code, name))

    def test_they_are_followed(self) -> None:
        self.assert_alike()
        self.assert_alike(method="POST", body="posted", headers={"X-Own": "1"})
        self.assert_alike(method="PUT", body="put")
        self.assert_alike(method="HEAD")

    def test_they_are_not_followed_on_request(self) -> None:
        self.assert_alike(follow_redirects=False)
        self.assert_alike(max_redirects=0)

    def test_too_many_are_an_answer(self) -> None:
        path = "/redirect?code=302&to=/redirect%3Fcode%3D302%26to%3D/there"
        self.assertEqual(self.fetch(path, max_redirects=1).code, 302)
        self.assertEqual(self.fetch(path, max_redirects=2).code, 200)
        with self.assertRaisesRegex(HTTPError, "302"):
            self.fetch(path, max_redirects=1, raise_error=True)

    def test_a_client_may_have_other_defaults(self) -> None:
        for defaults in {"follow_redirects": False}, {"max_redirects": 0}:
            self.http_client = AsyncHTTPClient(force_instance=True, defaults=defaults)
            self.addCleanup(self.http_client.close)
            self.assertEqual(self.fetch("/redirect?code=302&to=/").code, 302)

    async def test_another_server_gets_no_secrets(self) -> None:
        secrets = {"Authorization": "secret", "Cookie": "secret=1"}
        async with HTTPTestServer(make_app()) as other:
            path = f"/redirect?code=307&to={other.get_url('/')}"
            for kwargs in {"headers": secrets}, {"auth_username": "a", "auth_password": "b", "headers": secrets}:
                got = (await self.async_fetch(path, **kwargs)).json()
                self.assertEqual((got["authorization"], got["cookies"]), (None, {}))
        self.cookies.clear()
        got = (await self.async_fetch("/redirect?code=307&to=/", headers=secrets)).json()
        self.assertEqual((got["authorization"], got["cookies"]), ("secret", {"secret": "1"}))

    def test_a_callback_sees_only_the_last_response(self) -> None:
        chunks: list[bytes] = []
        self.fetch("/redirect?code=302&to=/there", streaming_callback=chunks.append)
        self.assertEqual(json.loads(b"".join(chunks))["uri"], "/there")


class OtherClientTest(Case):
    """Clients that a suite has made get the same arguments as from ``tornado.testing``."""

    def test_one_that_adds_to_each_request(self) -> None:
        inner = self.http_client

        class Client:
            def fetch(self, request: str, raise_error: bool = True, **kwargs: Any) -> Any:
                return inner.fetch(request, raise_error=raise_error, headers={"Authorization": "added"}, **kwargs)

        self.http_client = Client()  # type: ignore[assignment]
        self.addCleanup(inner.close)
        self.assertEqual(self.fetch("/").json()["authorization"], "added")
        self.http_client = inner

    def test_one_that_is_watched(self) -> None:
        with unittest.mock.patch.object(self.http_client, "fetch", wraps=self.http_client.fetch) as fetch:
            self.fetch("/?a=1", method="DELETE")
        fetch.assert_called_once_with(self.get_url("/?a=1"), raise_error=False, method="DELETE")

    def test_one_that_answers_anything(self) -> None:
        for answer in object(), "text", unittest.mock.Mock():
            future: asyncio.Future[Any] = self.io_loop.asyncio_loop.create_future()  # type: ignore[attr-defined]
            future.set_result(answer)
            with unittest.mock.patch.object(self.http_client, "fetch", return_value=future):
                self.assertIs(self.fetch("/"), answer)

    def test_one_that_answers_with_a_response_made_by_the_test(self) -> None:
        class Own(HTTPResponse):
            def json(self) -> str:
                return "own"

        body: Any = {"buffer": io.BytesIO(b"1")}
        plain: Any = {"headers": {"Set-Cookie": "a=1"}, "effective_url": "elsewhere", **body}
        cookie: Any = {"headers": HTTPHeaders({"Set-Cookie": "a=1"}), "effective_url": "elsewhere", **body}
        none: Any = None
        text: Any = "GET"
        for answer, expected in (
            (HTTPResponse(none, 200, **plain), 1),
            (HTTPResponse(text, 200, **cookie), 1),
            (HTTPResponse(unittest.mock.Mock(), 200, **body), 1),
            (Own(HTTPRequest("http://elsewhere"), 200), "own"),
        ):
            self.assertIs(self.answered(answer), answer)
            self.assertEqual(answer.json(), expected)  # type: ignore[attr-defined]
        answer = unittest.mock.Mock(spec=HTTPResponse)
        self.assertIs(self.answered(answer), answer)
        self.assertEqual(len(self.cookies), 0)

    def test_one_that_raises_with_a_response_made_by_the_test(self) -> None:
        none: Any = None
        text: Any = "text"
        for response in (
            unittest.mock.Mock(spec=HTTPResponse),
            HTTPResponse(none, 404, effective_url="elsewhere"),
            HTTPResponse(HTTPRequest("http://elsewhere"), 404, buffer=text),
        ):
            error = HTTPClientError(404, "planted", response)
            with self.assertRaises(HTTPClientError) as caught:
                self.answered(error)
            self.assertIs(caught.exception, error)

    def answered(self, answer: Any) -> Any:
        """Fetch with a client that gives this answer."""
        future: asyncio.Future[Any] = self.io_loop.asyncio_loop.create_future()  # type: ignore[attr-defined]
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        with unittest.mock.patch.object(self.http_client, "fetch", return_value=future):
            return self.fetch("/", raise_error=True)


class ImportTest(unittest.TestCase):
    def test_who_has_no_cookies_does_not_wait_for_their_modules(self) -> None:
        done = run_python("-c", "import sys, asynctest_tornado; print('http.cookiejar' in sys.modules)")
        self.assertEqual(done.stdout, "False\n", done.stderr)
