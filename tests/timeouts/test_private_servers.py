import contextlib
import socket
import unittest
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from tornado import gen
from tornado.iostream import IOStream

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, bind_unused_port
from asynctest_tornado._loop import in_flight
from tests.samples import waiting
from tests.samples.outside import Outside
from tests.samples.waiting import PREPARATIONS, WAKERS
from tests.support import RecordingResult


def setUpModule() -> None:
    waiting.WaitsBehindServer.outside = Outside()


def tearDownModule() -> None:
    waiting.WaitsBehindServer.outside.say("quit")


class PrivateServerTest(unittest.TestCase):
    def run_sample(self, base: type[AsyncHTTPTestCase] = AsyncHTTPTestCase, **attributes: Any) -> RecordingResult:
        bases = (waiting.WaitsBehindServer,) if base is AsyncHTTPTestCase else (waiting.WaitsBehindServer, base)
        result = RecordingResult()
        # A suite, for samples with the scope of a class; and another module, or it would set up this one for each.
        attributes["__module__"] = waiting.__name__
        unittest.TestSuite([type("Sample", bases, attributes)("test")]).run(result)
        return result

    def test_each_waker_ends_the_wait(self) -> None:
        for waker in WAKERS:
            with self.subTest(waker):
                result = self.run_sample(waker=waker)
                self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_where_nothing_is_left_that_could_connect_the_wait_ends(self) -> None:
        for prepare in ((), *((each,) for each in PREPARATIONS)):
            for base in AsyncHTTPTestCase, AsyncHTTPSTestCase:
                with self.subTest(prepare=prepare, base=base):
                    report = self.run_sample(base, prepare=prepare).report
                    self.assertIn("this is a deadlock", report)
                    self.assertIn("no open file but those of the test's own server", report)
                    self.assertIn("await self.wake.wait()", report)

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.sampled_from(sorted(PREPARATIONS)), max_size=4), st.sampled_from([None, *sorted(WAKERS)]))
    def test_only_if_nothing_can_end_the_wait_it_is_a_deadlock(self, prepare: list[str], waker: str | None) -> None:
        report = self.run_sample(prepare=tuple(prepare), waker=waker).report
        if waker is None:
            self.assertIn("this is a deadlock", report)
        else:
            self.assertEqual(report, "")

    def test_a_request_that_no_handler_answers(self) -> None:
        def body(case: Any) -> None:
            case.fetch("/stuck")

        report = self.run_sample(test=body).report
        self.assertIn("this is a deadlock", report)
        self.assertIn("await asyncio.Event().wait()", report)

    def test_a_wait_for_a_stop(self) -> None:
        def body(case: Any) -> None:
            case.fetch("/host")
            case.wait()

        self.assertIn("this is a deadlock", self.run_sample(test=body).report)

    def test_servers_of_a_class(self) -> None:
        self.assertIn("this is a deadlock", self.run_sample(loop_scope="class").report)

    def test_a_timer_of_the_test_is_waited_for(self) -> None:
        async def body(case: Any) -> None:
            case.io_loop.call_later(3600, lambda: None)
            await case.wake.wait()

        report = self.run_sample(test=body, async_test_timeout=0.3, leaks="ignore").report
        self.assertIn("timed out after 0.3 seconds", report)
        self.assertNotIn("this is a deadlock", report)

    def test_a_timer_of_the_application_that_is_due_after_the_limit_is_no_deadlock(self) -> None:
        def body(case: Any) -> None:
            case.fetch("/sleeps")

        report = self.run_sample(test=body).report
        self.assertRegex(
            report,
            r"would have timed out after 15 seconds \(.*async_test_timeout\), and ends after [\d.]+ seconds: nothing "
            r"is left that could wake the event loop before that\. "
            r"The next timer is due in (60|59.*) s, after the limit",
        )
        self.assertRegex(report, r"Timers:\n.* in (60|59.*) s")
        self.assertNotIn("this is a deadlock", report)

    def test_a_stop_after_the_limit_is_no_deadlock(self) -> None:
        def body(case: Any) -> None:
            case.io_loop.add_callback(sleep)
            case.wait()

        async def sleep() -> None:
            await gen.sleep(3600)

        report = self.run_sample(test=body, leaks="ignore").report
        self.assertRegex(report, "due in 3.6e\\+03 s, after the limit.*; self.stop\\(\\) was not called in that time")
        self.assertNotIn("this is a deadlock", report)

    def test_a_port_that_the_test_has_chosen_is_known_to_others(self) -> None:
        def get_http_socket(case: Any) -> socket.socket:
            return bind_unused_port()[0]

        report = self.run_sample(get_http_socket=get_http_socket, async_test_timeout=0.3).report
        self.assertIn("timed out after 0.3 seconds", report)
        self.assertNotIn("this is a deadlock", report)

    def test_so_is_a_port_that_a_patch_has_chosen(self) -> None:
        def bind(*args: object) -> socket.socket:
            return bind_unused_port()[0]

        def set_up(case: Any) -> None:
            case.get_http_socket = bind
            AsyncHTTPTestCase.setUp(case)

        reports = [self.run_sample(setUp=set_up, async_test_timeout=0.3).report]
        with mock.patch.object(AsyncHTTPTestCase, "get_http_socket", bind):
            reports.append(self.run_sample(async_test_timeout=0.3).report)
        for report in reports:
            self.assertIn("timed out after 0.3 seconds", report)
            self.assertNotIn("this is a deadlock", report)

    def test_bytes_that_the_system_acknowledges_later_are_looked_for_again(self) -> None:
        async def body(case: Any) -> None:
            await case.fetch("/stuck")

        has_unacknowledged, answers = in_flight.has_unacknowledged, [True, True]

        def later(fd: int) -> bool:
            return answers.pop() if answers else has_unacknowledged(fd)

        with mock.patch.object(in_flight, "has_unacknowledged", later):
            report = self.run_sample(test=body).report
        self.assertEqual(answers, [])
        self.assertIn("Operation would have timed out", report)  # it has not

    def test_bytes_on_their_way_are_waited_for(self) -> None:
        async def body(case: Any) -> None:
            host, _, port = (await case.fetch("/host")).body.decode().rpartition(":")
            with contextlib.closing(IOStream(socket.socket())) as stream:
                await stream.connect((host, int(port)))
                await stream.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
                await case.wake.wait()

        report = self.run_sample(test=body, async_test_timeout=2, leaks="ignore").report
        self.assertIn("timed out after 2 seconds", report)
        self.assertNotIn("this is a deadlock", report)
