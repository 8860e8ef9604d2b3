"""The cookies of a test: read, set, signed, sent."""

import asyncio
import json
import unittest
from http.cookies import SimpleCookie
from typing import Any

from tornado import web
from tornado.httpclient import HTTPError
from tornado.websocket import WebSocketHandler

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, HTTPTestServer
from tests.http import test_fetch
from tests.support import RecordingResult, run_body

SECRET = "for tests"


class UserHandler(web.RequestHandler):
    """Knows the user by a signed cookie, and forgets it."""

    def get(self) -> None:
        user = self.get_signed_cookie("user")
        self.write({"user": user and user.decode()})

    def delete(self) -> None:
        self.clear_cookie("user")

    def post(self) -> None:
        self.set_signed_cookie("user", self.get_argument("name"))
        self.redirect("/user", status=303)


class PrivateHandler(web.RequestHandler):
    def get(self) -> None:
        if self.get_signed_cookie("user") is None:
            raise web.HTTPError(403)


class UserSocket(WebSocketHandler):
    def open(self, *args: str, **kwargs: str) -> None:
        user = self.get_signed_cookie("user")
        self.write_message({"user": user and user.decode(), "theme": self.get_cookie("theme")})


def make_app(**settings: Any) -> web.Application:
    settings.setdefault("cookie_secret", SECRET)
    handlers: list[Any] = [
        *(("/user", UserHandler), ("/socket", UserSocket), ("/private", PrivateHandler)),
        *(("/redirect", test_fetch.RedirectHandler), ("/cookie", test_fetch.CookieHandler)),
        ("/.*", test_fetch.EchoHandler),
    ]
    return web.Application(handlers, log_function=lambda handler: None, **settings)


class Case(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    def echo(self, path: str = "/", **kwargs: Any) -> Any:
        return self.fetch(path, raise_error=True, **kwargs).json()

    def sent(self, path: str = "/", **kwargs: Any) -> Any:
        """Return the cookies that the server gets."""
        return self.echo(path, **kwargs)["cookies"]

    def user(self) -> Any:
        return self.echo("/user")["user"]


class SwitchTest(Case):
    def test_a_suite_that_does_not_ask_for_them_sends_none(self) -> None:
        self.fetch("/cookie?name=a")
        self.assertEqual(self.sent(), {})

    def test_to_look_at_them_switches_nothing_on(self) -> None:
        self.fetch("/cookie?name=a")
        self.assertEqual(dict(self.cookies), {"a": "set"})
        self.assertEqual((len(self.cookies), "a" in self.cookies, self.cookies.get("b")), (1, True, None))
        self.assertEqual((repr(self.cookies), len(self.cookies.jar)), ("{'a': 'set'}", 1))
        self.assertEqual(self.sent(), {})

    def test_an_attribute_does(self) -> None:
        self.send_cookies = True
        self.fetch("/cookie?name=a")
        self.assertEqual(self.sent(), {"a": "set"})
        self.fetch("/cookie?clear=a&name=b")
        self.assertEqual(self.sent(), {"b": "set"})

    def test_to_change_them_does(self) -> None:
        def set_one() -> None:
            self.cookies["b"] = "1"

        def delete_one() -> None:
            del self.cookies["b"]

        self.fetch("/cookie?name=a&name=b")
        for change, expected in (
            (set_one, {"a": "set", "b": "1"}),
            (delete_one, {"a": "set"}),
            (self.cookies.clear, {}),
        ):
            change()
            self.assertEqual(self.sent(), expected)

    def test_each_test_has_its_own(self) -> None:
        self.assertEqual(len(self.cookies), 0)
        self.fetch("/cookie?name=a")
        self.assertEqual(len(self.cookies), 1)

    test_each_test_has_its_own_indeed = test_each_test_has_its_own

    def test_the_attribute_is_true_or_false(self) -> None:
        class Sample(Case):
            send_cookies: Any = "yes"

        report = run_body(Sample, lambda case: case.fetch("/")).report
        self.assertIn("TypeError: The class attribute send_cookies cannot be 'yes'. Set it to True or False.", report)

    def test_a_suite_may_have_a_method_of_this_name(self) -> None:
        class Sample(Case):
            def send_cookies(self) -> None: ...  # type: ignore[override]

            def test(self) -> None:
                self.fetch("/cookie?name=a")
                self.assertEqual(self.sent(), {})

        result = RecordingResult()
        Sample("test").run(result)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)


