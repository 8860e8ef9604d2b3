"""Faults of hosts: what clients see, when, and what the report of a failed test says."""

import asyncio
import functools
import re
import ssl
import unittest
from collections.abc import Callable
from typing import Any

import aiohttp
import tornado
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from asynctest_tornado import AsyncTestCase, ExpectLog, VirtualClock, VirtualNetwork
from asynctest_tornado._network.connection import Connection
from asynctest_tornado._network.faulty_pipe import WINDOW
from asynctest_tornado._network.pipe import CAPACITY
from tests.network.hosts import ADDRESS, BREAKS_OFF, SECURE_URL, URL, Lines, serve
from tests.network.test_tls import server_context
from tests.support import run_case

#: The size of the body of a response.
SIZE = 1000


class Base(AsyncTestCase):
    network_factory = VirtualNetwork
    clock_factory = VirtualClock
    leaks = "fail"
    async_test_timeout = 60

    def setUp(self) -> None:
        super().setUp()
        self.host = serve(self)

    async def charge(self, path: str = "/charge", **kwargs: Any) -> HTTPResponse:
        return await AsyncHTTPClient().fetch(f"{URL}{path}", **kwargs)

    async def time_of(self, **kwargs: Any) -> float:
        began = self.io_loop.asyncio_loop.time()  # type: ignore[attr-defined]
        await self.charge(**kwargs)
        return float(self.io_loop.asyncio_loop.time() - began)  # type: ignore[attr-defined]

    async def assert_broken(self, error: type[BaseException] = HTTPClientError) -> None:
        with self.assertRaises(error):
            await self.charge()


class LatencyTest(Base):
    async def test_a_response_takes_as_long(self) -> None:
        self.host.latency = 40
        self.assertEqual(await self.time_of(request_timeout=60), 40)
        self.host.latency = 0.1
        self.assertAlmostEqual(await self.time_of(), 0.1)
        self.host.latency = 0
        self.assertEqual(await self.time_of(), 0)
        self.assertEqual(self.host.latency, 0)

    async def test_a_timeout_comes_first(self) -> None:
        self.host.latency = 40
        with self.assertRaises(HTTPClientError) as caught:
            await self.charge()
        self.assertEqual((caught.exception.code, self.clock.time()), (599, 20))

    async def test_a_large_response_takes_no_longer(self) -> None:
        self.host.latency = 1
        size = 4 * CAPACITY
        self.assertEqual(await self.time_of(path=f"/charge?size={size}"), 1)

    async def test_responses_at_the_same_time(self) -> None:
        self.host.latency = 3
        await asyncio.gather(*(self.charge() for _ in range(5)))
        self.assertEqual(self.clock.time(), 3)

    async def test_a_range_is_drawn_for_each_response(self) -> None:
        self.host.latency = (1, 3)
        times = [await self.time_of() for _ in range(5)]
        self.assertEqual(len(set(times)), 5)
        self.assertTrue(all(1 <= each <= 3 for each in times), times)

    def test_the_seed_decides_the_values(self) -> None:
        def times(seed: int) -> list[float]:
            class Sample(Base):
                async def test(self) -> None:
                    self.host.latency = (1, 3)
                    found.append([await self.time_of() for _ in range(3)])

            found: list[list[float]] = []
            Sample.network_factory = staticmethod(lambda: VirtualNetwork(seed=seed))  # type: ignore[assignment]
            self.assertEqual(run_case(Sample).report, "")
            return found[0]

        self.assertEqual(times(1), times(1))
        self.assertNotEqual(times(1), times(2))

    async def test_order_is_kept_and_the_end_comes_last(self) -> None:
        lines = serve(self, Lines(), 4000)
        stream = await TCPClient().connect(ADDRESS, 4000)
        lines.latency = 5
        await stream.write(b"a\n")
        await asyncio.sleep(1)
        lines.latency = 1
        await stream.write(b"b\n")
        await asyncio.sleep(0)
        self.assertEqual(await stream.read_until(b"a\n"), b"a\n")
        self.assertEqual(self.clock.time(), 5)
        self.assertEqual(await stream.read_until(b"b\n"), b"b\n")
        self.assertEqual(self.clock.time(), 5)
        stream.close()

    async def test_the_end_of_a_stream_arrives_behind_the_bytes_before_it(self) -> None:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"bye")
            writer.close()

        server = Handing(hang_up)
        serve(self, server, 4001).latency = 7
        reader, writer = await asyncio.open_connection(ADDRESS, 4001)
        self.assertEqual(await reader.read(), b"bye")
        self.assertEqual(self.clock.time(), 7)
        writer.close()


