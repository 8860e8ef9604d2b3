"""Websockets of a test send at once, unless the user wants otherwise."""

import asyncio
import socket
from typing import Any

from tornado import httpserver, web, websocket
from tornado.httpclient import HTTPRequest

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, bind_unused_port
from asynctest_tornado._tls import bundled_certificate


def has_nodelay(stream: Any) -> bool:
    return bool(stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


class Echo(websocket.WebSocketHandler):
    def open(self) -> None:
        self.write_message(str(has_nodelay(self.ws_connection.stream)))  # type: ignore[union-attr]

    def on_message(self, message: str | bytes) -> None:
        self.write_message(str(has_nodelay(self.ws_connection.stream)))  # type: ignore[union-attr]


class Delayed(Echo):
    def open(self) -> None:
        self.set_nodelay(False)


def make_app() -> web.Application:
    return web.Application([("/", Echo), ("/delayed", Delayed)])


class PlainTest(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    async def test_both_ends_of_the_websocket_of_a_test(self) -> None:
        async with self.ws_connect("/") as ws:
            self.assertTrue(has_nodelay(ws.connection.protocol.stream))  # type: ignore[union-attr]
            # From the start: a handler may send several messages in open().
            await ws.expect("True")
            await ws.write_message("?")
            await ws.expect("True")

    async def test_both_ends_of_a_client_of_tornado(self) -> None:
        connection = await websocket.websocket_connect(self.get_url("/").replace("http", "ws"))
        self.assertTrue(has_nodelay(connection.protocol.stream))  # type: ignore[union-attr]
        self.assertEqual(await connection.read_message(), "True")
        connection.close()

    async def test_the_user_has_the_last_word(self) -> None:
        async with self.ws_connect("/delayed") as ws:
            ws.connection.protocol.set_nodelay(False)  # type: ignore[union-attr]
            for _ in range(2):
                await ws.write_message("?")
                await ws.expect("False")
                self.assertFalse(has_nodelay(ws.connection.protocol.stream))  # type: ignore[union-attr]

    async def test_loops_of_other_code_keep_the_default(self) -> None:
        async def connect() -> tuple[bool, Any]:
            sock, port = bind_unused_port()
            server = httpserver.HTTPServer(make_app())
            server.add_socket(sock)
            connection = await websocket.websocket_connect(HTTPRequest(f"ws://127.0.0.1:{port}/"))
            try:
                return has_nodelay(connection.protocol.stream), await connection.read_message()  # type: ignore[union-attr]
            finally:
                connection.close()
                await connection.read_message()
                server.stop()
                await server.close_all_connections()

        self.assertEqual(await asyncio.to_thread(asyncio.run, connect()), (False, "False"))


class SecureTest(AsyncHTTPSTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    async def test_websockets_over_tls(self) -> None:
        async with self.ws_connect("/") as ws:
            self.assertTrue(has_nodelay(ws.connection.protocol.stream))  # type: ignore[union-attr]
            await ws.expect("True")

    async def test_a_client_of_tornado_over_tls(self) -> None:
        request = HTTPRequest(
            self.get_url("/").replace("http", "ws"), ssl_options=bundled_certificate.trusting_context()
        )
        connection = await websocket.websocket_connect(request)
        self.assertEqual(await connection.read_message(), "True")
        connection.close()
