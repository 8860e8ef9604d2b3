import asyncio
import contextlib
import contextvars
import math
import unittest
from typing import Any
from unittest import mock

from tornado.ioloop import IOLoop

from asynctest_tornado._features.loop_classes import ABANDONED_TASKS, ASYNC_GENERATORS
from asynctest_tornado._features.yieldable_results import YIELDABLE_RESULTS
from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._harness.feature import Features
from asynctest_tornado._harness.harness import State
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._harness.timeout_error import error_of

LIMIT = Limit(5, "the test")


class HarnessTest(unittest.TestCase):
    """The harness by itself: no unittest drives it."""

    def test_it_owns_a_loop_while_it_is_open(self) -> None:
        harness = HarnessByHand(lambda: "it")
        self.assertIs(harness.state, State.NEW)
        with harness:
            self.assertIs(harness.state, State.OPEN)
            io_loop = IOLoop.current()
            self.assertEqual(harness.waits.run(lambda: asyncio.sleep(0, 42), LIMIT), 42)
        self.assertIs(harness.state, State.CLOSED)
        self.assertTrue(io_loop.asyncio_loop.is_closed())  # type: ignore[attr-defined]

    def test_it_raises_what_was_trapped_when_it_closes(self) -> None:
        async def fail_when_cancelled() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                raise ZeroDivisionError

        async def start() -> None:
            self.task = asyncio.ensure_future(fail_when_cancelled())
            await asyncio.sleep(0)

        with self.assertRaises(ZeroDivisionError), HarnessByHand(lambda: "it") as harness:
            harness.waits.run(start, LIMIT)

    def test_all_parts_share_one_context(self) -> None:
        variable = contextvars.ContextVar("variable", default=0)

        async def add() -> int:
            await asyncio.sleep(0)
            variable.set(variable.get() + 1)
            return variable.get()

        with HarnessByHand(lambda: "it") as harness:
            harness.context.call(variable.set, 10)
            self.assertEqual(harness.waits.run(add, LIMIT, shared=True), 11)
            self.assertEqual(harness.context.call(lambda: harness.waits.run(add, LIMIT)), 12)
            self.assertEqual(harness.context.call(variable.get), 12)
        self.assertEqual(variable.get(), 0)

    def test_it_says_that_it_is_not_open(self) -> None:
        with HarnessByHand(lambda: "my test") as harness:
            pass
        with self.assertRaisesRegex(RuntimeError, "my test is closed.*super"):
            harness.waits.run(lambda: None, LIMIT)

    def test_resources_are_closed_while_the_loop_can_run(self) -> None:
        values: list[Any] = []
        with HarnessByHand(lambda: "it") as harness:
            harness.resources.callback(lambda: values.append(harness.waits.run(lambda: asyncio.sleep(0, 42), LIMIT)))
        self.assertEqual(values, [42])

    def test_async_generators_are_finished(self) -> None:
        events: list[str] = []

        async def numbers() -> Any:
            try:
                yield 1
            finally:
                await asyncio.sleep(0)
                events.append("finished")

        async def use() -> None:
            self.generator = numbers()
            await anext(self.generator)

        with HarnessByHand(lambda: "it", features=Features([ASYNC_GENERATORS])) as harness:
            harness.waits.run(use, LIMIT)
        self.assertEqual(events, ["finished"])

    def test_an_async_generator_that_does_not_end_is_told_and_abandoned(self) -> None:
        async def numbers() -> Any:
            try:
                yield 1
            finally:
                await asyncio.Event().wait()

        async def use() -> None:
            self.generator = numbers()
            await anext(self.generator)

        raised = self.assertRaisesRegex(RuntimeError, "asynchronous generator of it was closed.*Let it end")
        with raised, HarnessByHand(lambda: "it", features=Features([ASYNC_GENERATORS])) as harness:
            harness.waits.run(use, LIMIT)

    def test_a_task_that_does_not_end_is_told_whatever_its_name(self) -> None:
        async def until_closed() -> None:
            while True:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

        async def use() -> None:
            self.task = asyncio.ensure_future(until_closed())
            await asyncio.sleep(0)

        raised = self.assertRaisesRegex(RuntimeError, "until_closed was cancelled twice")
        with (
            mock.patch("asynctest_tornado._harness.loop_driver.DRAIN_ROUND_SECONDS", 0.01),
            raised,
            HarnessByHand(lambda: "it", features=Features([ABANDONED_TASKS, YIELDABLE_RESULTS])) as harness,
        ):
            harness.resources.callback(lambda: None)
            harness.waits.run(use, LIMIT)

    def test_no_limit_sets_no_timer(self) -> None:
        with HarnessByHand(lambda: "it") as harness:
            for seconds in 0, math.inf:
                self.assertEqual(harness.waits.run(lambda: asyncio.sleep(0, 42), Limit(seconds, "the test")), 42)

    def test_a_stop_of_the_loop_does_not_end_a_run(self) -> None:
        async def work() -> int:
            asyncio.get_running_loop().stop()
            await asyncio.sleep(0.001)
            return 42

        with HarnessByHand(lambda: "it") as harness:
            self.assertEqual(harness.waits.run(work, LIMIT), 42)

    def test_it_runs_on_after_each_stop_until_a_condition_holds(self) -> None:
        count = 0

        def stop() -> None:
            nonlocal count
            count += 1
            io_loop.add_callback(stop)
            io_loop.stop()

        with HarnessByHand(lambda: "it") as harness:
            io_loop = IOLoop.current()
            io_loop.add_callback(stop)
            harness.waits.run_until(lambda: count == 3, LIMIT, lambda report: AssertionError())
            self.assertEqual(count, 3)

    def test_a_condition_that_does_not_hold_in_time_is_an_error_of_the_caller(self) -> None:
        with (
            HarnessByHand(lambda: "it") as harness,
            self.assertRaisesRegex(LookupError, "^Work timed out after .*, or$"),
        ):
            harness.waits.run_until(
                lambda: False,
                Limit(0.001, "it"),
                lambda wait: error_of(wait, LookupError, "Work", addition=", or"),
            )

    def test_an_error_ends_a_run_until_a_condition_holds(self) -> None:
        with HarnessByHand(lambda: "it") as harness, self.assertRaises(ZeroDivisionError):
            asyncio.get_event_loop().call_soon(lambda: 1 / 0)
            harness.waits.run_until(lambda: False, LIMIT, lambda report: AssertionError())

    def test_an_error_cancels_what_runs_and_lets_it_finish(self) -> None:
        events: list[str] = []

        async def work() -> None:
            try:
                asyncio.get_event_loop().call_soon(lambda: 1 / 0)
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                events.append("finally")

        with HarnessByHand(lambda: "it") as harness, self.assertRaises(ZeroDivisionError):
            harness.waits.run(work, LIMIT)
        self.assertEqual(events, ["finally"])

    def test_all_errors_of_one_turn_are_told(self) -> None:
        with HarnessByHand(lambda: "my test") as harness:
            for number in range(3):
                harness.loop.loop.call_soon([].pop, number)
            with self.assertRaisesRegex(ExceptionGroup, "3 errors in my test"):
                harness.waits.run(asyncio.Event().wait, LIMIT)