class Handing:
    """A server of asyncio, with the methods that `serve` calls."""

    def __init__(self, handle: Callable[..., Any]) -> None:
        self._handle = handle

    def add_socket(self, sock: Any) -> None:
        from tornado.ioloop import IOLoop

        loop = IOLoop.current().asyncio_loop  # type: ignore[attr-defined]

        def accept() -> None:
            connection, _ = sock.accept()
            loop.create_task(self._serve(connection))

        self._sock = sock
        loop.add_reader(sock.fileno(), accept)
        self._loop = loop

    async def _serve(self, connection: Any) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        await self._handle(reader, writer)

    def stop(self) -> None:
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()


class BandwidthTest(Base):
    async def test_bytes_take_their_time_each_way(self) -> None:
        self.host.bandwidth = 1000
        seconds = await self.time_of()
        self.assertGreater(seconds, SIZE / 1000)
        self.assertLess(seconds, SIZE / 1000 + 0.5)  # the request has some hundred bytes
        self.host.bandwidth = None
        self.assertEqual(await self.time_of(), 0)

    async def test_bytes_arrive_bit_by_bit(self) -> None:
        lines = serve(self, Lines(), 4000)
        stream = await TCPClient().connect(ADDRESS, 4000)
        lines.bandwidth = 100
        await stream.write(b"x" * 99 + b"\n")
        times: list[float] = []
        while len(times) < 10:
            await stream.read_bytes(10, partial=True)
            times.append(round(self.clock.time(), 9))
        self.assertEqual(times, [round(1.1 + 0.1 * n, 9) for n in range(10)])
        stream.close()

    async def test_latency_comes_on_top(self) -> None:
        lines = serve(self, Lines(), 4000)
        stream = await TCPClient().connect(ADDRESS, 4000)
        lines.bandwidth, lines.latency = 100, 10
        await stream.write(b"x" * 99 + b"\n")
        await stream.read_until(b"\n")
        self.assertAlmostEqual(self.clock.time(), 12)
        stream.close()

    async def test_a_writer_waits_if_too_much_is_under_way(self) -> None:
        lines = serve(self, Lines(), 4000)
        stream = await TCPClient().connect(ADDRESS, 4000)
        lines.bandwidth = WINDOW
        await stream.write(bytes(2 * WINDOW))
        self.assertAlmostEqual(self.clock.time(), 1, 1)
        stream.close()


