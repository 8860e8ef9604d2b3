import asyncio
import functools
import io
import sys
import unittest
from typing import ClassVar
from unittest import mock

import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from asynctest_tornado import AsyncTestCase, gen_test
from asynctest_tornado._search import progress_line, repeat_all
from asynctest_tornado._search.all_orders import Explorer
from tests.samples import fixed_races, races
from tests.support import environ, run_case, run_python


class AllOrdersTest(unittest.TestCase):
    """``schedules = "all:N"`` in unittest. ``test_all_orders`` proves that no order is left out."""

    def test_races_are_found_with_the_fewest_deviations(self) -> None:
        for cls in (races.LostUpdate, races.CheckThenAct, races.DoubleClose, races.UnlockedCounter, races.FarBehind):
            with self.subTest(cls.__name__), environ(ASYNC_TEST_SCHEDULES="all:2"):
                result = run_case(cls)
                self.assertEqual(result.verdicts, ["addFailure"])
                self.assertRegex(
                    result.report,
                    r"It fails with 1 deviation from asyncio's own order, and does not with fewer \(\d+ orders? passed "
                    r"before this one\)\.\nIt fails when (?s:.*)\nTo replay this order: ASYNC_TEST_ORDER=\S+-after-\S+ "
                    r"python .*-m unittest ",
                )
                self.assertIn("In asyncio's own order it is the other way round.", result.report)

    def test_the_order_of_a_report_is_replayed(self) -> None:
        with environ(ASYNC_TEST_SCHEDULES="all:1"):
            report = run_case(races.DoubleClose).report
        token = report.partition("ASYNC_TEST_ORDER=")[2].split()[0]
        with environ(ASYNC_TEST_ORDER=token):
            self.assertEqual(run_case(races.DoubleClose).verdicts, ["addFailure"])

    def test_a_race_that_needs_more_deviations_passes(self) -> None:
        with environ(ASYNC_TEST_SCHEDULES="all:2"):
            self.assertEqual(run_case(races.EndInReverse).verdicts, ["addSuccess"])
        with environ(ASYNC_TEST_SCHEDULES="all:3"):
            self.assertIn("It fails with 3 deviations", run_case(races.EndInReverse).report)

    def test_a_run_that_passes_says_how_many_orders_there_are(self) -> None:
        said = run_python("-m", "unittest", "-v", "tests.samples.races.EndInReverse", ASYNC_TEST_SCHEDULES="all:1")
        self.assertRegex(
            said.stderr, r"\n  test \(tests\.samples\.races\.EndInReverse\.test\): all \d+ orders with at most"
        )

    def test_each_mended_race_passes(self) -> None:
        for name, cls in vars(fixed_races).items():
            if isinstance(cls, type) and cls.__module__ == fixed_races.__name__ and name != "OutOfOrderResponses":
                with self.subTest(name), environ(ASYNC_TEST_SCHEDULES="all:1"):
                    self.assertEqual(run_case(cls).verdicts, ["addSuccess"])

    def test_too_many_orders_are_no_proof(self) -> None:
        expected = {
            20: r"test\): asyncio's own order, and 19 of at least \d+ with 1, which is no proof: the limit is 20 "
            r"orders or 60 seconds\n",
            100: r"test\): all \d+ orders with at most 1 deviation, and \d+ of at least \d+ with 2, which is no proof: "
            r"the limit is 100 orders or 60 seconds; 'all:1' stays within it\n",
        }
        for most, line in expected.items():
            with mock.patch.object(repeat_all, "Explorer", functools.partial(Explorer, most_orders=most)):
                self.assertRegex(self.last_lines(fixed_races.EndInReverse, "all"), line)

    def test_an_order_that_does_not_come_again_is_no_proof(self) -> None:
        class Sample(AsyncTestCase):
            runs: ClassVar[list[int]] = []

            async def test(self) -> None:
                self.runs.append(1)
                await asyncio.gather(self.work(len(self.runs)), self.work(1), self.work(1))

            async def work(self, steps: int) -> None:
                if steps % 2 == 0:
                    asyncio.get_running_loop().call_soon(int)
                for _ in range(steps):
                    self.runs.copy()
                    await asyncio.sleep(0)

        said = self.last_lines(Sample, "all:1")
        self.assertRegex(said, r"\d+ orders, which is no proof: \d+ of them led to other calls than before\.")

    def test_the_inputs_of_hypothesis_are_no_proof(self) -> None:
        class Sample(AsyncTestCase):
            @settings(max_examples=3, database=None)
            @given(st.integers())
            @gen_test
            async def test(self, number: int) -> None:
                await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))

        said = self.last_lines(Sample, "all:1")
        self.assertIn("which is no proof: hypothesis runs the test with several inputs in each order", said)

    def test_loops_of_another_make_are_no_proof(self) -> None:
        class Sample(AsyncTestCase):
            loop_factory = uvloop.new_event_loop

            async def test(self) -> None:
                await asyncio.sleep(0)

        self.assertIn("1 order, which is no proof: its loop has an order of its own", self.last_lines(Sample, "all"))

    def test_a_long_search_is_shown_on_a_terminal(self) -> None:
        terminal = io.StringIO()
        with (
            mock.patch.object(terminal, "isatty", return_value=True),
            mock.patch.object(progress_line, "INTERVAL", 0),
            mock.patch.object(sys, "stderr", terminal),
        ):
            for schedules, cls in ("all:1", fixed_races.DoubleClose), ("50", races.DoubleClose):
                with environ(ASYNC_TEST_SCHEDULES=schedules):
                    run_case(cls)
                self.assertTrue(terminal.getvalue().endswith("\x1b[K"))
        self.assertRegex(terminal.getvalue(), r"  \(\d+ orders, at 1 deviation; at least 0 left; \d+ s\)")
        self.assertIn("  (shrinks the order in which it fails: run 4)", terminal.getvalue())

    def last_lines(self, cls: type[AsyncTestCase], schedules: str) -> str:
        """Return the output of a run that passes."""
        stream = io.StringIO()
        with environ(ASYNC_TEST_SCHEDULES=schedules):
            result = unittest.TextTestRunner(stream).run(cls("test"))
        self.assertTrue(result.wasSuccessful(), stream.getvalue())
        return stream.getvalue()

    def test_settings_that_are_wrong(self) -> None:
        for value in ("all:x", "all:-1", "alls", "some"):
            with self.subTest(value), environ(ASYNC_TEST_SCHEDULES=value):
                report = run_case(races.DoubleClose).report
                self.assertIn(f"The environment variable ASYNC_TEST_SCHEDULES cannot be {value!r}", report)
                self.assertIn("'all:2' for all orders with at most 2 deviations", report)

        class Sample(AsyncTestCase):
            schedules = "all:two"

            async def test(self) -> None: ...

        self.assertIn("The class attribute schedules cannot be 'all:two'", run_case(Sample).report)
