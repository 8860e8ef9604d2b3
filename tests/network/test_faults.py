"""Faults of hosts: what clients see, when, and what the report of a failed test says."""

import asyncio
import re
import ssl
import unittest
from collections.abc import Callable
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient

from asynctest_tornado import AsyncTestCase, VirtualClock, VirtualNetwork
from asynctest_tornado._network.faulty_pipe import WINDOW
from asynctest_tornado._network.pipe import CAPACITY
from tests.network.hosts import ADDRESS, SECURE_URL, URL, Lines, serve
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
                with self.assertRaises((HTTPClientError, ConnectionResetError)):
                    await self.charge(method="DELETE", raise_error=True)

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


class TLSReportTest(unittest.TestCase):
    def report(self, base: type[TLSTest]) -> str:
        async def body(case: TLSTest) -> None:
            case.host.cut(after=100)
            await case.charge()

        return run_case(type("Sample", (base,), {"test": body})).report

    def test_it_names_the_request_unless_the_bytes_are_encrypted(self) -> None:
        what = r"100 of [\d,]+ bytes of the response, then cut\n"
        self.assertRegex(self.report(TLSTest), rf"  GET {SECURE_URL}/charge: {what}")
        self.assertRegex(self.report(SpokenTLSTest), rf"  {SECURE_URL}: {what}")


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
        self.assertRegex(report, rf"GET {URL}/charge: 1,\d+ bytes of the response, held back\n    by hold\(\), set at ")


class PartitionTest(Base):
    async def test_a_connection_waits_for_the_end(self) -> None:
        self.network.partition(ADDRESS)
        response = asyncio.ensure_future(self.charge())
        await asyncio.sleep(5)
        self.assertEqual(self.host.requests, [])  # type: ignore[attr-defined]
        self.network.heal()
        await response
        self.assertEqual(self.clock.time(), 5)

    async def test_a_connection_that_gives_up(self) -> None:
        self.network.partition("localhost", self.host)
        await self.assert_broken()
        self.assertEqual(self.clock.time(), 20)
        self.network.heal()
        await self.charge()

    async def test_bytes_of_both_directions_wait(self) -> None:
        server = Lines()
        lines = serve(self, server, 4000)
        stream = await TCPClient().connect(ADDRESS, 4000)
        self.network.partition(ADDRESS)
        await stream.write(b"a\n")
        await asyncio.sleep(3)
        self.assertEqual(len(lines.connections), 1)
        self.network.heal()
        await stream.read_until(b"\n")
        self.assertEqual(self.clock.time(), 3)
        stream.close()

    async def test_a_link_has_faults_of_its_own(self) -> None:
        self.network.link("localhost", ADDRESS).latency = 4
        self.host.latency = 9
        self.assertEqual(await self.time_of(), 4)


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


class SharedNetworkTest(unittest.TestCase):
    def test_a_fault_that_does_not_come_fails_its_own_test(self) -> None:
        class Sample(Base):
            loop_scope = "class"

            async def test_a(self) -> None:
                self.host.cut()

            async def test_b(self) -> None:
                self.host.latency = 1
                await self.charge()

        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Sample).run(result)
        [(test, report)] = result.failures + result.errors
        self.assertTrue(test.id().endswith("test_a"), test.id())
        self.assertIn("cut(after=0) has not come into effect", report)