class BrokenTest(Base):
    async def test_cut(self) -> None:
        self.host.cut(after=100)
        await self.assert_broken()
        await self.charge()

    async def test_each_cut_is_for_one_response(self) -> None:
        self.host.cut(after=100)
        self.host.cut()
        await self.assert_broken()
        await self.assert_broken()
        await self.charge()

    async def test_the_bytes_before_a_cut_arrive(self) -> None:
        lines = serve(self, Lines(), 4000)
        stream = await TCPClient().connect(ADDRESS, 4000)
        lines.latency = 2
        lines.cut(after=3)
        await stream.write(b"abcdef\n")
        self.assertEqual(await stream.read_until_close(), b"abc")
        self.assertEqual(self.clock.time(), 2)

    async def test_reset(self) -> None:
        self.host.reset(after=20)
        with self.assertRaises(ConnectionResetError):
            await self.charge()

    async def test_a_cut_ends_both_directions(self) -> None:
        server = Lines()
        serve(self, server, 4000).cut()
        reader, writer = await asyncio.open_connection(ADDRESS, 4000)
        writer.write(b"a\n")
        await asyncio.sleep(1)
        self.assertEqual(server.lost, 0)
        self.assertTrue(reader.at_eof())
        writer.close()

    async def test_a_half_close_leaves_the_other_direction_open(self) -> None:
        lines = serve(self, Lines(), 4000)
        lines.half_close(after=1)
        reader, writer = await asyncio.open_connection(ADDRESS, 4000)
        writer.write(b"a\n")
        self.assertEqual(await reader.read(), b"a")
        self.assertEqual(len(lines.connections), 0)
        writer.write(b"b\n")
        await writer.drain()
        writer.close()

    async def test_open_connections_are_broken_now(self) -> None:
        lines = serve(self, Lines(), 4000)
        streams = [await TCPClient().connect(ADDRESS, 4000) for _ in range(2)]
        await asyncio.gather(*(self.say(stream) for stream in streams))
        self.assertEqual(len(lines.connections), 2)
        lines.reset(after=None)
        for stream in streams:
            with self.assertRaises(StreamClosedError) as caught:
                await stream.read_until(b"\n")
            self.assertIsInstance(caught.exception.real_error, ConnectionResetError)

    async def say(self, stream: IOStream) -> None:
        await stream.write(b"a\n")
        await stream.read_until(b"\n")

    async def test_one_connection_has_faults_of_its_own(self) -> None:
        lines = serve(self, Lines(), 4000)
        one, two = [await TCPClient().connect(ADDRESS, 4000) for _ in range(2)]
        lines.latency = 1
        lines.connections[1].latency = 9
        await self.say(one)
        self.assertEqual(self.clock.time(), 1)
        await self.say(two)
        self.assertEqual(self.clock.time(), 10)
        lines.connections[0].cut(after=None)
        self.assertEqual(await one.read_until_close(), b"")
        await self.say(two)
        two.close()

    async def test_refuse(self) -> None:
        self.host.refuse()
        await self.assert_broken(ConnectionRefusedError)
        await self.assert_broken(ConnectionRefusedError)
        self.host.accept()
        await self.charge()
        self.host.refuse(1)
        await self.assert_broken(ConnectionRefusedError)
        await self.charge()

    async def test_a_response_under_way_is_broken_now(self) -> None:
        self.host.latency = 10
        response = asyncio.ensure_future(self.charge())
        await asyncio.sleep(1)
        self.host.reset(after=None)
        with self.assertRaises(ConnectionResetError):
            await response
        self.assertEqual(self.clock.time(), 1)

    async def test_a_handler_that_streams(self) -> None:
        for break_off in (self.host.cut, self.host.half_close, self.host.reset):
            with self.subTest(break_off=break_off.__name__):
                break_off(after=400)
                with self.assertRaises(BREAKS_OFF):
                    await self.charge(method="DELETE", raise_error=True)

    @unittest.skipIf(tornado.version_info < (6, 6), "the client fails at once")
    async def test_a_body_that_breaks_off_by_a_reset_times_out(self) -> None:
        """As Tornado's client has it; it logs the error, which fails no test."""
        self.host.reset(after=1000)
        with self.assertRaises(HTTPClientError):
            await self.charge()
        self.assertEqual(self.clock.time(), 20)

    def test_an_error_of_the_user_stays_one(self) -> None:
        class Sample(Base):
            async def test(self) -> None:
                self.host.reset(after=20)
                task = asyncio.ensure_future(self.charge())
                await asyncio.wait([task])

        self.assertIn("ConnectionResetError", run_case(Sample).report)


