import socket
import sys
import unittest
import warnings

from asynctest_tornado import bind_unused_port


class BindUnusedPortTest(unittest.TestCase):
    def test_the_socket_listens_on_the_port(self) -> None:
        sock, port = bind_unused_port()
        self.addCleanup(sock.close)
        with socket.create_connection(("127.0.0.1", port)):
            self.assertEqual(sock.getsockname(), ("127.0.0.1", port))

    def test_no_port_is_given_twice(self) -> None:
        pairs = [bind_unused_port() for _ in range(10)]
        for sock, _ in pairs:
            self.addCleanup(sock.close)
        self.assertEqual(len({port for _, port in pairs}), 10)

    @unittest.skipUnless(sys.platform == "linux", "elsewhere, only 127.0.0.1 is there")
    def test_another_address_can_be_asked_for(self) -> None:
        sock, port = bind_unused_port(address="127.0.0.2")
        self.addCleanup(sock.close)
        self.assertEqual(sock.getsockname(), ("127.0.0.2", port))

    def test_an_address_of_another_machine_is_an_error(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # Tornado leaves the socket to the garbage collector
            with self.assertRaises(OSError):
                bind_unused_port(address="192.0.2.1")

    @unittest.skipUnless(hasattr(socket, "SO_REUSEPORT"), "the platform cannot share ports")
    def test_a_shared_port_can_be_bound_again(self) -> None:
        sock, port = bind_unused_port(reuse_port=True)
        self.addCleanup(sock.close)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            other.bind(("127.0.0.1", port))
