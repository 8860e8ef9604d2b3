import os
from unittest import mock

from asynctest_tornado._trace.files import name_of
from tests.samples import traced
from tests.trace.folders import TraceCase

__unittest = True


class NamesTest(TraceCase):
    def test_a_plain_name_stays(self) -> None:
        self.assertEqual(name_of("tests.test_shop.OrderTest.test_sum", ""), "tests.test_shop.OrderTest.test_sum")

    def test_other_characters_are_left_out_and_different_names_stay_different(self) -> None:
        names = [name_of(f"tests/test_a.py::test[{each}]", "") for each in ("a/b", "a:b", "../b", "\0", "\ud800")]
        self.assertEqual(len(set(names)), 5)
        for name in names:
            self.assertRegex(name, r"^tests\.test_a\.py\.test[\w.-]*$")

    def test_a_long_name_is_cut(self) -> None:
        self.assertLess(len(name_of("a" * 5000, "seed3")), 200)

    def test_orders_and_workers_have_names_of_their_own(self) -> None:
        self.assertEqual(name_of("a.b", "seed3"), "a.b-seed3")
        with mock.patch.dict(os.environ, PYTEST_XDIST_WORKER="gw1"):
            self.assertEqual(name_of("a.b", ""), "a.b-gw1")


class WritingTest(TraceCase):
    def test_a_folder_that_cannot_be_made_is_reported_beside_the_failure(self) -> None:
        self.folder.write_text("")  # a file
        result = self.run_traced(traced.Race)
        self.assertEqual(result.verdicts, ["addFailure"])
        self.assertIn("The trace could not be written to", result.report)
        self.assertIn("Set ASYNC_TEST_TRACE to a folder that can be written to.", result.report)
        self.assertIn("The last steps before the failure:", result.report)

    def test_nothing_else_is_left_in_the_folder(self) -> None:
        self.run_traced(traced.Race)
        self.assertEqual(len(list(self.folder.iterdir())), 2)

    def test_an_earlier_trace_of_the_same_test_is_replaced(self) -> None:
        for _ in range(2):
            self.run_traced(traced.Race)
        self.assertEqual(len(self.files()), 2)
