import io
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from asynctest_tornado._runner import results
from asynctest_tornado._runner.progress import Progress
from tests.support import ROOT, run_code, run_on_terminal, run_python

PASSES = "tests.samples.cases.Passes"
FAILS = "tests.samples.cases.ErrorInCallback"


def run_module(*args: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return run_python("-W", "error", "-m", "asynctest_tornado", *args, cwd=cwd, PYTHONPATH=str(ROOT))


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

    def test_the_options_of_unittest_have_their_short_names(self) -> None:
        self.assertIn("Passes.test) ... ok", run_module("-v", PASSES).stderr)
        self.assertIn("Passes.test) ... ok", run_module(PASSES, "-v").stderr)
        self.assertIn("Ran 1 test", run_module("-qf", FAILS, PASSES).stderr)
        self.assertIn("Ran 1 test", run_module("-k", "Passes.test", "-v", "tests.samples.cases").stderr)
        self.assertIn("self = <tests.samples.cases", run_module("--locals", FAILS).stderr)
        self.assertIn("Passes.test) ... ok", run_module("-verbose", PASSES).stderr, "as Tornado allows")

    def test_the_time_limit_is_an_option(self) -> None:
        done = run_module("--timeout=7", "tests.samples.stuck.EventIsNeverSet")
        self.assertIn("would have timed out after 7 seconds (the environment variable ASYNC_TEST_TIMEOUT)", done.stderr)

    def test_a_wrong_value_is_a_clear_error(self) -> None:
        for option, reason in {
            "--timeout=soon": "error: The option --timeout cannot be 'soon'. Set it to seconds",
            "--timeout=-1": "The option --timeout cannot be '-1'. Set it to seconds",
            "--leaks=maybe": "The option --leaks cannot be 'maybe'. Set it to 'ignore', 'note', 'warn' or 'fail'",
            "--schedules=0": "The option --schedules cannot be '0'. Set it to the number of orders",
            "--seed=x": "The option --seed cannot be 'x'. Set it to the number of an order",
            "--leak=fail": "error: Unrecognized command line option: 'leak'. Did you mean --leaks?\n",
            "-m": f"error: -m needs --replace before it. Did you mean --replace -m {PASSES}?",
            "--durations=many": "argument --durations: invalid int value: 'many'",
            "--nonsense": "error: Unrecognized command line option: 'nonsense'\n",
            "--timout=5": "error: Unrecognized command line option: 'timout'. Did you mean --timeout?\n",
            "--durration": "error: Unrecognized command line option: 'durration'. Did you mean --durations?\n",
            "--loging=info": "error: Unrecognized command line option: 'loging'. Did you mean --logging?\n",
        }.items():
            done = run_module(option, PASSES)
            self.assertEqual(done.returncode, 2, option)
            self.assertIn(reason, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 2, done.stderr)

    def test_help_explains_all_options(self) -> None:
        for flag in "--help", "-h":
            done = run_module("-v", flag)
            self.assertEqual(done.returncode, 0, done.stderr)
            for option in "--timeout SECONDS", "--junit FILE", "--exception-on-interrupt", "--logging", "--show-logs":
                self.assertIn(option, done.stderr)
            self.assertIn("-v, --verbose", done.stderr)
            self.assertRegex(done.stderr, r"--show-logs\s+stand\s+before\s+-m")
            self.assertEqual([line for line in done.stderr.splitlines() if len(line) > 80], [])
            self.assertLess(len(done.stderr.splitlines()), 50)

    def test_help_has_the_options_of_the_program_as_well(self) -> None:
        code = (
            "import asynctest_tornado as a; from tornado.options import define; define('own', help='its own')\na.main()"
        )
        said = run_code(code, "--help").stderr
        self.assertRegex(said, r"Options of the program, and all of Tornado's:\n(.*\n)+.*--own +its own")

    def test_the_slowest_tests_are_shown(self) -> None:
        said = run_module("--durations=1", "-v", PASSES, FAILS).stderr
        self.assertRegex(said, r"\nSlowest test durations\n-+\n\d\.\d{3}s +test \(\S+\)\n\n-+\nRan 2 tests in ")
        self.assertEqual(
            len(re.findall(r"^\d\.\d{3}s ", run_module("--durations=0", "-v", PASSES, FAILS).stderr, re.M)), 2
        )

    def test_a_program_may_have_options_of_the_same_names(self) -> None:
        code = (
            "import asynctest_tornado as a; from tornado.options import define, options\n"
            "define('timeout', type=int); define('seed', type=str)\n"
            "import atexit; atexit.register(lambda: print(options.timeout, options.seed))\n"
            "a.main()"
        )
        done = run_code(code, "--timeout=7", "--seed=apple", PASSES)
        self.assertEqual(done.stdout, "7 apple\n", done.stderr)

    def test_a_program_that_is_imported_later_may_define_them(self) -> None:
        with TemporaryDirectory() as folder:
            Path(folder, "test_late.py").write_text(
                "import unittest; from tornado.options import define; define('timeout'); define('leaks')\n"
                "class Test(unittest.TestCase):\n    def test(self): pass\n"
            )
            done = run_module("--timeout=7", cwd=Path(folder))
        self.assertIn("Ran 1 test", done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)

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


class DiscoveryTest(unittest.TestCase):
    def test_without_names_it_discovers_as_unittest_does(self) -> None:
        with TemporaryDirectory() as folder:
            Path(folder, "test_it.py").write_text(
                "import asynctest_tornado as a\nclass Test(a.AsyncTestCase):\n    async def test(self): pass\n"
            )
            for args in (), ("-v",), ("--verbose", "discover"), ("discover", "-s", folder, "-p", "*_it.py"):
                done = run_module(*args, cwd=Path(folder))
                self.assertIn("Ran 1 test", done.stderr)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_exit_status_is_that_of_unittest_where_no_test_ran(self) -> None:
        with TemporaryDirectory() as folder:
            expected = run_python("-m", "unittest", cwd=Path(folder)).returncode
            self.assertEqual(run_module(cwd=Path(folder)).returncode, expected)
        self.assertEqual(expected, 5 if sys.version_info >= (3, 12) else 0)


@unittest.skipIf(os.name == "nt", "needs a terminal that can be made")
class ProgressTest(unittest.TestCase):
    SAMPLES = "tests.samples.waits_for_key"

    def run_samples(self, name: str, *options: str) -> tuple[int, str]:
        test = f"{self.SAMPLES}.{name}"
        return run_on_terminal("-W", "error", "-m", "asynctest_tornado", *options, test, answers=[(" 2 s", "\n")])

    def test_a_test_that_takes_long_is_shown_and_wiped(self) -> None:
        status, text = self.run_samples("WaitsForKey")
        name = f"{self.SAMPLES}.WaitsForKey.test_2_waits"
        self.assertIn(f".\r\x1b[K{name}: 1 s\r\x1b[K{name}: 2 s", text)
        # The line that unittest had written is back, and goes on.
        self.assertRegex(text, r"2 s\n?\n?\r\x1b\[K\.\.\.\n-----")
        self.assertEqual(status, 0)

    def test_with_the_names_of_all_tests_as_well(self) -> None:
        _, text = self.run_samples("WaitsForKey", "-v")
        self.assertRegex(text, r"\r\x1b\[Ktest_2_waits \(.*\) \.\.\. ok\ntest_3_passes")

    def test_it_does_not_hide_a_deadlock(self) -> None:
        status, text = self.run_samples("Deadlock")
        self.assertIn("this is a deadlock", text)
        self.assertEqual(status, 1)

    def test_a_terminal_that_cannot_wipe_a_line_has_none(self) -> None:
        terminal = mock.Mock(io.StringIO(), isatty=lambda: True)
        for name, has_progress in ("xterm", True), ("dumb", False):
            with mock.patch.object(sys, "stderr", terminal), mock.patch.dict(os.environ, TERM=name):
                stream: Any = results.runner(None)().stream
            self.assertEqual(isinstance(stream.stream, Progress), has_progress, name)

    def test_without_a_terminal_there_is_none(self) -> None:
        code = (
            "import sys, unittest, asynctest_tornado as a\n"
            "from asynctest_tornado._timeouts import watchdog\n"
            "def all(): return unittest.FunctionTestCase(lambda: print(watchdog.is_alive()))\n"
            "a.main()"
        )
        self.assertEqual(run_code(code).stdout, "False\n")
