import contextlib
import io
import socket
import threading
import unittest
import urllib.request
from typing import Any
from unittest import mock

from tornado import web

from asynctest_tornado import AsyncHTTPTestCase, bind_unused_port
from asynctest_tornado._timeouts import blocked_servers, deadlock, watchdog
from tests.support import RecordingResult, run_body

_HINT = "is on the event loop of this thread, which the client blocks. Use fetch()"
_LIMIT = "timed out after 0.01 seconds (the class attribute async_test_timeout)"


class _Served(AsyncHTTPTestCase):
    async_test_timeout = 0.01

    def get_app(self) -> web.Application:
        return web.Application()


def open_url(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:
        body: bytes = response.read()
    return body


class _Looks:
    """Stands in for the look at the thread, and records that it was called."""

    def __init__(self, count: int) -> None:
        self.have_come = threading.Event()
        self._left = count
        self._look = blocked_servers._waiting
        self.found: list[Any] = []

    def __call__(self, harness: Any, stack: Any) -> Any:
        result = self._look(harness, stack)
        self.found.append(result)
        self._left -= 1
        if self._left <= 0:
            self.have_come.set()
        return result


class BlockedServerTest(unittest.TestCase):
    def run_alone(self, body: Any, may_others_act: bool = False) -> RecordingResult:
        """Run a test as if no other code of this process could act, or as if some could."""
        with mock.patch.object(deadlock, "may_others_act", return_value=may_others_act):
            return run_body(_Served, body)

    def test_a_client_without_a_time_limit_is_interrupted(self) -> None:
        """The report has the limit, the advice, one traceback, and ends at the last line of the user."""
        result = self.run_alone(lambda case: open_url(case.get_url("/")))
        self.assertEqual(result.verdicts, ["addError"])
        self.assertIn(f"TimeoutError: {_LIMIT}", result.report)
        self.assertIn(_HINT, result.report)
        self.assertEqual(result.report.count("Traceback"), 1, result.report)
        self.assertIn(f"in {open_url.__name__}", result.report)
        self.assertNotIn("socket.py", result.report)

    def test_the_port_is_enough(self) -> None:
        result = self.run_alone(lambda case: open_url(f"http://127.0.0.1:{case.get_http_port()}/"))
        self.assertIn(_HINT, result.report)

    def test_a_raw_socket_in_a_file_object(self) -> None:
        def body(case: Any) -> None:
            with (
                socket.create_connection(("127.0.0.1", case.get_http_port())) as sock,
                sock.makefile("rb") as file,
            ):
                file.readline()

        self.assertIn(_LIMIT, self.run_alone(body).report)

    def test_a_client_with_a_time_limit_is_left_alone(self) -> None:
        looks = _Looks(1)

        def body(case: Any) -> None:
            with self.assertRaises(TimeoutError) as caught:
                urllib.request.urlopen(case.get_url("/"), timeout=1)
            self.assertNotIn(_LIMIT, str(caught.exception))

        with mock.patch.object(blocked_servers, "_waiting", looks):
            self.assertEqual(self.run_alone(body).verdicts, ["addSuccess"])
        self.assertTrue(looks.found)
        self.assertEqual(set(looks.found), {None})

    def test_a_slow_server_elsewhere_is_waited_for(self) -> None:
        listening, port = bind_unused_port()
        self.addCleanup(listening.close)
        listening.setblocking(True)
        looks = _Looks(2)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                looks.have_come.wait()
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nslow")

        def body(case: Any) -> None:
            case.get_http_port()
            self.assertEqual(open_url(f"http://127.0.0.1:{port}/"), b"slow")

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)
        with mock.patch.object(blocked_servers, "_waiting", looks):
            self.assertEqual(self.run_alone(body).verdicts, ["addSuccess"])

    def test_other_synchronous_code_takes_as_long_as_it_likes(self) -> None:
        looks = _Looks(3)

        def body(case: Any) -> None:
            case.get_url("/")
            looks.have_come.wait()

        with mock.patch.object(blocked_servers, "_waiting", looks):
            self.assertEqual(self.run_alone(body).verdicts, ["addSuccess"])

    def test_if_other_code_can_act_the_advice_is_printed(self) -> None:
        """Another thread could answer: here, it ends the connection when it reads the advice."""
        sockets: list[socket.socket] = []

        class Reader(io.StringIO):
            def flush(self) -> None:
                sockets[0].shutdown(socket.SHUT_RD)

        def body(case: Any) -> None:
            with socket.create_connection(("127.0.0.1", case.get_http_port())) as sock, sock.makefile("rb") as file:
                sockets.append(sock)
                self.assertEqual(file.readline(), b"")

        with contextlib.redirect_stderr(Reader()) as printed:
            self.assertEqual(self.run_alone(body, may_others_act=True).verdicts, ["addSuccess"])
        self.assertIn(_HINT, printed.getvalue())
        self.assertIn("file.readline()", printed.getvalue())
        self.assertEqual(printed.getvalue().count(_HINT), 1)

    def test_requests_of_the_test_case_need_no_watch(self) -> None:
        class Served(AsyncHTTPTestCase):
            def get_app(self) -> web.Application:
                return web.Application()

        def body(case: Any) -> None:
            case.fetch("/")
            self.assertEqual(watches(), [])
            case.get_url("/")
            self.assertEqual(len(watches()), 1)

        def watches() -> list[Any]:
            return [each for each in watchdog._watches if isinstance(each, blocked_servers._Watch)]

        self.assertEqual(run_body(Served, body).verdicts, ["addSuccess"])
        self.assertEqual(watches(), [])
