"""The tests: clients that talk to the application over real connections, and to each other through it.

Only the bug of one test is a mock, and no test sleeps: a test that waits for a message waits for the message, and once
a client has left, the application has noticed.
"""

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from typing import Any
from unittest import mock

from tornado.httpclient import HTTPClientError
from tornado.httputil import url_concat
from tornado.web import Application
from tornado.websocket import WebSocketClosedError

from asynctest_tornado import AsyncHTTPTestCase, ExpectLog, WebSocket

from .app import make_app
from .room import LONGEST, Room

Heard = dict[str, Any]


def welcome(*members: str, last: int = 0) -> Heard:
    return {"type": "welcome", "members": list(members), "last": last}


def said(number: int, name: str, text: str) -> Heard:
    return {"type": "message", "number": number, "name": name, "text": text}


def joined(name: str) -> Heard:
    return {"type": "joined", "name": name}


def left(name: str) -> Heard:
    return {"type": "left", "name": name}


class ChatTestCase(AsyncHTTPTestCase):
    """The application, its room, and clients that enter it."""

    def get_app(self) -> Application:
        self.room = Room()
        return make_app(self.room, log_function=lambda handler: None)

    def join(self, name: str, since: int | None = None, **options: Any) -> AbstractAsyncContextManager[WebSocket]:
        """Connect a client, which enters the room under that name."""
        query = {"name": name} if since is None else {"name": name, "since": str(since)}
        return self.ws_connect(url_concat("/chat", query), **options)

    async def say(self, client: WebSocket, text: str) -> None:
        """Let a client say something."""
        await client.write_message({"text": text})

    async def hear(self, client: WebSocket) -> Heard:
        """Return the next thing that a client hears."""
        message = await client.read_message()
        assert message is not None, client
        heard: Heard = json.loads(message)
        return heard

    async def assert_hears(self, client: WebSocket, *expected: Heard) -> None:
        """Check the next events that a client hears."""
        self.assertEqual([await self.hear(client) for _ in expected], list(expected))


