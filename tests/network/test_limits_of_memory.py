"""The uses of a socket that cannot be in memory: the error says so, and what to do."""

import asyncio
import os
import select
import selectors
import socket
import subprocess
import sys
import unittest
from collections.abc import Callable
from typing import Any

import uvloop
from tornado.iostream import IOStream
from tornado.tcpserver import TCPServer

from asynctest_tornado import AsyncTestCase, VirtualNetwork, bind_unused_port
from tests.support import run_body, run_case

NOTE = "Their fileno() is a number for the event loop alone"


class Silent(TCPServer):
    """Says nothing."""

    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        await stream.read_until_close()


class InMemory(AsyncTestCase):
    network_factory = VirtualNetwork

    async def connected(self) -> IOStream:
        """Return a stream in memory that is connected to a server of the test."""
        server = Silent()
        sock, port = bind_unused_port()
        server.add_socket(sock)
        self.addCleanup(server.stop)
        stream = IOStream(socket.socket())
        self.addCleanup(stream.close)
        await stream.connect(("127.0.0.1", port))
        return stream


class OptionsTest(InMemory):
    async def test_an_option_that_only_the_system_can_answer(self) -> None:
        stream = await self.connected()
        option = getattr(socket, "TCP_INFO", 11)
        with self.assertRaises(OSError) as caught:
            stream.socket.getsockopt(socket.IPPROTO_TCP, option, 104)
        said = str(caught.exception)
        self.assertIn("A socket in memory does not have the option IPPROTO_TCP, ", said)
        self.assertIn("Leave out network_factory in this test, so that its sockets are of the system", said)

    async def test_options_without_an_effect_in_memory(self) -> None:
        stream = await self.connected()
        for level, name in (
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            (socket.SOL_SOCKET, socket.SO_REUSEADDR),
            (socket.IPPROTO_TCP, socket.TCP_NODELAY),
        ):
            self.assertIsInstance(stream.socket.getsockopt(level, name), int)
            stream.socket.setsockopt(level, name, 1)
            self.assertEqual(stream.socket.getsockopt(level, name), 1)

    async def test_methods_that_need_a_file(self) -> None:
        stream = await self.connected()
        for name in ("dup", "makefile", "sendto"):
            with self.assertRaisesRegex(AttributeError, f"has no attribute '{name}': it is no file of the system. Lea"):
                getattr(stream.socket, name)
        with self.assertRaisesRegex(AttributeError, r"has no attribute 'no_such_name'$"):
            stream.socket.no_such_name  # type: ignore[attr-defined] # noqa: B018


class NumbersTest(unittest.TestCase):
    """Numbers of sockets in memory, given to the system."""

    def report(self, use: Callable[[Any], object]) -> str:
        class Sample(InMemory):
            async def test(self) -> None:
                use(await self.connected())

        return run_case(Sample).report

    def check(self, use: Callable[[Any], object]) -> None:
        self.assertIn(NOTE, self.report(use))

    def test_functions_of_os(self) -> None:
        self.check(lambda stream: os.fstat(stream.socket.fileno()))
        self.check(lambda stream: os.read(stream.socket.fileno(), 1))

    def test_another_socket_for_it(self) -> None:
        self.check(lambda stream: socket.socket(fileno=stream.socket.fileno()))
        self.check(lambda stream: socket.fromfd(stream.socket.fileno(), socket.AF_INET, socket.SOCK_STREAM))

    def test_other_selectors(self) -> None:
        self.check(lambda stream: select.select([stream.socket], [], []))
        with selectors.DefaultSelector() as selector:
            self.check(lambda stream: selector.register(stream.socket, selectors.EVENT_READ))

    def test_the_input_of_a_subprocess(self) -> None:
        self.check(lambda stream: subprocess.Popen([sys.executable, "-c", ""], stdin=stream.socket))

    def test_other_errors_have_no_note(self) -> None:
        for use in (lambda stream: 1 / 0, lambda stream: (stream.socket.close(), stream.socket.recv(1))):
            self.assertNotIn(NOTE, self.report(use))

    def test_a_test_on_sockets_of_the_system_has_no_note(self) -> None:
        self.assertNotIn(NOTE, run_body(AsyncTestCase, lambda case: os.fstat(1 << 30)).report)


class LoopsTest(unittest.TestCase):
    def test_uvloop(self) -> None:
        cls = type(
            "Sample", (AsyncTestCase,), {"network_factory": VirtualNetwork, "loop_factory": uvloop.new_event_loop}
        )
        report = run_body(cls, lambda case: None).report
        self.assertIn("TypeError: A VirtualNetwork cannot carry connections of uvloop.Loop: it is", report)
        self.assertIn("Leave out loop_factory, get_new_ioloop() and policies of your own, or network_factory", report)

    def test_the_plain_loop_of_asyncio(self) -> None:
        cls = type(
            "Sample", (AsyncTestCase,), {"network_factory": VirtualNetwork, "loop_factory": asyncio.SelectorEventLoop}
        )
        self.assertEqual(run_body(cls, lambda case: None).report, "")
