"""Partitions and links; what the report of a failed test says about faults, and which faults fail a test."""

import asyncio
import re
import unittest
from collections.abc import Callable
from typing import Any

from tornado.tcpclient import TCPClient
from tornado.web import Application

from asynctest_tornado import AsyncTestCase, VirtualNetwork
from tests.network import test_faults as cases
from tests.network.hosts import ADDRESS, SECURE_URL, URL, Lines, serve
from tests.support import RecordingResult, run_case


class TLSReportTest(unittest.TestCase):
    def report(self, base: type[cases.TLSTest]) -> str:
        async def body(case: cases.TLSTest) -> None:
            case.host.cut(after=100)
            await case.charge()

        return run_case(type("Sample", (base,), {"test": body})).report

    def test_it_names_the_request_unless_the_bytes_are_encrypted(self) -> None:
        what = r"100 of [\d,]+ bytes of the response, then cut\n"
        self.assertRegex(self.report(cases.TLSTest), rf"  GET {SECURE_URL}/charge: {what}")
        self.assertRegex(self.report(cases.SpokenTLSTest), rf"  {SECURE_URL}: {what}")


class PartitionTest(cases.Base):
    async def test_a_connection_waits_for_the_end(self) -> None:
        self.network.partition(ADDRESS)
        response = asyncio.ensure_future(self.charge())
        await asyncio.sleep(5)
        self.assertEqual(self.host.requests, [])  # type: ignore[attr-defined]
        self.network.heal()
        await response
        self.assertEqual(self.clock.time(), 5)

    async def test_one_of_two_partitions_ends(self) -> None:
        self.network.partition("localhost", self.host)
        self.network.partition(ADDRESS)
        self.network.heal(ADDRESS)
        response = asyncio.ensure_future(self.charge())
        await asyncio.sleep(5)
        self.network.heal(self.host, "localhost")
        await response
        self.assertEqual(self.clock.time(), 5)
        with self.assertRaisesRegex(ValueError, "got 198.18.0.7, and there is no such partition. Give the names that"):
            self.network.heal(ADDRESS)

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


class SharedNetworkTest(unittest.TestCase):
    def test_a_fault_that_does_not_come_fails_its_own_test(self) -> None:
        class Sample(cases.Base):
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

    def test_a_report_has_the_faults_of_its_test_alone(self) -> None:
        class Sample(AsyncTestCase):
            network_factory = VirtualNetwork
            loop_scope = "class"

            async def test_1_that_has_faults(self) -> None:
                self.network.serve("http://one.example", Application()).latency = 1
                self.network.serve("http://other.example", Application())
                self.network.partition("one.example", "other.example")

            async def test_2_that_fails(self) -> None:
                self.network.serve("http://one.example", Application())
                self.network.serve("http://other.example", Application())
                self.fail("planted")

        result = RecordingResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Sample).run(result)
        self.assertIn("planted", result.report)
        self.assertNotIn("Faults of the network", result.report)


class ReportTest(unittest.TestCase):
    def report(self, body: Callable[[Any], Any]) -> str:
        report = run_case(type("Sample", (cases.Base,), {"test": body})).report
        report = re.sub(r"set at \S+test_fault_table.py:\d+ in \S+: ", "set at LINE: ", report)
        return re.sub(r"\b\d,\d{3} bytes|\b1\d\d bytes", "SIZE bytes", report)  # with the headers

    def test_a_cut_response(self) -> None:
        async def body(case: cases.Base) -> None:
            case.host.cut(after=100)
            await case.charge(method="POST", body=b"")

        self.assertIn(
            f"Faults of the network:\n  POST {URL}/charge: 100 of SIZE bytes of the response, then cut\n"
            "    by cut(after=100), set at LINE: case.host.cut(after=100)\n",
            self.report(body),
        )

    def test_a_late_response(self) -> None:
        async def body(case: cases.Base) -> None:
            case.host.latency = 40
            await case.charge()

        self.assertIn(
            f"  GET {URL}/charge: 0 of SIZE bytes of the response, 40 s late, still under way\n"
            "    by latency = 40, set at LINE: case.host.latency = 40\n",
            self.report(body),
        )
        self.assertNotIn("real time", self.report(body))

    def test_bytes_under_way_keep_the_loop_alive_and_are_no_timer_of_the_test(self) -> None:
        class Sample(cases.Base):
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
        self.assertIn("\n  It takes real time: set clock_factory = VirtualClock, or a shorter latency.\n", report)
        self.assertNotIn("deadlock", report)
        self.assertNotIn("FaultyPipe", report)

    def test_a_test_that_is_skipped_is_not_failed(self) -> None:
        def body(case: cases.Base) -> None:
            case.host.cut()
            case.skipTest("later")

        result = run_case(type("Sample", (cases.Base,), {"test": body}))
        self.assertEqual(result.verdicts, ["addSkip"])

    def test_a_refused_connection_and_a_partition(self) -> None:
        async def body(case: cases.Base) -> None:
            case.host.refuse(1)
            await case.assert_broken(ConnectionRefusedError)
            case.network.partition(ADDRESS)
            await case.charge()

        report = self.report(body)
        self.assertIn(f"{URL}: a connection from localhost, refused\n    by refuse(1), set at LINE", report)
        self.assertIn(f"a connection from localhost, not made\n    by partition('{ADDRESS}'), set at LINE", report)

    def test_a_fault_that_had_no_effect(self) -> None:
        def body(case: cases.Base) -> None:
            case.host.latency = 3
            case.fail()

        self.assertIn(f"  {URL}: latency = 3 has had no effect\n    set at LINE", self.report(body))

    def test_a_cut_of_a_request_that_never_comes(self) -> None:
        self.assertIn(
            f"AssertionError: {URL}: cut(after=100) has not come into effect, because no response was sent after it.\n"
            "  set at LINE: self.report(lambda case: case.host.cut(after=100)),\n"
            "Set a fault before the request that it is for, or remove it.",
            self.report(lambda case: case.host.cut(after=100)),
        )

    def test_a_response_that_is_too_short(self) -> None:
        async def body(case: cases.Base) -> None:
            case.host.cut(after=10_000)
            await case.charge()

        self.assertIn(f"because the response to GET {URL}/charge had SIZE bytes.\n", self.report(body))

    def test_connections_that_do_not_come(self) -> None:
        async def body(case: cases.Base) -> None:
            case.host.refuse(2)
            await case.assert_broken(ConnectionRefusedError)

        self.assertIn(
            "refuse(2) has not come into effect 1 more time, because nothing has connected.", self.report(body)
        )

    def test_a_test_that_has_failed_already_is_told_nothing_else(self) -> None:
        def body(case: cases.Base) -> None:
            case.host.cut()
            case.fail("of itself")

        report = self.report(body)
        self.assertIn("cut(after=0) has had no effect", report)
        self.assertNotIn("has not come into effect", report)

    def test_a_test_that_passes_has_no_report(self) -> None:
        async def body(case: cases.Base) -> None:
            case.host.latency = 1
            await case.charge()

        self.assertEqual(self.report(body), "")
