"""A network in memory: clients, servers and transports of Tornado and asyncio run on it unchanged."""

import asyncio
import selectors
import socket
from collections.abc import Callable
from typing import Any
from unittest import mock

import tornado
from tornado import netutil, tcpclient
from tornado.httpclient import AsyncHTTPClient
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import bind_sockets
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, VirtualClock, VirtualNetwork, bind_unused_port
from asynctest_tornado._network.open_networks import current
from asynctest_tornado._network.virtual_socket import VirtualSocket, by_number
from tests.support import run_body, run_case


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")

    def post(self) -> None:
        self.write(str(len(self.request.body)))


class Echo(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        if message != "be silent":
            await self.write_message(message)


class EchoServer(TCPServer):
    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        await stream.write(await stream.read_until(b"\n"))
        stream.close()


class Http(AsyncHTTPTestCase):
    network_factory = VirtualNetwork
    leaks = "fail"

    def get_app(self) -> Application:
        return Application([("/", Hello), ("/echo", Echo)])


class HttpTest(Http):
    def test_fetch(self) -> None:
        self.assertEqual(self.fetch("/").body, b"hello")

    async def test_requests_on_one_connection(self) -> None:
        for _ in range(3):
            self.assertEqual((await self.fetch("/")).body, b"hello")

    def test_a_body_that_is_larger_than_a_pipe(self) -> None:
        self.assertEqual(self.fetch("/", method="POST", body=bytes(3_000_000)).body, b"3000000")

    async def test_another_client_by_address_and_by_name(self) -> None:
        for url in (self.get_url("/"), f"http://localhost:{self.get_http_port()}/"):
            self.assertEqual((await AsyncHTTPClient().fetch(url)).body, b"hello")

    async def test_websocket(self) -> None:
        async with self.ws_connect("/echo") as websocket:
            await websocket.write_message("a")
            self.assertEqual(await websocket.read_message(), "a")

    async def test_the_sockets_are_virtual(self) -> None:
        await self.fetch("/")
        files = self.io_loop.asyncio_loop._selector.get_map()  # type: ignore[attr-defined]
        self.assertEqual(len(files), 1)
        self.assertTrue(by_number)


class InVirtualTimeTest(HttpTest):
    clock_factory = VirtualClock


class DeadlockTest(AsyncTestCase):
    def test_a_websocket_that_is_not_answered_is_a_deadlock_at_once(self) -> None:
        class Sample(Http):
            async_test_timeout = 3600

            async def test(self) -> None:
                websocket = await self.ws_connect("/echo")
                await websocket.write_message("be silent")
                await websocket.read_message()

        self.assertIn("this is a deadlock", run_case(Sample).report)


class StreamsTest(AsyncTestCase):
    network_factory = VirtualNetwork
    leaks = "fail"

    async def test_servers_and_clients_of_tornado(self) -> None:
        server = EchoServer()
        server.listen(4000, "127.0.0.1")
        stream = await TCPClient().connect("127.0.0.1", 4000)
        await stream.write(b"hi\n")
        self.assertEqual(await stream.read_until_close(), b"hi\n")
        server.stop()

    async def test_a_client_of_tornado_connects_when_the_server_has_accepted(self) -> None:
        events: list[str] = []

        class Server(EchoServer):
            def handle_stream(self, stream: IOStream, address: Any) -> Any:
                events.append("accepted")
                return super().handle_stream(stream, address)

        sock, port = bind_unused_port()
        server = Server()
        server.add_socket(sock)
        for size in (None, 100):
            events.clear()
            self.io_loop.add_callback(self.in_turns, 3, lambda: events.append("the third turn"))
            stream = await TCPClient().connect("127.0.0.1", port, timeout=10, max_buffer_size=size)
            self.assertEqual(events, ["accepted"])
            self.assertEqual(stream.max_buffer_size, size or 104857600)
            await stream.write(b"hi\n")
            self.assertEqual(await stream.read_until_close(), b"hi\n")
            self.assertEqual(events, ["accepted", "the third turn"])
        server.stop()

    def in_turns(self, count: int, callback: Callable[[], object]) -> None:
        if count == 1:
            callback()
        else:
            self.io_loop.add_callback(self.in_turns, count - 1, callback)

    async def test_the_address_that_a_client_comes_from(self) -> None:
        sock, port = bind_unused_port()
        sock.listen()
        stream = await TCPClient().connect("127.0.0.1", port, source_ip="127.0.0.5", source_port=4321)
        self.assertEqual(sock.accept()[1], ("127.0.0.5", 4321))
        stream.close()
        sock.close()

    async def test_a_client_that_is_cancelled_while_it_connects_is_closed(self) -> None:
        sock, port = bind_unused_port()
        sock.listen()
        connecting = asyncio.ensure_future(TCPClient().connect("127.0.0.1", port))
        await asyncio.sleep(0)
        connecting.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await connecting
        self.assertEqual(sock.accept()[0].recv(1), b"")
        sock.close()

    async def test_a_socket_that_the_test_has_made(self) -> None:
        server = EchoServer()
        sock, port = bind_unused_port()
        server.add_socket(sock)
        stream = IOStream(socket.socket())
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await stream.connect(("127.0.0.1", port))
        self.assertIsInstance(stream.socket, VirtualSocket)
        self.assertEqual(stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1)
        await stream.write(b"hi\n")
        self.assertEqual(await stream.read_until_close(), b"hi\n")
        server.stop()

    async def test_a_stream_that_has_a_close_callback_before_it_is_connected(self) -> None:
        server = EchoServer()
        sock, port = bind_unused_port()
        server.add_socket(sock)
        closed = asyncio.Event()
        own = socket.socket()
        stream = IOStream(own)
        stream.set_close_callback(closed.set)
        await stream.connect(("127.0.0.1", port))
        self.assertEqual(own.getpeername(), ("127.0.0.1", port))
        await stream.write(b"hi\n")
        self.assertEqual(await stream.read_until(b"\n"), b"hi\n")
        await closed.wait()
        server.stop()

    async def test_sockets_that_share_a_port(self) -> None:
        first, port = bind_unused_port(reuse_port=True)
        server = EchoServer()
        server.listen(port, "127.0.0.1", reuse_port=True)
        with self.assertRaises(OSError):
            EchoServer().listen(port, "127.0.0.1")
        first.close()
        stream = await TCPClient().connect("127.0.0.1", port)
        await stream.write(b"hi\n")
        self.assertEqual(await stream.read_until_close(), b"hi\n")
        server.stop()

    async def test_servers_and_clients_of_asyncio(self) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hi\n")
        self.assertEqual(await reader.read(), b"hi\n")
        writer.close()
        await writer.wait_closed()
        server.close()

    async def test_a_port_where_nothing_listens(self) -> None:
        sock, port = bind_unused_port()
        sock.close()
        with self.assertRaises(StreamClosedError) as caught:
            await TCPClient().connect("127.0.0.1", port)
        self.assertIsInstance(caught.exception.real_error, ConnectionRefusedError)

    async def test_an_address_that_a_server_cannot_have(self) -> None:
        for address, family, error in (
            ("192.0.2.1", socket.AF_UNSPEC, OSError),
            ("no-such-host.invalid", socket.AF_UNSPEC, socket.gaierror),
            ("127.0.0.1", socket.AF_INET6, socket.gaierror),
        ):
            with self.subTest(address), self.assertRaises(error):
                netutil.bind_sockets(0, address, family)
        with self.assertRaises(OSError):
            await asyncio.start_server(lambda *args: None, "192.0.2.1", 0)

    async def test_an_idle_client_notices_its_end(self) -> None:
        sock, port = bind_unused_port()
        stream = await TCPClient().connect("127.0.0.1", port)
        sock.accept()[0].close()
        await asyncio.sleep(0.001)
        self.assertTrue(stream.closed())
        sock.close()

    async def test_functions_that_a_test_has_replaced_are_called(self) -> None:
        def fail(first: Any, *args: Any, **kwargs: Any) -> None:
            if isinstance(first, IOStream | socket.SocketType):
                first.close()
            raise OSError("mocked")

        sock, port = bind_unused_port()
        targets: list[tuple[Any, str]] = [(IOStream, "connect"), (TCPClient, "_create_stream")]
        if tornado.version_info >= (6, 6):  # older versions look for the stream that could not be made
            targets += [(tcpclient, "IOStream"), (socket, "socket")]
        for target, name in targets:
            fails = self.assertRaisesRegex(OSError, "mocked")
            with self.subTest(name), mock.patch.object(target, name, fail), fails:
                await TCPClient().connect("127.0.0.1", port)
        sock.close()

    async def test_the_sockets_of_all_interfaces(self) -> None:
        sockets = bind_sockets(0)
        self.assertEqual({sock.getsockname()[1] for sock in sockets}, {sockets[0].getsockname()[1]})
        self.assertEqual([sock.family for sock in sockets], [socket.AF_INET, socket.AF_INET6])
        for sock in sockets:
            sock.close()


class EndTest(AsyncTestCase):
    def test_nothing_of_it_stays(self) -> None:
        class Sample(AsyncTestCase):
            network_factory = VirtualNetwork

            def test(self) -> None:
                case.assertIs(current(), self.network)

        case = self
        self.assertEqual(run_case(Sample).report, "")
        self.assertIsNone(current())

    def test_a_test_that_is_debugged_and_fails_leaves_nothing_to_the_next_one(self) -> None:
        class Sample(AsyncTestCase):
            network_factory = VirtualNetwork

            def test(self) -> None:
                raise ValueError("planted")

            def test_next(self) -> None:
                pass

        sample = Sample("test")
        with self.assertRaisesRegex(ValueError, "planted"):
            sample.debug()
        del sample
        self.assertEqual(run_case(Sample, "test_next").report, "")

    def test_a_factory_that_makes_no_network(self) -> None:
        cls = type("Sample", (AsyncTestCase,), {"network_factory": dict})
        report = run_body(cls, lambda case: None).report
        self.assertIn("The class attribute network_factory cannot be <class 'dict'>: it returned {}. Set it to", report)

    def test_a_loop_that_cannot_have_it(self) -> None:
        class Loop(asyncio.SelectorEventLoop):
            def __init__(self) -> None:
                super().__init__(Selector())

        class Selector(selectors.SelectSelector):
            pass

        cls = type("Sample", (AsyncTestCase,), {"network_factory": VirtualNetwork, "loop_factory": Loop})
        self.assertIn("TypeError: A VirtualNetwork cannot carry", run_body(cls, lambda case: None).report)
