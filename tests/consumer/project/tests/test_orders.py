"""Tests with a server."""

import asyncio
import unittest
from collections.abc import Generator
from typing import Any, assert_type

from orders.app import make_app
from tornado.httpclient import HTTPClientError, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.web import Application

from asynctest_tornado import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    HTTPTestServer,
    Response,
    ServerError,
    StreamedResponse,
    WebSocket,
    gen_test,
)


class OrdersTest(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return make_app()

    def test_fetch(self) -> None:
        response: HTTPResponse = self.fetch("/orders", json={"item": "tea"}, raise_error=True)
        self.assertEqual((response.code, self.fetch("/orders?item=tea").json()), (201, {"price": 3}))
        assert_type(self.fetch("/orders?item=tea").code, int)

    def test_what_the_shop_does_not_have(self) -> None:
        with self.assertRaises(HTTPClientError):
            self.fetch("/orders", json={"item": "gold"}, raise_error=True)

    def test_the_reason_of_a_500(self) -> None:
        self.assertEqual(self.fetch("/orders?item=gold").code, 500)
        self.assertIsInstance(assert_type(self.server_errors, list[ServerError])[0].error, KeyError)

    async def test_fetch_in_a_coroutine(self) -> None:
        response = assert_type(await self.fetch("/orders", params={"item": "tea"}), Response)
        self.assertEqual(response.json(), {"price": 3})
        both = await asyncio.gather(self.fetch("/orders?item=tea"), self.async_fetch("/orders?item=tea"))
        self.assertEqual([each.code for each in assert_type(both, tuple[Response, Response])], [200, 200])

    async def test_a_task_that_fetches(self) -> None:
        task = assert_type(self.async_fetch("/orders?item=tea"), "asyncio.Task[Response]")
        self.assertEqual((await task).json(), {"price": 3})

    def test_fetch_in_run_sync(self) -> None:
        response = assert_type(self.run_sync(self.async_fetch, "/orders", params={"item": "tea"}), Response)
        self.assertEqual(response.code, 200)
        url = self.get_url("/orders?item=tea")
        plain = assert_type(self.run_sync(self.http_client.fetch, url, raise_error=False), HTTPResponse)
        self.assertEqual(plain.code, 200)

    @gen_test
    def test_fetch_in_a_generator(self) -> Generator[Any, Any, None]:
        response: Response = yield self.fetch("/orders?item=tea")
        self.assertEqual(response.json(), {"price": 3})

    async def test_websocket(self) -> None:
        async with self.ws_connect("/line") as line:
            await assert_type(line, WebSocket).write_message("tea")
            message = assert_type(await line.read_message(timeout=5), str | bytes | None)
        self.assertEqual(message, '{"price": 3}')

    async def test_stream(self) -> None:
        async with self.stream("/orders", params={"item": "tea"}, read_timeout=5) as response:
            self.assertEqual(assert_type(response, StreamedResponse).raise_for_status().code, 200)
            chunks = [assert_type(chunk, bytes) async for chunk in response]
        self.assertEqual(b"".join(chunks), b'{"price": 3}')
        async with HTTPTestServer(make_app()) as server, server.stream("/orders?item=tea") as response:
            lines = [assert_type(line, str) async for line in response.aiter_lines()]
        self.assertEqual(lines, ['{"price": 3}'])

    async def test_a_server_by_hand(self) -> None:
        async with HTTPTestServer(make_app()) as server:
            response = assert_type(await server.fetch("/orders?item=tea"), Response)
        self.assertEqual(response.code, 200)


class AsyncHooksTest(AsyncHTTPTestCase):
    """Hooks may be coroutine functions, or plain functions."""

    async def get_app(self) -> Application:
        await asyncio.sleep(0)
        return make_app()

    async def get_http_server(self) -> HTTPServer:
        return HTTPServer(self._app, **await self.get_httpserver_options())

    async def get_httpserver_options(self) -> dict[str, Any]:
        return {"xheaders": True}

    def test_fetch(self) -> None:
        self.assertStatus(self.fetch("/orders?item=tea", cookies={"theme": "dark"}), 200)
        self.assertEqual(self.fetch("/orders?item=tea").raise_for_status().json(), {"price": 3})
        self.cookies["theme"] = "dark"
        self.assertEqual(assert_type(self.cookies["theme"], str), "dark")


class PlainHooksTest(AsyncHTTPTestCase):
    send_cookies = True

    def get_app(self) -> Application:
        return make_app()

    def get_http_server(self) -> HTTPServer:
        return HTTPServer(self._app, **self.get_httpserver_options())

    def get_httpserver_options(self) -> dict[str, Any]:
        return {"xheaders": True}

    async def test_websocket(self) -> None:
        async with self.ws_connect("/line", cookies={"theme": "dark"}) as line:
            await line.write_message("tea")
            await line.expect({"price": 3}, timeout=5)


class SecureOrdersTest(AsyncHTTPSTestCase, OrdersTest):
    async def test_client(self) -> None:
        response = await self.http_client.fetch(self.get_url("/orders?item=tea"))
        self.assertEqual(response.code, 200)


if __name__ == "__main__":
    unittest.main()
