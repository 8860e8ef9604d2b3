"""Virtual sockets: the bytes, the ends and the errors are those of a connection over loopback."""

import contextlib
import errno
import select
import socket
import struct
import unittest
from collections.abc import Callable
from typing import Any

from asynctest_tornado import VirtualNetwork
from asynctest_tornado._network.pipe import CAPACITY
from asynctest_tornado._network.virtual_socket import FIRST, READ, WRITE, VirtualSocket, by_number


class Connection:
    """Two connected ends, in memory or by the system."""

    def __init__(self, is_virtual: bool) -> None:
        network = VirtualNetwork()
        self._make: Callable[[], Any] = (lambda: VirtualSocket(network)) if is_virtual else socket.socket
        self.is_virtual = is_virtual
        self.listener = self.make()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.client = self.make()
        self.begun = self.client.connect_ex(self.listener.getsockname())
        self.wait(self.listener)
        self.server, self.address = self.listener.accept()
        self.server.setblocking(False)

    def make(self) -> Any:
        sock = self._make()
        sock.setblocking(False)
        return sock

    def wait(self, sock: Any) -> None:
        """Wait until a socket of the system can be read: its bytes are on their way."""
        if not self.is_virtual:
            select.select([sock], [], [])

    def close(self) -> None:
        for sock in (self.listener, self.client, self.server):
            sock.close()


