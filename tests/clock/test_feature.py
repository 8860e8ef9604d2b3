import asyncio
import unittest

from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOLoop

from asynctest_tornado._clock.feature import VIRTUAL_TIME
from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._harness.feature import Features
from asynctest_tornado._harness.harness import Harness, State
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._timeouts.alarms import ALARMS
from tests.support import RecyclingHarness

LIMIT = Limit(5, "the test")


def harness_with(clock: VirtualClock, outer: Harness | None = None) -> RecyclingHarness:
    return RecyclingHarness(lambda: "it", outer, Features([ALARMS, VIRTUAL_TIME]), {VIRTUAL_TIME: clock})


class TimeTest(unittest.TestCase):
    """The loop of a test, with the time of a clock."""

    def test_it_is_that_of_the_clock(self) -> None:
        clock = VirtualClock(epoch=100)
        with harness_with(clock) as harness:
            harness.waits.run(lambda: asyncio.sleep(3600), LIMIT)
            self.assertEqual((clock.time(), IOLoop.current().time()), (3600, 3700))

    def test_a_loop_on_which_it_cannot_pass_is_closed(self) -> None:
        asyncio_loop = asyncio.SelectorEventLoop()
        harness = harness_with(VirtualClock())
        with self.assertRaisesRegex(TypeError, "cannot pass time on asyncio[.].*Leave out loop_factory"):
            harness.open(lambda: AsyncIOLoop(asyncio_loop=asyncio_loop, make_current=False))
        self.assertTrue(asyncio_loop.is_closed())
        self.assertIs(harness.state, State.NEW)
        self.assertIsNone(IOLoop.current(instance=False))

    def test_a_test_of_the_class_has_the_clock_of_the_class(self) -> None:
        clock = VirtualClock()
        with harness_with(clock) as outer:
            outer.waits.run(lambda: asyncio.sleep(1), LIMIT)
            with harness_with(clock, outer) as inner:
                clock.advance(2)
                self.assertIn("2 s have passed in this test, 3 s in all", inner.waits.snapshot())
            clock.advance(3)
            self.assertEqual(clock.time(), 6)
        self.assertEqual(clock.tests, [])
