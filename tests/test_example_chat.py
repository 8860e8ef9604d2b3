"""The example ``chat``: its tests pass, and find planted bugs; the program works as its docstring describes."""

import asyncio
import re
import subprocess
import unittest
import urllib.request
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

import examples.chat
from asynctest_tornado import AsyncTestCase
from tests import planted_bugs
from tests.planted_bugs import Bug
from tests.support import run_example, start_example

BUGS = (
    Bug("room", "self.announce(Left(name))", "pass", "test_leaving"),
    Bug("room", "self.announce(Joined(name))", "pass", "test_two"),
    Bug("room", "if name in self.members:", "if False:", "test_taken_name"),
    Bug("room", "if number > len(self.messages):", "if False:", "test_a_message_of_the_future"),
    Bug("room", "return self.messages[number:]", "return self.messages[number + 1 :]", "test_what_was_missed"),
    Bug("room", "return self.messages[number:]", "return self.messages[max(number - 1, 0) :]", "test_what_was_missed"),
    Bug("room", "return self.messages[number:]", "return self.messages[: number - 1 : -1]", "test_what_was_missed"),
    Bug("room", "missed = [] if since is None else", "missed =", "test_a_newcomer"),
    Bug("room", "await self.empty.wait()", "pass", "test_the_end_of_the_program"),
    Bug("room", "or text.splitlines() != [text]", "", "test_malformed_messages"),
    Bug("wire", "except (ValueError, RecursionError)", "except ValueError", "test_malformed_messages"),
    Bug("wire", "fields.keys() != set(names)", "not set(names) <= fields.keys()", "test_malformed_messages"),
    Bug("app", "            self.room.leave(self.name)", "            pass", "test_leaving"),
    Bug("app", "        if self.is_member:\n", "        if True:\n", "test_taken_name"),
    Bug("app", "if not self.is_member:", "if False:", "test_taken_name_in_a_hurry"),
    Bug("app", "except WebSocketClosedError:", "except ZeroDivisionError:", "test_the_end_of_the_program"),
    Bug("app", "sent.add_done_callback(_check_sent)", "pass", "test_without_goodbye_and_with_much_to_hear"),
    Bug("app", "self.hear(Mistake(str(error)))", "self.close(1003, str(error))", "test_malformed_messages"),
    Bug("app", "if name in self.room.members:", "if False:", "test_a_member_does_not_post"),
    Bug("app", "message = self.room.say(name, text)", "message = Message(1, name, text)", "test_post"),
    Bug("app", "def select_subprotocol", "def select_no_subprotocol", "test_lines"),
    Bug(
        "app",
        "    def open(",
        "    def check_origin(self, origin):\n        return True\n\n    def open(",
        "test_foreign_page",
    ),
)


class SuiteTest(unittest.TestCase):
    def test_it_passes(self) -> None:
        """The tests of the example pass, skip nothing, and print nothing but unittest's report."""
        done = run_example("examples/chat")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\A\.+\n-+\nRan [1-9]\d* tests in [\d.]+s\n\nOK\n\Z")

    def test_it_finds_bugs(self) -> None:
        """Where a bug is planted in the example, the test fails that is about it."""
        planted_bugs.check(self, "chat", BUGS, "1")


class ProgramTest(AsyncTestCase):
    async_test_timeout = 60

    def start(self) -> tuple["subprocess.Popen[str]", str]:
        """Run the program, on an unused port; return the process and its address."""
        process, url = start_example(self, "examples.chat")
        return process, url.removeprefix("http://")

    async def check_end(self, process: "subprocess.Popen[str]") -> None:
        """Wait for the end of the process."""
        # In a thread, since the clients still have to answer.
        self.assertEqual(await asyncio.to_thread(process.communicate), ("", ""))
        self.assertEqual(process.returncode, 0)

    async def test_end(self) -> None:
        """A program that is terminated says goodbye to its clients, and ends."""
        process, address = self.start()
        clients = [await websocket_connect(f"ws://{address}/chat?name={name}") for name in ("anna", "bob")]
        process.terminate()
        for client in clients:
            while await client.read_message() is not None:
                pass
            self.assertEqual((client.close_code, client.close_reason), (1001, "the chat is closed"))
            client.close()
        await self.check_end(process)

    async def test_by_hand(self) -> None:
        """The commands in the docstring have the results that it shows."""
        process, address = self.start()
        assert examples.chat.__doc__ is not None
        doc = examples.chat.__doc__.replace("127.0.0.1:8888", address)
        ((typed, url, data),) = re.findall(r"Python::\n\n(.*?)\n\n.*? curl (\S+) -d '(.*?)'\n", doc, re.DOTALL)
        names: dict[str, Any] = {}
        exec(f"async def type_in():\n{typed}\n    return anna", names)
        anna: WebSocketClientConnection = await names["type_in"]()
        self.assertEqual(await anna.read_message(), "1 anna: Is the room empty?")
        # The environment may name a proxy, which does not know this host.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with await asyncio.to_thread(opener.open, url, data=data.encode()) as response:
            self.assertEqual(response.status, 201)
        self.assertEqual(await anna.read_message(), "2 bob: I am here")
        process.terminate()
        self.assertIsNone(await anna.read_message())
        anna.close()
        await self.check_end(process)
