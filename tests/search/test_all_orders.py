import asyncio
import os
import random
import unittest
from collections.abc import Callable, Sequence
from typing import Any

from asynctest_tornado._schedules.call import Call
from asynctest_tornado._schedules.history import History
from asynctest_tornado._schedules.holds import Moment
from asynctest_tornado._schedules.policies import Policy
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search.all_orders import Explored, Explorer
from tests.schedules.test_schedule import in_schedule, take_turns

Program = Callable[[], Any]
Order = tuple[Moment, ...]

#: How many programs run with and without reduction. ``.ci/run`` has more.
PROGRAMS = int(os.environ.get("ASYNCTEST_REDUCED_PROGRAMS", "20"))


class Script(Policy):
    """Makes the choices of a list, and then asyncio's."""

    def __init__(self, places: Sequence[int]) -> None:
        self._places = places
        self.totals: list[int] = []

    def choose(self, steps: Sequence[Call], count: int, total: int) -> int:
        self.totals.append(total)
        made = len(self.totals) - 1
        return self._places[made] if made < len(self._places) else 0


def order_of(history: History) -> Order:
    return tuple(made.moment for made in history.calls)


def by_brute_force(program: Program, bound: int) -> dict[Order, str]:
    """Return all orders with at most some deviations, by all choices one after the other, and the end of each."""
    found: dict[Order, str] = {}
    left: list[tuple[int, ...]] = [()]
    while left:
        places = left.pop()
        script, history = Script(places), History()
        end = str(in_schedule(Schedule(script, history=history), program))
        if len(history.holds()) > bound:
            continue  # choices that come later do not take a deviation back
        found[order_of(history)] = end
        for place in range(len(places), len(script.totals)):
            fewest = (*places, *[0] * (place - len(places)))
            left += [(*fewest, other) for other in range(1, script.totals[place])]
    return found


def explore(
    program: Program, bound: int | None, *, is_reduced: bool = True, most: int = 100_000
) -> tuple[dict[Order, str], Explored, list[int]]:
    """Return the orders that the explorer tries, each with its end; how far it came; and the deviations of each."""
    explorer = Explorer(bound, most, 600, is_reduced=is_reduced)
    found: dict[Order, str] = {}
    counts = []
    for holds in explorer:
        history = explorer.history()
        end = str(in_schedule(Schedule.of_holds(holds, history=history), program))
        assert {hold.moment for hold in history.holds()} == {hold.moment for hold in holds}
        counts.append(len(holds))
        found[order_of(history)] = end
        explorer.record(history)
    return found, explorer.explored(), counts


def generate(seed: int, tasks: int = 3, length: int = 3) -> Program:
    """Return a random program: tasks that read and write, wait for each other, cancel each other, or only sleep."""
    dice = random.Random(seed)
    acts = "sleep", "sleep", "sleep", "read", "write", "loop", "put", "get", "lock", "call", "cancel", "late", "nested"
    plans = [[(dice.choice(acts), dice.randrange(tasks)) for _ in range(length)] for _ in range(tasks)]

    async def main() -> str:
        log: list[object] = []
        value = 0
        queue: asyncio.Queue[str] = asyncio.Queue()
        lock = asyncio.Lock()
        running: list[asyncio.Task[None]] = []

        async def nap() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        async def naps() -> None:
            await asyncio.sleep(0)
            for _ in range(2):
                await asyncio.sleep(0)
            await asyncio.sleep(0)

        async def work(name: int) -> None:
            nonlocal value
            seen = 0
            for act, other in plans[name]:
                try:
                    if act == "sleep":
                        await asyncio.sleep(0)
                    elif act == "nested":
                        await nap()
                    elif act == "loop":
                        await naps()
                    elif act == "read":
                        seen = value
                        await asyncio.sleep(0)
                    elif act == "write":
                        value = seen + name + 1
                        await asyncio.sleep(0)
                    elif act == "put":
                        queue.put_nowait(str(name))
                    elif act == "get":
                        log.append(await queue.get() if not queue.empty() else "empty")
                    elif act == "lock":
                        async with lock:
                            log.append(f"lock {name}")
                            await asyncio.sleep(0)
                    elif act == "call":
                        asyncio.get_running_loop().call_soon(log.append, f"call {name}")
                        await asyncio.sleep(0)
                    elif act == "cancel" and running[other] is not asyncio.current_task():
                        running[other].cancel()
                    elif act == "late":
                        handle = asyncio.get_running_loop().call_soon(log.append, f"late {name}")
                        await asyncio.sleep(0)
                        handle.cancel()
                except asyncio.CancelledError:
                    log.append(f"{name} cancelled at {act}")

        running += [asyncio.ensure_future(work(name)) for name in range(tasks)]
        await asyncio.gather(*running, return_exceptions=True)
        return f"{value} {log}"

    return main