class TLSTest(Base):
    """The handshake has no faults, spoken or not."""

    def setUp(self) -> None:
        super().setUp()
        self.host = serve(self, port=443, ssl_options=server_context(ADDRESS))

    async def charge(self, path: str = "/charge", **kwargs: Any) -> HTTPResponse:
        client = AsyncHTTPClient(force_instance=True, defaults={"validate_cert": False})
        try:
            return await client.fetch(f"{SECURE_URL}{path}", **kwargs)
        finally:
            client.close()

    async def test_latency(self) -> None:
        self.host.latency = 15
        self.assertEqual(await self.time_of(), 15)

    async def test_cut(self) -> None:
        self.host.cut(after=100)
        await self.assert_broken()
        self.assertEqual(len(self.host.requests), 1)  # type: ignore[attr-defined]
        await self.charge()

    async def test_hold(self) -> None:
        self.host.hold()
        response = asyncio.ensure_future(self.charge())
        await asyncio.sleep(10)
        self.assertEqual(self.host.requests, ["/charge"])  # type: ignore[attr-defined]
        self.host.release()
        await response


class AsyncioTLSTest(TLSTest):
    """Streams of asyncio always speak TLS."""

    async def charge(self, path: str = "/charge", **kwargs: Any) -> Any:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        reader, writer = await asyncio.open_connection(ADDRESS, 443, ssl=context)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {ADDRESS}\r\nConnection: close\r\n\r\n".encode())
        response = await reader.read()
        writer.close()
        if len(response) < 1000:
            raise HTTPClientError(599)
        return response


class SpokenTLSTest(TLSTest):
    network_factory = staticmethod(lambda: VirtualNetwork(tls=True))  # type: ignore[assignment]


class HoldTest(Base):
    async def test_all_responses_arrive_that_were_held(self) -> None:
        self.host.hold()
        responses = [asyncio.ensure_future(self.charge()) for _ in range(3)]
        await asyncio.sleep(10)
        responses.append(asyncio.ensure_future(self.charge()))
        await asyncio.sleep(1)
        self.host.release()
        await asyncio.gather(*responses)
        self.assertEqual(self.clock.time(), 11)

    async def test_requests_arrive_and_nothing_answers_until_release(self) -> None:
        self.host.hold()
        response = asyncio.ensure_future(self.charge())
        await asyncio.sleep(10)
        self.assertEqual(self.host.requests, ["/charge"])  # type: ignore[attr-defined]
        self.assertFalse(response.done())
        self.host.release()
        await response
        self.assertEqual(self.clock.time(), 10)

    async def test_latency_goes_on_meanwhile(self) -> None:
        self.host.latency = 15
        self.host.hold()
        response = asyncio.ensure_future(self.charge())
        await asyncio.sleep(10)
        self.host.release()
        await response
        self.assertEqual(self.clock.time(), 15)

    async def test_settle_does_not_wait_for_it(self) -> None:
        self.host.hold()
        response = asyncio.ensure_future(self.charge(request_timeout=0))
        await self.settle()
        self.assertEqual(self.host.requests, ["/charge"])  # type: ignore[attr-defined]
        self.assertFalse(response.done())
        self.host.release()
        await response

    async def test_settle_waits_for_bytes_under_way(self) -> None:
        lines = serve(self, Lines(), 4000)
        lines.latency = 30
        stream = await TCPClient().connect(ADDRESS, 4000)
        await stream.write(b"a\n")
        task = asyncio.ensure_future(stream.read_until(b"\n"))
        await self.settle()
        self.assertEqual(self.clock.time(), 30)
        self.assertTrue(task.done())
        stream.close()

    def test_a_response_that_is_never_released_is_a_deadlock(self) -> None:
        class Sample(Base):
            async_test_timeout = 3600

            async def test(self) -> None:
                self.host.hold()
                await self.charge(request_timeout=0, connect_timeout=0)

        report = run_case(Sample).report
        self.assertIn("this is a deadlock", report)
        self.assertRegex(
            report,
            rf"GET {URL}/charge: 1,\d+ bytes of the response, held back until release\(\)\n    by hold\(\), set at ",
        )


