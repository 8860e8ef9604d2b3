import asyncio
import functools
import unittest
from collections.abc import Awaitable, Callable
from typing import Any
from unittest import mock

from asynctest_tornado._search import footprints

nap = asyncio.sleep
Coroutine = Callable[[], Awaitable[Any]]


async def _sleep(delay: float) -> None:
    await asyncio.sleep(0)


class Clock:
    sleep = staticmethod(asyncio.sleep)


clock = Clock()
things: list[object] = []


async def inert_steps(coroutine: Coroutine, cancel: bool = False) -> list[bool]:
    """Return, for each step of a coroutine but the first, whether it is inert."""
    task: asyncio.Future[Any] = asyncio.ensure_future(coroutine())
    await asyncio.sleep(0)
    if cancel:
        task.cancel()
    found = []
    while not task.done():
        found.append(footprints.is_inert(task))
        await asyncio.sleep(0)
    return found


class ReplacedSleepTest(unittest.IsolatedAsyncioTestCase):
    """Tests that replace ``asyncio.sleep``, mostly to pass faster."""

    async def test_no_step_is_inert(self) -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        for replacement in (mock.Mock(side_effect=nap), functools.partial(nap), mock.AsyncMock(side_effect=nap)):
            task = asyncio.ensure_future(work())
            with self.subTest(replacement), mock.patch("asyncio.sleep", replacement):
                await nap(0)
                self.assertFalse(footprints.is_inert(task))
                await task


class UncancelledTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_step_that_meets_a_cancellation_all_the_same(self) -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        task.cancel()
        task.uncancel()
        is_inert = footprints.is_inert(task)
        await asyncio.wait([task])
        self.assertEqual(is_inert, not task.cancelled())


class InertTest(unittest.IsolatedAsyncioTestCase):
    """What touches nothing."""

    async def test_one_sleep_after_the_other(self) -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await nap(0)
            await asyncio.sleep(0)

        self.assertEqual(await inert_steps(work), [True, True, True, False])

    async def test_loops(self) -> None:
        async def work(times: int = 2) -> None:
            for _ in range(2):
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            for _ in range(times):
                for _ in range(2):
                    await asyncio.sleep(0)
            await asyncio.sleep(0)

        async def alone() -> None:
            for _ in range(3):
                await asyncio.sleep(0)

        async def nested() -> None:
            for _ in range(2):
                for _ in range(2):
                    await asyncio.sleep(0)

        async def two_iterators() -> None:
            other = iter(range(5))
            for _ in range(3):
                await asyncio.sleep(0)
            next(other)

        async def one_after_the_other() -> None:
            for _ in range(2):
                await asyncio.sleep(0)
            for _ in range(2):
                await asyncio.sleep(0)

        # The last step ends the coroutine.
        self.assertEqual(await inert_steps(alone), [True, True, False])
        self.assertEqual(await inert_steps(one_after_the_other), [True, True, True, False])
        # It is not known which of the loops ends.
        self.assertEqual(await inert_steps(nested), [False] * 4)
        self.assertEqual(await inert_steps(two_iterators), [False] * 3)
        # To begin a loop over a range of a variable is not inert, as the variable may be anything; its turns are.
        self.assertEqual(await inert_steps(work), [True, True, False, True, True, True, True, False])

    async def test_inner_coroutines(self) -> None:
        async def naps() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        async def work() -> None:
            await naps()
            await naps()

        self.assertEqual(await inert_steps(work), [True, False, True, False])

    async def test_a_sleep_that_takes_time(self) -> None:
        async def work() -> None:
            await asyncio.sleep(1e-3)
            await asyncio.sleep(0)
            await asyncio.sleep(1e-3)

        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        self.assertTrue(footprints.is_inert(task))
        await task

    async def test_tests_look_like_that(self) -> None:
        self.assertFalse(footprints.is_inert(None))
        self.assertFalse(footprints.is_inert(asyncio.current_task()))


class TouchingTest(unittest.IsolatedAsyncioTestCase):
    """What may touch anything."""

    async def check(self, coroutine: Coroutine, *steps: bool, cancel: bool = False) -> None:
        found = await inert_steps(coroutine, cancel)
        self.assertEqual(found, list(steps) or [False] * len(found))
        self.assertTrue(found)

    async def test_a_cancelled_task(self) -> None:
        async def work() -> None:
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                await asyncio.sleep(0)

        await self.check(work, cancel=True)

    async def test_variables_of_others(self) -> None:
        count = 0

        async def work() -> None:
            nonlocal count
            await asyncio.sleep(0)
            count += 1
            await asyncio.sleep(0)
            things.append(1)
            await asyncio.sleep(0)
            self.things = things
            await asyncio.sleep(0)

        await self.check(work)

    async def test_the_counter_of_a_loop_that_others_see(self) -> None:
        async def work() -> None:
            number = 0

            async def look() -> int:
                return number

            for number in range(2):  # noqa: B007
                await asyncio.sleep(0)

            await look()

        await self.check(work)

    async def test_a_counter_that_was_an_object(self) -> None:
        async def with_argument(number: object = None) -> None:
            for number in range(2):  # noqa: B007
                await asyncio.sleep(0)

        async def with_variable() -> None:
            number: object = object()
            for number in range(2):  # noqa: B007
                await asyncio.sleep(0)

        await self.check(with_argument)
        await self.check(with_variable)

    async def test_an_object_that_is_dropped(self) -> None:
        async def work() -> None:
            thing: object = object()
            await asyncio.sleep(0)
            thing = None
            await asyncio.sleep(0)
            thing = object()
            del thing
            await asyncio.sleep(0)

        await self.check(work)

    async def test_other_iterators_and_those_left_early(self) -> None:
        async def loop() -> None:
            for _ in iter([1, 2]):
                await asyncio.sleep(0)

        async def leave() -> None:
            for _ in iter([1, 2]):
                await asyncio.sleep(0)
                break
            await asyncio.sleep(0)

        await self.check(loop)
        await self.check(leave)

    async def test_other_functions_of_these_names(self) -> None:
        async def other_sleep() -> None:
            await asyncio.sleep(0)
            await _sleep(0)

        async def of_an_object() -> None:
            await asyncio.sleep(0)
            await clock.sleep(0)

        async def of_a_variable() -> None:
            sleep = asyncio.sleep
            await asyncio.sleep(0)
            await sleep(0)

        async def other_range() -> None:
            for _ in range(2):
                await asyncio.sleep(0)

        await self.check(other_sleep)
        await self.check(of_an_object)
        await self.check(of_a_variable)
        globals()["range"] = lambda count: iter([1] * count)
        try:
            await self.check(other_range)
        finally:
            del globals()["range"]

    async def test_sleeps_with_time_or_a_result(self) -> None:
        async def work() -> None:
            await asyncio.sleep(0, object())
            await asyncio.sleep(0)
            await asyncio.sleep(1e-6)

        found = await inert_steps(work)
        self.assertEqual(found[:2], [False, False])

    async def test_decisions(self) -> None:
        async def work() -> None:
            thing = unittest.TestCase()
            await asyncio.sleep(0)
            if thing:
                await asyncio.sleep(0)

        await self.check(work)

    async def test_futures(self) -> None:
        async def work() -> None:
            await asyncio.wait_for(asyncio.sleep(0), 1)
            await asyncio.sleep(0)

        await self.check(work)

    async def test_errors_and_blocks(self) -> None:
        async def work() -> None:
            lock = asyncio.Lock()
            async with lock:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            try:
                await asyncio.sleep(0)
            finally:
                things.clear()
            await asyncio.sleep(0)

        await self.check(work, False, True, False, False)
