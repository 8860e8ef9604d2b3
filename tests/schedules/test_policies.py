import asyncio
import unittest
from collections import Counter
from collections.abc import Callable
from typing import Any

from tornado import gen
from tornado.ioloop import IOLoop

from asynctest_tornado._schedules.pct import Pct
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._schedules.seeds import policy_of
from tests.samples import races
from tests.schedules.test_schedule import in_order, orders
from tests.support import environ, run_case

#: As many seeds as the tests of fairness try, of all policies.
MANY = 100


class SeedsTest(unittest.TestCase):
    def test_most_are_of_pct_and_all_policies_come(self) -> None:
        kinds = Counter(type(policy_of(seed)).__name__ for seed in range(1, 241))
        self.assertEqual(kinds, {"Pct": 200, "Uniform": 20, "Favourite": 20})

    def test_one_of_a_pair_finds_a_race_of_two_tasks(self) -> None:
        async def main() -> str:
            log: list[str] = []

            async def work(name: str) -> None:
                await asyncio.sleep(0)
                log.append(name)

            await asyncio.gather(work("a"), work("b"))
            return "".join(log)

        pairs = [
            [in_order(seed + place, main)[0] for place in (0, 1)]
            for seed in range(14, 214, 2)
            if isinstance(policy_of(seed), Pct) and isinstance(policy_of(seed + 1), Pct)
        ]
        differing = [pair for pair in pairs if len(set(pair)) == 2]
        self.assertGreater(len(differing), len(pairs) / 2)

    def test_deep_orders_are_found(self) -> None:
        """One task falls far behind another one; or all tasks end in the opposite order."""
        for cls in (races.FarBehind, races.EndInReverse):
            with self.subTest(cls.__name__), environ(ASYNC_TEST_SCHEDULES="100"):
                self.assertEqual(run_case(cls).verdicts, ["addFailure"])


class FairnessTest(unittest.TestCase):
    """Code that polls relies on others to go on. It ends in each order."""

    def assert_ends(self, main: Callable[[], Any]) -> None:
        for seed in range(MANY):
            with self.subTest(seed):
                self.assertEqual(in_order(seed, main)[0], "done")

    def test_tasks_that_poll(self) -> None:
        async def main() -> str:
            done: list[bool] = []

            async def poll() -> None:
                while not done:
                    await asyncio.sleep(0)

            async def work() -> None:
                for _ in range(5):
                    await asyncio.sleep(0)
                done.append(True)

            await asyncio.gather(poll(), poll(), work(), poll())
            return "done"

        self.assert_ends(main)

    def test_callbacks_that_poll(self) -> None:
        async def main() -> str:
            loop = asyncio.get_running_loop()
            done = loop.create_future()
            is_ready: list[bool] = []

            def poll() -> None:
                if is_ready:
                    done.set_result("done")
                else:
                    loop.call_soon(poll)

            async def work() -> None:
                for _ in range(5):
                    await asyncio.sleep(0)
                is_ready.append(True)

            poll()
            result, _ = await asyncio.gather(done, work())
            return str(result)

        self.assert_ends(main)

    def test_coroutines_of_tornado_that_poll(self) -> None:
        async def main() -> str:
            done: list[bool] = []

            @gen.coroutine
            def poll() -> Any:
                while not done:
                    yield gen.moment

            @gen.coroutine
            def work() -> Any:
                for _ in range(5):
                    yield gen.moment
                done.append(True)

            self.assertIsNotNone(IOLoop.current())
            yielded: Any = gen.multi([poll(), work(), poll()])
            await yielded
            return "done"

        self.assert_ends(main)

    def test_many_tasks(self) -> None:
        async def main() -> str:
            async def work() -> None:
                await asyncio.sleep(0)

            await asyncio.gather(*(work() for _ in range(300)))
            return "done"

        self.assertEqual(orders(main, 8), {"done"})

    def test_a_seed_is_one_order(self) -> None:
        async def main() -> str:
            async def work() -> None:
                for _ in range(4):
                    await asyncio.sleep(0)

            await asyncio.gather(*(work() for _ in range(6)))
            return "done"

        for seed in range(30):
            first, second = (in_order(seed, main)[1] for _ in range(2))
            self.assertEqual(first.fingerprint, second.fingerprint)
            self.assertIsInstance(first, Schedule)