class CompleteTest(unittest.TestCase):
    """Without reduction, the search meets each order once, and leaves out none."""

    def check(self, program: Program, bound: int) -> None:
        expected = by_brute_force(program, bound)
        found, explored, counts = explore(program, bound, is_reduced=False)
        self.assertEqual(found, expected)
        self.assertEqual(explored.orders, len(expected))
        self.assertTrue(explored.is_complete)
        self.assertEqual(counts, sorted(counts))

    def test_turns(self) -> None:
        for bound in range(3):
            self.check(lambda: take_turns("abc", 2), bound)

    def test_random_programs(self) -> None:
        for seed in range(40):
            with self.subTest(seed):
                self.check(generate(seed, tasks=2), 2)

    def test_a_limit_leaves_out_the_last_ones(self) -> None:
        def program() -> Any:
            return take_turns("abc", 2)

        whole = list(explore(program, None)[0])
        for most in 1, 5, 40, 200:
            tried, explored, _ = explore(program, None, most=most)
            self.assertEqual((list(tried), explored.is_complete), (whole[:most], False))

    def test_more_tasks(self) -> None:
        for seed in range(10):
            with self.subTest(seed):
                self.check(generate(seed, tasks=3, length=2), 1)


class ReducedTest(unittest.TestCase):
    """With reduction, the search meets fewer orders, and each end of a test."""

    def test_random_programs_end_in_the_same_ways(self) -> None:
        orders = [0, 0]
        for seed in range(PROGRAMS):
            tasks = 2 + seed % 2
            program = generate(seed, tasks, 4 - tasks % 2)
            for bound in range(3 if tasks == 2 else 2):
                with self.subTest(seed, bound=bound):
                    everything, _, _ = explore(program, bound, is_reduced=False)
                    reduced, explored, _ = explore(program, bound)
                    self.assertTrue(explored.is_complete)
                    self.assertEqual(set(reduced.values()), set(everything.values()))
                    self.assertLessEqual(set(reduced), set(everything))
                    orders[0] += len(everything)
                    orders[1] += len(reduced)
        self.assertLess(orders[1], orders[0] / 1.2)

    def test_steps_of_tasks_that_are_cancelled(self) -> None:
        async def main() -> str:
            log: list[str] = []

            async def nap() -> None:
                try:
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    log.append("early")
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    log.append("late")

            async def cancel(task: "asyncio.Task[None]") -> None:
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.sleep(0)

            task = asyncio.ensure_future(nap())
            await asyncio.gather(task, cancel(task), return_exceptions=True)
            return str(log)

        everything, _, _ = explore(main, 2, is_reduced=False)
        self.assertEqual(set(everything.values()), {"['early']", "['late']", "[]"})
        self.assertEqual(set(explore(main, 2)[0].values()), set(everything.values()))

    def test_a_step_that_registers_a_callback(self) -> None:
        async def main() -> str:
            log: list[str] = []

            async def nap() -> None:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                log.append("nap")

            async def call() -> None:
                await asyncio.sleep(0)
                log.append("step")
                asyncio.get_running_loop().call_soon(log.append, "call")
                await asyncio.sleep(0)

            await asyncio.gather(call(), nap())
            return str(log)

        everything, _, _ = explore(main, 1, is_reduced=False)
        # In the second one, the sleep that touches nothing comes before the step that registers the callback.
        orders = {"['step', 'call', 'nap']", "['step', 'nap', 'call']", "['nap', 'step', 'call']"}
        self.assertEqual(set(everything.values()), orders)
        self.assertEqual(set(explore(main, 1)[0].values()), set(everything.values()))

    def test_timers_that_come_while_calls_wait(self) -> None:
        async def main() -> str:
            log: list[str] = []
            future = asyncio.get_running_loop().create_future()

            async def nap() -> None:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                log.append("nap")

            async def wait() -> None:
                await future
                log.append("wait")

            asyncio.get_running_loop().call_later(0, future.set_result, None)
            await asyncio.gather(nap(), wait(), nap())
            return str(log)

        everything, _, _ = explore(main, 2, is_reduced=False)
        reduced, explored, _ = explore(main, 2)
        self.assertTrue(explored.is_complete)
        self.assertEqual(reduced, everything)
