"""Websockets that a server refuses: the report has the reason."""

from typing import ClassVar

from tornado import web, websocket
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketError

from asynctest_tornado import AsyncHTTPTestCase, HTTPTestServer


class Page(web.RequestHandler):
    def get(self) -> None:
        self.write("page")


class Socket(websocket.WebSocketHandler):
    """One that its path makes refuse."""

    def check_origin(self, origin: str) -> bool:
        return self.request.path != "/origin" and super().check_origin(origin)

    def prepare(self) -> None:
        if self.request.path == "/raises":
            raise web.HTTPError(401)
        if self.request.path == "/answers":
            self.set_status(403)
            self.finish("no ticket")
        if self.request.path == "/redirects":
            self.redirect("/login")


def make_app() -> web.Application:
    paths = "/origin|/raises|/answers|/redirects|/socket"
    return web.Application([("/page", Page), (paths, Socket)], log_function=lambda handler: None)


class RefusalTest(AsyncHTTPTestCase):
    reasons: ClassVar[dict[str, str]] = {
        "/nowhere": r"No handler matches /nowhere\.",
        "/page": r"Page, which serves GET /page, is no WebSocketHandler\.",
        "/origin": r"check_origin\(\) of Socket refuses the Origin 'http://elsewhere'\.",
        "/raises": r"Socket, which serves GET /raises, has answered instead of upgrading the connection\.",
        "/answers": r"Socket, which serves GET /answers, has answered instead .* connection: no ticket\.",
        "/redirects": r"Socket, .* has answered with a redirect to /login instead of upgrading the connection\.",
    }

    def get_app(self) -> web.Application:
        return make_app()

    async def refusal(self, path: str) -> str:
        """Return the note in the report, beside the error of the client."""
        with self.assertRaises((HTTPClientError, WebSocketError)) as caught:
            await self.ws_connect(path, headers={"Origin": "http://elsewhere"})
        (note,) = caught.exception.__notes__
        return note

    async def test_the_reason_is_in_the_report(self) -> None:
        for path, reason in self.reasons.items():
            with self.subTest(path):
                note = await self.refusal(path)
                self.assertRegex(note, rf"\AThe server has refused the websocket ws://\S+{path}\. {reason}\Z")

    async def test_the_default_refuses_another_origin(self) -> None:
        self.assertIn("check_origin() of Socket refuses the Origin 'http://elsewhere'", await self.refusal("/socket"))

    async def test_of_another_server_less_is_known(self) -> None:
        async with HTTPTestServer(make_app()) as server:
            url = server.get_url("/page").replace("http:", "ws:")
            self.assertIn("Is there a WebSocketHandler for this path?", await self.refusal(url))
            with self.assertRaises(WebSocketError) as caught:
                await server.ws_connect("/page")
            self.assertIn("Page, which serves GET /page, is no WebSocketHandler.", caught.exception.__notes__[0])

    async def test_one_that_is_not_refused_leaves_no_trace(self) -> None:
        async with self.ws_connect("/socket"):
            self.assertEqual(self._asynctest.server._record.handlers, {})


class SharedRefusalTest(RefusalTest):
    """The same, of a server for all tests of the class."""

    loop_scope = "class"


class SnapshotTest(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    async def test_tasks_of_tornado_are_not_shown_beside_those_of_the_user(self) -> None:
        async with self.ws_connect("/socket") as line:
            with self.assertRaises(TimeoutError) as caught:
                await line.read_message(timeout=0)
        (note,) = caught.exception.__notes__
        self.assertIn("Socket, which serves GET /socket", note)
        self.assertNotIn("_receive_frame_loop", note)
