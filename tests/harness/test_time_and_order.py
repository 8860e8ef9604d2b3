import asyncio
import unittest

from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOLoop

from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._harness.harness import Harness, State
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._timeouts.limits import Limit

LIMIT = Limit(5, "the test")
SEEDS = range(1, 20)


def left_behind(seed: int) -> set[str]:
    """Return the tasks that were ready when one of them stopped the loop, and did not go on before the wait ended."""
    steps = dict.fromkeys("abcd", 0)
    at_stop: dict[str, int] = {}

    async def spin(name: str) -> None:
        while True:
            await asyncio.sleep(0)
            steps[name] += 1
            if steps[name] == 5 and not at_stop:
                at_stop.update(steps)
                harness.waits.stop(None)

    with Harness(lambda: "it", schedule=Schedule(seed)) as harness:
        for name in steps:
            IOLoop.current().asyncio_loop.create_task(spin(name))  # type: ignore[attr-defined]
        harness.waits.wait(None, LIMIT, AssertionError)
        return {name for name in steps if steps[name] == at_stop[name]}


class TimeTest(unittest.TestCase):
    """The loop of a test, with the time of a clock."""

    def test_it_is_that_of_the_clock(self) -> None:
        clock = VirtualClock(epoch=100)
        with Harness(lambda: "it", clock=clock) as harness:
            harness.waits.run(lambda: asyncio.sleep(3600), LIMIT)
            self.assertEqual((clock.time(), IOLoop.current().time()), (3600, 3700))

    def test_a_loop_on_which_it_cannot_pass_is_closed(self) -> None:
        asyncio_loop = asyncio.SelectorEventLoop()
        harness = Harness(lambda: "it", clock=VirtualClock())
        with self.assertRaisesRegex(TypeError, "cannot pass time on <.*closed=True.*Leave out loop_factory"):
            harness.open(lambda: AsyncIOLoop(asyncio_loop=asyncio_loop, make_current=False))
        self.assertTrue(asyncio_loop.is_closed())
        self.assertIs(harness.state, State.NEW)
        self.assertIsNone(IOLoop.current(instance=False))


class OrderTest(unittest.TestCase):
    """The loop of a test, in the order of a schedule."""

    def test_each_task_that_is_ready_at_a_stop_goes_on_before_the_wait_ends(self) -> None:
        self.assertEqual({seed: left_behind(seed) for seed in SEEDS}, {seed: set() for seed in SEEDS})

    def test_a_loop_of_the_class_has_its_own_order_back(self) -> None:
        with Harness(lambda: "the class") as outer:
            attributes = vars(IOLoop.current().asyncio_loop)  # type: ignore[attr-defined]
            before = dict(attributes)
            with Harness(lambda: "it", outer, schedule=Schedule(1)):
                self.assertGreater(attributes.keys(), before.keys())
            self.assertEqual(attributes, before)

    def test_a_loop_that_was_closed_has_its_own_order_back(self) -> None:
        schedule = Schedule(1)
        with Harness(lambda: "it", schedule=schedule):
            loop = IOLoop.current().asyncio_loop  # type: ignore[attr-defined]
            self.assertEqual(loop._asynctest.ready, schedule.pending)
        self.assertNotIn("call_soon", vars(loop))
        self.assertIsNone(loop._asynctest.ready)