class TestTalking(ChatTestCase):
    """Clients that enter, talk, and leave."""

    async def test_alone(self) -> None:
        """A single member is welcome, and hears its own messages."""
        async with self.join("anna") as anna:
            await self.assert_hears(anna, welcome("anna"))
            await self.say(anna, "Is the room empty?")
            await self.assert_hears(anna, said(1, "anna", "Is the room empty?"))

    async def test_two(self) -> None:
        """Two talk to each other: both hear the same, in the same order."""
        async with self.join("anna") as anna, self.join("bob") as bob:
            await self.say(anna, "Hello Bob")
            await self.assert_hears(bob, welcome("anna", "bob"), said(1, "anna", "Hello Bob"))
            await self.say(bob, "Hello Anna")
            conversation = said(1, "anna", "Hello Bob"), said(2, "bob", "Hello Anna")
            await self.assert_hears(anna, welcome("anna"), joined("bob"), *conversation)
            await self.assert_hears(bob, conversation[1])

    async def test_a_crowd(self) -> None:
        """If all talk at the same time, all hear everything in the same order, which keeps the order of each member."""
        names = [f"guest-{number}" for number in range(8)]

        async def talk(guest: WebSocket) -> list[Heard]:
            for text in "one", "two", "three":
                await self.say(guest, text)
            return [await self.hear(guest) for _ in range(3 * len(names))]

        guests = [await self.enterAsyncContext(self.join(name)) for name in names]
        for number, guest in enumerate(guests, 1):
            await self.assert_hears(guest, welcome(*names[:number]), *map(joined, names[number:]))
        heard = await asyncio.gather(*map(talk, guests))
        for each in heard:
            self.assertEqual(each, heard[0])
        self.assertEqual([message["number"] for message in heard[0]], list(range(1, 25)))
        for name in names:
            texts = [message["text"] for message in heard[0] if message["name"] == name]
            self.assertEqual(texts, ["one", "two", "three"])

    async def test_leaving(self) -> None:
        """A client that leaves is no member any more, and the others hear that it left."""
        async with self.join("anna") as anna:
            await self.assert_hears(anna, welcome("anna"))
            async with self.join("bob"):
                await self.assert_hears(anna, joined("bob"))
            # The block has waited for the on_close() of Bob's handler, so that nothing is left to wait for here.
            self.assertEqual(list(self.room.members), ["anna"])
            await self.assert_hears(anna, left("bob"))
        self.assertEqual(self.room.members, {})

    async def test_without_goodbye(self) -> None:
        """If a client's connection breaks, the others hear that it left, and can go on talking."""
        async with self.join("anna") as anna:
            async with self.join("bob") as bob:
                await self.assert_hears(bob, welcome("anna", "bob"))
                bob.abort()
            await self.say(anna, "Bob?")
            await self.assert_hears(anna, welcome("anna"), joined("bob"), left("bob"), said(1, "anna", "Bob?"))

    async def test_without_goodbye_and_with_much_to_hear(self) -> None:
        """A client may go while more is being sent to it than the connection takes."""
        async with self.join("bob") as bob:
            for _ in range(2000):
                self.room.say("anna", "é" * LONGEST)
            bob.abort()
        self.assertEqual(self.room.members, {})
        # Messages on their way have failed. If the application did not look at these errors, the test would fail.

    async def test_any_language(self) -> None:
        """Names and messages may be in any language."""
        async with self.join("jürgen") as juergen:
            await self.say(juergen, "Grüße aus 東京 🍜")
            await self.assert_hears(juergen, welcome("jürgen"), said(1, "jürgen", "Grüße aus 東京 🍜"))

    async def test_lines(self) -> None:
        """A client that speaks no JSON proposes the subprotocol ``chat.lines``."""
        async with self.join("anna", subprotocols=["chat.xml", "chat.lines"]) as anna:
            self.assertEqual(anna.selected_subprotocol, "chat.lines")
            async with self.join("bob"):
                pass
            await anna.write_message("Hello")
            await anna.write_message("\n")
            lines = [await anna.read_message() for _ in range(5)]
            self.assertEqual(
                lines,
                [
                    "* anna; 0 messages so far",
                    "* bob comes",
                    "* bob goes",
                    "1 anna: Hello",
                    "! 'text' has to be a line of text",
                ],
            )

    async def test_unknown_subprotocol(self) -> None:
        """If a client proposes only unknown subprotocols, none is selected."""
        async with self.join("anna", subprotocols=["chat.xml"]) as anna:
            self.assertIsNone(anna.selected_subprotocol)
            await self.assert_hears(anna, welcome("anna"))

    def test_step_by_step(self) -> None:
        """A test that is no coroutine can talk, too."""
        anna = self.run_sync(self.ws_connect, "/chat?name=anna")
        self.run_sync(anna.write_message, {"text": "Hello"})
        self.run_sync(self.assert_hears, anna, welcome("anna"), said(1, "anna", "Hello"))
        messages = self.fetch("/messages").json()["messages"]
        self.assertEqual(messages, [{"number": 1, "name": "anna", "text": "Hello"}])
        self.run_sync(anna.close)
        self.assertEqual(self.room.members, {})

    async def test_the_end_of_the_program(self) -> None:
        """When the program ends, it says goodbye to the clients, and waits until they are gone."""
        async with self.join("anna") as anna, self.join("bob") as bob:
            await self.assert_hears(anna, welcome("anna"), joined("bob"))
            await self.assert_hears(bob, welcome("anna", "bob"))
            await self.room.close()
            self.assertEqual(self.room.members, {})
            for client in anna, bob:
                self.assertEqual([message async for message in client], [])
                self.assertEqual((client.close_code, client.close_reason), (1001, "the chat is closed"))

    async def test_bug(self) -> None:
        """A bug costs only the client that meets it the connection, and is logged with its traceback."""
        async with self.join("anna") as anna, self.join("bob") as bob:
            await self.assert_hears(anna, welcome("anna"), joined("bob"))
            await self.assert_hears(bob, welcome("anna", "bob"))
            with (
                mock.patch.object(self.room, "say", side_effect=ZeroDivisionError),
                ExpectLog("tornado.application", "Uncaught exception GET /chat") as log,
            ):
                await self.say(bob, "Boom")
                with self.assertRaises(WebSocketClosedError) as caught:
                    await bob.read_message()
            self.assertTrue(log.logged_stack)
            # The client knows the error of its handler, and so does the test.
            (failure,) = self.server_errors
            self.assertIsInstance(failure.error, ZeroDivisionError)
            self.assertIs(caught.exception.__cause__, failure.error)
            await self.assert_hears(anna, left("bob"))


