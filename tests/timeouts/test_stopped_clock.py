import asyncio
import unittest
from unittest import mock

import freezegun

from asynctest_tornado import AsyncTestCase, VirtualClock
from tests.limits import limit_clock
from tests.support import run_body


class Sample(AsyncTestCase):
    async_test_timeout = 0.2

    async def sleep(self) -> None:
        """Sleep until the time is over."""
        limit_clock.advance()
        await asyncio.sleep(3600)


class StoppedClockTest(unittest.TestCase):
    """The report of a timeout says if the loop's clock stands still."""

    def report(self, base: type[AsyncTestCase], body: object) -> str:
        with limit_clock.stopped():
            return run_body(base, body).report  # type: ignore[arg-type]

    def test_a_clock_that_freezegun_has_stopped(self) -> None:
        async def test(case: Sample) -> None:
            with freezegun.freeze_time("2030-01-01"):
                await case.sleep()

        report = self.report(Sample, test)
        self.assertIn("timed out after 0.2 seconds", report)
        self.assertIn("The loop's clock stands still: time passes, and loop.time() does not move. No timer", report)
        self.assertIn("give freeze_time() the argument real_asyncio=True", report)

    def test_a_clock_that_a_mock_has_stopped(self) -> None:
        async def test(case: Sample) -> None:
            with mock.patch("time.monotonic", return_value=1.0):
                await case.sleep()

        report = self.report(Sample, test)
        self.assertIn("The loop's clock stands still", report)
        self.assertNotIn("freezegun", report)

    def test_clocks_that_run(self) -> None:
        async def with_real_asyncio(case: Sample) -> None:
            with freezegun.freeze_time("2030-01-01", real_asyncio=True):
                await case.sleep()

        by_hand = type("ByHand", (Sample,), {"clock_factory": lambda: VirtualClock(autojump=False)})
        for base, test in (Sample, Sample.sleep), (Sample, with_real_asyncio), (by_hand, Sample.sleep):
            self.assertNotIn("stands still: time", self.report(base, test))
