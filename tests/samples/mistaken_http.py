"""Tests with a typical mistake about servers and requests. Their reports, in ``tests/gallery``, say how to mend it."""

import json
from typing import Any

from tornado import web
from tornado.httpclient import AsyncHTTPClient
from tornado.log import access_log

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase


class Hello(web.RequestHandler):
    def get(self) -> None:
        self.write("hello")


def make_app() -> web.Application:
    return web.Application([("/hello", Hello)], log_function=lambda handler: None)


class _Served(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return make_app()


class FetchWithData(_Served):
    def test(self) -> None:
        arguments: Any = {"data": {"item": "tea"}}
        self.fetch("/hello", **arguments)


class FetchOfAnotherPath(_Served):
    def test(self) -> None:
        self.assertEqual(self.fetch("/hallo").code, 200)


class BodyIsNoJSON(_Served):
    def test(self) -> None:
        self.assertEqual(json.loads(self.fetch("/hello").body), {})


class GetAppReturnsAFunction(AsyncHTTPTestCase):
    def get_app(self) -> Any:
        return make_app

    def test(self) -> None:
        self.fetch("/hello")


class ClientDoesNotKnowTheCertificate(AsyncHTTPSTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    async def test(self) -> None:
        client = AsyncHTTPClient(force_instance=True)
        self.addCleanup(client.close)
        with self.assertLogs("tornado.general"):
            await client.fetch(self.get_url("/hello"))


class FetchByHTTP(AsyncHTTPSTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    def test(self) -> None:
        with self.assertLogs("tornado.general"):
            self.fetch(self.get_url("/hello").replace("https", "http"))


class SignInWithoutSecret(_Served):
    def test(self) -> None:
        self.sign_in("user", "anna")


class OwnClientByHTTP(AsyncHTTPSTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    async def test(self) -> None:
        await AsyncHTTPClient().fetch(self.get_url("/hello").replace("https:", "http:"))


class OwnClientFindsNoServer(_Served):
    async def test(self) -> None:
        self.http_server.stop()
        await AsyncHTTPClient().fetch(self.get_url("/hello"))


class GetAppReturnsNothing(AsyncHTTPTestCase):
    def get_app(self) -> Any:
        make_app()

    def test(self) -> None:
        self.fetch("/hello")


class FetchOfAnotherPathIsLogged(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/hello", Hello)], log_function=self.log)

    def log(self, handler: web.RequestHandler) -> None:
        access_log.warning("%d %s 1.00ms", handler.get_status(), handler._request_summary())

    def test(self) -> None:
        self.fetch("/hola")
        self.assertEqual(self.fetch("/hallo").code, 200)