class SharedSwitchTest(SwitchTest):
    """The same, with one server for all tests of the class."""

    loop_scope = "class"


class SentTest(Case):
    send_cookies = True

    def test_they_follow_a_redirect(self) -> None:
        got = self.echo("/redirect?code=302&to=/there")
        self.assertEqual((got["uri"], got["cookies"]), ("/there", {"visited": "302"}))

    def test_they_are_for_their_path_and_server_only(self) -> None:
        self.fetch("/cookie?name=a&path=/there")
        self.assertEqual(len(self.cookies), 1)
        self.assertEqual(self.sent("/there"), {"a": "set"})
        self.assertEqual(self.sent("/here"), {})
        self.assertEqual(self.sent(self.get_url("/there").replace("127.0.0.1", "localhost")), {})

    def test_a_cookie_header_of_the_test_is_sent_as_it_is(self) -> None:
        self.fetch("/cookie?name=a")
        self.assertEqual(self.sent(headers={"cookie": "own=1"}), {"own": "1"})
        self.assertEqual(self.sent("/redirect?code=302&to=/", headers={"Cookie": "own=1"}), {"own": "1"})


class MappingTest(Case):
    def test_a_value_reaches_the_handler_and_comes_back(self) -> None:
        for value in "dark", "a b", 'a "quoted" one', "a;b,c=d", "\\", json.dumps({"a": 1}), "J\xfcrgen":
            self.cookies["theme"] = value
            self.assertEqual(self.cookies["theme"], value)
            self.assertEqual(self.sent(), {"theme": value})

    def test_one_of_the_server_is_replaced_whatever_its_path_was(self) -> None:
        self.fetch("/cookie?name=a&path=/there")
        self.cookies["a"] = b"own"
        self.assertEqual(self.sent("/there"), {"a": "own"})

    def test_the_server_can_change_and_delete_it(self) -> None:
        self.cookies.update(a="1", b="2")
        self.fetch("/cookie?name=a&clear=b")
        self.assertEqual(self.cookies, {"a": "set"})

    def test_several_of_one_name_are_no_value(self) -> None:
        self.fetch("/cookie?name=a&path=/here")
        self.fetch("/cookie?name=a&path=/there")
        with self.assertRaisesRegex(ValueError, r"There are 2 cookies 'a', for /here on 127.0.0.1 and /there on .*jar"):
            self.cookies["a"]
        self.assertEqual((list(self.cookies), len(self.cookies)), (["a"], 1))
        del self.cookies["a"]
        self.assertEqual(len(self.cookies), 0)

    def test_one_that_is_not_there(self) -> None:
        with self.assertRaises(KeyError):
            self.cookies["a"]
        with self.assertRaises(KeyError):
            del self.cookies["a"]

    def test_one_that_has_expired_is_not_there(self) -> None:
        self.cookies["a"] = "1"
        [cookie] = self.cookies.jar
        cookie.expires = 1
        self.assertEqual((self.cookies, len(self.cookies)), ({}, 0))

    def test_one_that_cannot_be_sent_is_an_error(self) -> None:
        for name, value in ("a b", "1"), ("", "1"), ("a", "\u0142"):
            with self.subTest(name), self.assertRaisesRegex(ValueError, "No request can send the cookie .*url_escape"):
                self.cookies[name] = value
        wrong: Any = {"a": 1}
        with self.assertRaisesRegex(TypeError, r"The cookie 'a' cannot be \{'a': 1\}. Give a text; json.dumps"):
            self.cookies["a"] = wrong
        self.assertEqual(len(self.cookies), 0)


