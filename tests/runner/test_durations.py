import types
import unittest
from unittest import mock

from asynctest_tornado._runner import durations
from asynctest_tornado._runner.durations import Durations


class DurationsTest(unittest.TestCase):
    def measured(self, most: int) -> Durations:
        found = Durations(most)
        for number, seconds in enumerate((0.0005, 2.0, 0.25)):
            with mock.patch.object(durations, "monotonic", side_effect=(10.0, 10.0 + seconds)):
                found.begin_test()
                found.end_test(unittest.FunctionTestCase(int, description=f"test {number}"))
        return found

    def lines(self, most: int, is_verbose: bool = False) -> list[str]:
        return self.measured(most).lines(types.SimpleNamespace(showAll=is_verbose, separator2="-----"))

    def test_the_slowest_come_first(self) -> None:
        lines = self.lines(2)
        self.assertEqual([line.split()[0] for line in lines[2:4]], ["2.000s", "0.250s"])
        self.assertEqual((lines[:2], lines[4:]), (["Slowest test durations", "-----"], [""]))

    def test_the_quickest_are_hidden_unless_each_test_has_a_line(self) -> None:
        self.assertEqual(self.lines(0)[4:], ["\n(durations < 0.001s were hidden; use -v to show these durations)"])
        self.assertRegex(self.lines(0, is_verbose=True)[4], r"0\.00[01]s ")

    def test_a_late_report_is_no_test(self) -> None:
        found = Durations(0)
        found.begin_test()
        found.end_test(mock.Mock(countTestCases=lambda: 0))
        self.assertEqual(found.lines(types.SimpleNamespace(showAll=True, separator2="-"))[2:], [""])