class TestComingBack(ChatTestCase):
    """Clients that were away for a while."""

    def setUp(self) -> None:
        super().setUp()
        for text in "one", "two", "three":
            self.room.say("anna", text)
        self.said = [said(1, "anna", "one"), said(2, "anna", "two"), said(3, "anna", "three")]

    async def test_what_was_missed(self) -> None:
        """A client that comes back gets the messages that it has missed, in order, and then the new ones."""
        for since in range(4):
            with self.subTest(since=since):
                last = len(self.said)
                self.said.append(said(last + 1, "bob", "I am back"))
                async with self.join("bob", since=since) as bob:
                    await self.say(bob, "I am back")
                    await self.assert_hears(bob, welcome("bob", last=last), *self.said[since:])

    async def test_a_newcomer(self) -> None:
        """Without ``since``, a client hears only new messages, with their numbers."""
        async with self.join("bob") as bob:
            await self.say(bob, "Hello")
            await self.assert_hears(bob, welcome("bob", last=3), said(4, "bob", "Hello"))

    async def test_again_and_again(self) -> None:
        """However often a client comes and goes while others talk, it hears each message once."""
        count = 40
        heard: list[int] = []

        async def talk() -> None:
            async with self.join("anna") as anna:
                while len(self.room.messages) < count:
                    await self.say(anna, "And another thing")
                    while (await self.hear(anna))["type"] != "message":
                        pass

        async def come_and_go() -> None:
            while len(heard) < count:
                async with self.join("bob", since=len(heard)) as bob:
                    batch = 0
                    while batch < 3 and len(heard) < count:
                        message = await self.hear(bob)
                        if message["type"] == "message":
                            heard.append(message["number"])
                            batch += 1

        await asyncio.gather(talk(), come_and_go())
        self.assertEqual(heard, list(range(1, count + 1)))

    async def test_a_message_of_the_future(self) -> None:
        """If the application has lost its messages, a client that has heard more of them has to begin afresh."""
        async with self.join("bob", since=4) as bob:
            self.assertIsNone(await bob.read_message())
            reason = "there is no message 4, the last one is 3"
            self.assertEqual((bob.close_code, bob.close_reason), (4002, reason))
        self.assertEqual(self.room.members, {})
        response = await self.async_fetch("/messages", params={"since": 4})
        self.assertEqual((response.code, response.json()), (404, {"error": reason}))