class LikeTheSystemTest(unittest.TestCase):
    """Each test runs on sockets in memory, and on sockets of the system."""

    def each(self, func: Callable[[Connection], object]) -> None:
        for is_virtual in (False, True):
            with self.subTest(is_virtual=is_virtual), contextlib.closing(Connection(is_virtual)) as connection:
                func(connection)

    def raises(self, number: int, func: Callable[..., object], *args: Any) -> None:
        with self.assertRaises(OSError) as caught:
            func(*args)
        self.assertEqual(caught.exception.errno, number, errno.errorcode[caught.exception.errno or 0])

    def test_addresses(self) -> None:
        def check(c: Connection) -> None:
            self.assertEqual(c.begun, errno.EINPROGRESS)
            self.assertEqual(c.client.getpeername(), c.listener.getsockname())
            self.assertEqual(c.server.getpeername(), c.client.getsockname())
            self.assertEqual(c.address, c.client.getsockname())
            self.assertEqual(c.client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)

        self.each(check)

    def test_bytes_both_ways(self) -> None:
        def check(c: Connection) -> None:
            self.assertEqual(c.client.send(b"abc"), 3)
            self.assertEqual(c.client.sendmsg([b"d", b"ef"]), 3)
            self.wait_for(c, c.server, 6)
            buffer = bytearray(4)
            self.assertEqual(c.server.recv_into(buffer), 4)
            self.assertEqual(bytes(buffer) + c.server.recv(9), b"abcdef")
            self.raises(errno.EAGAIN, c.server.recv, 9)
            c.server.send(memoryview(b"x"))
            c.wait(c.client)
            self.assertEqual(c.client.recv(9), b"x")

        self.each(check)

    def wait_for(self, connection: Connection, sock: Any, size: int) -> None:
        if not connection.is_virtual:
            while len(sock.recv(size, socket.MSG_PEEK)) < size:
                connection.wait(sock)

    def test_an_end_that_is_closed(self) -> None:
        def check(c: Connection) -> None:
            c.server.send(b"last")
            c.server.close()
            c.wait(c.client)
            self.assertEqual((c.client.recv(9), c.client.recv(9), c.client.recv(9)), (b"last", b"", b""))
            self.assertEqual(c.client.send(b"x"), 1)  # the answer is a reset
            c.wait(c.client)
            self.raises(errno.EPIPE, c.client.send, b"y")
            self.assertEqual(c.client.recv(9), b"")

        self.each(check)

    def test_an_end_that_is_closed_with_bytes_unread(self) -> None:
        def check(c: Connection) -> None:
            c.client.send(b"unread")
            c.wait(c.server)
            c.server.close()
            c.wait(c.client)
            self.raises(errno.ECONNRESET, c.client.recv, 9)
            self.assertEqual(c.client.recv(9), b"")

        self.each(check)

    def test_not_all_of_a_long_message_to_an_end_that_is_closed_is_sent(self) -> None:
        def check(c: Connection) -> None:
            message = bytes(100_000_000)
            c.server.close()
            self.assertLess(c.client.send(message), len(message))
            with self.assertRaises(OSError):
                c.client.send(message)

        self.each(check)

    def test_the_error_of_a_connection_that_was_reset_is_reported_once(self) -> None:
        def check(c: Connection) -> None:
            c.client.send(b"unread")
            c.wait(c.server)
            c.server.close()
            c.wait(c.client)
            self.assertEqual(c.client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), errno.ECONNRESET)
            self.assertEqual(c.client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)
            self.assertEqual(c.client.recv(10), b"")

        self.each(check)

    def test_a_message_after_a_reset(self) -> None:
        def check(c: Connection) -> None:
            c.client.send(b"unread")
            c.wait(c.server)
            c.server.close()
            c.wait(c.client)
            self.raises(errno.ECONNRESET, c.client.send, b"more")
            self.raises(errno.EPIPE, c.client.send, b"more")

        self.each(check)

    def test_half_of_a_connection_that_is_shut_down(self) -> None:
        def check(c: Connection) -> None:
            c.client.send(b"question")
            c.client.shutdown(socket.SHUT_WR)
            self.raises(errno.EPIPE, c.client.send, b"x")
            self.wait_for(c, c.server, 8)
            self.assertEqual((c.server.recv(99), c.server.recv(99)), (b"question", b""))
            c.server.send(b"answer")
            c.wait(c.client)
            self.assertEqual(c.client.recv(99), b"answer")

        self.each(check)

    def test_an_end_that_does_not_read(self) -> None:
        def check(c: Connection) -> None:
            with self.assertRaises(BlockingIOError):
                while True:
                    c.client.send(bytes(CAPACITY))
            self.assertIn(c.server.recv(1), b"\0")
            c.wait(c.server)

        self.each(check)

    def test_the_name_of_this_machine(self) -> None:
        def check(c: Connection) -> None:
            with contextlib.closing(c.make()) as client:
                client.connect_ex(("localhost", c.listener.getsockname()[1]))
                self.assertEqual(client.getpeername(), c.listener.getsockname())

        self.each(check)

    def test_a_port_where_nothing_listens(self) -> None:
        def check(c: Connection) -> None:
            address = c.listener.getsockname()
            c.listener.close()
            sock = c.make()
            with contextlib.closing(sock):
                self.assertEqual(sock.connect_ex(address), errno.EINPROGRESS)
                if not c.is_virtual:
                    select.select([], [sock], [])
                self.assertEqual(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), errno.ECONNREFUSED)
                self.assertEqual(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)
                self.raises(errno.ENOTCONN, sock.getpeername)

        self.each(check)

    def test_a_port_that_is_taken(self) -> None:
        def check(c: Connection) -> None:
            with contextlib.closing(c.make()) as sock:
                self.raises(errno.EADDRINUSE, sock.bind, c.listener.getsockname())

        self.each(check)

    def test_a_port_that_is_taken_on_one_of_all_addresses(self) -> None:
        def check(c: Connection) -> None:
            port = c.listener.getsockname()[1]
            with contextlib.closing(c.make()) as sock:
                self.raises(errno.EADDRINUSE, sock.bind, ("", port))
            c.listener.close()
            with contextlib.closing(c.make()) as everywhere, contextlib.closing(c.make()) as sock:
                everywhere.bind(("", 0))
                everywhere.listen()
                self.raises(errno.EADDRINUSE, sock.bind, ("127.0.0.1", everywhere.getsockname()[1]))

        self.each(check)

    def test_a_client_of_all_addresses(self) -> None:
        def check(c: Connection) -> None:
            with contextlib.closing(c.make()) as client:
                client.connect_ex(("0.0.0.0", c.listener.getsockname()[1]))
                self.assertEqual(client.getpeername(), c.listener.getsockname())

        self.each(check)

    def test_bytes_that_are_looked_at(self) -> None:
        def check(c: Connection) -> None:
            with self.assertRaises(BlockingIOError):
                c.server.recv(9, socket.MSG_PEEK)
            c.client.sendall(b"abc")
            c.wait(c.server)
            self.assertEqual(c.server.recv(2, socket.MSG_PEEK), b"ab")
            self.assertEqual(c.server.recv(9), b"abc")

        self.each(check)

    def test_a_socket_that_does_not_linger_resets_its_connection(self) -> None:
        def check(c: Connection) -> None:
            c.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.client.close()
            c.wait(c.server)
            self.raises(errno.ECONNRESET, c.server.recv, 9)

        self.each(check)

    def test_options(self) -> None:
        def check(c: Connection) -> None:
            self.assertGreater(c.client.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF), 0)
            self.assertEqual(len(c.client.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)), 8)
            self.assertEqual(c.client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), 0)
            c.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.assertEqual(c.client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), 1)

        self.each(check)

    def test_a_socket_that_is_closed(self) -> None:
        def check(c: Connection) -> None:
            c.client.close()
            c.client.close()
            self.assertEqual(c.client.fileno(), -1)
            for name, args in ("send", (b"x",)), ("recv", (9,)), ("getpeername", ()), ("listen", ()):
                self.raises(errno.EBADF, getattr(c.client, name), *args)

        self.each(check)

    def test_a_listener_that_is_closed_resets_those_that_wait(self) -> None:
        def check(c: Connection) -> None:
            with contextlib.closing(c.make()) as sock:
                sock.connect_ex(c.listener.getsockname())
                c.wait(c.listener)
                c.listener.close()
                c.wait(sock)
                self.raises(errno.ECONNRESET, sock.recv, 9)

        self.each(check)