class OneRequestTest(Case):
    """``cookies=`` is for one request, and its redirects."""

    def test_they_are_sent_once(self) -> None:
        self.assertEqual(self.sent(cookies={"theme": "dark", "n": 1, "none": None}), {"theme": "dark", "n": "1"})
        self.assertEqual((self.sent(), self.cookies), ({}, {}))

    def test_they_are_sent_beside_the_ones_of_the_test(self) -> None:
        self.cookies.update(a="1", b="2", c="3")
        self.assertEqual(self.sent(cookies={"a": "own", "c": None}), {"a": "own", "b": "2"})
        self.assertEqual(self.sent(), {"a": "1", "b": "2", "c": "3"})

    def test_they_follow_a_redirect_which_may_change_them(self) -> None:
        sent = self.sent("/redirect?code=302&to=/there", cookies={"visited": "no", "a": "1"})
        self.assertEqual(sent, {"visited": "302", "a": "1"})
        self.assertEqual(self.cookies, {"visited": "302"})
        self.assertEqual(self.sent(), {})

    async def test_another_host_does_not_get_them(self) -> None:
        async with HTTPTestServer(make_app()) as other:
            url = other.get_url("/").replace("127.0.0.1", "localhost")
            response = await self.fetch(f"/redirect?code=302&to={url}", cookies={"a": "1"})
        self.assertEqual(response.json()["cookies"], {})

    def test_all_of_a_test_may_be_sent_once(self) -> None:
        self.fetch("/cookie?name=a")
        self.assertEqual(self.sent(cookies=self.cookies), {"a": "set"})
        self.assertEqual(self.sent(), {})

    def test_cookies_of_the_standard_library(self) -> None:
        self.assertEqual(self.sent(cookies=SimpleCookie("a=1; b=2")), {"a": "1", "b": "2"})

    def test_beside_a_header_they_are_an_error(self) -> None:
        with self.assertRaisesRegex(TypeError, "cookies= and a Cookie header"):
            self.fetch("/", cookies={"a": "1"}, headers={"cookie": "b=2"})
        with self.assertRaisesRegex(TypeError, "cookies= and a Cookie header"):
            self.ws_connect("/socket", cookies={"a": "1"}, headers=[("cookie", "b=2")])

    def test_a_text_is_an_error(self) -> None:
        wrong: Any = "a=1"
        with self.assertRaisesRegex(TypeError, "cookies= got 'a=1'. Give a mapping of names to values"):
            self.fetch("/", cookies=wrong)

    async def test_of_a_stream(self) -> None:
        async with self.stream("/redirect?code=302&to=/", cookies={"a": "1"}) as response:
            self.assertEqual(json.loads(await response.read())["cookies"], {"a": "1", "visited": "302"})
        async with self.stream("/") as response:
            self.assertEqual(json.loads(await response.read())["cookies"], {})
        with self.assertRaisesRegex(TypeError, "cookies= and a Cookie header"):
            async with self.stream("/", cookies={"a": "1"}, headers={"Cookie": "b=2"}):
                raise AssertionError

    async def test_of_a_websocket(self) -> None:
        self.cookies["theme"] = "light"
        async with self.ws_connect("/socket", cookies={"theme": "dark"}) as socket:
            self.assertEqual(json.loads(await socket.read_message() or "")["theme"], "dark")
        async with self.ws_connect("/socket") as socket:
            self.assertEqual(json.loads(await socket.read_message() or "")["theme"], "light")