class TestRefusals(ChatTestCase):
    """Requests and messages that the application refuses."""

    async def assert_refused(self, query: dict[str, str], code: int, words: str, **options: Any) -> None:
        """Try to connect, and expect the handshake to fail in these words."""
        with self.subTest(query=query):
            with self.assertRaises(HTTPClientError) as caught:
                await self.ws_connect(url_concat("/chat", query), **options)
            self.assertEqual(caught.exception.code, code)
            assert caught.exception.response is not None
            self.assertIn(words, caught.exception.response.body.decode())
            self.assertEqual(self.room.members, {})

    async def test_bad_name(self) -> None:
        """A name is a word, and not too long."""
        for name in "", "-anna", "anna bob", "anna\n* bob goes", "<b>", "a" * 21:
            await self.assert_refused({"name": name}, 400, "a name has to be 1 to 20 letters")
        await self.assert_refused({}, 400, "a name has to be 1 to 20 letters")

    async def test_bad_since(self) -> None:
        """The value of ``since`` has to be a number."""
        for since in "", "-1", "one", "1.5", "9" * 5000:
            await self.assert_refused(
                {"name": "anna", "since": since}, 400, "'since' has to be the number of a message"
            )

    async def test_foreign_page(self) -> None:
        """A page of another site cannot enter the room by the browser of a visitor."""
        await self.assert_refused({"name": "anna"}, 403, "origin", headers={"Origin": "http://example.com"})

    async def test_taken_name(self) -> None:
        """Of two clients with the same name, only the first gets in, and hears nothing of the second."""
        async with self.join("anna") as anna:
            async with self.join("anna") as another:
                self.assertIsNone(await another.read_message())
                self.assertEqual((another.close_code, another.close_reason), (4001, "there is a member called anna"))
            await self.say(anna, "It is me")
            await self.assert_hears(anna, welcome("anna"), said(1, "anna", "It is me"))
        # Now the name is free.
        async with self.join("anna") as another:
            await self.assert_hears(another, welcome("anna", last=1))

    async def test_taken_name_in_a_hurry(self) -> None:
        """A refused client cannot talk under the other's name, not even before it hears of the refusal."""
        async with self.join("anna") as anna:
            await self.assert_hears(anna, welcome("anna"))
            reader, writer = await asyncio.open_connection("127.0.0.1", self.get_http_port())
            self.addAsyncCleanup(writer.wait_closed)
            self.addCleanup(writer.close)
            # The handshake and the message in one go: the refusal cannot overtake them.
            request = (
                "GET /chat?name=anna HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            text = b'{"text": "I am a fool"}'
            frame = bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
            goodbye = bytes([0x88, 0x80, 0, 0, 0, 0])
            writer.write(request.encode() + frame + goodbye)
            self.assertIn(b"there is a member called anna", await reader.read())
            await self.say(anna, "I am not")
            await self.assert_hears(anna, said(1, "anna", "I am not"))

    async def test_malformed_messages(self) -> None:
        """Only the author of a malformed message hears of the mistake, and can go on talking."""
        wrong = "this has to be an object with 'text', and nothing else"
        malformed: dict[str | bytes, str] = {
            "": "this is not JSON: ",
            "Hello": "this is not JSON: ",
            "[" * 100_000: "this is not JSON: ",
            b"\xff": "messages are text, and this one is binary",
            "null": wrong,
            '["text"]': wrong,
            "{}": wrong,
            '{"text": "Hello", "name": "bob"}': wrong,
            '{"text": null}': "'text' has to be a line of text",
            '{"text": " "}': "'text' has to be a line of text",
            '{"text": "one\\n2 bob: two"}': "'text' has to be a line of text",
            '{"text": "\\ud800"}': "'text' has half of a surrogate pair in it",
            json.dumps({"text": "a" * (LONGEST + 1)}): "'text' has to be 1000 characters at most, not 1001",
        }
        async with self.join("anna") as anna, self.join("bob") as bob:
            await self.assert_hears(anna, welcome("anna"), joined("bob"))
            await self.assert_hears(bob, welcome("anna", "bob"))
            for message, words in malformed.items():
                with self.subTest(message=message[:40]):
                    await anna.write_message(message, binary=isinstance(message, bytes))
                    heard = await self.hear(anna)
                    self.assertEqual(heard["type"], "mistake")
                    self.assertTrue(heard["error"].startswith(words), heard)
            await self.say(anna, "Hello")
            for client in anna, bob:
                await self.assert_hears(client, said(1, "anna", "Hello"))

    async def test_the_longest_message(self) -> None:
        """A message of the greatest length is not too long."""
        async with self.join("anna") as anna:
            await self.say(anna, "é" * LONGEST)
            await self.assert_hears(anna, welcome("anna"), said(1, "anna", "é" * LONGEST))


class TestPage(ChatTestCase):
    """The page that shows all messages, and takes messages from outside."""

    async def test_post(self) -> None:
        """All members hear a message that is posted."""
        async with self.join("anna") as anna, self.join("bob") as bob:
            await self.assert_hears(anna, welcome("anna"), joined("bob"))
            await self.assert_hears(bob, welcome("anna", "bob"))
            message = {"name": "carl", "text": "Dinner is ready"}
            response = await self.async_fetch("/messages", json=message)
            self.assertEqual((response.code, response.json()), (201, {"number": 1, **message}))
            for client in anna, bob:
                await self.assert_hears(client, said(1, "carl", "Dinner is ready"))

    def test_get(self) -> None:
        """Messages can be read, from the beginning or from a number on."""
        self.assertEqual(self.fetch("/messages").json(), {"messages": []})
        first, second = (self.fetch("/messages", json={"name": "carl", "text": text}).json() for text in ("one", "two"))
        self.assertEqual(self.fetch("/messages").json(), {"messages": [first, second]})
        self.assertEqual(self.fetch("/messages", params={"since": 1}).json(), {"messages": [second]})
        self.assertEqual(self.fetch("/messages", params={"since": "one"}).code, 400)

    async def test_a_member_does_not_post(self) -> None:
        """A message under the name of a member is refused. Before and after the membership it is not."""
        message = {"name": "anna", "text": "I am away"}
        async with self.join("anna") as anna:
            await self.assert_hears(anna, welcome("anna"))
            response = await self.async_fetch("/messages", json=message)
            self.assertEqual((response.code, response.json()["error"]), (409, "anna is in the room, and speaks there"))
            self.assertEqual(self.room.messages, [])
        self.assertEqual((await self.async_fetch("/messages", json=message)).code, 201)

    def test_bad_posts(self) -> None:
        """A malformed message is refused."""
        for bad, words in (
            ({}, "this has to be an object with 'name' and 'text', and nothing else"),
            ({"name": "", "text": "Hello"}, "a name has to be 1 to 20 letters"),
            ({"name": ["carl"], "text": "Hello"}, "a name has to be 1 to 20 letters"),
            ({"name": "carl", "text": ""}, "'text' has to be a line of text"),
        ):
            with self.subTest(bad=bad):
                response = self.fetch("/messages", json=bad)
                self.assertEqual(response.code, 400)
                self.assertIn(words, response.json()["error"])
        response = self.fetch("/messages", form={"name": "carl", "text": "Hello"})
        self.assertEqual(response.code, 400)
        self.assertIn("this is not JSON: ", response.json()["error"])
        self.assertEqual(self.room.messages, [])
