"""Dates that follow virtual time."""

import asyncio
import datetime
import functools
import inspect
import logging
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock
from xml.etree import ElementTree

import freezegun
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado import gen, web
from tornado.ioloop import PeriodicCallback

from asynctest_tornado import AsyncHTTPSTestCase, AsyncTestCase, VirtualClock
from asynctest_tornado._tls import certificate_check
from tests.limits import limit_clock
from tests.support import RecordingResult, run_body, run_python

NEW_YEAR = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
#: Read before any clock begins.
REAL = time.time()


class DatesCase(AsyncTestCase):
    clock_factory = functools.partial(VirtualClock, dates=True, epoch=NEW_YEAR)


def check_dates(clock: VirtualClock, seconds: float) -> None:
    """Check that all functions for the date agree with the clock."""
    now = NEW_YEAR + datetime.timedelta(seconds=seconds)
    same = unittest.TestCase()
    same.assertEqual(time.time(), clock.wall_time())
    same.assertEqual(time.time(), now.timestamp())
    same.assertEqual(time.time_ns(), clock.wall_time_ns())
    same.assertEqual(datetime.datetime.now(datetime.UTC), now)
    same.assertEqual(datetime.datetime.now(), datetime.datetime.fromtimestamp(now.timestamp()))
    same.assertEqual(datetime.date.today(), datetime.date.fromtimestamp(now.timestamp()))
    same.assertEqual(time.localtime(), time.localtime(now.timestamp()))
    same.assertEqual(time.gmtime(), time.gmtime(now.timestamp()))


def are_real() -> bool:
    return not time_machine.traveller_stack and REAL <= time.time() < REAL + 86400


class EverywhereTest(DatesCase):
    """Wherever code of the test runs, the date is the time of the loop."""

    def setUp(self) -> None:
        super().setUp()
        check_dates(self.clock, 0)
        self.addCleanup(lambda: check_dates(self.clock, self.clock.time()))

    async def asyncSetUp(self) -> None:
        check_dates(self.clock, 0)
        await asyncio.sleep(1)
        check_dates(self.clock, 1)

    def tearDown(self) -> None:
        check_dates(self.clock, self.clock.time())
        super().tearDown()
        check_dates(self.clock, self.clock.time())

    async def test_after_a_sleep(self) -> None:
        for number in range(1, 100):
            await asyncio.sleep(0.01)
            check_dates(self.clock, round(1 + number / 100, 2))
        await gen.sleep(3600)
        self.assertEqual(datetime.datetime.now(datetime.UTC), NEW_YEAR + datetime.timedelta(seconds=3601.99))

    def test_in_callbacks(self) -> None:
        times: list[float] = []

        def check(seconds: float) -> None:
            check_dates(self.clock, seconds)
            times.append(seconds)

        for seconds in 0.5, 2, 60:
            self.io_loop.call_later(seconds, check, 1 + seconds)
        self.io_loop.add_timeout(datetime.timedelta(hours=1), check, 3601)
        self.io_loop.call_at(time.time() + 7200, check, 7201)
        callback = PeriodicCallback(lambda: check(self.clock.time()), 600_000)
        callback.start()
        self.clock.advance(7200)
        callback.stop()
        self.assertEqual(len(times), 5 + 12)
        check_dates(self.clock, 7201)

    async def test_in_threads(self) -> None:
        await asyncio.sleep(5)
        times = [await asyncio.to_thread(time.time)]
        with ThreadPoolExecutor(1) as pool:
            times.append(pool.submit(time.time).result())
        thread = threading.Thread(target=lambda: times.append(time.time()))
        thread.start()
        thread.join()
        self.assertEqual(times, [self.clock.wall_time()] * 3)

    async def test_in_records_of_logs(self) -> None:
        await asyncio.sleep(59)
        with self.assertLogs("app") as logs:
            logging.getLogger("app").info("noted")
        self.assertEqual(logs.records[0].created, self.io_loop.time())

    async def test_durations_are_real(self) -> None:
        began = time.monotonic(), time.perf_counter()
        await asyncio.sleep(86400)
        for before, after in zip(began, (time.monotonic(), time.perf_counter()), strict=True):
            self.assertLess(after - before, 86400)

    async def test_a_journey_of_the_test_itself(self) -> None:
        with time_machine.travel(0, tick=False):
            await asyncio.sleep(5)
            self.assertEqual(time.time(), 0)
        check_dates(self.clock, 6)
        with freezegun.freeze_time("2020-01-01"):
            await asyncio.sleep(5)
            self.assertEqual(datetime.date.today(), datetime.date(2020, 1, 1))
        check_dates(self.clock, 11)


