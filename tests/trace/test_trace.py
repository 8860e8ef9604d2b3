import html
import os
import re
import unittest
from unittest import mock

from tests.samples import traced
from tests.support import run_code
from tests.trace.folders import TraceCase

__unittest = True


class ChoosingTest(TraceCase):
    def test_a_test_that_fails_has_a_page_and_trace_events(self) -> None:
        report = self.run_traced(traced.Race).report
        self.assertEqual(self.files(), ["tests.samples.traced.Race.test.html", "tests.samples.traced.Race.test.json"])
        self.assertIn(f"Trace: {self.folder}/tests.samples.traced.Race.test.html", report)

    def test_a_test_that_passes_has_none(self) -> None:
        self.assertEqual(self.run_traced(traced.Passing).verdicts, ["addSuccess"])
        self.assertEqual(self.files(), [])

    def test_it_has_some_if_all_tests_have(self) -> None:
        self.assertEqual(self.run_traced(traced.AllTraced).verdicts, ["addSuccess"])
        self.assertEqual(len(self.files()), 2)

    def test_the_class_switches_it_off(self) -> None:
        report = self.run_traced(traced.Untraced).report
        self.assertNotIn("Trace: ", report)
        self.assertEqual(self.files(), [])

    def test_a_folder_in_the_environment_switches_it_on(self) -> None:
        self.run_traced(traced.ByEnvironment)
        self.assertEqual(len(self.files()), 2)

    def test_the_environment_may_change_between_two_tests(self) -> None:
        with mock.patch.dict(os.environ):
            del os.environ["ASYNC_TEST_TRACE"]
            self.assertNotIn("Trace: ", self.run_traced(traced.ByEnvironment).report)
        self.assertIn("Trace: ", self.run_traced(traced.ByEnvironment).report)
        self.assertEqual(len(self.files()), 2)

    def test_the_environment_switches_it_on_without_a_result(self) -> None:
        with self.assertRaises(AssertionError):
            traced.ByEnvironment("test").debug()
        self.assertEqual(len(self.files()), 2)

    def test_a_wrong_word_is_an_error(self) -> None:
        self.assertIn("The class attribute trace cannot be 'failure'", self.run_traced(traced.Wrong).report)

    def test_a_test_without_it_imports_no_room_that_writes(self) -> None:
        code = (
            "import sys, unittest; from tests.samples.traced import Untraced; "
            "Untraced('test').run(unittest.TestResult());"
            "print([name for name in sys.modules if name.endswith(('_trace.page', '_trace.messages', '_trace.story'))])"
        )
        self.assertEqual(run_code(code).stdout, "[]\n")

    def test_tornado_has_its_own_methods_after_a_run(self) -> None:
        code = (
            "import unittest; from tests.samples.traced import Passing; from tornado.http1connection import *;"
            "names = lambda: [getattr(HTTP1Connection, name).__code__.co_name for name in ('write_headers', "
            "'read_response')];"
            "Passing.tearDownClass = classmethod(lambda cls: print(names()));"
            "unittest.main('tests.samples.traced', argv=['test', 'Passing'], exit=False); print(names())"
        )
        expected = "['_write_headers', '_read_response']\n['write_headers', 'read_response']\n"
        with mock.patch.dict(os.environ, ASYNC_TEST_TRACE="failures"):
            self.assertEqual(run_code(code).stdout, expected)


