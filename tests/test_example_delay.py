"""The delay example: its suite passes, and each test that goes wrong reports what is in its folder ``reports``.

Where a report changes for a good reason, record it anew, from the project root::

    python -m tests.test_example_delay --record
"""

import unittest
from typing import ClassVar

from tests.recorded import RecordedReports
from tests.support import run_example


class DelayExampleTest(RecordedReports, unittest.TestCase):
    example = "examples/delay"
    outcomes: ClassVar = {
        "BlockingTest.test_twice_as_long": "FAILED (failures=1)",
        "NobodyRunsTheLoopTest.test_delay_async": "OK",
        "LoopByHandTest.test_twice_as_long": "FAILED (failures=1)",
        "ErrorHandlerTest.test_twice_as_long": "FAILED (failures=1)",
        "WaitAndStopTest.test_twice_as_long": "FAILED (failures=1)",
        "WaitAndStopTest.test_callback_with_assertion": "FAILED (failures=1)",
        "WaitAndStopTest.test_nobody_stops": "FAILED (failures=1)",
        "VirtualTimeTest.test_twice_as_long": "FAILED (failures=1)",
        "VirtualTimeTest.test_nobody_stops": "FAILED (failures=1)",
    }

    def test_suite_passes(self) -> None:
        """The suite of the example passes, and warns of nothing."""
        done = run_example(self.example)
        self.assertRegex(done.stderr, r"\A\.{10}\n-+\nRan 10 tests in [\d.]+s\n\nOK\n\Z")
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    DelayExampleTest.main()
