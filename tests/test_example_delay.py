"""The delay example: its suite passes, and tests that go wrong have the reports in the folder ``reports``.

If a report changes for a good reason, record it anew, from the project root::

    python -m tests.test_example_delay --record
"""

import re
import signal
import subprocess
import sys
import unittest
from typing import ClassVar

from tests.recorded import RecordedReports
from tests.support import ROOT, clean_environment, run_example

HANGING = "LoopByHandTest.hanging"


class DelayExampleTest(RecordedReports, unittest.TestCase):
    example = "examples/delay"
    outcomes: ClassVar = {
        "BlockingTest.test_too_short": "FAILED (failures=1)",
        "LoopNeverRunsTest.test_delay_async": "OK",
        "LoopByHandTest.test_too_short": "FAILED (failures=1)",
        "ErrorHandlerTest.test_too_short": "FAILED (failures=1)",
        "WaitAndStopTest.test_too_short": "FAILED (failures=1)",
        "WaitAndStopTest.test_callback_with_assertion": "FAILED (failures=1)",
        "WaitAndStopTest.test_stop_is_not_called": "FAILED (failures=1)",
        "VirtualTimeTest.test_twice_as_long": "FAILED (failures=1)",
        "VirtualTimeTest.test_stop_is_not_called": "FAILED (failures=1)",
    }

    others = (HANGING,)

    @classmethod
    def report(cls, name: str) -> str:
        return cls.run_until_it_hangs()[0] if name == HANGING else super().report(name)

    @classmethod
    def run_until_it_hangs(cls) -> tuple[str, str]:
        """Return the output of the test before and after Ctrl-C."""
        command = [sys.executable, "-m", "unittest", "examples.delay.hanging"]
        with subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            said = ""
            for line in process.stderr:
                said += line
                if line.startswith("AssertionError"):
                    process.send_signal(signal.SIGINT)
                    break
            return cls.seen_from_the_root(re.sub("0x[0-9a-f]+", "0x...", said)), process.stderr.read()

    @unittest.skipIf(sys.platform == "win32", "Ctrl-C cannot be sent to one process")
    def test_the_one_that_hangs(self) -> None:
        """The test that hangs has said nothing of a result, and ends only by Ctrl-C."""
        before, after = self.run_until_it_hangs()
        self.assertNotIn("FAIL", before)
        self.assertRegex(after, r"\nKeyboardInterrupt\n")

    def test_suite_passes(self) -> None:
        """The suite of the example passes, and warns of nothing."""
        done = run_example(self.example)
        self.assertRegex(done.stderr, r"\A\.{10}\n-+\nRan 10 tests in [\d.]+s\n\nOK\n\Z")
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    DelayExampleTest.main()
