import re
import shlex
import subprocess
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support import ROOT, run_code, run_python

SUITE = "tests.samples.unmodified"
NAME = f"{SUITE}.Unmodified"
#: The summary of the suite, under any runner. On a busy machine, any wait may be among the slow ones.
SUMMARY = rf"""3 tests ran on it, in place of tornado.testing.
Errors that had no caller to catch them: 1 in 1 test. .*
  {NAME}.test_error_in_callback: IndexError: list index out of range
Leaks: 1 in 1 test. .*
  {NAME}.test_timer: pending timer AsyncTestCase.stop, due in \d\S* s
Slowest waits:
(?:  {NAME}.test_error_in_callback: .*\n)?  {NAME}.test_sleep: \d\S* s of at most 60 s
(?:  {NAME}.test_error_in_callback: .*\n)?"""
#: A suite that fails in most orders other than the order of asyncio.
RACING = """
import asyncio
from tornado.testing import AsyncTestCase, gen_test

class Racing(AsyncTestCase):
    @gen_test
    async def test_order(self):
        async def arrive(name):
            await asyncio.sleep(0)
            arrived.append(name)

        arrived = []
        await asyncio.gather(*map(arrive, "abcd"))
        self.assertEqual(arrived, list("abcd"))
"""


def replaced(*args: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return run_python("-W", "error", "-m", "asynctest_tornado", *args, **environment)


class UnittestTest(unittest.TestCase):
    def test_without_it_the_suite_passes(self) -> None:
        done = run_python("-m", "unittest", SUITE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("asynctest_tornado:", done.stderr)

    def test_the_end_tells_what_was_seen(self) -> None:
        for args in ("-m", "unittest", SUITE), (SUITE,), ("--quiet", SUITE):
            done = replaced("--replace", *args)
            self.assertEqual(done.returncode, 1, done.stderr)
            report, _, told = done.stderr.partition("\nasynctest_tornado:\n")
            self.assertIn("FAILED (errors=1)", report)
            self.assertRegex(re.sub("^  ", "", told, flags=re.MULTILINE), rf"\A{SUMMARY}\Z")

    def test_the_exit_status_is_that_of_the_program(self) -> None:
        self.assertEqual(replaced("--replace", "-m", "unittest", f"{NAME}.test_timer").returncode, 0)
        self.assertEqual(replaced("--replace", "-m", "unittest", "--nonsense").returncode, 2)

    def test_settings_stand_before_it(self) -> None:
        done = replaced("--leaks=fail", "--timeout=7", "--replace", "-m", "unittest", SUITE)
        self.assertIn("FAILED (failures=1, errors=1)", done.stderr)
        self.assertIn("s of at most 7 s", done.stderr)
        done = replaced("--verbose", "--replace", "-m", "unittest", SUITE)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "unrecognized arguments: --verbose. Before -m stand .*--leaks.*after its name")
        done = replaced("--replace", "--tiemout=3", "-m", "unittest")
        self.assertIn("unrecognized arguments: --tiemout=3. Did you mean --timeout? Before -m stand", done.stderr)

    def test_settings_may_also_stand_between_it_and_the_module(self) -> None:
        done = replaced("--replace", "--leaks", "fail", "-m", "unittest", SUITE)
        self.assertIn("FAILED (failures=1, errors=1)", done.stderr)

    def test_the_command_that_replays_an_order_runs_on_the_library_too(self) -> None:
        with TemporaryDirectory() as folder:
            Path(folder, "racing.py").write_text(RACING)

            def run(*words: str, **environment: str) -> str:
                done = run_python(*words, cwd=Path(folder), PYTHONPATH=str(ROOT), **environment)
                self.assertEqual(done.returncode, 1, done.stderr)
                return done.stderr

            several = ["-m", "asynctest_tornado", "--schedules=50", "--replace", "-m", "unittest", "racing"]
            found = re.search(r"To replay the order of seed \d+, .*: ASYNC_TEST_SEED=(\d+) python (.*)", run(*several))
            assert found is not None
            again = run(*shlex.split(found[2]), ASYNC_TEST_SEED=found[1])
            self.assertIn(f"In the order of seed {found[1]}.", again)
            found = re.search(r"To replay this order: ASYNC_TEST_ORDER=(.*) python (.*)", run(*several))
            assert found is not None
            again = run(*shlex.split(found[2]), ASYNC_TEST_ORDER=found[1])
            self.assertIn(f"ASYNC_TEST_ORDER={found[1]} ", again)

    def test_settings_after_the_module_are_told_where_they_stand(self) -> None:
        for module, status in ("unittest", 2), ("pytest", 4):
            done = replaced("--replace", "-m", module, "--leaks=fail", SUITE)
            self.assertEqual(done.returncode, status)
            self.assertRegex(done.stderr, "--leaks=fail: options of asynctest_tornado stand before -m")
        done = replaced("--replace", "-m", "unittest", "--nonsense", SUITE)
        self.assertNotIn("stand before", done.stderr)

    def test_the_runner_of_tornado_runs_a_suite(self) -> None:
        done = replaced("--replace", "-m", "tornado.testing", "--leaks=fail", SUITE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED (failures=1, errors=1)", done.stderr)
        self.assertIn("3 tests ran on it", done.stderr)
        self.assertNotIn("RuntimeWarning", done.stderr)

    def test_the_program_is_started_as_ever(self) -> None:
        test = f"{SUITE}.Arguments"
        expected = run_python("-m", "unittest", test, "-q").stdout
        self.assertIn("unittest.__main__", expected)
        self.assertEqual(replaced("--replace", "-m", "unittest", test, "-q").stdout, expected)

    def test_it_says_where_no_test_ran_on_the_library(self) -> None:
        done = replaced("--replace", "-m", "unittest", "tests.samples")
        self.assertIn("asynctest_tornado:\n  No test ran on it: ", done.stderr)


class MistakesTest(unittest.TestCase):
    def test_a_module_that_there_is_not(self) -> None:
        for name in "nonsense", "nonsense.inner":
            done = replaced("--replace", "-m", name)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, rf"\A\S+: No module named {name}\n\Z")

    def test_no_module(self) -> None:
        done = replaced("--replace", "-m")
        self.assertIn("--replace -m wants the name of a module", done.stderr)

    def test_a_runner_without_m_is_told_what_to_write(self) -> None:
        for arguments, expected in {
            ("--replace", "unittest", "x"): "Did you mean --replace -m unittest x?",
            ("--replace", "pytest", "-q", "a b"): "Did you mean --replace -m pytest -q 'a b'?",
            ("--leaks=fail", "--replace", "--timeout", "7", "unittest"): (
                "Did you mean --leaks=fail --timeout 7 --replace -m unittest?"
            ),
            ("-m", "unittest", "x", "--replace"): "Write --replace -m unittest x",
        }.items():
            done = replaced(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(expected, done.stderr)

    def test_a_test_may_be_called_like_a_runner_in_a_pattern(self) -> None:
        done = replaced("--replace", "-k", "unittest", SUITE)
        self.assertNotIn("Did you mean", done.stderr)

    def test_after_the_original_it_refuses(self) -> None:
        code = (
            "import runpy, sys, tornado.testing; from tornado.testing import gen_test\n"
            f"sys.argv[1:] = ['--replace', '-m', 'unittest', {SUITE!r}]\n"
            "runpy.run_module('asynctest_tornado', run_name='__main__', alter_sys=True)"
        )
        done = run_code(code)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Atornado.testing was imported already, from \S+testing.py")


class PytestTest(unittest.TestCase):
    FILE = "tests/samples/unmodified.py"

    def run_pytest(self, *args: str, **environment: str) -> str:
        pytest = ["-q", "-p", "no:cacheprovider", f"{self.FILE}::Unmodified"]
        # Warnings of pytest-asyncio do not matter here.
        warnings = ["-W", "error", "-W", "ignore:The configuration option"]
        done = run_python(*warnings, *args, *pytest, **environment)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("1 failed, 2 passed", done.stdout)
        return done.stdout

    def test_as_a_plugin_it_tells_what_was_seen(self) -> None:
        text = self.run_pytest("-m", "pytest", "-p", "asynctest_tornado.replace")
        self.assertRegex(text, rf"=+ asynctest_tornado =+\n{SUMMARY}=+ short test summary")

    def test_the_other_way_as_well(self) -> None:
        text = self.run_pytest("-m", "asynctest_tornado", "--replace", "-m", "pytest")
        self.assertRegex(text, rf"=+ asynctest_tornado =+\n{SUMMARY}=+ short test summary")
        self.assertEqual(text.count("ran on it"), 1)

    def test_it_tells_what_all_workers_have_seen(self) -> None:
        for args in ("pytest", "-p", "asynctest_tornado.replace"), ("asynctest_tornado", "--replace", "-m", "pytest"):
            text = self.run_pytest("-m", *args, "-n", "2")
            self.assertRegex(text, rf"=+ asynctest_tornado =+\n{SUMMARY}=+ short test summary")

    def test_the_plugin_may_be_set_in_the_environment(self) -> None:
        text = self.run_pytest("-m", "pytest", "-n", "2", PYTEST_ADDOPTS="-p asynctest_tornado.replace")
        self.assertRegex(text, rf"=+ asynctest_tornado =+\n{SUMMARY}")

    def test_a_case_that_a_fixture_sets_up_is_called_by_the_test(self) -> None:
        file = "tests/samples/by_hand.py"
        for workers in [], ["-n", "1"]:
            plugin = ["-m", "pytest", "-p", "asynctest_tornado.replace"]
            done = run_python(*plugin, "-q", "-p", "no:cacheprovider", *workers, file)
            self.assertIn("6 passed", done.stdout, done.stderr)
            for line in (
                "6 tests ran on it",
                "no caller to catch them: 2 in 2 tests",
                f"  {file}::test_callback[1]: IndexError",
                f"  {file}::test_callback[2]: IndexError",
                "Leaks: 4 in 4 tests",
                f"  {file}::test_timer: pending timer",
                f"  {file}::test_sleep: ",
            ):
                self.assertIn(line, done.stdout)
            # One that pytest runs is called as ever.
            self.assertIn("  and in 1 more test", done.stdout)
            done = run_python(*plugin, "-q", "-p", "no:cacheprovider", *workers, f"{file}::Methods")
            self.assertRegex(done.stdout, r"  \S*by_hand\.Methods\.test_timer: pending timer")

    def test_a_worker_that_crashed_is_told(self) -> None:
        with TemporaryDirectory() as folder:
            Path(folder, "test_crash.py").write_text("import os\ndef test(): os._exit(1)\n")
            done = run_python(
                *("-m", "pytest", "-p", "asynctest_tornado.replace", "-n", "1", "--max-worker-restart=0"),
                cwd=Path(folder),
                PYTHONPATH=str(ROOT),
            )
        self.assertIn("Workers that crashed, so that their part of this is missing: 1.", done.stdout)

    def test_after_the_original_it_refuses_and_names_who_imported_it(self) -> None:
        with TemporaryDirectory() as folder:
            Path(folder, "conftest.py").write_text(
                "from tornado.testing import gen_test\npytest_plugins = ['asynctest_tornado.replace']\n"
            )
            done = run_python("-m", "pytest", cwd=Path(folder), PYTHONPATH=str(ROOT))
        self.assertRegex(
            done.stdout + done.stderr, r"tornado.testing was imported already, from \S+testing.py \(for conftest\)"
        )
