import subprocess
import unittest

from tests.support import run_code, run_python

PASSES = "tests.samples.cases.Passes"
FAILS = "tests.samples.cases.ErrorInCallback"


def run_module(*args: str) -> "subprocess.CompletedProcess[str]":
    return run_python("-W", "error", "-m", "asynctest_tornado", *args)


class MainTest(unittest.TestCase):
    def test_it_runs_the_tests_that_are_named(self) -> None:
        done = run_module(PASSES)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Ran 1 test", done.stderr)

    def test_the_exit_status_tells_of_a_failure(self) -> None:
        self.assertEqual(run_module(FAILS).returncode, 1)

    def test_the_options_of_unittest_have_the_names_of_tornado_options(self) -> None:
        self.assertIn("Passes.test) ... ok", run_module("--verbose", PASSES).stderr)
        self.assertNotIn(".\n---", run_module("--quiet", PASSES).stderr)
        self.assertIn("Ran 1 test", run_module("--failfast", FAILS, PASSES).stderr)
        for option in "--catch", "--buffer", "--exception_on_interrupt=false", "--logging=error":
            self.assertEqual(run_module(option, PASSES).returncode, 0, option)

    def test_without_a_test_it_says_what_to_name(self) -> None:
        done = run_module()
        self.assertEqual(done.returncode, 1)
        self.assertIn("No tests specified. Name modules", done.stderr)

    def test_a_script_runs_its_function_all(self) -> None:
        done = run_code(
            "import unittest, asynctest_tornado\n"
            f"def all(): return unittest.defaultTestLoader.loadTestsFromName({PASSES!r})\n"
            "asynctest_tornado.main(verbosity=2)"
        )
        self.assertIn("Passes.test) ... ok", done.stderr)

    def test_an_argument_is_overridden_by_the_command_line(self) -> None:
        code = "import asynctest_tornado as a; a.main(verbosity=2)"
        self.assertNotIn("... ok", run_code(code, "--quiet", PASSES).stderr)
