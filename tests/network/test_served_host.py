"""Hosts that a test serves: the requests, the errors, their end; applications of all kinds."""

import asyncio
import contextlib
import unittest
from typing import Any
from unittest import SkipTest

from tornado import web
from tornado.httpclient import HTTPClientError
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError
from tornado.simple_httpclient import HTTPStreamClosedError
from tornado.tcpclient import TCPClient
from tornado.websocket import websocket_connect

from asynctest_tornado import AsyncTestCase, ExpectLog, VirtualClock, VirtualNetwork
from tests.samples import hosts as samples
from tests.samples.hosts import Charge, EchoServer, answer, echo, fetch, make_stub
from tests.support import run_body, run_case, run_python


class RequestsTest(AsyncTestCase):
    leaks = "fail"

    def setUp(self) -> None:
        super().setUp()
        self.payments = self.network.serve("http://payments.example", make_stub())

    async def test_requests_are_listed_with_their_bodies_in_their_order(self) -> None:
        await fetch("http://payments.example/charge?a=1", method="POST", body="5")
        await fetch("http://payments.example/form", method="POST", body="amount=7")
        first, second = self.payments.requests
        self.assertEqual((first.method, first.path, first.body), ("POST", "/charge", b"5"))
        self.assertEqual((first.full_url(), first.query), ("http://payments.example/charge?a=1", "a=1"))
        self.assertEqual(second.body_arguments, {"amount": [b"7"]})
        self.assertEqual(second.arguments, {"amount": [b"7"]})

    async def test_a_streamed_body_is_complete(self) -> None:
        response = await fetch("http://payments.example/upload", method="PUT", body=b"x" * 100_000)
        self.assertEqual((response.body, len(self.payments.requests[0].body)), (b"100000", 100_000))

    async def test_a_body_in_chunks_is_complete(self) -> None:
        async def produce(write: Any) -> None:
            await write(b"amount=")
            await write(b"7")

        for options in ({"body_producer": produce}, {"body": b"amount=7", "expect_100_continue": True}):
            await fetch("http://payments.example/form", method="POST", **options)
        self.assertEqual([request.body for request in self.payments.requests], [b"amount=7", b"amount=7"])

    async def test_a_request_is_there_before_its_response(self) -> None:
        pending = asyncio.ensure_future(fetch("http://payments.example/charge?seconds=60", method="POST", body="5"))
        await self.eventually(lambda: self.payments.requests)
        self.assertFalse(pending.done())
        self.payments.stop()
        with self.assertRaises(HTTPClientError):
            await pending

    async def test_a_websocket_is_a_request(self) -> None:
        socket = await websocket_connect("ws://payments.example/chat")
        await socket.write_message("hello")
        self.assertEqual(await socket.read_message(), "hello")
        socket.close()
        self.assertIsNone(await socket.read_message())
        self.assertEqual([request.path for request in self.payments.requests], ["/chat"])

    async def test_errors_of_handlers_are_listed(self) -> None:
        with self.assertRaises(HTTPClientError), ExpectLog("tornado.application", "Uncaught exception"):
            await fetch("http://payments.example/charge")
        (failure,) = self.payments.errors
        self.assertIsInstance(failure.error, LookupError)
        self.assertEqual(failure.what, "GET /charge by Charge")

    def test_its_repr_has_its_url_and_its_end(self) -> None:
        self.assertEqual(repr(self.payments), "<ServedHost http://payments.example>")
        self.payments.stop()
        self.assertEqual(repr(self.payments), "<ServedHost http://payments.example, stopped>")


class RequestsInMemoryTest(RequestsTest):
    network_factory = VirtualNetwork


