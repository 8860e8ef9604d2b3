"""Test functions under the plugin: pytest runs samples, and its report is read."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.support import run_each, run_python

FUNCTIONS = "tests/samples/functions.py"
CASES = "tests/samples/cases_for_pytest.py"
OTHERS = "tests/samples/functions_of_others.py"

#: Those that do not pass. One that has passed, and whose end goes wrong, is two verdicts for pytest.
VERDICTS = {
    "test_no_clock": ["ERROR"],
    "test_clock_that_nothing_awaits": ["FAILED"],
    "test_expected": ["XFAIL"],
    "test_callback": ["FAILED"],
    "test_synchronous_callback": ["FAILED"],
    "test_task_that_is_not_awaited": ["FAILED"],
    "test_server": ["FAILED"],
    "test_strict": ["FAILED"],
    "test_timeout": ["FAILED"],
    "test_deadlock": ["FAILED"],
    "test_broken_fixture": ["ERROR", "PASSED"],
    "test_empty_fixture": ["ERROR"],
    "test_unbounded_fixture": ["ERROR", "PASSED"],
    "test_stuck_fixture": ["ERROR"],
    "test_fixture_that_is_asked_for_in_a_coroutine": ["FAILED"],
    "test_leak_fails": ["ERROR", "PASSED"],
    "test_leak_of_a_failure": ["FAILED"],
    "test_orders_of_each[seed0-b]": ["FAILED"],
    "test_orders_of_each[seed1-b]": ["FAILED"],
    "test_bad_marker": ["ERROR"],
    "test_bad_timeout": ["ERROR"],
    "test_closes_its_loop": ["ERROR", "PASSED"],
    "test_late_1": ["ERROR", "PASSED"],
    "test_eventually_fails": ["FAILED"],
    "test_settle_at_end": ["FAILED"],
    "test_settle_at_end_takes_too_long": ["FAILED"],
    "test_settle_at_end_wrong": ["ERROR"],
}


def run_pytest(*arguments: str, typed: str | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
    return run_python("-m", "pytest", "-rA", "-p", "no:cacheprovider", *arguments, typed=typed, **environment)


def verdicts(done: "subprocess.CompletedProcess[str]") -> dict[str, list[str]]:
    """Return the words of the summary for each test."""
    found: dict[str, list[str]] = {}
    for word, name in re.findall(r"^([A-Z]{5,})(?:\(.*\))? \S+?::(\S+)", done.stdout, re.MULTILINE):
        found.setdefault(name, []).append(word)
    assert found, done.stdout + done.stderr
    return {name: sorted(words) for name, words in found.items()}


class VerdictsTest(unittest.TestCase):
    maxDiff = None
    output: str
    found: dict[str, list[str]]

    @classmethod
    def setUpClass(cls) -> None:
        done = run_pytest(FUNCTIONS)
        cls.output, cls.found = done.stdout, verdicts(done)

    def report(self, title: str) -> str:
        """Return the report under a title, which is a name or begins with "ERROR at"."""
        parts = re.split(r"^_{3,} (.*?) _{3,}$", self.output, flags=re.MULTILINE)
        return parts[parts.index(title) + 1]

    def test_the_coroutines_of_a_skipped_test_are_closed(self) -> None:
        self.assertIn("for a reason", self.output)
        self.assertNotIn("'sleep' was never awaited", self.output)

    def test_each_sample_has_its_verdict(self) -> None:
        self.assertGreater(len(self.found), 30)
        self.assertEqual(self.found, {name: VERDICTS.get(name, ["PASSED"]) for name in self.found})
        self.assertLessEqual(VERDICTS.keys(), self.found.keys())
        self.assertRegex(self.output, r"SKIPPED \[[12]\] tests/samples/functions.py:\d+: for a reason")

    def test_an_error_has_its_own_traceback_and_none_of_our_lines(self) -> None:
        for title in "test_callback", "test_synchronous_callback", "test_task_that_is_not_awaited":
            report = self.report(title)
            self.assertIn('raise ValueError("planted")', report)
            self.assertNotIn("asynctest_tornado/", report)

    def test_a_report_of_leaks_has_no_line_of_ours(self) -> None:
        report = self.report("ERROR at teardown of test_leak_fails")
        self.assertIn("pending timer boom", report)
        self.assertNotIn("asynctest_tornado/", report)

    def test_a_failure_says_what_the_server_has_raised(self) -> None:
        self.assertRegex(self.report("test_server"), r"While serving GET /broken by Broken:[\s\S]*KeyError: 'tea'")

    def test_a_timeout_shows_where_the_test_stood(self) -> None:
        report = self.report("test_timeout")
        self.assertIn("timed out after 0.1 seconds (the argument timeout of the marker gen_test)", report)
        self.assertRegex(report, r"at tests/samples/functions.py:\d+ in test_timeout: await asyncio.sleep\(3600\)")
        self.assertIn("this is a deadlock", self.report("test_deadlock"))
        report = self.report("ERROR at setup of test_stuck_fixture")
        self.assertIn("TimeoutError: Operation timed out after 0.1 seconds", report)
        self.assertRegex(report, r"stuck <Task-\d+> .*\nE +at \S+:\d+ in stuck: await asyncio.sleep\(3600\)")

    def test_the_end_of_work_and_conditions(self) -> None:
        self.assertIn('raise ValueError("planted")', self.report("test_settle_at_end"))
        self.assertRegex(
            self.report("test_eventually_fails"),
            r"no mail: eventually\(\) timed out after 0.05 seconds \(the argument timeout\): the condition "
            r"'1 \+ 1 == 3' at tests/samples/functions.py:\d+ did not hold; its last value was False",
        )
        report = self.report("test_settle_at_end_takes_too_long")
        self.assertRegex(
            report, r"\A\nsettle_at_end timed out after 0.05 seconds \(the argument settle_at_end of the marker"
        )
        self.assertEqual(report.count("in spin: await asyncio.sleep(0)"), 1)
        report = self.report("ERROR at setup of test_settle_at_end_wrong")
        self.assertIn("The argument settle_at_end of the marker gen_test cannot be 'yes'", report)

    def test_a_loop_that_is_closed_is_reported_once(self) -> None:
        report = self.report("ERROR at teardown of test_closes_its_loop")
        self.assertRegex(
            report,
            r"closes its loop, which is closed for it at the end of the test \(.*functions.py:\d+ in .*: io_loop.close",
        )
        self.assertNotIn("KeyError", report)

    def test_leaks_are_told_as_a_warning_a_failure_or_in_a_report(self) -> None:
        leak = r"pending timer boom, due in 3.6e\+03 s\s+(E +)?made at tests/samples/functions.py:\d+ in "
        warned = self.output.partition("warnings summary")[2]
        self.assertRegex(warned, leak + "test_leak:")
        self.assertRegex(self.report("ERROR at teardown of test_leak_fails"), leak)
        self.assertRegex(self.report("test_leak_of_a_failure"), rf"Captured leaks teardown -+\n.*\n\s+{leak}")
        for name in "test_leak_of_a_failure", "test_leak_fails", "test_leak_is_allowed":
            self.assertNotIn(f"{name} leaks", warned)

    def test_a_late_error_is_reported_for_its_own_test(self) -> None:
        report = self.report("ERROR at teardown of test_late_1")
        self.assertIn("ValueError: planted", report)
        self.assertIn("It surfaced after the end of this test.", report)

    def test_a_fixture_that_cannot_be_says_why(self) -> None:
        self.assertIn("Name it as an argument", self.report("test_fixture_that_is_asked_for_in_a_coroutine"))
        for when, name, reason in (
            ("setup", "empty", "has ended without a 'yield'"),
            ("teardown", "unbounded", "yields more"),
        ):
            report = self.report(f"ERROR at {when} of test_{name}_fixture")
            self.assertRegex(report, rf"The asynchronous fixture '{name}' \(.*functions.py:\d+\) {reason}")
            self.assertNotIn("asynctest_tornado/_", report)
        self.assertIn("real time, without a clock", self.report("ERROR at setup of test_no_clock"))
        report = self.report("test_clock_that_nothing_awaits")
        self.assertRegex(report, r">\s+clock\.advance\(9\)\n(?s:.*)'VirtualClock.advance' was never awaited")

    def test_each_order_is_a_test_of_its_own(self) -> None:
        orders = [name for name in self.found if name.startswith("test_orders[")]
        self.assertEqual(orders, [f"test_orders[seed{seed}]" for seed in range(3)])


class SettingsTest(unittest.TestCase):
    def test_the_marker_names_its_arguments(self) -> None:
        done = run_pytest(f"{FUNCTIONS}::test_bad_marker")
        self.assertIn("has the arguments (0.1). By keyword, it takes allowed_leaks, clock_factory,", done.stdout)
        self.assertIn("gen_test(timeout=None, leaks=None, allowed_leaks=(),", run_pytest("--markers").stdout)

    def test_a_wrong_argument_of_the_marker_is_an_error_without_lines_of_ours(self) -> None:
        messages = {
            "timout=5": r"\(timout=\)\. Did you mean timeout\? By keyword, it takes allowed_leaks,",
            "timeout='soon'": "The argument timeout of the marker gen_test cannot be 'soon'. Set it to seconds",
            "leaks=''": "The argument leaks of the marker gen_test cannot be ''. Set it to 'ignore'",
            "allowed_leaks=5": "The argument allowed_leaks of the marker gen_test cannot be 5: that is no sequence",
            "schedules=0": "The argument schedules of the marker gen_test cannot be 0. Set it to the number of orders",
            "clock_factory=3": "The argument clock_factory of the marker gen_test cannot be 3. Set it to VirtualClock",
            "clock_factory=dict": r"cannot be <class 'dict'>: it returned \{\}. Set it to VirtualClock",
            "loop_factory=dict": r"of the marker gen_test cannot be <class 'dict'>: it returned \{\}. Set it to a func",
            "schedules=2, loop_factory=uvloop.new_event_loop": "uvloop.Loop runs ready callbacks in its own order only",
            "loop_factory=3": "The argument loop_factory of the marker gen_test cannot be 3. Set it to a function",
        }
        lines = ["import pytest, uvloop"]
        for number, arguments in enumerate(messages):
            lines += [f"@pytest.mark.gen_test({arguments})", f"async def test_{number}(): pass"]
        lines += ["def factory():", "    return {}['planted']", "@pytest.mark.gen_test(clock_factory=factory)"]
        lines += ["async def test_error_of_the_user(): pass"]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "test_it.py")
            path.write_text("\n".join(lines))
            done = run_pytest(str(path))
        errors = done.stdout.partition("= ERRORS =")[2].partition("short test summary")[0]
        parts = re.split(r"\n_+ ERROR at setup of (\S+) _+\n", errors)
        reports = dict(zip(parts[1::2], parts[2::2], strict=True))
        for number, message in enumerate(messages.values()):
            report = reports.get(f"test_{number}") or reports[f"test_{number}[seed0]"]
            with self.subTest(message):
                self.assertRegex(report, message)
                self.assertNotRegex(report, r"asynctest_tornado/|\n>|Traceback|During handling")
        self.assertIn("return {}['planted']", reports["test_error_of_the_user"])

    def test_a_limit_comes_from_the_option_the_settings_or_the_environment(self) -> None:
        test = f"{FUNCTIONS}::test_deadlock"
        told = "would have timed out after 7 seconds"
        settings: dict[str, tuple[list[str], dict[str, str]]] = {
            "the option --asynctest-tornado-timeout": (["--asynctest-tornado-timeout=7"], {}),
            "the setting asynctest_tornado_timeout of pytest": (["-o", "asynctest_tornado_timeout=7"], {}),
            "the environment variable ASYNC_TEST_TIMEOUT": ([], {"ASYNC_TEST_TIMEOUT": "7"}),
        }
        runs = run_each(lambda how: run_pytest(test, *how[0], **how[1]), settings.values())
        for setting, done in zip(settings, runs, strict=True):
            self.assertIn(f"{told} ({setting}", done.stdout)

    def test_malformed_settings_are_errors(self) -> None:
        test = f"{FUNCTIONS}::test_leak"
        messages = {
            "asynctest_tornado_mode=often": "The setting asynctest_tornado_mode of pytest cannot be 'often'",
            "asynctest_tornado_clock=sand": "The setting asynctest_tornado_clock of pytest cannot be 'sand'",
            "asynctest_tornado_leaks=shout": "The setting asynctest_tornado_leaks of pytest cannot be 'shout'",
            "asynctest_tornado_timeout=soon": "The setting asynctest_tornado_timeout of pytest cannot be 'soon'",
        }
        runs = run_each(lambda setting: run_pytest(test, "-o", setting), messages)
        for message, done in zip(messages.values(), runs, strict=True):
            self.assertIn(message, done.stdout + done.stderr)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotRegex(done.stdout + done.stderr, r"\n>|asynctest_tornado/_")

    def test_a_malformed_variable_ends_the_run(self) -> None:
        message = "The environment variable ASYNC_TEST_TIMEOUT cannot be 'soon'. Set it to seconds"
        for file in (
            FUNCTIONS,
            "tests/samples/cases.py::UndecoratedCoroutine tests/samples/cases.py::AssertionInCoroutine",
        ):
            done = run_pytest(*file.split(), ASYNC_TEST_TIMEOUT="soon")
            self.assertEqual(len(re.findall(rf"^(?:E   .*)?{message}", done.stdout, re.MULTILINE)), 1, done.stdout)
            self.assertIn("Interrupted: each test would fail of the same environment variable", done.stdout)
            self.assertNotRegex(done.stdout, r"\n>|asynctest_tornado/_")

    def test_time_is_virtual_and_leaks_fail_where_the_settings_say_so(self) -> None:
        arguments = ["-o", "asynctest_tornado_clock=virtual", "-o", "asynctest_tornado_leaks=fail", FUNCTIONS]
        done = run_pytest("-k", "test_no_clock or test_leak", *arguments)
        found = verdicts(done)
        self.assertEqual(found["test_no_clock"], ["PASSED"])
        self.assertEqual(found["test_leak"], ["ERROR", "PASSED"])
        self.assertEqual(found["test_leak_is_allowed"], ["PASSED"])

    def test_orders_come_from_the_environment(self) -> None:
        done = run_pytest(f"{FUNCTIONS}::test_callback", ASYNC_TEST_SCHEDULES="2")
        self.assertEqual(verdicts(done), {f"test_callback[seed{seed}]": ["FAILED"] for seed in range(2)})
        self.assertIn(f"ASYNC_TEST_SEED=1 python -m pytest {FUNCTIONS}::test_callback", done.stdout)
        done = run_pytest(f"{FUNCTIONS}::test_callback", ASYNC_TEST_SEED="1")
        self.assertEqual(verdicts(done), {"test_callback": ["FAILED"]})
        self.assertIn("In the order of seed 1.", done.stdout)
        order = "work.1.2-after-work.2.2"
        done = run_pytest(f"{FUNCTIONS}::test_callback", ASYNC_TEST_ORDER=order, ASYNC_TEST_SCHEDULES="2")
        self.assertEqual(verdicts(done), {"test_callback": ["FAILED"]})
        self.assertIn(f"ASYNC_TEST_ORDER={order} python -m pytest {FUNCTIONS}::test_callback", done.stdout)
        self.assertIn("work.1.2, work.2.2 never came: the test has changed", done.stdout)

    def test_what_the_user_says_of_warnings_holds(self) -> None:
        test = f"{FUNCTIONS}::test_leak"
        said = [
            (),
            ("-W", "ignore::ResourceWarning"),
            ("-o", "filterwarnings=ignore::ResourceWarning"),
            ("-W", "error::ResourceWarning"),
        ]
        nothing, ignored, ignored_too, error = run_each(lambda arguments: run_pytest(test, *arguments), said)
        self.assertIn("left these resources open", nothing.stdout)
        self.assertNotIn("left these resources open", ignored.stdout)
        self.assertNotIn("left these resources open", ignored_too.stdout)
        self.assertEqual(verdicts(error)["test_leak"], ["ERROR", "PASSED"])


class OthersTest(unittest.TestCase):
    def outcome(self, *arguments: str) -> dict[str, str]:
        found = verdicts(run_pytest(OTHERS, *arguments))
        return {name.removeprefix("test_").partition("[")[0]: words[0] for name, words in found.items()}

    def test_each_runs_its_own(self) -> None:
        expected = {"asyncio": "PASSED", "anyio": "PASSED", "ours": "PASSED", "synchronous": "PASSED"}
        self.assertEqual(self.outcome(), {**expected, "of_nobody": "FAILED"})
        self.assertEqual(self.outcome("-o", "asynctest_tornado_mode=auto"), {**expected, "of_nobody": "PASSED"})

    def test_one_that_takes_all_has_them(self) -> None:
        for plugin, option in ("pytest-asyncio", "asyncio_mode=auto"), ("anyio", "anyio_mode=auto"):
            with self.subTest(plugin):
                done = run_pytest(OTHERS, "-o", option, "-o", "asynctest_tornado_mode=auto")
                found = verdicts(done)
                self.assertEqual(found["test_ours"], ["ERROR"])
                self.assertIn(f"by a fixture or its marker, and {plugin} runs it", done.stdout)
                self.assertEqual(found["test_synchronous"], ["PASSED"])
                self.assertEqual(found["test_of_nobody"], ["FAILED"])
                self.assertIn("assert is_ours()", done.stdout)

    def run_marked(self, markers: tuple[str, ...], *arguments: str, conftest: str = "") -> str:
        """Run a test with these markers whose callback fails, and return the output."""
        marked = "".join(f"@pytest.mark.{marker}\n" for marker in markers)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "conftest.py").write_text(conftest)
            path = Path(folder, "test_sample.py")
            path.write_text(
                f"import asyncio, pytest\n\n{marked}async def test_marked():\n"
                "    asyncio.get_running_loop().call_soon(lambda: 1 / 0)\n"
            )
            return run_pytest(str(path), *arguments).stdout

    def test_the_markers_of_this_library_are_refused_where_another_plugin_runs_the_test(self) -> None:
        for own in "asynctest_tornado", "gen_test", "gen_test(timeout=3)":
            for others, arguments in (
                ((), ("-o", "asyncio_mode=auto")),
                ((), ("-o", "anyio_mode=auto")),
                (("asyncio",), ()),
                (("anyio",), ()),
            ):
                with self.subTest(own, others=others, arguments=arguments):
                    output = self.run_marked((*others, own), *arguments)
                    self.assertIn("Take the marker or mode of", output)
                    # An older anyio makes two tests of it: one for trio, too, even if trio is not installed.
                    self.assertRegex(output, r"\n=+ (1 error|2 errors) in")

    def test_a_marker_that_another_plugin_registers_too_is_not_refused(self) -> None:
        register = "def pytest_configure(config):\n    config.addinivalue_line('markers', 'gen_test: of another')\n"
        output = self.run_marked(("gen_test",), "-o", "asyncio_mode=auto", conftest=register)
        self.assertRegex(output, r"\n=+ 1 passed")

    def test_pytest_base_url_keeps_its_fixture(self) -> None:
        theirs = "import pytest\n\n@pytest.fixture(scope='session')\ndef base_url():\n    pytest.skip('of another')\n"
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "pytest_base_url.py").write_text(theirs)
            done = run_pytest("-p", "pytest_base_url", f"{FUNCTIONS}::test_fetch", PYTHONPATH=folder)
        self.assertRegex(done.stdout, r"SKIPPED \[1\] .*: of another")

    def test_it_costs_nothing_where_it_is_not_used(self) -> None:
        code = (
            "import sys, asynctest_tornado.pytest_plugin; "
            "names = 'tornado', 'asynctest_tornado._', 'asyncio'; "
            "print(sorted(name for name in sys.modules if name.startswith(names)))"
        )
        rooms = ".advice", ".async_fixtures", ".claims", ".fixtures", ".hooks", ".inner_fixtures", ".loop_scopes"
        own = [f"asynctest_tornado._pytest{name}" for name in ("", *rooms, ".subtests")]
        own += [f"asynctest_tornado._util{name}" for name in ("", ".fast_environ", ".settings")]
        self.assertEqual(run_python("-c", code).stdout.strip(), repr(sorted(own)))


class CasesTest(unittest.TestCase):
    """Features of the plugin for test cases; ``tests.pytest.test_cases`` compares their verdicts."""

    output: str
    found: dict[str, list[str]]

    @classmethod
    def setUpClass(cls) -> None:
        done = run_pytest(CASES)
        cls.output, cls.found = done.stdout, verdicts(done)

    def test_the_leaks_of_a_subtest_that_has_failed_are_in_its_report(self) -> None:
        self.assertEqual(self.found["Leaks::test_subtests"], ["FAILED", "SUBFAILED"])
        told = r"Captured leaks teardown -+\n.*test_subtests left these .*\n\s+pending timer boom"
        self.assertRegex(self.output, told)

    def test_last_failed_runs_a_test_again_whose_subtest_has_failed(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            cache = ["-p", "cacheprovider", "-o", f"cache_dir={folder}", "-k", "Leaks", CASES]
            run_pytest(*cache)
            found = verdicts(run_pytest("--lf", *cache))
        self.assertEqual(found, {"Leaks::test_subtests": ["FAILED", "SUBFAILED"]})

    def test_leaks_are_shown_without_being_asked_for(self) -> None:
        self.assertRegex(
            self.output.partition("warnings summary")[2], r"test_leak left these .*\n\s+pending timer boom"
        )

    def test_a_late_error_is_reported_for_its_own_test(self) -> None:
        self.assertEqual(self.found["Late::test_1"], ["ERROR", "PASSED"])
        self.assertEqual(self.found["Late::test_2"], ["PASSED"])
        self.assertIn("It surfaced after the end of this test.", self.output)

    def test_the_debugger_makes_no_difference(self) -> None:
        done = run_pytest("--pdb", CASES, "-k", "Debugged", typed="p self.answer\nc\n")
        self.assertRegex(done.stdout, r"(?m)^(\(Pdb\) )?42$")
        self.assertEqual(verdicts(done), {"Debugged::test_passes": ["PASSED"], "Debugged::test_fails": ["FAILED"]})

    def test_a_case_cannot_have_a_second_loop(self) -> None:
        self.assertEqual(self.found["WithFixture::test"], ["ERROR"])
        self.assertIn("is a method of an AsyncTestCase, which has a loop", self.output)


class OptionsTest(unittest.TestCase):
    def test_exitfirst_ends_at_the_first_failure(self) -> None:
        done = run_pytest("-x", "-k", "callback or timeout", FUNCTIONS)
        self.assertEqual(verdicts(done), {"test_callback": ["FAILED"]})

    def test_last_failed_runs_those_again_whose_end_went_wrong(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            cache = ["-p", "cacheprovider", "-o", f"cache_dir={folder}", "-k", "test_leak or test_marked", FUNCTIONS]
            run_pytest(*cache)
            found = verdicts(run_pytest("--lf", *cache))
        self.assertEqual(found, {"test_leak_fails": ["ERROR", "PASSED"], "test_leak_of_a_failure": ["FAILED"]})

    def test_the_debugger_finds_a_loop_that_is_open(self) -> None:
        typed = "p 'closed', io_loop.asyncio_loop.is_closed()\nc\n"
        done = run_pytest("--pdb", f"{FUNCTIONS}::test_leak_of_a_failure", typed=typed)
        self.assertIn("('closed', False)", done.stdout)
        self.assertEqual(verdicts(done), {"test_leak_of_a_failure": ["FAILED"]})

    def test_a_test_that_is_traced_from_its_beginning_runs_to_its_end(self) -> None:
        tests = f"{FUNCTIONS}::test_fixtures", f"{FUNCTIONS}::test_generator", f"{CASES}::Traced::test"
        for done in run_each(lambda test: run_pytest("--trace", test, typed="c\n"), tests):
            self.assertIn("PDB set_trace", done.stdout)
            self.assertEqual(list(verdicts(done).values()), [["PASSED"]])

    def test_the_order_to_replay_is_that_of_the_parameter(self) -> None:
        done = run_pytest(f"{FUNCTIONS}::test_orders_of_each", "--tb=short")
        self.assertIn(f"ASYNC_TEST_SEED=1 python -m pytest '{FUNCTIONS}::test_orders_of_each[b]'", done.stdout)
        done = run_pytest(f"{FUNCTIONS}::test_orders_of_each[b]", ASYNC_TEST_SEED="1")
        self.assertIn("In the order of seed 1.", done.stdout)

    def test_a_deadlock_is_told_in_a_worker_which_has_a_thread_of_its_own(self) -> None:
        done = run_pytest("-n", "1", "tests/samples/deadlocked.py")
        self.assertIn("this is a deadlock", done.stdout)

    def test_workers_come_to_the_same_verdicts(self) -> None:
        # A test leaves nothing for the next one if that runs in another process.
        arguments = ["-k", "not test_late", FUNCTIONS]
        alone, together = run_pytest(*arguments), run_pytest("-n", "2", *arguments)
        self.assertEqual(verdicts(together), verdicts(alone))
        self.assertIn("Captured leaks teardown", together.stdout)

    def test_a_worker_reports_a_late_error_for_its_own_test_and_goes_on(self) -> None:
        found = {"test_late_1": ["ERROR", "PASSED"], "test_late_2": ["PASSED"]}
        done = run_pytest("-n", "1", "-k", "test_late or test_marked", FUNCTIONS)
        self.assertEqual({name: verdicts(done)[name] for name in found}, found, done.stdout)
        done = run_pytest("-n", "1", CASES, "-k", "Late or Traced")
        self.assertEqual(
            verdicts(done),
            {"Late::test_1": ["ERROR", "PASSED"], "Late::test_2": ["PASSED"], "Traced::test": ["PASSED"]},
        )


class LateTest(unittest.TestCase):
    """When test cases of unittest are run by pytest, and a worker of it."""

    def check(self, moment: str, *arguments: str) -> None:
        done = run_pytest(f"tests/samples/late/{moment}.py", *arguments)
        found = verdicts(done)
        self.assertEqual(found.pop("Sample::test_a_guilty"), ["ERROR", "PASSED"], done.stdout)
        self.assertEqual({tuple(words) for words in found.values()}, {("PASSED",)})
        self.assertEqual(done.stdout.count("E       ValueError: planted"), 1)
        self.assertIn("1 error", done.stdout)
        self.assertEqual(done.returncode, 1)

    def test_the_error_is_reported_once_and_for_its_own_test(self) -> None:
        for moment in "in_next_case", "at_class_end", "in_plain_case", "at_module_end":
            for arguments in [], ["-n", "1"]:
                with self.subTest(moment, arguments=arguments):
                    self.check(moment, *arguments)

    def test_one_that_comes_when_all_is_over_fails_the_process(self) -> None:
        for sample, name in (AT_SESSION_END, r"test_guilty \("), (OF_FUNCTION, "test_it.py::test_guilty\n"):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                Path(folder, "test_it.py").write_text(sample)
                Path(folder, "conftest.py").write_text(CONFTEST.replace("sessionfinish", "unconfigure"))
                done = run_pytest("--rootdir", folder, folder)
                self.assertEqual(list(verdicts(done).values()), [["PASSED"]])
                self.assertRegex(done.stderr, rf"after the end of .*:\nERROR: {name}")
                self.assertEqual(done.stderr.count("ValueError: planted"), 1)
                self.assertEqual(done.returncode, 120)

    def test_one_of_a_thread_that_outlives_pytest_fails_the_process(self) -> None:
        done = run_pytest("tests/samples/late/at_process_end.py")
        self.assertRegex(done.stderr, r"after the end of .*:\nERROR: test_a_guilty \(")
        self.assertEqual(done.stderr.count("ValueError: planted"), 1)
        self.assertEqual(done.returncode, 120)

    def test_one_that_was_never_raised_has_a_report_like_all_others(self) -> None:
        done = self.run_sample(NEVER_RAISED)
        found = {"Sample::test_1": ["ERROR", "PASSED"], "test_2": ["ERROR", "PASSED"], "test_3": ["PASSED"]}
        self.assertEqual(verdicts(done), found, done.stdout)
        self.assertEqual(len(re.findall("(?m)^E +ValueError: planted$", done.stdout)), 2, done.stdout)
        self.assertEqual(done.stdout.count("It surfaced after the end of this test."), 2)

    def test_one_of_garbage_names_all_tests_that_it_may_be_of(self) -> None:
        done = self.run_sample(GARBAGE)
        self.assertRegex(done.stdout, r"E +Garbage collection found it\. .*Sample\.test_1, .*Sample\.test_2")
        self.assertNotIn("It surfaced after the end of this test.", done.stdout)
        self.assertEqual(done.returncode, 1)

    def run_sample(self, sample: str) -> "subprocess.CompletedProcess[str]":
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "test_it.py").write_text(sample)
            return run_pytest("--rootdir", folder, folder)

    def test_one_that_comes_when_pytest_has_ended_its_tests_is_reported_yet(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "test_it.py").write_text(AT_SESSION_END)
            Path(folder, "conftest.py").write_text(CONFTEST)
            for arguments in [], ["-n", "1"]:
                with self.subTest(arguments):
                    done = run_pytest("--rootdir", folder, folder, *arguments)
                    self.assertEqual(verdicts(done), {"Sample::test_guilty": ["ERROR", "PASSED"]}, done.stdout)
                    self.assertEqual(done.returncode, 1)


NEVER_RAISED = """
import asyncio
from asynctest_tornado import AsyncTestCase

left = []

def leave():
    left.append(asyncio.Future())
    left[-1].set_exception(ValueError("planted"))

class Sample(AsyncTestCase):
    async def test_1(self):
        leave()

async def test_2(io_loop):
    leave()

async def test_3(io_loop):
    left.clear()
"""

GARBAGE = """
import gc
from asynctest_tornado import AsyncTestCase

gc.disable()

class Cyclic:
    def __init__(self):
        self.me = self

    def __del__(self):
        raise ValueError("planted")

class Sample(AsyncTestCase):
    async def test_1(self):
        Cyclic()

    async def test_2(self):
        gc.collect()
"""

OF_FUNCTION = """
import pytest
from tests.samples.late import support

class Sample:
    left = support.Left()

@pytest.mark.gen_test(leaks="ignore")
async def test_guilty():
    Sample.left.start()
"""

AT_SESSION_END = """
from tests.samples.late import support

class Sample(support.Guilty):
    left = support.Left()
    test_guilty = support.Guilty.test_a_guilty
    test_a_guilty = test_b_innocent = None
"""

CONFTEST = """
import sys
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    if "test_it" in sys.modules:
        sys.modules["test_it"].Sample.left.fail()
"""
