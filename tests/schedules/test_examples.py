import asyncio
import io
import re
import unittest
from typing import Any
from unittest import mock

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase

from asynctest_tornado import AsyncTestCase, VirtualClock, gen_test
from tests.support import RecordingResult, environ, run_python

INPUTS = st.lists(st.integers(0, 40), max_size=4)
EXAMPLE = r"(?:Falsifying example|Failing test case): "
#: Two numbers with the same tens, and perhaps others.
INPUT = r"\[(?=.*\b(\d?)\d\b.*\b\1\d\b)\d+(, \d+)+\]"


class Registry(AsyncTestCase):
    """Two numbers with the same tens, in one of the orders in which the second one comes first."""

    clock_factory = VirtualClock
    #: The orders and inputs of all runs.
    seen: Any

    async def check(self, numbers: list[int]) -> None:
        owners: dict[int, int] = {}
        order = []

        async def put(number: int) -> None:
            await asyncio.sleep(0)
            order.append(number)
            owners.setdefault(number // 10, number)

        await asyncio.gather(*map(put, numbers))
        self.seen.append((tuple(numbers), tuple(order)))
        for number in numbers:
            first = next(each for each in numbers if each // 10 == number // 10)
            self.assertEqual(owners[number // 10], first)


def sample(given_inputs: Any = None, **attributes: Any) -> Any:
    wrapped = given(INPUTS)(gen_test(Registry.check)) if given_inputs is None else given_inputs
    wrapped = settings(max_examples=40, deadline=None, database=attributes.pop("database", None))(wrapped)
    return type("Sample", (Registry,), {"seen": [], "schedules": 30, "test": wrapped, **attributes})


def run(cls: Any) -> RecordingResult:
    result = RecordingResult()
    with mock.patch("sys.stdout", io.StringIO()):
        cls("test").run(result)
    return result


class ReportTest(unittest.TestCase):
    def test_has_the_input_and_the_order_both_shrunk(self) -> None:
        result = run(sample())
        self.assertEqual(result.events, ["startTest", "addFailure", "stopTest"])
        self.assertRegex(result.report, EXAMPLE + "check")
        self.assertRegex(result.report, "numbers=" + INPUT)
        self.assertRegex(result.report, r"It fails with 1 deviation from asyncio's own order")
        self.assertRegex(result.report, r"ASYNC_TEST_ORDER=put\.\d\.2-after-put\.\d\.2 ")
        self.assertNotIn("Flaky", result.report)

    def test_an_example_has_the_same_order_each_time(self) -> None:
        changed = set()
        for seed in range(1, 9):
            with self.subTest(seed=seed), environ(ASYNC_TEST_SEED=str(seed)):
                run(cls := sample(check=check_nothing(), database=None))
                orders: dict[Any, set[Any]] = {}
                for numbers, order in cls.seen:
                    orders.setdefault(numbers, set()).add(order)
                self.assertEqual({len(found) for found in orders.values()}, {1})
                changed |= {seed for numbers, order in cls.seen if numbers != order}
        self.assertGreater(len(changed), 3)

    def test_a_test_without_gen_test(self) -> None:
        @given(INPUTS)
        def test(self: Any, numbers: list[int]) -> None:
            self.run_sync(self.check, numbers)

        self.assertRegex(run(sample(test)).report, r"It fails with 1 deviation from")

    def test_an_explicit_example(self) -> None:
        @settings(phases=[Phase.explicit])
        @example([31, 30])
        @given(INPUTS)
        @gen_test
        async def test(self: Any, numbers: list[int]) -> None:
            await self.check(numbers)

        report = run(type("Sample", (Registry,), {"seen": [], "schedules": 30, "test": test})).report
        self.assertRegex(report, r"(?i)explicit example: test\(")
        self.assertRegex(report, r"It fails with 1 deviation from")

    def test_inputs_that_are_drawn_in_the_test(self) -> None:
        @given(st.data())
        @gen_test
        async def test(self: Any, data: st.DataObject) -> None:
            await self.check(data.draw(INPUTS))

        report = run(sample(test)).report
        self.assertRegex(report, "Draw 1: " + INPUT)
        self.assertRegex(report, r"It fails with 1 deviation from")

    def test_a_test_that_fails_by_its_input_alone(self) -> None:
        @given(INPUTS)
        @gen_test
        async def test(self: Any, numbers: list[int]) -> None:
            self.assertLess(len(numbers), 2)

        report = run(sample(test)).report
        self.assertIn("In the order of asyncio itself", report)
        self.assertIn("numbers=[0, 0]", report)

    def test_a_coroutine_without_gen_test(self) -> None:
        report = run(sample(given(INPUTS)(Registry.check))).report
        self.assertRegex(report, EXAMPLE)
        self.assertRegex(report, r"It fails with 1 deviation from")

    def test_the_test_is_as_before(self) -> None:
        cls = sample()
        inner, before = cls.test.hypothesis.inner_test, cls.test._hypothesis_internal_use_settings
        run(cls)
        self.assertIs(cls.test.hypothesis.inner_test, inner)
        self.assertIs(cls.test._hypothesis_internal_use_settings, before)


def check_nothing() -> Any:
    async def check(self: Any, numbers: list[int]) -> None:
        with mock.patch.object(self, "assertEqual"):
            await Registry.check(self, numbers)

    return check


class DatabaseTest(unittest.TestCase):
    def test_the_orders_keep_their_examples_apart(self) -> None:
        database = InMemoryExampleDatabase()
        cls = sample(database=database)
        report = run(cls).report
        token = re.findall(r"ASYNC_TEST_ORDER=(\S+)", report)[0]
        seed = re.findall(r"ASYNC_TEST_SEED=(\d+)", report)[0]
        run(sample(database=database, schedules=int(seed)))  # these pass
        for variable, value in ("ASYNC_TEST_ORDER", token), ("ASYNC_TEST_SEED", seed):
            with self.subTest(variable), environ(**{variable: value}):
                test = settings(phases=[Phase.reuse], database=database)(given(INPUTS)(gen_test(Registry.check)))
                replayed = run(type("Sample", (Registry,), {"seen": [], "test": test}))
                self.assertEqual(replayed.verdicts, ["addFailure"])
                self.assertRegex(replayed.report, "numbers=" + INPUT)

    def test_asyncios_own_order_has_the_usual_ones(self) -> None:
        def test(self: Any, numbers: list[int]) -> None:
            self.assertEqual(numbers, [])

        database = InMemoryExampleDatabase()
        run(sample(given(INPUTS)(test), database=database, schedules=None))
        only = settings(phases=[Phase.reuse], database=database)(given(INPUTS)(test))
        result = run(type("Sample", (Registry,), {"seen": [], "schedules": 1, "test": only}))
        self.assertEqual(result.verdicts, ["addFailure"])


class CostTest(unittest.TestCase):
    def test_hypothesis_is_not_imported_without_it(self) -> None:
        code = (
            "import sys, unittest; from asynctest_tornado import AsyncTestCase\n"
            "class T(AsyncTestCase):\n    schedules = 3\n    async def test(self): pass\n"
            "T('test').run(unittest.TestResult()); print('hypothesis' in sys.modules)"
        )
        self.assertEqual(run_python("-c", code).stdout, "False\n")