class StopTest(AsyncTestCase):
    leaks = "fail"

    async def test_new_connections_are_refused_and_open_ones_closed(self) -> None:
        host = self.network.serve("tcp://cache.example:6379", echo)
        stream = await TCPClient().connect("cache.example", 6379)
        await stream.write(b"1\n")
        self.assertEqual(await stream.read_until(b"\n"), b"1\n")
        host.stop()
        with self.assertRaises(StreamClosedError):
            await stream.read_until(b"\n")
        with self.assertRaisesRegex(ConnectionRefusedError, r"cache.example:6379 .*stop\(\) of the host was called"):
            await asyncio.open_connection("cache.example", 6379)
        with self.assertRaises(StreamClosedError) as caught:
            await TCPClient().connect("cache.example", 6379)
        self.assertIsInstance(caught.exception.real_error, ConnectionRefusedError)
        host.stop()

    async def test_a_websocket_ends(self) -> None:
        host = self.network.serve("http://payments.example", make_stub())
        socket = await websocket_connect("ws://payments.example/chat")
        host.stop()
        self.assertIsNone(await socket.read_message())
        socket.close()

    async def test_its_url_can_be_served_again(self) -> None:
        first = self.network.serve("http://payments.example", make_stub())
        first.stop()
        second = self.network.serve("http://payments.example", answer)
        self.assertEqual((await fetch("http://payments.example/")).body, b"ok")
        self.assertEqual(([], 1), (first.requests, len(second.requests)))


class StopInMemoryTest(StopTest):
    network_factory = VirtualNetwork


class FaultsTest(AsyncTestCase):
    clock_factory = VirtualClock

    async def test_on_real_sockets_a_fault_says_what_it_needs(self) -> None:
        host = self.network.serve("http://payments.example", make_stub())
        with self.assertRaisesRegex(RuntimeError, "http://payments.example: .*network_factory = VirtualNetwork"):
            host.latency = 40


class FaultsInMemoryTest(AsyncTestCase):
    clock_factory = VirtualClock
    network_factory = VirtualNetwork
    leaks = "fail"

    async def test_a_host_may_be_slow(self) -> None:
        host = self.network.serve("http://payments.example", make_stub())
        host.latency = 15
        await fetch("http://payments.example/charge", method="POST", body="5")
        self.assertEqual(self.clock.time(), 15)

    async def test_a_response_may_be_cut(self) -> None:
        host = self.network.serve("http://payments.example", make_stub())
        host.cut(after=20)
        with self.assertRaises(HTTPClientError):
            await fetch("http://payments.example/charge", method="POST", body="5")
        await fetch("http://payments.example/charge", method="POST", body="5")
        self.assertEqual(len(host.requests), 2)

    def test_what_a_host_records_cannot_be_set(self) -> None:
        host = self.network.serve("http://payments.example", make_stub())
        for name, value, text in (
            ("is_stopped", True, "is_stopped cannot be set. To stop the host, call stop()."),
            ("requests", [], "requests cannot be set. To begin anew, call requests.clear()."),
            ("url", "", "url cannot be set. It is the one that network.serve() got."),
        ):
            with self.subTest(name), self.assertRaises(AttributeError) as caught:
                setattr(host, name, value)
            self.assertEqual(str(caught.exception), f"http://payments.example: {text}")

    async def test_a_stopped_host_has_no_faults(self) -> None:
        host = self.network.serve("http://payments.example", make_stub())
        host.stop()
        with self.assertRaisesRegex(RuntimeError, r"comes after stop\(\)"):
            host.latency = 1

    async def test_stop_ends_connections_that_are_held(self) -> None:
        host = self.network.serve("http://payments.example", make_stub())
        host.hold()
        pending = asyncio.ensure_future(fetch("http://payments.example/charge", method="POST", body="5"))
        await asyncio.sleep(1)
        self.assertEqual(len(host.requests), 1)
        host.stop()
        with self.assertRaises(HTTPStreamClosedError):
            await pending
        self.assertEqual(self.clock.time(), 1)
        host.release()

    async def test_so_it_ends_those_that_are_held_alone(self) -> None:
        host = self.network.serve("http://payments.example", make_stub())
        socket = await websocket_connect("ws://payments.example/chat")
        host.connections[0].hold()
        host.stop()
        self.assertIsNone(await socket.read_message())
        self.assertEqual(self.clock.time(), 0)
        socket.close()
        with self.assertRaisesRegex(RuntimeError, r"release\(\) comes after stop\(\)"):
            host.release()

    def test_the_report_has_the_stop_of_the_test(self) -> None:
        async def use(self: Any) -> None:
            host = self.network.serve("http://payments.example", make_stub())
            socket = await websocket_connect("ws://payments.example/chat")
            host.stop()
            socket.close()
            with contextlib.suppress(OSError):
                await fetch("http://payments.example/")
            self.fail("own")

        async def hold(self: Any) -> None:
            host = self.network.serve("http://payments.example", make_stub())
            host.hold()
            pending = asyncio.ensure_future(fetch("http://payments.example/charge", method="POST", body="5"))
            await asyncio.sleep(1)
            host.stop()
            await pending

        async def end(self: Any) -> None:
            self.network.serve("http://payments.example", make_stub())
            self.fail("own")

        class Base(AsyncTestCase):
            clock_factory = VirtualClock
            network_factory = VirtualNetwork

        report = run_body(Base, use).report
        self.assertRegex(
            report,
            "Faults of the network:\n"
            "  http://payments.example: an open connection from localhost, closed\n"
            "  http://payments.example: a connection, refused\n"
            r"    by stop\(\), set at .*test_served_host.py:\d+ in \S+: host.stop\(\)\n",
        )
        self.assertNotIn("refuses the connection", report)
        self.assertRegex(
            run_body(Base, hold).report,
            r"  POST http://payments.example/charge: 0 of [\d,]+ bytes of the response, then the end of the host\n"
            r"    by stop\(\), set at ",
        )
        self.assertNotIn("stop()", run_body(Base, end).report)
        real = run_body(AsyncTestCase, use).report
        self.assertIn("payments.example:80 refuses the connection, because stop() of the host was called", real)

    async def test_hosts_may_be_parted(self) -> None:
        host = self.network.serve("http://payments.example", make_stub())
        self.network.partition("localhost", host)
        pending = asyncio.ensure_future(fetch("http://payments.example/charge", method="POST", body="5"))
        await asyncio.sleep(5)
        self.assertEqual(host.requests, [])
        self.network.heal()
        await pending
        self.assertEqual(len(host.requests), 1)