class SignInTest(Case):
    def test_handlers_know_the_user_until_they_forget_it(self) -> None:
        self.assertEqual(self.user(), None)
        self.sign_in("user", "anna")
        self.assertEqual((self.user(), self.user()), ("anna", "anna"))
        self.fetch("/user", method="DELETE")
        self.assertEqual(self.user(), None)

    def test_one_signs_in_again(self) -> None:
        self.sign_in("user", "anna")
        self.sign_in("user", b"bert", version=1)
        self.assertEqual((self.user(), len(self.cookies)), ("bert", 1))

    async def test_a_websocket_knows_the_user(self) -> None:
        self.sign_in("user", "anna")
        async with self.ws_connect("/socket") as socket:
            self.assertEqual(json.loads(await socket.read_message() or "")["user"], "anna")

    def test_the_form_of_the_application_signs_in_as_well(self) -> None:
        self.send_cookies = True
        self.assertEqual(self.echo("/user", form={"name": "anna"}), {"user": "anna"})
        self.assertEqual(self.user(), "anna")

    def test_a_value_is_a_text(self) -> None:
        wrong: Any = {"id": 1}
        with self.assertRaisesRegex(TypeError, r"sign_in\(\) got the value \{'id': 1\}. Give a text"):
            self.sign_in("user", wrong)

    async def test_a_refusal_names_the_cookies(self) -> None:
        self.sign_in("usr", "anna")
        response = await self.fetch("/private")
        with self.assertRaisesRegex(AssertionError, r"Its body is .*\. The request sent this cookie: usr\.$"):
            self.assertStatus(response, 200)
        self.cookies["theme"] = "dark"
        with self.assertRaisesRegex(HTTPError, r"The request sent these cookies: usr, theme, visited\.$"):
            (await self.fetch("/redirect?code=302&to=/private")).raise_for_status()

    def test_a_refusal_names_no_cookies_of_a_header(self) -> None:
        self.sign_in("usr", "anna")
        with self.assertRaisesRegex(AssertionError, r"Its body is .*page of Tornado\.$"):
            self.assertStatus(self.fetch("/private", headers={"Cookie": "a=1"}), 200)

    def test_the_report_of_a_refusal_names_the_cookies(self) -> None:
        def body(case: Any) -> None:
            case.sign_in("usr", "anna")
            case.assertEqual(case.fetch("/private").code, 200)

        self.assertRegex(
            run_body(Case, body).report, r"The last response was 403 .*The request sent this cookie: usr\."
        )


class SecureSignInTest(SignInTest, AsyncHTTPSTestCase):
    pass


class KeysTest(SignInTest):
    """The application has several keys."""

    def get_app(self) -> web.Application:
        return make_app(cookie_secret={1: "old", 2: "new"}, key_version=2)

    def test_one_signs_in_again(self) -> None:
        self.sign_in("user", "anna")
        self.assertIn("2|1:2|", self.cookies["user"])  # the version of the format, and of the key


class NoSecretTest(unittest.TestCase):
    def check(self, app: Any, message: str) -> None:
        class Sample(AsyncHTTPTestCase):
            def get_app(self) -> Any:
                return app

        self.assertRegex(run_body(Sample, lambda case: case.sign_in("user", "anna")).report, message)

    def test_an_application_without_one(self) -> None:
        self.check(make_app(cookie_secret=None), r"RuntimeError: sign_in\(\) signs .* has none. Give it one")

    def test_keys_without_a_version(self) -> None:
        self.check(make_app(cookie_secret={1: "a", 2: "b"}), r"has the keys \[1, 2\], .* is None. Set key_version")

    def test_there_is_none_yet(self) -> None:
        class Sample(AsyncHTTPTestCase):
            async def get_app(self) -> Any:
                self.sign_in("user", "anna")
                return make_app()

        report = run_body(Sample, lambda case: None).report
        self.assertRegex(
            report, r"RuntimeError: The application does not exist yet.* sign in in asyncSetUp\(\), or after"
        )
        self.assertNotIn("has not been called", report)

    def test_a_callback_has_no_settings(self) -> None:
        self.check(lambda request: None, r"needs the cookie_secret of a tornado.web.Application.*create_signed_value")


class ServerTest(unittest.IsolatedAsyncioTestCase):
    async def test_it_signs_in(self) -> None:
        async with HTTPTestServer(make_app()) as server:
            server.sign_in("user", "anna")
            self.assertEqual((await server.fetch("/user")).json(), {"user": "anna"})
            async with server.ws_connect("/socket", cookies={"theme": "dark"}) as socket:
                self.assertEqual(json.loads(await socket.read_message() or ""), {"user": "anna", "theme": "dark"})
            del server.cookies["user"]
            self.assertEqual((await server.fetch("/user")).json(), {"user": None})

    async def test_it_sends_cookies_if_it_should(self) -> None:
        for sends, expected in (False, {}), (True, {"a": "set"}):
            async with HTTPTestServer(make_app(), send_cookies=sends) as server:
                await server.fetch("/cookie?name=a")
                self.assertEqual(server.cookies, {"a": "set"})
                self.assertEqual((await server.fetch("/")).json()["cookies"], expected)
                both = await asyncio.gather(server.fetch("/", cookies={"b": "1"}), server.fetch("/"))
                self.assertEqual([each.json()["cookies"] for each in both], [expected | {"b": "1"}, expected])
