import asyncio
import unittest

from tornado.ioloop import IOLoop

from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._harness.feature import Features
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._schedules.feature import ORDER
from asynctest_tornado._schedules.schedule import Schedule

LIMIT = Limit(5, "the test")
SEEDS = range(1, 20)


def harness_in(schedule: Schedule, outer: Harness | None = None) -> HarnessByHand:
    return HarnessByHand(lambda: "it", outer, Features([ORDER]), {ORDER: schedule})


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
                harness.loop.loop.stop()

    with harness_in(Schedule.of_seed(seed)) as harness:
        for name in steps:
            IOLoop.current().asyncio_loop.create_task(spin(name))  # type: ignore[attr-defined]
        harness.waits.run_until(lambda: bool(at_stop), LIMIT, lambda report: AssertionError())
        return {name for name in steps if steps[name] == at_stop[name]}


class OrderTest(unittest.TestCase):
    """The loop of a test, in the order of a schedule."""

    def test_each_task_that_is_ready_at_a_stop_goes_on_before_the_wait_ends(self) -> None:
        self.assertEqual({seed: left_behind(seed) for seed in SEEDS}, {seed: set() for seed in SEEDS})

    def test_a_loop_of_the_class_has_its_own_order_back(self) -> None:
        with HarnessByHand(lambda: "the class") as outer:
            attributes = vars(IOLoop.current().asyncio_loop)  # type: ignore[attr-defined]
            before = dict(attributes)
            with harness_in(Schedule.of_seed(1), outer):
                self.assertGreater(attributes.keys(), before.keys())
            self.assertEqual(attributes, before)

    def test_a_loop_that_was_closed_has_its_own_order_back(self) -> None:
        schedule = Schedule.of_seed(1)
        with harness_in(schedule):
            loop = IOLoop.current().asyncio_loop  # type: ignore[attr-defined]
            self.assertEqual(loop.ready_calls, schedule.pending)

        self.assertNotIn("call_soon", vars(loop))
        self.assertNotEqual(loop.ready_calls, schedule.pending)