class ApplicationsTest(AsyncTestCase):
    leaks = "fail"

    async def test_http_takes_an_application_a_callback_or_a_delegate(self) -> None:
        for app in (
            answer,
            HTTPServer(answer),
            type("Callback", (), {"__call__": lambda self, request: answer(request)})(),
        ):
            host = self.network.serve("http://payments.example", app)
            self.assertEqual((await fetch("http://payments.example/a", method="POST", body="x")).body, b"ok")
            self.assertEqual([(each.path, each.body) for each in host.requests], [("/a", b"x")])
            host.stop()

    async def test_options_are_for_the_server(self) -> None:
        self.network.serve("http://payments.example", make_stub(), xheaders=True)
        await fetch("http://payments.example/form", method="POST", body="amount=1", headers={"X-Real-Ip": "10.1.2.3"})
        other = self.network.serve("http://other.example", make_stub(), max_body_size=3)
        with self.assertLogs("tornado.general"), self.assertRaises(HTTPClientError):
            await fetch("http://other.example/form", method="POST", body="amount=1")
        self.assertEqual(other.requests, [])
        with self.assertRaisesRegex(TypeError, "lateny"):
            self.network.serve("http://third.example", make_stub(), lateny=1)

    async def test_xheaders_are_in_the_recorded_request(self) -> None:
        host = self.network.serve("http://payments.example", make_stub(), xheaders=True)
        await fetch("http://payments.example/form", method="POST", body="amount=1", headers={"X-Real-Ip": "10.1.2.3"})
        self.assertEqual(host.requests[0].remote_ip, "10.1.2.3")

    async def test_tcp_takes_a_function_of_a_stream_or_a_server(self) -> None:
        def greet(stream: IOStream, address: Any) -> None:
            stream.write(b"1\n")

        for app in (echo, EchoServer(), EchoServer().handle_stream, greet):
            host = self.network.serve("tcp://cache.example:6379", app)
            stream = await TCPClient().connect("cache.example", 6379)
            await stream.write(b"1\n")
            self.assertEqual(await stream.read_until(b"\n"), b"1\n")
            stream.close()
            host.stop()
            self.assertEqual((host.requests, host.errors), ([], []))

    async def test_an_application_that_cannot_be_served_is_an_error(self) -> None:
        async def coroutine(request: object) -> None: ...

        class Own(web.Application):
            pass

        http: tuple[tuple[Any, str], ...] = (
            (None, "is None"),
            (make_stub, "is the function make_stub, which cannot be called with a request. .*write make_stub"),
            (Own, r"is the class .*Own. Write .*Own\(\)"),
            (Charge, r'is Charge, a class of handlers. .*tornado.web.Application\(\[\(".\*", Charge\)\]\)'),
            ([("/", Charge)], "is a list. Make an application of it"),
            (coroutine, "is a coroutine function, .*coroutine, and .* Write a RequestHandler"),
        )
        for app, message in http:
            with self.assertRaisesRegex(TypeError, f"The application of http://payments.example {message}"):
                self.network.serve("http://payments.example", app)
        for app in (None, make_stub(), EchoServer, lambda stream: None):
            with self.assertRaisesRegex(TypeError, "of tcp://cache:1 is .*, which cannot handle a stream. Give a cor"):
                self.network.serve("tcp://cache:1", app)
        self.network.serve("http://payments.example", make_stub())  # none of them is left in the table


