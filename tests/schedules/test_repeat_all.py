import unittest

from asynctest_tornado import AsyncTestCase
from tests.samples import races
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
                    r"It fails with 1 deviation from asyncio's own order, and with none fewer \(\d+ of its orders "
                    r"passed before\)\.\nTo replay this order: ASYNC_TEST_ORDER=\S+-after-\S+ python -m unittest ",
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