class Handler(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(86400)
        self.set_signed_cookie("name", "value", expires_days=1)
        self.write({"now": time.time()})

    def post(self) -> None:
        self.write({"cookie": (self.get_signed_cookie("name", max_age_days=7) or b"").decode()})


class ServerTest(AsyncHTTPSTestCase):
    """The test certificate is valid for OpenSSL, which has the computer's time; cookies go by the date of the test."""

    clock_factory = functools.partial(
        VirtualClock, dates=True, epoch=datetime.datetime(2200, 1, 1, tzinfo=datetime.UTC)
    )

    def get_app(self) -> web.Application:
        return web.Application([("/", Handler)], cookie_secret="secret", log_function=lambda handler: None)

    def test_a_signed_cookie_grows_old(self) -> None:
        response = self.fetch("/", request_timeout=1e6)
        self.assertEqual(response.json()["now"], self.clock.wall_time())
        cookie = {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}
        for days, value in (6, "value"), (2, ""):
            self.clock.advance(days * 86400)
            self.assertEqual(self.fetch("/", method="POST", body="", headers=cookie).json(), {"cookie": value})

    def test_reports_have_the_real_time(self) -> None:
        self.assertLess(abs(certificate_check.wall_time() - REAL), 86400)
        self.assertGreater(time.time() - certificate_check.wall_time(), 86400)


class EndTest(unittest.TestCase):
    """After the test, the date is real, however the test ends."""

    def check(self, body: Callable[[Any], Any], verdict: str, base: Any = DatesCase) -> RecordingResult:
        result = run_body(base, body)
        self.assertEqual(result.verdicts, [verdict], result.report)
        self.assertTrue(are_real())
        return result

    def test_after_success_and_failure(self) -> None:
        def fail_in_callback(case: AsyncTestCase) -> None:
            case.io_loop.call_later(60, lambda: 1 / 0)
            case.wait()

        self.check(lambda case: None, "addSuccess")
        self.check(lambda case: case.fail(), "addFailure")
        self.check(lambda case: case.skipTest(""), "addSkip")
        self.check(fail_in_callback, "addError")

    def test_after_a_timeout(self) -> None:
        async def wait(case: AsyncTestCase) -> None:
            while True:
                await asyncio.sleep(1)
                limit_clock.advance()

        with limit_clock.stopped():
            self.check(wait, "addError", type("Short", (DatesCase,), {"async_test_timeout": 0.2}))

    def test_after_a_set_up_that_fails(self) -> None:
        class Sample(DatesCase):
            def setUp(self) -> None:
                super().setUp()
                raise OSError

        self.check(lambda case: None, "addError", Sample)

    def test_after_a_loop_that_has_no_virtual_time(self) -> None:
        self.check(
            lambda case: None, "addError", type("Own", (DatesCase,), {"loop_factory": asyncio.SelectorEventLoop})
        )

    def test_after_an_interruption(self) -> None:
        async def interrupt(case: AsyncTestCase) -> None:
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            run_body(DatesCase, interrupt)
        self.assertTrue(are_real())

    def test_after_debug(self) -> None:
        class Sample(DatesCase):
            async def test(self) -> None:
                await asyncio.sleep(1)
                check_dates(self.clock, 1)

        Sample("test").debug()
        self.assertTrue(are_real())

    def test_in_several_orders(self) -> None:
        async def sleep(case: AsyncTestCase) -> None:
            await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2))
            check_dates(case.clock, 2)

        self.check(sleep, "addSuccess", type("Ordered", (DatesCase,), {"schedules": 3}))

    def test_a_journey_that_the_test_leaves_goes_on(self) -> None:
        left: list[Any] = []

        def leave(case: AsyncTestCase) -> None:
            left.append(time_machine.travel(0, tick=False))
            left[0].start()

        result = run_body(DatesCase, leave)
        self.assertEqual(time.time(), 0)
        left[0].stop()
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertTrue(are_real())

    def test_a_journey_from_before_that_the_test_ends(self) -> None:
        around = time_machine.travel(0, tick=False)
        around.start()
        result = run_body(DatesCase, lambda case: around.stop())
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertTrue(are_real())

    def test_a_test_within_a_test(self) -> None:
        def outer(case: AsyncTestCase) -> None:
            case.clock.advance(10)
            epoch = datetime.datetime(1999, 1, 1, tzinfo=datetime.UTC)
            inner = type("Inner", (DatesCase,), {"clock_factory": lambda: VirtualClock(dates=True, epoch=epoch)})
            result = run_body(inner, lambda case: case.assertEqual(time.time(), epoch.timestamp()))
            case.assertEqual(result.verdicts, ["addSuccess"], result.report)
            check_dates(case.clock, 10)

        self.check(outer, "addSuccess")

    def test_one_clock_for_the_class(self) -> None:
        class Sample(DatesCase):
            loop_scope = "class"

            @classmethod
            async def asyncSetUpClass(cls) -> None:
                await asyncio.sleep(10)

            async def test_1(self) -> None:
                check_dates(self.clock, 10)
                await asyncio.sleep(10)

            def test_2(self) -> None:
                check_dates(self.clock, 20)

        result = RecordingResult()
        unittest.TestSuite([unittest.defaultTestLoader.loadTestsFromTestCase(Sample)]).run(result)
        self.assertEqual(result.verdicts, ["addSuccess"] * 2, result.report)
        self.assertTrue(are_real())


