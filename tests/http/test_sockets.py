import errno
import socket
import sys
import unittest
import warnings

from asynctest_tornado import bind_unused_port
from asynctest_tornado._http import sockets


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

    def test_an_address_may_be_of_version_6(self) -> None:
        sock, port = bind_unused_port(address="::1")
        self.addCleanup(sock.close)
        self.assertEqual(sock.getsockname()[:2], ("::1", port))

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


class BindTest(unittest.TestCase):
    def test_a_port_in_use_is_an_error_that_names_it(self) -> None:
        taken, port = bind_unused_port()
        self.addCleanup(taken.close)
        with self.assertRaisesRegex(OSError, f"on port {port} of 127.0.0.1: .*in use. Give port=0") as caught:
            sockets.bind("127.0.0.1", port)
        self.assertEqual(caught.exception.errno, errno.EADDRINUSE)

    def test_an_address_that_others_can_reach_is_an_error(self) -> None:
        for address in "0.0.0.0", "::", "192.0.2.1", "example.com", "":
            with self.assertRaisesRegex(ValueError, f"does not listen on '{address}'.*Give 127.0.0.1"):
                sockets.bind(address, 0)

    def test_an_address_of_this_machine_is_good(self) -> None:
        for address in "127.0.0.1", "::1":
            sock = sockets.bind(address, 0)
            self.addCleanup(sock.close)
            self.assertEqual(sock.getsockname()[0], address)

    @unittest.skipUnless(hasattr(socket, "AF_UNIX"), "the platform has no such sockets")
    def test_a_path_where_no_socket_can_be_is_an_error_that_names_it(self) -> None:
        for path in "/no/such/folder/socket", "/" + "long" * 100:
            with self.assertRaisesRegex(OSError, f"on the Unix-domain socket '{path}': .* Give a short path"):
                sockets.bind_unix(path)
        with self.assertRaisesRegex(ValueError, "a null character is in the middle of it. Take it out"):
            sockets.bind_unix("/tmp/\0socket")
