"""The loop's own methods for clients, servers and sockets, in memory."""

import asyncio
import contextlib
import errno
import socket
import tempfile
from collections.abc import AsyncIterator
from typing import Any
from unittest import mock

from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer

from asynctest_tornado import AsyncTestCase, VirtualNetwork, bind_unused_port
from asynctest_tornado._network.virtual_socket import FIRST, VirtualSocket


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back all that comes."""
    writer.write(await reader.read())
    writer.close()


class LineServer(TCPServer):
    """Answers a line with the address of the client."""

    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        with contextlib.suppress(StreamClosedError):
            await stream.read_until(b"\n")
            await stream.write(f"{address[0]}:{address[1]}\n".encode())


class InMemory(AsyncTestCase):
    network_factory = VirtualNetwork
    leaks = "fail"

    @contextlib.asynccontextmanager
    async def server(self, host: Any = "127.0.0.1") -> AsyncIterator[int]:
        """Serve `answer`; give the port."""
        server = await asyncio.start_server(answer, host, 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    async def check(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hi")
        writer.write_eof()
        self.assertEqual(await reader.read(), b"hi")
        writer.close()
        await writer.wait_closed()


class ServersTest(InMemory):
    async def test_several_hosts(self) -> None:
        server = await asyncio.start_server(answer, ["127.0.0.1", "::1", "127.0.0.1"], 0)
        names = [sock.getsockname() for sock in server.sockets]
        self.assertEqual([name[0] for name in names], ["127.0.0.1", "::1"])
        for host, port, *_ in names:
            await self.check(*await asyncio.open_connection(host, port))
        server.close()

    async def test_all_interfaces(self) -> None:
        for host in (None, ""):
            server = await asyncio.start_server(answer, host, 0)
            self.assertEqual(len(server.sockets), 2)
            for sock, local in zip(server.sockets, ("127.0.0.1", "::1"), strict=True):
                await self.check(*await asyncio.open_connection(local, sock.getsockname()[1]))
            server.close()

    async def test_one_family(self) -> None:
        server = await asyncio.start_server(answer, None, 0, family=socket.AF_INET)
        self.assertEqual([sock.family for sock in server.sockets], [socket.AF_INET])
        server.close()

    async def test_a_server_that_starts_later(self) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, start_serving=False)
        port = server.sockets[0].getsockname()[1]
        self.assertFalse(server.is_serving())
        with self.assertRaises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await server.start_serving()
        await self.check(*await asyncio.open_connection("127.0.0.1", port))
        server.close()

    async def test_a_server_that_is_closed(self) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        server.close()
        with self.assertRaises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await self.check(reader, writer)  # which was accepted before
        await server.wait_closed()
        self.assertEqual(server.sockets, ())

    async def test_a_server_for_ever(self) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, start_serving=False)
        task = asyncio.create_task(server.serve_forever())
        await asyncio.sleep(0)
        await self.check(*await asyncio.open_connection(*server.sockets[0].getsockname()))
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def test_a_port_that_is_taken(self) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 4000)
        with self.assertRaises(OSError) as caught:
            await asyncio.start_server(answer, ["::1", "127.0.0.1"], 4000)
        self.assertEqual(caught.exception.errno, errno.EADDRINUSE)
        self.assertIn("error while attempting to bind on address ('127.0.0.1', 4000)", str(caught.exception))
        server.close()
        again = await asyncio.start_server(answer, ["::1", "127.0.0.1"], 4000)
        again.close()

    async def test_a_virtual_socket_that_is_given(self) -> None:
        sock, port = bind_unused_port()
        server = await asyncio.start_server(answer, sock=sock)
        await self.check(*await asyncio.open_connection("127.0.0.1", port))
        server.close()

    async def test_arguments_that_asyncio_refuses(self) -> None:
        with self.assertRaises(ValueError):
            await asyncio.start_server(answer)
        with self.assertRaises(TypeError):
            await asyncio.start_server(answer, "127.0.0.1", 0, ssl=True)
        # Its socket is not left open.
        server = await asyncio.start_server(answer, "127.0.0.1", 4000)
        server.close()


class ClientsTest(InMemory):
    async def test_a_name(self) -> None:
        async with self.server() as port:
            await self.check(*await asyncio.open_connection("localhost", port))
            self.assertIsNone(self.io_loop.asyncio_loop._default_executor)  # type: ignore[attr-defined]

    async def test_the_address_of_the_client(self) -> None:
        server = LineServer()
        server.listen(4000, "127.0.0.1")
        reader, writer = await asyncio.open_connection("127.0.0.1", 4000, local_addr=("127.0.0.1", 0))
        host, port = writer.get_extra_info("sockname")
        writer.write(b"\n")
        self.assertEqual(await reader.readline(), f"{host}:{port}\n".encode())
        writer.close()
        stream = await TCPClient().connect("127.0.0.1", 4000, source_ip="127.0.0.2")
        await stream.write(b"\n")
        self.assertTrue((await stream.read_until(b"\n")).startswith(b"127.0.0.2:"))
        stream.close()
        server.stop()

    async def test_several_addresses_at_the_same_time(self) -> None:
        async with self.server("127.0.0.1") as port:
            await self.check(*await asyncio.open_connection("localhost", port, happy_eyeballs_delay=0.01))
        async with self.server("127.0.0.1") as port:
            # As on a machine whose name has two addresses.
            infos = [
                (socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::1", port, 0, 0)),
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)),
            ]
            with mock.patch("socket.getaddrinfo", return_value=infos):
                await self.check(*await asyncio.open_connection("two.example", port, happy_eyeballs_delay=0.01))

    async def test_an_accepted_socket(self) -> None:
        listener, port = bind_unused_port()
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        connection, address = await loop.sock_accept(listener)
        self.assertIsInstance(connection, VirtualSocket)
        self.assertEqual(address, writer.get_extra_info("sockname"))
        served = asyncio.StreamReader()
        transport, _ = await loop.connect_accepted_socket(
            lambda: asyncio.StreamReaderProtocol(served, answer), sock=connection
        )
        await self.check(reader, writer)
        transport.close()
        listener.close()


class RawSocketsTest(InMemory):
    """Sockets that user code has made, connected in memory, and keeps."""

    @contextlib.asynccontextmanager
    async def connected(self, cls: type[socket.socket] = socket.socket) -> AsyncIterator[tuple[socket.socket, Any]]:
        """Give a connected socket, and the other end."""
        loop = asyncio.get_running_loop()
        listener, port = bind_unused_port()
        with contextlib.closing(listener), contextlib.closing(cls()) as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, ("localhost", port))
            other, _ = await loop.sock_accept(listener)
            with contextlib.closing(other):
                yield sock, other

    async def test_the_methods_of_the_loop(self) -> None:
        loop = asyncio.get_running_loop()
        async with self.connected() as (sock, other):
            await loop.sock_sendall(sock, bytes(1_000))
            self.assertEqual(await loop.sock_recv(other, 10_000), bytes(1_000))
            receiving = asyncio.create_task(loop.sock_recv(sock, 10))
            await asyncio.sleep(0)
            await loop.sock_sendall(other, b"later")
            self.assertEqual(await receiving, b"later")
            await loop.sock_sendall(other, b"again")
            buffer = bytearray(10)
            self.assertEqual(await loop.sock_recv_into(sock, buffer), 5)
            self.assertEqual(buffer[:5], b"again")

    async def test_more_than_the_other_end_reads_at_once(self) -> None:
        loop = asyncio.get_running_loop()
        async with self.connected() as (sock, other):
            sending = asyncio.create_task(loop.sock_sendall(sock, bytes(3_000_000)))
            received = 0
            while received < 3_000_000:
                received += len(await loop.sock_recv(other, 1_000_000))
            await sending

    async def test_its_own_methods(self) -> None:
        async with self.connected() as (sock, other):
            self.assertEqual(sock.getpeername(), other.getsockname())
            self.assertEqual(sock.getsockname(), other.getpeername())
            self.assertEqual(sock.send(b"hi"), 2)
            self.assertEqual(other.recv(9), b"hi")
            with self.assertRaises(BlockingIOError):
                sock.recv(9)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.assertEqual(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), 1)
            self.assertGreaterEqual(sock.fileno(), FIRST)
            self.assertIsInstance(sock, socket.socket)
            self.assertIn("laddr=('127.0.0.1', ", repr(sock))

    async def test_a_socket_that_is_closed(self) -> None:
        async with self.connected() as (sock, other):
            sock.close()
            self.assertEqual(other.recv(9), b"")
            self.assertEqual(sock.fileno(), -1)

    async def test_a_socket_that_is_dropped(self) -> None:
        loop = asyncio.get_running_loop()
        dropped = socket.socket()
        dropped.setblocking(False)
        listener, port = bind_unused_port()
        await loop.sock_connect(dropped, ("127.0.0.1", port))
        other, _ = await loop.sock_accept(listener)
        listener.close()
        del dropped
        self.assertEqual(await loop.sock_recv(other, 9), b"")
        other.close()

    async def test_a_class_of_the_user(self) -> None:
        class Named(socket.socket):
            name = "of the user"

        async with self.connected(Named) as (sock, other):
            assert isinstance(sock, Named)
            sock.name += f", to {other.getsockname()}"
            self.assertIn("of the user, to ('127.0.0.1', ", sock.name)

    async def test_a_transport_for_it(self) -> None:
        loop = asyncio.get_running_loop()
        async with self.server() as port:
            with socket.socket() as sock:
                sock.setblocking(False)
                await loop.sock_connect(sock, ("127.0.0.1", port))
                reader, writer = await asyncio.open_connection(sock=sock)
                self.assertEqual(writer.get_extra_info("peername"), ("127.0.0.1", port))
                await self.check(reader, writer)

    async def test_a_refused_connection(self) -> None:
        listener, port = bind_unused_port()
        listener.close()
        with socket.socket() as sock:
            sock.setblocking(False)
            with self.assertRaises(ConnectionRefusedError):
                await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))


class FilesTest(InMemory):
    async def test_sendfile(self) -> None:
        content = bytes(range(256)) * 4_000
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.flush()
            async with self.server() as port:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                file.seek(0)
                sending = asyncio.create_task(asyncio.get_running_loop().sendfile(writer.transport, file))
                self.assertEqual(await sending, len(content))
                writer.write_eof()
                self.assertEqual(await reader.read(), content)
                writer.close()

    async def test_sock_sendfile(self) -> None:
        loop = asyncio.get_running_loop()
        listener, port = bind_unused_port()
        with tempfile.TemporaryFile() as file, contextlib.closing(listener), socket.socket() as sock:
            file.write(b"content")
            file.flush()
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", port))
            self.assertEqual(await loop.sock_sendfile(sock, file, 1), 6)
            other, _ = await loop.sock_accept(listener)
            self.assertEqual(await loop.sock_recv(other, 99), b"ontent")
            other.close()
            with self.assertRaises(asyncio.SendfileNotAvailableError):
                await loop.sock_sendfile(sock, file, fallback=False)


class SystemTest(InMemory):
    """Sockets that user code has made without this library and Tornado: they belong to the system."""

    async def test_a_listening_socket_of_the_user(self) -> None:
        sock = socket.create_server(("127.0.0.1", 0))
        sock.setblocking(False)
        server = LineServer()
        server.add_socket(sock)
        for host in ("127.0.0.1", "localhost"):
            stream = await TCPClient().connect(host, sock.getsockname()[1])
            await stream.write(b"\n")
            self.assertTrue((await stream.read_until(b"\n")).startswith(b"127.0.0.1:"))
            stream.close()
        server.stop()

    async def test_a_listening_socket_of_the_user_for_asyncio(self) -> None:
        sock = socket.create_server(("127.0.0.1", 0))
        server = await asyncio.start_server(answer, sock=sock)
        await self.check(*await asyncio.open_connection(*sock.getsockname()))
        server.close()

    async def test_datagrams(self) -> None:
        loop = asyncio.get_running_loop()
        received = loop.create_future()

        class Protocol(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, address: Any) -> None:
                received.set_result(data)

        transport, _ = await loop.create_datagram_endpoint(Protocol, ("127.0.0.1", 0))
        client, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=transport.get_extra_info("sockname")
        )
        client.sendto(b"hi")
        self.assertEqual(await received, b"hi")
        transport.close()
        client.close()

    async def test_unix_sockets(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            server = await asyncio.start_unix_server(answer, f"{folder}/s")
            await self.check(*await asyncio.open_unix_connection(f"{folder}/s"))
            server.close()
