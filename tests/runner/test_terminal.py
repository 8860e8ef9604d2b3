"""Runs as they look on a terminal, wide and narrow, by our runner and by unittest."""

import os
import re
import sys
import unittest

from tests.support import run_on_terminal

SAMPLES = "tests.samples.on_terminal"
WIDE, NARROW = 120, 60

FAILURE = """\
======================================================================
FAIL: test_2_fails (tests.samples.on_terminal.Shop.test_2_fails)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "tests/samples/on_terminal.py", line 28, in test_2_fails
    self.assertEqual(self.fetch("/prices").body, b"3")
AssertionError: b'0' != b'3'
Logged by the test:
  WARNING  shop:on_terminal.py:16 no price for milk
"""
LINE = "\n----------------------------------------------------------------------\n"
FAILED = "Failed, each with the command that runs it again:\n"
AGAIN = "  python -W error -m asynctest_tornado tests.samples.on_terminal"

INTERRUPTED = """\
======================================================================
ERROR: test_waits (tests.samples.on_terminal.Waits.test_waits)
----------------------------------------------------------------------
KeyboardInterrupt
Pending tasks:
  Waits.test_waits <Task-N> (the test)
    at tests/samples/on_terminal.py:38 in test_waits: await asyncio.sleep(50)
    waits for sleep() of asyncio.tasks
Timers:
  asyncio.sleep in N s

"""


def rendered(written: str) -> str:
    """Return the lines that are left on a terminal on which the cursor moves to the start of its line, and wipes it."""
    return "\n".join(re.split(r"\r\x1b\[K", line)[-1] for line in written.split("\n"))


@unittest.skipIf(os.name == "nt", "needs a terminal that can be made")
class TerminalTest(unittest.TestCase):
    maxDiff = None

    def run_suite(self, module: str, *names: str, columns: int, interrupt_at: str = "") -> tuple[int, str]:
        """Return the exit status and the screen, without numbers and carets that vary."""
        args = ["-W", "error", "-m", module, *(f"{SAMPLES}.{name}" for name in names)]
        answers = [(interrupt_at, "\x03")] if interrupt_at else []
        status, written = run_on_terminal(*args, answers=answers, columns=columns)
        screen = rendered(written).replace(f"{os.path.basename(sys.executable)} -m", "python -m")
        screen = re.sub(r"\d+\.\d+(?=s|ms)|(?<=<Task-)\d+|(?<=sleep in )\d+", "N", screen)
        screen = re.sub(rf"{re.escape(os.getcwd())}/", "", screen)
        return status, re.sub(r"^ *[~^]+\n", "", screen, flags=re.MULTILINE)

    def test_a_suite_that_passes(self) -> None:
        for columns in WIDE, NARROW:
            for module in "asynctest_tornado", "unittest":
                with self.subTest(module, columns=columns):
                    found = self.run_suite(module, "Shop.test_1_passes", "Last", columns=columns)
                    self.assertEqual(found, (0, f"..{LINE}Ran 2 tests in Ns\n\nOK\n"))

    def test_a_suite_that_fails(self) -> None:
        ran = f"{LINE}Ran 4 tests in Ns\n\nFAILED (failures=1, skipped=1)\n"
        for columns in WIDE, NARROW:
            with self.subTest(columns=columns):
                found = self.run_suite("asynctest_tornado", "Shop", "Last", columns=columns)
                end = f"\n{FAILED}{AGAIN}.Shop.test_2_fails\n"
                self.assertEqual(found, (1, f".Fs.\n{FAILURE}{ran}{end}"))
                found = self.run_suite("unittest", "Shop", "Last", columns=columns)
                self.assertEqual(found, (1, f".Fs.\n{FAILURE}{ran}"))

    def test_a_suite_that_the_user_interrupts(self) -> None:
        end = (
            "Ran 4 tests in Ns\n\nFAILED (failures=1, errors=1, skipped=1)\n\n"
            f"Interrupted in {SAMPLES}.Waits.test_waits, after 4 of 5 tests.\n"
            f"{FAILED}{AGAIN}.Waits.test_waits\n{AGAIN}.Shop.test_2_fails\n"
        )
        for columns in WIDE, NARROW:
            with self.subTest(columns=columns):
                status, screen = self.run_suite(
                    "asynctest_tornado", "Shop", "Waits", "Last", columns=columns, interrupt_at="test_waits: 1 s"
                )
                # The terminal itself shows that Ctrl-C was typed.
                self.assertEqual(screen, f".FsE\n{INTERRUPTED}{FAILURE}{LINE}{end}")
                self.assertEqual(status, 130)

    def test_help_fits(self) -> None:
        for columns in WIDE, NARROW:
            status, screen = run_on_terminal("-m", "asynctest_tornado", "--help", answers=(), columns=columns)
            self.assertEqual(status, 0)
            self.assertEqual([line for line in screen.splitlines() if len(line) > columns], [])
            self.assertIn("Tornado's options:", screen)