class ApplicationsInMemoryTest(ApplicationsTest):
    network_factory = VirtualNetwork


class ReportsTest(unittest.TestCase):
    def test_the_report_of_a_failed_test_has_the_errors_of_handlers(self) -> None:
        report = run_case(samples.Fails, "test_answered").report
        self.assertIn("AssertionError: own\nWhile serving GET /charge by Charge:\n", report)
        self.assertIn("LookupError: in the stub", report)

    def test_a_path_without_a_handler_is_named(self) -> None:
        self.assertIn("No handler matches /none.", run_case(samples.Fails, "test_unknown_path").report)

    def test_an_error_in_a_stream_fails_the_test(self) -> None:
        result = run_case(samples.Fails, "test_in_a_stream")
        self.assertEqual(result.verdicts, ["addError"])
        self.assertIn("LookupError: in the stub", result.report)
        self.assertNotIn("TimeoutError", result.report)

    def test_leaks_of_the_client_are_reported(self) -> None:
        report = run_case(samples.Fails, "test_request_left").report
        self.assertIn("unfinished requests: POST http://payments.example/charge?seconds=60", report)
        self.assertIn(
            "unclosed transport of StreamReaderProtocol", run_case(samples.Fails, "test_connection_left").report
        )

    def test_a_host_that_never_answers_is_a_deadlock(self) -> None:
        report = run_case(samples.Deadlock).report
        self.assertIn("this is a deadlock", report)
        self.assertIn("handle_stream", report)

    def test_the_end_of_hosts_makes_no_noise(self) -> None:
        done = run_python("-m", "asynctest_tornado", "tests.samples.hosts.NeverAnswered")
        self.assertIn("this is a deadlock", done.stderr)
        self.assertIn("Asking, which serves GET /", done.stderr)
        self.assertNotIn("Uncaught exception", done.stderr + done.stdout)

    def test_a_connection_that_the_client_ends_is_no_error_of_the_host(self) -> None:
        async def body(self: Any) -> None:
            self.network.serve("tcp://cache.example:6379", echo)
            stream = await TCPClient().connect("cache.example", 6379)
            stream.close()

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_a_host_ends_with_a_skipped_test(self) -> None:
        async def body(self: Any) -> None:
            self.network.serve("http://payments.example", make_stub())
            raise SkipTest("for now")

        result = run_body(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addSkip"])
