import os
import re
import shlex
import sys
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

from asynctest_tornado._runner import rerun
from tests.support import ROOT, run_python

SAMPLES = "tests.samples.interrupted"
PYTHON = os.path.basename(sys.executable)


def run(*args: str, cwd: str | Path = ROOT) -> tuple[int, str]:
    done = run_python("-m", "asynctest_tornado", *args, cwd=cwd, PYTHONPATH=str(ROOT))
    return done.returncode, done.stderr


def last_lines(said: str) -> list[str]:
    """Return the lines after unittest's own last line."""
    return re.split(r"\n(?:OK|FAILED).*\n\n", said, maxsplit=1)[1].splitlines()


class FailedTest(unittest.TestCase):
    FIRST = "Failed, each with the command that runs it again:"

    def test_the_failed_tests_end_the_report_each_once(self) -> None:
        status, said = run(f"{SAMPLES}.Subtests", f"{SAMPLES}.Unexpected", "tests.samples.cases.Passes")
        begin = f"  {PYTHON} -m asynctest_tornado {SAMPLES}"
        self.assertEqual(last_lines(said), [self.FIRST, f"{begin}.Subtests.test", f"{begin}.Unexpected.test"])
        self.assertEqual(status, 1)

    def test_the_command_runs_the_test(self) -> None:
        for name in "Subtests", "Missing":
            _, said = run(f"{SAMPLES}.{name}")
            command = shlex.split(last_lines(said)[1])
            self.assertEqual(last_lines(run_python(*command[1:]).stderr), last_lines(said))

    def test_the_command_repeats_what_makes_warnings_and_leaks_fail(self) -> None:
        options = ["-W", "error", "-bb", "-m", "asynctest_tornado", "--leaks=fail"]
        done = run_python(*options, f"{SAMPLES}.Unexpected")
        self.assertEqual(last_lines(done.stderr)[1:], [f"  {PYTHON} {shlex.join(options)} {SAMPLES}.Unexpected.test"])
        done = run_python("-m", "asynctest_tornado", f"{SAMPLES}.Unexpected", ASYNC_TEST_LEAKS="fail")
        self.assertIn(f"  {PYTHON} -m asynctest_tornado --leaks=fail {SAMPLES}.", done.stderr)

    def test_the_command_repeats_the_orders_and_the_time_limit(self) -> None:
        for options in ["--timeout=7", "--schedules=20"], ["--seed=3"], ["--order=close.1.2-after-on_error.1.3"]:
            with self.subTest(options):
                _, said = run(*options, f"{SAMPLES}.Subtests")
                begin = f"  {PYTHON} -m asynctest_tornado {shlex.join(options)} {SAMPLES}"
                self.assertEqual(last_lines(said)[1:], [f"{begin}.Subtests.test"])

    def test_a_class_that_cannot_be_set_up_is_named(self) -> None:
        _, said = run(f"{SAMPLES}.Missing")
        self.assertEqual(last_lines(said)[1:], [f"  {PYTHON} -m asynctest_tornado {SAMPLES}.Missing"])

    def test_a_name_that_does_not_exist_is_repeated(self) -> None:
        _, said = run("tests.nowhere.Test", f"{SAMPLES}.Missing.nothing")
        begin = f"  {PYTHON} -m asynctest_tornado"
        self.assertEqual(last_lines(said)[1:], [f"{begin} tests.nowhere", f"{begin} {SAMPLES}.Missing.nothing"])

    def test_a_run_that_passes_ends_as_ever(self) -> None:
        _, said = run("tests.samples.cases.Passes")
        self.assertTrue(said.endswith("\n\nOK\n"), said)

    def test_a_script_names_itself(self) -> None:
        with TemporaryDirectory() as folder:
            Path(folder, "my_tests.py").write_text(
                "import asynctest_tornado as a\n"
                "class Test(a.AsyncTestCase):\n    def test(self): self.fail('planted')\n"
                "def all():\n    import unittest; return unittest.defaultTestLoader.loadTestsFromTestCase(Test)\n"
                "if __name__ == '__main__': a.main()\n"
            )
            done = run_python("my_tests.py", "--seed=3", cwd=folder, PYTHONPATH=str(ROOT))
            self.assertEqual(last_lines(done.stderr)[1:], [f"  {PYTHON} my_tests.py --seed=3 __main__.Test.test"])
            again = run_python("my_tests.py", "--seed=3", "__main__.Test.test", cwd=folder, PYTHONPATH=str(ROOT))
            self.assertEqual(last_lines(again.stderr), last_lines(done.stderr))

    def test_an_unmodified_suite_is_run_again_as_one(self) -> None:
        _, said = run("--replace", f"{SAMPLES}.Subtests")
        self.assertIn(f"  {PYTHON} -m asynctest_tornado --replace {SAMPLES}.Subtests.test\n", said)

    def test_the_first_of_many_are_listed(self) -> None:
        result = unittest.TestResult()
        for number in range(35):
            result.errors.append((unittest.FunctionTestCase(int, description=f"test {number}"), ""))
        found = unittest.TestResult()
        found.errors = [(unittest.FunctionTestCase(lambda: None), "")]
        self.assertEqual(rerun.lines(found)[1:], ["  <lambda>"], "it cannot be run by its name")
        self.assertEqual(len(rerun.lines(result)), 2, "they have one name")


class InterruptedTest(unittest.TestCase):
    def test_the_tests_so_far_are_reported(self) -> None:
        status, said = run(f"{SAMPLES}.Interrupted")
        self.assertEqual(status, 130)
        self.assertTrue(said.startswith("FE\n==="), said)
        self.assertIn("FAIL: test_1_fails", said)
        self.assertIn("AssertionError: planted\n", said)
        self.assertRegex(said, r"ERROR: test_2_is_interrupted .*\n-+\nTraceback(.*\n)+KeyboardInterrupt\n")
        self.assertIn("waits", said, "for the event")
        self.assertNotIn("unittest", said)
        self.assertNotIn("does_not_run", said)
        self.assertEqual(
            last_lines(said)[0], f"Interrupted in {SAMPLES}.Interrupted.test_2_is_interrupted, after 2 of 3 tests."
        )
        self.assertEqual(said.count("Traceback"), 2)

    def test_between_two_tests_no_test_is_blamed(self) -> None:
        status, said = run("tests.samples.cases.Passes", f"{SAMPLES}.InSetUpClass")
        self.assertEqual(status, 130)
        self.assertEqual(last_lines(said), ["Interrupted, after 1 of 2 tests."])
        self.assertNotIn("Traceback", said)

    def test_with_catch_the_test_that_runs_comes_to_its_end(self) -> None:
        status, said = run("--catch", "--timeout=0.5", f"{SAMPLES}.Interrupted")
        self.assertEqual(status, 1)
        self.assertNotIn("Interrupted in", said)
        self.assertNotIn("does_not_run", said)


if __name__ == "__main__":
    unittest.main()
