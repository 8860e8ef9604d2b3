"""Websockets, and how they end."""

from tornado.websocket import WebSocketClosedError

from asynctest_tornado import AsyncHTTPTestCase, ExpectLog
from docs.examples.app import PRESENT, make_app


class ChatTest(AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    async def test_echo(self):
        async with self.ws_connect("/chat", subprotocols=["v1", "v2"]) as socket:
            self.assertEqual(socket.selected_subprotocol, "v2")
            await socket.expect("welcome")
            await socket.write_message("hello")
            self.assertEqual(await socket.read_message(timeout=1), "hello")
            self.assertEqual(len(PRESENT), 1)
        self.assertEqual(PRESENT, set())  # on_close has run

    async def test_the_server_says_goodbye(self):
        async with self.ws_connect("/chat") as socket:
            await socket.write_message("/bye")
            self.assertEqual([message async for message in socket], ["welcome"])
            self.assertEqual((socket.close_code, socket.close_reason), (1000, "see you"))

    async def test_the_server_breaks_down(self):
        with ExpectLog("tornado.application", "Uncaught exception GET /chat"):
            socket = await self.ws_connect("/chat")
            await socket.read_message()
            await socket.write_message("/price milk")
            with self.assertRaises(WebSocketClosedError) as caught:
                await socket.read_message()
        self.assertIsInstance(caught.exception.__cause__, KeyError)

    async def test_the_network_breaks_down(self):
        async with self.ws_connect("/chat") as socket:
            socket.abort()
        self.assertEqual(PRESENT, set())

    def test_synchronous_code(self):
        socket = self.run_sync(self.ws_connect, "/chat")
        self.assertEqual(self.run_sync(socket.read_message), "welcome")