class InRealTimeTest(Base):
    clock_factory = None  # type: ignore[assignment]

    async def test_latency(self) -> None:
        self.host.latency = 0.05
        self.assertGreaterEqual(await self.time_of(), 0.05)

    async def test_settle_waits_for_bytes_under_way(self) -> None:
        self.host.latency = 0.05
        client = AsyncHTTPClient()
        response = client.fetch(f"{URL}/charge", request_timeout=0, connect_timeout=0)  # no timer but the network's
        await self.settle()
        self.assertTrue(response.done())

    async def test_bytes_under_way_have_a_description(self) -> None:
        self.host.latency = 0.05
        response = asyncio.ensure_future(self.charge())
        await self.eventually(lambda: list(self.network._faults.deliveries()))
        [(_, text)] = self.network._faults.deliveries()
        self.assertRegex(text, rf"^GET {URL}/charge: 1,\d+ bytes of the response, under way$")
        await response

    def test_the_end_of_a_test_with_bytes_under_way(self) -> None:
        class Sample(Base):
            clock_factory = None  # type: ignore[assignment]
            leaks = "fail"

            async def test(self) -> None:
                lines = serve(self, Lines(), 4000)
                lines.latency = 3600
                stream = await TCPClient().connect(ADDRESS, 4000)
                await stream.write(b"a\n")
                await self.eventually(lambda: self.network._faults._connections[0].pipes[1].timer)
                stream.close()

        self.assertEqual(run_case(Sample).report, "")


class Bank(RequestHandler):
    def get(self) -> None:
        self.write("1,000")


class Shop(RequestHandler):
    async def get(self) -> None:
        response = await AsyncHTTPClient().fetch("http://bank.example/", connect_timeout=5)
        self.write(response.body)


class Feed(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message)


class ServedHostTest(AsyncTestCase):
    """Faults of hosts that the test serves by their names."""

    network_factory = VirtualNetwork
    clock_factory = VirtualClock
    leaks = "fail"

    def setUp(self) -> None:
        super().setUp()
        self.shop = self.network.serve("https://shop.example", Application([("/", Shop), ("/feed", Feed)]))
        self.bank = self.network.serve("http://bank.example", Application([("/", Bank)]))

    async def time_of(self, url: str) -> float:
        began = self.clock.time()
        await AsyncHTTPClient().fetch(url)
        return self.clock.time() - began

    async def test_two_hosts_are_parted(self) -> None:
        self.network.partition("shop.example", self.bank)
        with ExpectLog("tornado.application", "Uncaught"), self.assertRaises(HTTPClientError) as caught:
            await AsyncHTTPClient().fetch("https://shop.example/")
        self.assertEqual((caught.exception.code, self.clock.time()), (500, 5))
        self.assertEqual(await self.time_of("http://bank.example/"), 0)
        self.network.heal()
        self.assertEqual(await self.time_of("https://shop.example/"), 0)

    async def test_the_link_between_two_hosts(self) -> None:
        self.network.link(self.bank, "shop.example").latency = 4
        self.assertEqual(await self.time_of("https://shop.example/"), 4)
        self.assertEqual(await self.time_of("http://bank.example/"), 0)

    async def test_websocket(self) -> None:
        socket = await websocket_connect("wss://shop.example/feed")
        self.shop.latency = 3
        for message in ("a", "b"):
            await socket.write_message(message)
            self.assertEqual(await socket.read_message(), message)
        self.assertEqual(self.clock.time(), 6)
        self.shop.cut(after=1)
        await socket.write_message("c")
        self.assertIsNone(await socket.read_message())
        socket.close()

    async def test_a_websocket_is_broken_now(self) -> None:
        socket = await websocket_connect("wss://shop.example/feed")
        self.shop.reset(after=None)
        self.assertIsNone(await socket.read_message())
        socket.close()

    async def test_other_clients(self) -> None:
        async with aiohttp.ClientSession() as session:
            self.bank.latency = 5
            async with session.get("http://bank.example/") as response:
                self.assertEqual(await response.text(), "1,000")
            self.assertEqual(self.clock.time(), 5)
            self.bank.reset(after=None)
        async with aiohttp.ClientSession() as session:
            self.bank.reset(after=150)
            with self.assertRaises(aiohttp.ClientError):
                async with session.post("http://bank.example/") as response:
                    await response.read()

    async def test_a_response_that_was_cut_is_not_under_way(self) -> None:
        self.bank.latency = 2
        self.bank.cut(after=1)
        with self.assertRaises(HTTPClientError):
            await AsyncHTTPClient().fetch("http://bank.example/")
        self.assertNotIn("still under way", str(self.network._faults.describe()))


