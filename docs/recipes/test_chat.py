"""Websockets: several clients in one test."""

from tornado.web import Application
from tornado.websocket import WebSocketHandler

from asynctest_tornado import AsyncHTTPTestCase


class ChatHandler(WebSocketHandler):
    def initialize(self, members):
        self.members = members

    def open(self, name):
        self.name = name
        self.send(f"{name} has come")
        self.members[name] = self

    def on_message(self, message):
        self.send({"from": self.name, "text": message})

    def on_close(self):
        del self.members[self.name]
        self.send(f"{self.name} has left")

    def send(self, message):
        for member in self.members.values():
            member.write_message(message)


class ChatTest(AsyncHTTPTestCase):
    def get_app(self):
        return Application([("/chat/(.*)", ChatHandler, {"members": {}})])

    async def test_two_talk(self):
        async with self.ws_connect("/chat/anna") as anna:
            async with self.ws_connect("/chat/bob") as bob:
                await anna.expect("bob has come")
                await bob.write_message("hello")
                for member in anna, bob:
                    await member.expect({"from": "bob", "text": "hello"})
            await anna.expect("bob has left")

    async def test_a_connection_breaks(self):
        async with self.ws_connect("/chat/anna") as anna, self.ws_connect("/chat/bob") as bob:
            await anna.expect("bob has come")
            bob.abort()
            await anna.expect("bob has left")