class ReadinessTest(unittest.TestCase):
    def setUp(self) -> None:
        self.connection = Connection(is_virtual=True)
        self.addCleanup(self.connection.close)

    def test_an_end_is_ready_to_be_written_until_the_other_one_has_too_much_to_read(self) -> None:
        client = self.connection.client
        self.assertEqual(client.ready(), WRITE)
        client.send(bytes(CAPACITY))
        self.assertEqual(client.ready(), 0)
        self.connection.server.recv(1)
        self.assertEqual(client.ready(), WRITE)

    def test_an_end_is_ready_to_be_read_as_long_as_there_are_bytes(self) -> None:
        server = self.connection.server
        self.connection.client.send(b"ab")
        self.assertEqual(server.ready(), READ | WRITE)
        server.recv(1)
        self.assertEqual(server.ready(), READ | WRITE)
        server.recv(1)
        self.assertEqual(server.ready(), WRITE)

    def test_a_change_is_told(self) -> None:
        changes = []
        self.connection.server.watch(lambda: changes.append(self.connection.server.ready()))
        self.connection.client.send(b"ab")
        self.connection.client.close()
        self.assertEqual(changes[0], READ | WRITE)

    def test_the_numbers_are_no_files(self) -> None:
        number = self.connection.client.fileno()
        self.assertGreaterEqual(number, FIRST)
        self.assertIs(by_number[number], self.connection.client)
        self.connection.client.close()
        self.assertNotIn(number, by_number)

    def test_a_socket_that_is_dropped_is_closed(self) -> None:
        self.connection.client.send(b"x")
        self.connection.client = self.connection.make()
        self.assertEqual((self.connection.server.recv(9), self.connection.server.recv(9)), (b"x", b""))

    def test_a_socket_is_not_closed_at_the_end_of_the_process_when_its_modules_may_be_gone(self) -> None:
        self.connection.client.__del__(lambda: True)
        self.assertNotEqual(self.connection.client.fileno(), -1)