class BadInputTest(Base):
    def refuses(self, error: type[Exception], text: str, func: Callable[[], object]) -> None:
        with self.assertRaises(error) as caught:
            func()
        self.assertEqual(str(caught.exception), text)

    def test_values(self) -> None:
        host: Any = self.host
        for attribute, value, error, text in (
            ("latency", -1, ValueError, "latency = -1 is negative. Set a number of seconds, or a range"),
            ("latency", "1", TypeError, "latency = '1' is no number. Set a number of seconds, or a range"),
            ("latency", True, TypeError, "latency = True is no number. "),
            ("latency", float("inf"), ValueError, "latency = inf is not finite. "),
            ("latency", (1, 2, 3), ValueError, "latency = (1, 2, 3) is no range. "),
            (
                "latency",
                (3, 1),
                ValueError,
                "latency = (3, 1) begins above its end. Set the lower number first: (1, 3)",
            ),
            ("bandwidth", 0, ValueError, "bandwidth = 0 lets nothing pass. "),
            ("bandwidth", "fast", TypeError, "bandwidth = 'fast' is no number. Set a number of bytes per second"),
        ):
            with self.subTest(value=value), self.assertRaisesRegex(error, re.escape(f"{URL}: {text}")):
                setattr(host, attribute, value)
        calls: list[tuple[Any, type[Exception], str]] = [
            (lambda: host.cut(after=-1), ValueError, "cut(after=-1) got a negative number. Give a number of bytes"),
            (lambda: host.reset(after=1.5), TypeError, "reset(after=1.5) got no whole number. Give a number of bytes"),
            (lambda: host.refuse(False), TypeError, "refuse(False) got no whole number. Give a number of connections"),
            (lambda: host.refuse(0), ValueError, "refuse(0) refuses nothing. To end refuse(), call accept()."),
            (lambda: host.cut(after=None), RuntimeError, "cut(after=None) is for connections that are open now, and"),
            (host.release, RuntimeError, "release() ends a hold(), and there is none. Call hold() before."),
        ]
        for call, kind, text in calls:
            with self.subTest(text=text), self.assertRaisesRegex(kind, re.escape(f"{URL}: {text}")):
                call()

    def test_attributes_that_are_no_faults(self) -> None:
        host: Any = self.host
        faults = "The faults are: latency, bandwidth, cut(), reset(), half_close(), hold(), refuse()."
        for thing, where, known in (
            (host, URL, faults),
            (self.network.link("localhost", ADDRESS), f"{ADDRESS} - localhost", faults),
            (Connection(self.network._faults, "a", host), f"a connection to {URL}", faults.replace(", refuse()", "")),
        ):
            for name, text in (
                ("latancy", "latancy = 1 sets no fault. Did you mean latency = 1? "),
                ("band_width", "band_width = 1 sets no fault. Did you mean bandwidth = 1? "),
                ("delay", "delay = 1 sets no fault. Did you mean latency = 1? "),
                ("foo", "foo = 1 sets no fault. "),
            ):
                with self.subTest(name, where=where):
                    self.refuses(AttributeError, f"{where}: {text}{known}", functools.partial(setattr, thing, name, 1))
            self.refuses(
                AttributeError,
                f"{where}: hold is a method. Call hold() in place of hold = 1.",
                functools.partial(setattr, thing, "hold", 1),
            )
            for name, hint in (
                ("drop", " Did you mean cut()?"),
                ("cutt", " Did you mean cut()?"),
                ("partition", " It is a method of the network: network.partition()."),
                ("foo", ""),
            ):
                text = f"{where}: {name} is no fault.{hint} {known}"
                self.refuses(AttributeError, text, functools.partial(getattr, thing, name))
        self.assertFalse(hasattr(host, "_foo"))

    def test_faults_of_a_network(self) -> None:
        belong = "sets nothing: faults belong to a host, which network.serve() returns. Write host."
        has = (
            "A network has serve(), allow(), partition(), heal(), link(); faults belong to a host, which serve() "
            "returns."
        )
        for name, value, text in (
            ("latency", 4, f"network.latency = 4 {belong}latency = 4."),
            ("delay", 4, f"network.delay = 4 {belong}latency = 4."),
            ("cut", 4, f"network.cut = 4 {belong}cut()."),
            ("foo", 4, f"network.foo = 4 sets nothing. {has}"),
            (
                "faults",
                0.5,
                "network.faults = 0.5 sets nothing: faults is an argument of VirtualNetwork. Set network_factory on "
                "the class of the test to a function that returns VirtualNetwork(faults=0.5).",
            ),
            (
                "partition",
                "x",
                "network.partition is a method. Call network.partition('x') in place of network.partition = 'x'.",
            ),
        ):
            with self.subTest(name):
                self.refuses(AttributeError, text, functools.partial(setattr, self.network, name, value))
        text = f"'VirtualNetwork' object has no attribute 'partitoin'. Did you mean partition()? {has}"
        self.refuses(AttributeError, text, lambda: self.network.partitoin)  # type: ignore[attr-defined]
        self.network.tls = True

    def test_a_class_of_the_user_may_have_attributes_of_its_own(self) -> None:
        class Mine(VirtualNetwork):
            def __init__(self) -> None:
                super().__init__()
                self.events: list[str] = []

        network: Any = Mine()
        self.assertEqual(network.events, [])
        with self.assertRaisesRegex(AttributeError, "network.latency = 4 sets nothing"):
            network.latency = 4

    def test_real_sockets_have_no_faults_of_the_network_either(self) -> None:
        class Sample(AsyncTestCase):
            def test(self) -> None:
                self.network.latency = 4  # type: ignore[attr-defined]

        self.assertIn("AttributeError: network.latency = 4 sets nothing: faults belong", run_case(Sample).report)

    def test_faults_are_no_arguments_of_serve(self) -> None:
        network: Any = self.network
        for name, text in (("latency", "latency = ..."), ("delay", "latency = ..."), ("cut", "cut()")):
            self.refuses(
                TypeError,
                f"network.serve('http://a.example', ...) got {name}=, and faults are no arguments of it. Set them on "
                f"the host that it returns: host.{text}",
                functools.partial(network.serve, "http://a.example", Application(), **{name: 4}),
            )

    def test_names(self) -> None:
        self.refuses(
            ValueError,
            "network.partition() got 'localhots', which is neither a name that the test serves nor 'localhost', the "
            "test itself. Did you mean 'localhost'?",
            lambda: self.network.partition("localhots"),
        )
        with self.assertRaisesRegex(ValueError, "The names are '198.18.0.7', 'localhost'."):
            self.network.link("a.example", "b.example")
        with self.assertRaisesRegex(ValueError, "got 'http://198.18.0.7', .* Did you mean '198.18.0.7'?"):
            self.network.partition(URL)
        with self.assertRaisesRegex(ValueError, "got 'localhost' twice. Give two names."):
            self.network.partition("localhost", "localhost")

    def test_a_stopped_host(self) -> None:
        vars(self.host).update(is_stopped=True)
        self.refuses(
            RuntimeError,
            f"{URL}: cut(after=0) comes after stop(). Set it before, or serve the host again by network.serve().",
            self.host.cut,
        )

    def test_real_sockets(self) -> None:
        from asynctest_tornado._network.host_faults import HostFaults

        with self.assertRaisesRegex(RuntimeError, "latency = 1 is not possible, because this test has real sock"):
            HostFaults(URL).latency = 1

    def test_after_the_end(self) -> None:
        class Sample(Base):
            def test(self) -> None:
                found.append(self.host)

        found: list[Any] = []
        run_case(Sample)
        with self.assertRaisesRegex(RuntimeError, r"hold\(\) comes after the end of the test. Set it in the test."):
            found[0].hold()