class ReportTest(TraceCase):
    def test_has_the_last_steps(self) -> None:
        report = self.run_traced(traced.Race).report
        steps = re.findall(r"^[> ] +[\d.]+ ms  (.*)$", report, re.MULTILINE)
        self.assertEqual(
            [re.sub(r" (at|from) .*?`\)", r" \1 N", step).removesuffix(" at N") for step in steps],
            [
                "the test begins",
                "Race.register('first') begins",
                "Race.register('second') begins",
                "Race.register('first') goes on from N, and ends",
                "Race.register('second') goes on from N, and ends",
                "the test goes on from N, and raises AssertionError",
                "AssertionError: 2 != 1 : </style><script>alert(1)</script>",
            ],
        )
        self.assertIn(" from tests/samples/traced.py:21 (`await asyncio.sleep(0)`), and ends\n", report)

    def test_marks_the_step_that_fails(self) -> None:
        report = self.run_traced(traced.Race).report
        marked = re.findall(r"^> +[\d.]+ ms  (the test|AssertionError)", report, re.MULTILINE)
        self.assertEqual(marked, ["the test", "AssertionError"])

    def test_has_no_more_than_twenty_steps(self) -> None:
        report = self.run_traced(traced.Many).report
        self.assertIn("The last 20 of 423 steps before the failure:", report)
        self.assertEqual(len(re.findall(r"^[> ] +[\d.]+ ms  ", report, re.MULTILINE)), 20)

    def test_has_equal_lines_once(self) -> None:
        report = self.run_traced(traced.Waits).report
        steps = re.findall(r"(?m)^[> ] 0 s  (.*)$", report)
        self.assertEqual(len(steps), 20, report)
        self.assertRegex(report, r"\nThe last 102 of 107 steps before the failure:\n")
        self.assertRegex(steps[0], r"^Waits\.note\(4\) begins at .*, and ends$")
        self.assertRegex(steps[17], r"^the test goes on from .* \(`await asyncio.sleep\(0\)`\) \(83 times\)$")

    def test_equal_lines_at_several_times_name_the_last_one(self) -> None:
        report = self.run_traced(traced.RealWaits).report
        self.assertRegex(report, r"\n +[\d.]+ ms  the test goes on from .*`\) \(83 times, until [\d.]+ ms\)\n")

    def test_a_long_line_keeps_its_end(self) -> None:
        report = self.run_traced(traced.LongLine).report
        (line,) = re.findall(r"(?m)^[> ] +[\d.]+ ms  (LongLine.wait.* goes on .*)$", report)
        self.assertLessEqual(len(line), 180)
        self.assertRegex(line, r" from \S+traced.py:\d+ \(`await asyncio.*\.\.\.`\), and raises LookupError$")

    def test_an_error_of_a_callback_is_of_its_step(self) -> None:
        report = self.run_traced(traced.Timers).report
        self.assertRegex(report, r"(?m)^> +3601 s  Timers.fail_later is called by a timer at .*def fail_later")

    def test_an_error_that_no_code_looked_at_is_of_the_step_of_its_task(self) -> None:
        report = self.run_traced(traced.LostTask).report
        self.assertRegex(report, r"(?m)^> +[\d.]+ ms  LostTask.break_down\(\) begins at .*, and raises ValueError$")

    def test_an_error_that_other_tasks_hand_on_is_of_the_first_one(self) -> None:
        report = self.run_traced(traced.Worker).report
        self.assertRegex(report, r"\n> +[\d.]+ ms  Worker.work\(5\) goes on from .* raises LookupError\n  \.\.\.\n")
        self.assertEqual(len(re.findall(r"^> ", report, re.MULTILINE)), 2)

    def test_an_error_of_set_up_has_its_trace(self) -> None:
        report = self.run_traced(traced.SetUp).report
        self.assertRegex(report, r"(?m)^> .*LookupError: no database")

    def test_each_subtest_has_the_steps_up_to_it(self) -> None:
        result = self.run_traced(traced.Subtests)
        self.assertEqual([text.count("Trace: ") for _, text in result.failures], [1, 1])
        self.assertNotIn("2 != 3", result.failures[0][1])
        self.assertEqual(len(self.files()), 2)

    def test_each_of_two_errors_has_the_steps_up_to_it(self) -> None:
        result = self.run_traced(traced.Twice)
        self.assertEqual(result.report.count("Trace: "), 2)
        self.assertIn("second", self.page())


class TogetherTest(TraceCase):
    def test_each_order_has_its_own_files(self) -> None:
        report = self.run_traced(traced.OrderedRace).report
        self.assertRegex(report, r"Race.register\('second'\) goes on from .*, and ends\n")
        self.assertEqual(len(self.files()), 2)

    def test_a_schedule_shows_who_has_woken_whom(self) -> None:
        self.run_traced(traced.OrderedRace)
        names = [event["name"].partition(" ")[0] for event in self.slices() if event["cat"] == "step"]
        self.assertEqual(names.count("begins"), 3)
        flows = [event for event in self.trace()["traceEvents"] if event["ph"] == "s"]
        self.assertGreaterEqual(len(flows), 5)

    def test_virtual_time_jumps(self) -> None:
        report = self.run_traced(traced.Timers).report
        self.assertIn("time jumps by 3600 s to 3600 s", report)
        self.assertIn("time jumps by 1 s to 3601 s", report)

    def test_requests_messages_and_faults_of_the_network_are_there(self) -> None:
        report = self.run_traced(traced.Web).report
        for text in (
            "GET away.test/?<1>: 200 OK arrives",
            "Greeting serving GET /?<1> goes on from ",
            "message 'abc' is sent",
            "message 'cba' arrives",
        ):
            self.assertTrue(text in report or text in html.unescape(self.page()), text)
        self.assertTrue("latency = 0.5 meets GET http://away.test" in self.page())

    def test_requests_and_tasks_of_the_same_name_are_numbered(self) -> None:
        report = self.run_traced(traced.TwoRequests).report
        for who in "/: the request is sent", "/ (2): the request is sent", "GET / begins", "GET / (2) begins":
            self.assertEqual(report.count(who), 1, who)

    def test_messages_on_real_sockets_are_there(self) -> None:
        report = self.run_traced(traced.RealWeb).report
        self.assertIn("message 'abc' arrives", report)
        self.assertIn("message 'cba' arrives", report)

    def test_a_shared_loop_has_the_trace_of_the_test_that_runs(self) -> None:
        result = unittest.TestResult()
        unittest.TestSuite([traced.SharedLoop("test_1"), traced.SharedLoop("test_2")]).run(result)
        self.assertEqual(len(self.files()), 4)
        (first, second) = [text for _, text in result.failures]
        self.assertIn("AssertionError: the first", first)
        self.assertNotIn("the first", second)