class BeginningTest(unittest.TestCase):
    def test_by_default_it_is_the_present(self) -> None:
        before = certificate_check.wall_time()
        epoch = VirtualClock(dates=True).epoch
        self.assertLessEqual(before, epoch + 1e-6)
        self.assertLessEqual(epoch, certificate_check.wall_time() + 1e-6)
        self.assertEqual(VirtualClock().epoch, 0)
        with time_machine.travel(NEW_YEAR, tick=False):
            self.assertEqual(VirtualClock(dates=True).epoch, NEW_YEAR.timestamp())

    def test_a_date_without_a_time_zone_is_local(self) -> None:
        epoch = datetime.datetime(2030, 1, 1)
        self.assertEqual(VirtualClock(dates=True, epoch=epoch).wall_time(), epoch.timestamp())

    def test_within_frozen_time_it_is_an_error(self) -> None:
        with freezegun.freeze_time("2030-01-01"):
            report = run_body(DatesCase, lambda case: None).report
        self.assertIn(
            "RuntimeError: VirtualClock(dates=True) cannot begin, because freezegun has frozen the time", report
        )
        self.assertTrue(are_real())

    def test_without_time_machine_it_is_an_error(self) -> None:
        with mock.patch.dict(sys.modules, {"time_machine": None}):
            report = run_body(DatesCase, lambda case: None).report
        self.assertIn("ModuleNotFoundError: VirtualClock(dates=True) needs time-machine, which is not ", report)
        self.assertIn("pip install asynctest_tornado[dates]", report)

    def test_other_values_are_errors(self) -> None:
        with self.assertRaisesRegex(TypeError, "dates of VirtualClock is True or False, and not 1. Give"):
            VirtualClock(dates=1)  # type: ignore[arg-type]


class MisspelledOptionTest(unittest.TestCase):
    def test_the_error_suggests_another(self) -> None:
        for wrong, text in {
            "autojmp": "has no option autojmp. Did you mean autojump?",
            "date": "has no option date. Did you mean dates?",
            "speed": "has no option speed. The options are autojump, autojump_threshold, dates, epoch.",
        }.items():
            cls = type("Sample", (DatesCase,), {"clock_factory": functools.partial(VirtualClock, **{wrong: True})})
            report = run_body(cls, lambda case: None).report
            self.assertIn(f"TypeError: VirtualClock {text}\nIt is set by the class attribute clock_factory.", report)

    def test_a_subclass_may_have_options_of_its_own(self) -> None:
        class Clock(VirtualClock):
            def __init__(self, name: str) -> None:
                super().__init__()
                self.name = name

        self.assertEqual(Clock(name="mine").name, "mine")

    def test_the_signature_names_the_options(self) -> None:
        self.assertEqual(
            list(inspect.signature(VirtualClock).parameters), ["autojump", "autojump_threshold", "epoch", "dates"]
        )


class ExactTest(unittest.TestCase):
    @settings(max_examples=200, deadline=None)
    @given(
        st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2200, 1, 1), timezones=st.just(datetime.UTC)),
        st.lists(st.integers(0, 10**9), max_size=5),
    )
    def test_dates_are_exact_to_the_microsecond(self, epoch: datetime.datetime, microseconds: list[int]) -> None:
        clock = VirtualClock(dates=True, epoch=epoch)
        self.assertEqual(clock.wall_time(), epoch.timestamp())
        now = epoch
        for number in microseconds:
            now += datetime.timedelta(microseconds=number)
            clock._move((now - epoch) / datetime.timedelta(seconds=1))
            self.assertEqual(clock.wall_time(), now.timestamp())
            self.assertEqual(
                datetime.datetime.fromtimestamp(clock.wall_time_ns() // 10**9, datetime.UTC)
                + datetime.timedelta(microseconds=clock.wall_time_ns() % 10**9 // 1000),
                now,
            )


class PytestTest(unittest.TestCase):
    """Dates of test functions; the durations in pytest's report are real."""

    def test_functions_and_their_fixtures(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            junit = Path(folder, "junit.xml")
            done = run_python(
                *("-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={junit}"),
                "tests/samples/dates_for_pytest.py",
            )
            cases = list(ElementTree.parse(junit).iter("testcase"))
        failed = {case.get("name") for case in cases if len(case)}
        self.assertEqual((len(cases), failed), (6, {"test_failure"}), done.stdout)
        for case in cases:
            self.assertLess(float(case.get("time", "nan")), 86400)