class ReportTest(unittest.TestCase):
    def report(self, body: Callable[[Any], Any]) -> str:
        report = run_case(type("Sample", (Base,), {"test": body})).report
        report = re.sub(r"set at \S+test_faults.py:\d+ in \S+: ", "set at LINE: ", report)
        return re.sub(r"\b\d,\d{3} bytes|\b1\d\d bytes", "SIZE bytes", report)  # with the headers

    def test_a_cut_response(self) -> None:
        async def body(case: Base) -> None:
            case.host.cut(after=100)
            await case.charge(method="POST", body=b"")

        self.assertIn(
            f"Faults of the network:\n  POST {URL}/charge: 100 of SIZE bytes of the response, then cut\n"
            "    by cut(after=100), set at LINE: case.host.cut(after=100)\n",
            self.report(body),
        )

    def test_a_late_response(self) -> None:
        async def body(case: Base) -> None:
            case.host.latency = 40
            await case.charge()

        self.assertIn(
            f"  GET {URL}/charge: 0 of SIZE bytes of the response, 40 s late, still under way\n"
            "    by latency = 40, set at LINE: case.host.latency = 40\n",
            self.report(body),
        )

    def test_bytes_under_way_keep_the_loop_alive_and_are_no_timer_of_the_test(self) -> None:
        class Sample(Base):
            clock_factory = None  # type: ignore[assignment]
            async_test_timeout = 0.2  # type: ignore[assignment]

            async def test(self) -> None:
                self.host.latency = 3600
                self.timer = asyncio.get_running_loop().call_later(1800, print)
                await self.charge(request_timeout=0)

        report = run_case(Sample).report
        self.assertIn("timed out after 0.2 seconds", report)
        self.assertIn("Timers:\n  print in 1.8e+03 s\n", report)
        self.assertIn("still under way", report)
        self.assertNotIn("deadlock", report)
        self.assertNotIn("FaultyPipe", report)

    def test_a_test_that_is_skipped_is_not_failed(self) -> None:
        def body(case: Base) -> None:
            case.host.cut()
            case.skipTest("later")

        result = run_case(type("Sample", (Base,), {"test": body}))
        self.assertEqual(result.verdicts, ["addSkip"])

    def test_a_refused_connection_and_a_partition(self) -> None:
        async def body(case: Base) -> None:
            case.host.refuse(1)
            await case.assert_broken(ConnectionRefusedError)
            case.network.partition(ADDRESS)
            await case.charge()

        report = self.report(body)
        self.assertIn(f"{URL}: a connection from localhost, refused\n    by refuse(1), set at LINE", report)
        self.assertIn(f"a connection from localhost, not made\n    by partition('{ADDRESS}'), set at LINE", report)

    def test_a_fault_that_had_no_effect(self) -> None:
        def body(case: Base) -> None:
            case.host.latency = 3
            case.fail()

        self.assertIn(f"  {URL}: latency = 3 has had no effect\n    set at LINE", self.report(body))

    def test_a_cut_of_a_request_that_never_comes(self) -> None:
        self.assertIn(
            f"AssertionError: {URL}: cut(after=100) has not come into effect, because no response was sent after it.\n"
            "  set at LINE: self.report(lambda case: case.host.cut(after=100)),\nIf it need not come, take it away.",
            self.report(lambda case: case.host.cut(after=100)),
        )

    def test_a_response_that_is_too_short(self) -> None:
        async def body(case: Base) -> None:
            case.host.cut(after=10_000)
            await case.charge()

        self.assertIn(f"because the response to GET {URL}/charge had SIZE bytes.\n", self.report(body))

    def test_connections_that_do_not_come(self) -> None:
        async def body(case: Base) -> None:
            case.host.refuse(2)
            await case.assert_broken(ConnectionRefusedError)

        self.assertIn(
            "refuse(2) has not come into effect 1 more time, because nothing has connected.", self.report(body)
        )

    def test_a_test_that_has_failed_already_is_told_nothing_else(self) -> None:
        def body(case: Base) -> None:
            case.host.cut()
            case.fail("of itself")

        report = self.report(body)
        self.assertIn("cut(after=0) has had no effect", report)
        self.assertNotIn("has not come into effect", report)

    def test_a_test_that_passes_has_no_report(self) -> None:
        async def body(case: Base) -> None:
            case.host.latency = 1
            await case.charge()

        self.assertEqual(self.report(body), "")


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
        for name, text in (
            ("latancy", "latancy is no fault. Did you mean latency = 1?"),
            ("band_width", "band_width is no fault. Did you mean bandwidth = 1?"),
            ("hold", "hold is a method. Call hold() in place of hold = 1."),
        ):
            with self.subTest(name):
                self.refuses(AttributeError, f"{URL}: {text}", lambda name=name: setattr(host, name, 1))  # type: ignore[misc]
        host.comment = "an attribute of the user"

    def test_names(self) -> None:
        self.refuses(
            ValueError,
            "network.partition() got 'localhots', which is neither a name that the test serves nor 'localhost', the "
            "test itself. Did you mean 'localhost'?",
            lambda: self.network.partition("localhots"),
        )
        with self.assertRaisesRegex(ValueError, "The names are '198.18.0.7', 'localhost'."):
            self.network.link("a.example", "b.example")
        with self.assertRaisesRegex(ValueError, "got 'localhost' twice. Give two names."):
            self.network.partition("localhost", "localhost")

    def test_a_stopped_host(self) -> None:
        self.host.is_stopped = True
        self.refuses(
            RuntimeError,
            f"{URL}: cut(after=0) comes after stop(). Set it before, or serve the host again by network.serve().",
            self.host.cut,
        )

    def test_real_sockets(self) -> None:
        from asynctest_tornado._network.faults import HostFaults

        with self.assertRaisesRegex(
            RuntimeError, "latency = 1 cannot be set, because the connections of this test are"
        ):
            HostFaults(URL).latency = 1

    def test_after_the_end(self) -> None:
        class Sample(Base):
            def test(self) -> None:
                found.append(self.host)

        found: list[Any] = []
        run_case(Sample)
        with self.assertRaisesRegex(RuntimeError, r"hold\(\) comes after the end of the test. Set it in the test."):
            found[0].hold()
