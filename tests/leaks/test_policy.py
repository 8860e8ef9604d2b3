import asyncio
import gc
import re
import sys
import threading
import unittest
import warnings
import weakref
from pathlib import Path
from typing import Any

from asynctest_tornado import AsyncTestCase
from tests.samples import leaky
from tests.support import ROOT, environ, run_body, run_case, run_code, run_python


def run_leaky(**attributes: Any) -> tuple[list[str], str]:
    """Return the verdicts, and the text of the report and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = run_case(type("Sample", (leaky.Leaky,), attributes))
    return result.verdicts, result.report + "".join(str(warning.message) for warning in caught)


class PolicyTest(unittest.TestCase):
    def test_by_default_there_is_a_warning_that_names_the_test(self) -> None:
        with self.assertWarnsRegex(
            ResourceWarning, r"test_policy.Sample.test left these(.|\n)*timer Leaky.leaky_timer"
        ) as caught:
            result = run_case(type("Sample", (leaky.Leaky,), {}))
        self.assertEqual(result.verdicts, ["addSuccess"])
        self.assertEqual(Path(caught.filename), ROOT / "tests/samples/leaky.py")
        self.assertIn("call_later", Path(caught.filename).read_text().splitlines()[caught.lineno - 1])

    def test_each_policy(self) -> None:
        expected = {
            "ignore": ("addSuccess", 0),
            "note": ("addSuccess", 0),
            "warn": ("addSuccess", 1),
            "fail": ("addFailure", 1),
        }
        for action, (verdict, count) in expected.items():
            with self.subTest(action, by="attribute"):
                verdicts, text = run_leaky(leaks=action)
                self.assertEqual((verdicts, text.count("leaky_timer,")), ([verdict], count), text)
            with self.subTest(action, by="environment"), environ(ASYNC_TEST_LEAKS=action):
                verdicts, text = run_leaky()
                self.assertEqual((verdicts, text.count("leaky_timer,")), ([verdict], count), text)

    def test_the_class_comes_before_the_environment(self) -> None:
        with environ(ASYNC_TEST_LEAKS="fail"):
            self.assertEqual(run_leaky(leaks="ignore"), (["addSuccess"], ""))

    def test_the_command_line(self) -> None:
        done = run_python("-m", "asynctest_tornado", "--leaks=fail", "tests.samples.leaky.Leaky")
        self.assertIn("FAIL: test (tests.samples.leaky.Leaky.test)", done.stderr)

    def test_the_report_of_a_failure_has_its_leaks(self) -> None:
        def fail(case: Any) -> None:
            leaky.Leaky.test(case)
            case.fail("planted")

        def fail_in_callback(case: Any) -> None:
            leaky.Leaky.test(case)
            case.io_loop.add_callback(case.fail, "planted")
            case.wait()

        def fail_in_subtest(case: Any) -> None:
            with case.subTest("first"):
                fail(case)

        for body in fail, fail_in_callback, fail_in_subtest:
            for action in "note", "warn", "fail":
                with self.subTest(body.__name__, action=action):
                    verdicts, text = run_leaky(test=body, leaks=action)
                    self.assertEqual(verdicts, ["addFailure"] if body is not fail_in_subtest else [])
                    self.assertRegex(text, r"AssertionError: planted(.|\n)*left these(.|\n)*leaky_timer,")
                    self.assertEqual(text.count("leaky_timer,"), 1)

    def test_the_report_of_a_late_error_has_its_leaks(self) -> None:
        def body(case: Any) -> None:
            leaky.Leaky.test(case)
            case.addCleanup(case.io_loop.asyncio_loop.run_until_complete, fail_later(case))

        async def fail_later(case: Any) -> None:
            asyncio.get_running_loop().call_soon(case.fail, "planted")
            await asyncio.Event().wait()

        verdicts, text = run_leaky(test=body, leaks="fail")
        self.assertEqual(verdicts, ["addFailure"])
        self.assertEqual(text.count("leaky_timer,"), 1, text)

    def test_a_timeout_that_was_expected_hides_nothing(self) -> None:
        def body(case: Any) -> None:
            leaky.Leaky.test(case)
            with case.assertRaises(AssertionError):
                case.wait(timeout=0.01)

        self.assertEqual(run_leaky(test=body, leaks="fail")[0], ["addFailure"])

    @unittest.skipIf(sys.version_info >= (3, 12), "from there on, unittest itself keeps a cycle")
    def test_nothing_keeps_a_test_that_has_failed(self) -> None:
        def body(case: Any) -> None:
            leaky.Leaky.test(case)
            case.fail("planted")

        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        case = type("Sample", (leaky.Leaky,), {"test": body})("test")
        reference = weakref.ref(case)
        result = unittest.TestResult()
        case.run(result)
        del case, result
        self.assertIsNone(reference())

    def test_a_timeout_shows_pending_timers_once(self) -> None:
        def body(case: Any) -> None:
            leaky.Leaky.test(case)
            case.wait(timeout=0.01)

        _, text = run_leaky(test=body)
        self.assertEqual(text.count("leaky_timer"), 1, text)

    def test_a_test_that_is_skipped_has_not_failed(self) -> None:
        def body(case: Any) -> None:
            leaky.Leaky.test(case)
            case.skipTest("planted")

        self.assertEqual(run_leaky(test=body, leaks="fail")[0], ["addSkip", "addFailure"])
        self.assertEqual(run_leaky(test=body, leaks="warn")[0], ["addSkip"])

    def test_debug_raises_it(self) -> None:
        with self.assertRaisesRegex(AssertionError, "leaky_timer"):
            type("Sample", (leaky.Leaky,), {"leaks": "fail"})("test").debug()

    def test_a_case_that_is_used_by_hand_reports_in_tear_down(self) -> None:
        case = type("Sample", (leaky.Leaky,), {"leaks": "fail"})("test")
        case.setUp()
        case.test()
        with self.assertRaisesRegex(AssertionError, "leaky_timer"):
            case.tearDown()

    def test_under_replace_a_suite_that_passes_is_quiet(self) -> None:
        code = "import asynctest_tornado.replace, unittest; unittest.main('tests.samples.leaky', argv=['', 'Leaky'])"
        done = run_code(code)
        self.assertNotIn("leaky_timer", done.stderr)
        self.assertEqual(done.returncode, 0)

    def test_the_full_stack_is_shown_where_it_is_known(self) -> None:
        done = run_python(
            "-X", "tracemalloc=10", "-m", "unittest", "tests.samples.leaky.Leaky", ASYNC_TEST_LEAKS="fail"
        )
        self.assertRegex(
            done.stderr, r"made at:\n +File .*leaky.py.*\n +self.io_loop.call_later\(60, self.leaky_timer\)\n\S"
        )
        self.assertNotIn("tracemalloc", done.stderr)

    def test_many_are_counted(self) -> None:
        def body(case: Any) -> None:
            for _ in range(12):
                leaky.Leaky.test(case)

        _, text = run_leaky(test=body)
        self.assertEqual(text.count("leaky_timer,"), 10)
        self.assertIn("... and 2 more", text)


class AllowedTest(unittest.TestCase):
    def test_by_name(self) -> None:
        self.assertEqual(run_leaky(leaks="fail", allowed_leaks=(r"leaky_\w+",)), (["addSuccess"], ""))
        self.assertEqual(run_leaky(leaks="fail", allowed_leaks=[re.compile("^Leaky")]), (["addSuccess"], ""))
        self.assertEqual(run_leaky(leaks="fail", allowed_leaks=("another",))[0], ["addFailure"])

    def test_by_type(self) -> None:
        go = threading.Event()
        self.addCleanup(go.set)

        def body(case: Any) -> None:
            thread = threading.Thread(target=go.wait, daemon=True)
            thread.start()

        self.assertEqual(run_leaky(test=body, leaks="fail", allowed_leaks=[threading.Thread]), (["addSuccess"], ""))
        self.assertEqual(run_leaky(test=body, leaks="fail", allowed_leaks=[asyncio.Task])[0], ["addFailure"])


class BadSettingsTest(unittest.TestCase):
    def check(self, expected: str, **attributes: Any) -> None:
        self.assertRegex(run_body(type("Sample", (AsyncTestCase,), attributes), lambda case: None).report, expected)

    def test_policies(self) -> None:
        self.check(
            "ValueError: The class attribute leaks cannot be 'error'. Set it to 'ignore', 'note', 'warn' or 'fail'",
            leaks="error",
        )
        with environ(ASYNC_TEST_LEAKS="yes"):
            self.check("ValueError: The environment variable ASYNC_TEST_LEAKS cannot be 'yes'. Set it to 'ignore'")

    def test_the_command_line(self) -> None:
        done = run_python("-m", "asynctest_tornado", "--leaks=yes", "tests.samples.leaky.Leaky")
        self.assertIn("error: The option --leaks cannot be 'yes'", done.stderr)
        self.assertNotIn("Ran", done.stderr)

    def test_allow_lists(self) -> None:
        where = "The class attribute allowed_leaks cannot be"
        self.check(rf"TypeError: {where} 'x': that is no sequence; write \('x',\)\. Set it to", allowed_leaks="x")
        self.check(rf"ValueError: {where} \['\('\]: the pattern '\(' is malformed, missing \)", allowed_leaks=["("])
        self.check(rf"TypeError: {where} \[1\]: 1 is neither a type nor a pattern. Set it to", allowed_leaks=[1])
