"""Ports of servers in memory, which other threads and processes can use."""

import asyncio
import errno
import multiprocessing
import os
import socket
import ssl
import subprocess
import sys
import threading
import unittest
import urllib.request
from typing import Any
from unittest import mock

from tornado.curl_httpclient import CurlAsyncHTTPClient
from tornado.httpclient import AsyncHTTPClient
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from asynctest_tornado import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    AsyncTestCase,
    HTTPTestServer,
    VirtualClock,
    VirtualNetwork,
    bind_unused_port,
)
from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._network import real_ports
from tests.support import run_case, run_code


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


class Slow(RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(3600)
        self.write("late")


class Silent(WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        pass


class Socket(RequestHandler):
    def get(self) -> None:
        self.write(type(self.request.connection.stream.socket).__name__)  # type: ignore[union-attr]


class Address(RequestHandler):
    def get(self) -> None:
        self.write(self.request.full_url())


def read(url: str, **kwargs: Any) -> bytes:
    """Fetch a URL as a synchronous client does, which blocks its thread."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(**kwargs))
    with opener.open(url) as response:
        body: bytes = response.read()
    return body


def read_in_child(url: str) -> list[str]:
    """Return the command of a child process that fetches a URL, and prints the response."""
    code = "import sys, urllib.request as r; print(r.build_opener(r.ProxyHandler({})).open(sys.argv[1]).read())"
    return [sys.executable, "-c", code, url]


class Http(AsyncHTTPTestCase):
    network_factory = VirtualNetwork
    leaks = "fail"

    def get_app(self) -> Application:
        return Application(
            [("/", Hello), ("/slow", Slow), ("/silent", Silent), ("/address", Address), ("/socket", Socket)]
        )

    @property
    def has_files(self) -> bool:
        selector: Selector = self.io_loop.asyncio_loop._selector  # type: ignore[attr-defined]
        return not selector.has_no_files()

    async def in_thread(self, url: str, **kwargs: Any) -> bytes:
        return await asyncio.to_thread(read, url, **kwargs)


class HttpTest(Http):
    async def test_a_client_in_a_thread(self) -> None:
        url = self.get_url("/")
        self.assertEqual(await self.in_thread(url), b"hello")
        self.assertEqual(self.get_url("/"), url)
        self.assertTrue(self.has_files)

    async def test_by_name(self) -> None:
        self.assertEqual(await self.in_thread(f"http://localhost:{self.get_http_port()}/"), b"hello")

    async def test_a_url_that_the_application_has_found_out(self) -> None:
        url = (await self.fetch("/address")).body.decode()
        self.assertFalse(self.has_files)
        self.assertEqual(await self.in_thread(url), url.encode())

    async def test_the_port_is_the_same_before_and_after(self) -> None:
        url = self.get_url("/")
        self.assertEqual((await self.fetch("/")).effective_url, url)
        await self.in_thread(url)
        self.assertEqual((await self.fetch("/")).effective_url, url)

    async def test_no_port_is_opened_for_clients_of_the_loop(self) -> None:
        url = self.get_url("/")
        self.assertEqual((await AsyncHTTPClient().fetch(url)).body, b"hello")
        self.assertFalse(self.has_files)
        # It is reserved: no other program gets it.
        with socket.socket() as sock, self.assertRaises(OSError) as caught:
            sock.bind(("127.0.0.1", self.get_http_port()))
        self.assertEqual(caught.exception.errno, errno.EADDRINUSE)

    async def test_a_child_process(self) -> None:
        process = await asyncio.create_subprocess_exec(*read_in_child(self.get_url("/")), stdout=subprocess.PIPE)
        self.assertEqual((await process.communicate())[0].strip(), b"b'hello'")

    async def test_a_child_process_that_is_there_already(self) -> None:
        code = "import urllib.request as r; print(r.build_opener(r.ProxyHandler({})).open(input()).read())"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.assertEqual((await process.communicate(self.get_url("/").encode()))[0].strip(), b"b'hello'")

    async def test_a_process_of_multiprocessing(self) -> None:
        for method in ("fork", "spawn"):
            context: Any = multiprocessing.get_context(method)
            queue = context.SimpleQueue()
            process = context.Process(target=_read_into, args=(queue, self.get_url("/")))
            process.start()
            await asyncio.to_thread(process.join)
            self.assertEqual(queue.get(), b"hello", method)
            queue.close()
            process.close()

    async def test_a_server_that_is_closed(self) -> None:
        async with HTTPTestServer(self.get_app()) as server:
            url = server.get_url("/")
            self.assertEqual((await server.fetch("/")).body, b"hello")
            self.assertFalse(self.has_files)
            self.assertEqual(await self.in_thread(url), b"hello")
        with self.assertRaisesRegex(OSError, "refused"):
            await self.in_thread(url)

    async def test_a_connection_of_the_loop_stays_in_memory(self) -> None:
        url = self.get_url("/socket")
        self.assertEqual(await self.in_thread(url), b"socket")
        self.assertEqual((await self.fetch("/socket")).body, b"VirtualSocket")
        self.assertEqual((await AsyncHTTPClient().fetch(url)).body, b"VirtualSocket")


def _read_into(queue: Any, url: str) -> None:
    queue.put(read(url))


class InVirtualTimeTest(HttpTest):
    clock_factory = VirtualClock

    async def test_time_passes_while_a_thread_waits(self) -> None:
        began, url = self.io_loop.time(), self.get_url("/slow")
        received: list[bytes] = []
        thread = threading.Thread(target=lambda: received.append(read(url)))
        thread.start()
        while not received:
            await asyncio.sleep(60)
        thread.join()
        self.assertEqual(received, [b"late"])
        self.assertGreaterEqual(self.io_loop.time() - began, 3600)


class CurlTest(Http):
    def get_http_client(self) -> AsyncHTTPClient:
        return CurlAsyncHTTPClient(force_instance=True)

    async def test_the_client_of_libcurl(self) -> None:
        self.assertEqual((await self.fetch("/")).body, b"hello")
        self.assertTrue(self.has_files)


class HttpsTest(Http, AsyncHTTPSTestCase):
    async def test_a_client_in_a_thread(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.assertEqual(await self.in_thread(self.get_url("/"), context=context), b"hello")


class LineServer(TCPServer):
    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        await stream.write(await stream.read_until(b"\n"))
        stream.close()


def ask(port: int, host: str = "127.0.0.1") -> bytes:
    """Send a line to a server by a socket that blocks, and return its answer."""
    with socket.create_connection((host, port)) as sock:
        sock.sendall(b"hi\n")
        return sock.recv(9)


class ServersTest(AsyncTestCase):
    network_factory = VirtualNetwork
    leaks = "fail"

    def serve(self, add: Any) -> LineServer:
        server = LineServer()
        add(server)
        self.addCleanup(server.stop)
        return server

    async def test_a_server_of_tornado_on_any_port(self) -> None:
        server = self.serve(lambda server: server.listen(0))
        port = next(iter(server._sockets.values())).getsockname()[1]
        self.assertEqual(await asyncio.to_thread(ask, port), b"hi\n")
        if socket.has_ipv6:
            self.assertEqual(await asyncio.to_thread(ask, port, "::1"), b"hi\n")

    async def test_a_socket_of_this_library(self) -> None:
        sock, port = bind_unused_port()
        self.serve(lambda server: server.add_socket(sock))
        self.assertEqual(await asyncio.to_thread(ask, port), b"hi\n")

    async def test_a_connection_that_is_made_and_accepted_without_the_loop(self) -> None:
        sock, port = bind_unused_port()
        with sock, socket.socket() as client:
            client.connect(("127.0.0.1", port))
            connection, address = sock.accept()
            with connection:
                self.assertEqual(address, client.getsockname())
                connection.sendall(b"hi")
                self.assertEqual(client.recv(2), b"hi")
            with self.assertRaises(BlockingIOError):
                sock.accept()

    async def test_a_server_of_asyncio(self) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.assertEqual(await asyncio.to_thread(ask, server.sockets[0].getsockname()[1]), b"hi\n")
        server.close()

    async def test_a_port_that_the_test_has_chosen(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port = sock.getsockname()[1]
        self.serve(lambda server: server.listen(port, "127.0.0.1"))
        self.assertEqual(await asyncio.to_thread(ask, port), b"hi\n")

    async def test_a_port_that_another_program_has(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port = sock.getsockname()[1]
            self.serve(lambda server: server.listen(port, "127.0.0.1"))
            self.assertEqual(await asyncio.to_thread(ask, port), b"hi\n")

    async def test_a_loop_in_another_thread(self) -> None:
        sock, port = bind_unused_port()
        self.serve(lambda server: server.add_socket(sock))

        async def ask_there() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hi\n")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer

        self.assertEqual(await asyncio.to_thread(lambda: asyncio.run(ask_there())), b"hi\n")

    async def test_a_thread_that_connects_without_an_exception(self) -> None:
        sock, port = bind_unused_port()
        self.serve(lambda server: server.add_socket(sock))

        def connect() -> tuple[int, bytes]:
            with socket.socket() as client:
                error = client.connect_ex(("127.0.0.1", port))
                client.sendall(b"hi\n")
                return error, client.recv(9)

        self.assertEqual(await asyncio.to_thread(connect), (0, b"hi\n"))

    @unittest.skipUnless(hasattr(os, "fork"), "needs os.fork")
    async def test_a_connection_in_memory_does_not_go_on_in_a_child_process(self) -> None:
        sock, port = bind_unused_port()
        self.serve(lambda server: server.add_socket(sock))
        stream = await TCPClient().connect("127.0.0.1", port)
        process = os.fork()
        if not process:
            try:
                stream.socket.send(b"x")
            except OSError as error:
                os._exit(17 if "stays in the process that has forked this one" in str(error) else 1)
            os._exit(2)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), 17)
        await stream.write(b"hi\n")
        self.assertEqual(await stream.read_until(b"\n"), b"hi\n")
        stream.close()

    def test_a_socket_that_listens_in_a_thread_of_another_test_case(self) -> None:
        """A server on real sockets, of another thread, is not in memory, and stays as it is."""
        with socket.create_server(("127.0.0.1", 0)) as sock:
            thread = threading.Thread(target=lambda: sock.accept()[0].close())
            thread.start()
            with socket.create_connection(sock.getsockname()) as client:
                self.assertEqual(client.recv(9), b"")
            thread.join()


class NumbersTest(unittest.TestCase):
    """The numbers of ports, from test to test."""

    def run_sample(self, body: Any, count: int = 1) -> list[int]:
        """Run a test several times; return the ports of its server."""
        ports = []

        class Sample(Http):
            async def test(self) -> None:
                await body(self)
                ports.append(self.get_http_port())

        for _ in range(count):
            self.assertEqual(run_case(Sample).report, "")
        return ports

    async def _fetch(self, case: Any) -> None:
        await case.fetch("/")
        case.get_url("/")

    async def _open(self, case: Any) -> None:
        await case.in_thread(case.get_url("/"))

    def test_tests_have_the_same_number(self) -> None:
        self.assertEqual(len(set(self.run_sample(self._fetch, 3))), 1)

    def test_a_test_after_one_whose_port_was_open_has_another_number(self) -> None:
        self.assertEqual(len(set(self.run_sample(self._open, 3))), 3)

    def test_a_number_that_another_program_has(self) -> None:
        (port,) = self.run_sample(self._fetch)
        real_ports.NUMBERS.close()
        found = []

        async def fetch(case: Any) -> None:
            before = (await case.fetch("/")).effective_url
            found.append(before)
            self.assertEqual((await AsyncHTTPClient().fetch(case.get_url("/"))).body, b"hello")
            self.assertEqual((await AsyncHTTPClient().fetch(before)).body, b"hello")
            self.assertEqual(await case.in_thread(case.get_url("/")), b"hello")

        with socket.create_server(("127.0.0.1", port)):
            (other,) = self.run_sample(fetch)
        self.assertEqual(found, [f"http://127.0.0.1:{port}/"])
        self.assertNotEqual(other, port)

    def test_a_server_on_both_families_keeps_one_number(self) -> None:
        numbers: list[int] = []

        class Sample(AsyncTestCase):
            network_factory = VirtualNetwork

            async def test(self) -> None:
                server = LineServer()
                with mock.patch.object(real_ports.NUMBERS, "take", self._take):
                    server.listen(0)
                    numbers.extend({sock.getsockname()[1] for sock in server._sockets.values()})
                server.stop()

            def _take(self, host: Any) -> Any:
                if host == ("::1", first):
                    raise OSError(errno.EADDRINUSE, "in use")

        first = real_ports.NUMBERS.number(0)
        self.assertEqual(run_case(Sample).report, "")
        self.assertEqual(numbers, [first + 1])


class WaitsTest(unittest.TestCase):
    """Waits that do not end: what an open port changes."""

    def report(self, begin: Any, seconds: float = 3600) -> str:
        class Sample(Http):
            async_test_timeout = seconds

            async def test(self) -> None:
                await begin(self)
                websocket = await self.ws_connect("/silent")
                await websocket.read_message()

        return run_case(Sample).report

    def test_a_port_that_is_known_and_not_open_hides_no_deadlock(self) -> None:
        async def begin(case: Any) -> None:
            await AsyncHTTPClient().fetch(case.get_url("/"))

        self.assertIn("this is a deadlock", self.report(begin))

    def test_an_open_port_may_be_used_at_any_time(self) -> None:
        async def begin(case: Any) -> None:
            await case.in_thread(case.get_url("/"))

        report = self.report(begin, 0.2)
        self.assertIn("timed out after 0.2 seconds", report)
        self.assertNotIn("deadlock", report)

    def test_a_client_that_blocks_its_own_server(self) -> None:
        class Sample(Http):
            async_test_timeout = 0.2

            def test(self) -> None:
                read(self.get_url("/"))

        report = run_case(Sample).report
        self.assertIn("TimeoutError: timed out after 0.2 seconds", report)
        self.assertIn("is on the event loop of this thread, which the client blocks", report)


class EndTest(unittest.TestCase):
    def test_nothing_of_it_stays(self) -> None:
        code = """
import os, socket, subprocess, unittest
from asynctest_tornado import AsyncTestCase, VirtualNetwork, bind_unused_port
before = os.fork, subprocess.Popen.__init__
class Test(AsyncTestCase):
    network_factory = VirtualNetwork
    def test(self):
        sock, port = bind_unused_port()
        sock.close()
        assert "connect" in vars(socket.socket)
result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(Test))
assert result.wasSuccessful()
assert "connect" not in vars(socket.socket)
assert (os.fork, subprocess.Popen.__init__) == before
"""
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code], stderr=subprocess.PIPE, text=True, check=False
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("ResourceWarning", done.stderr)

    def test_a_number_is_not_reserved_any_more_at_the_end_of_the_process(self) -> None:
        done = run_code(
            "from asynctest_tornado._network.real_ports import NUMBERS\n"
            "host = '127.0.0.1', 0\n"
            "NUMBERS.give_back(host, NUMBERS.take(host))\n"
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
