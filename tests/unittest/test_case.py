import asyncio
import contextlib
import contextvars
import copy
import gc
import os
import pickle
import threading
import unittest
import warnings
import weakref
from collections.abc import Generator
from typing import Any
from unittest import mock

from tornado import gen
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOMainLoop

from asynctest_tornado import AsyncTestCase, gen_test, setup_with_context_manager
from tests.limits import limit_clock
from tests.samples import cases
from tests.support import RecordingResult, environ, open_files, run_body, run_case


class AttributesTest(unittest.TestCase):
    def test_the_error_of_a_future_in_an_attribute_fails_the_test_in_time(self) -> None:
        for name in "future", "clock":
            with self.subTest(name):

                def body(case: Any, name: str = name) -> None:
                    future = asyncio.Future[None](loop=case.io_loop.asyncio_loop)
                    future.set_exception(ValueError("planted"))
                    setattr(case, name, future)

                result = run_body(AsyncTestCase, body)
                self.assertEqual(result.verdicts, ["addError"])
                self.assertNotIn("after the end of its test", result.report)

    def test_the_constructor_may_prepare_for_setting_them(self) -> None:
        class Sample(AsyncTestCase):
            def __init__(self, name: str) -> None:
                vars(self)["names"] = []
                super().__init__(name)

            def __setattr__(self, name: str, value: object) -> None:
                self.names.append(name)  # type: ignore[attr-defined]
                super().__setattr__(name, value)

            async def test(self) -> None:
                self.assertIn("io_loop", self.names)  # type: ignore[attr-defined]

        self.assertEqual(run_case(Sample).verdicts, ["addSuccess"])


class WaitStopTest(AsyncTestCase):
    def test_wait_returns_what_stop_was_given(self) -> None:
        self.io_loop.add_callback(self.stop, 42)
        self.assertEqual(self.wait(), 42)
        self.io_loop.add_callback(self.stop, a=1, b=2)
        self.assertEqual(self.wait(), {"a": 1, "b": 2})
        self.io_loop.add_callback(self.stop)
        self.assertIsNone(self.wait())

    def test_stop_may_come_before_wait(self) -> None:
        self.stop("early")
        self.assertEqual(self.wait(), "early")

    def test_a_stop_counts_for_one_wait(self) -> None:
        self.stop()
        self.wait()
        with self.assertRaisesRegex(AssertionError, "timed out"):
            self.wait(timeout=0.01)

    def test_wait_goes_on_until_the_condition_holds(self) -> None:
        numbers: list[int] = []

        def add() -> None:
            numbers.append(len(numbers))
            self.stop(len(numbers))
            if len(numbers) < 3:
                self.io_loop.add_callback(add)

        self.io_loop.add_callback(add)
        self.assertEqual(self.wait(lambda: len(numbers) >= 3), 3)

    def test_a_stop_while_the_condition_is_looked_at_counts(self) -> None:
        looks: list[int] = []

        def condition() -> bool:
            looks.append(len(looks))
            # As a thread would that comes to its end just now: there is no other stop().
            self.stop(len(looks))
            return len(looks) == 3

        self.io_loop.add_callback(self.stop)
        self.assertEqual(self.wait(condition), 3)

    def test_an_error_in_the_condition_is_raised(self) -> None:
        self.io_loop.add_callback(self.stop)
        with self.assertRaises(ZeroDivisionError):
            self.wait(lambda: bool(1 / 0))

    def test_a_condition_that_is_no_function_is_explained(self) -> None:
        cases: list[tuple[Any, str]] = [
            (10, r"wait\(\) got the condition 10, which is no function. For a time limit.* write wait\(timeout=10\)"),
            (3 > 2, r"wait\(\) got the condition True, which is no function. Give a function that returns true"),
        ]
        for condition, message in cases:
            with self.subTest(condition):
                self.io_loop.add_callback(self.stop)
                with self.assertRaisesRegex(TypeError, f"^{message}"):
                    self.wait(condition)
                with self.assertRaisesRegex(AssertionError, f"; {message}"):
                    self.wait(condition, timeout=0.01)

    def test_a_condition_is_not_called_before_it_is_needed(self) -> None:
        """As in ``tornado.testing``."""
        condition: Any = 10
        self.stop("early")
        self.assertEqual(self.wait(condition), "early")
        self.io_loop.add_callback(lambda: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            self.wait(condition)

    def test_a_thread_may_stop(self) -> None:
        thread = threading.Thread(target=self.stop, args=("from a thread",))
        self.io_loop.add_callback(thread.start)
        self.assertEqual(self.wait(), "from a thread")
        thread.join()

    def test_the_next_wait_has_its_own_time(self) -> None:
        with self.assertRaises(AssertionError):
            self.wait(timeout=0.01)
        self.io_loop.call_later(0.03, self.stop)
        self.wait()

    def test_a_stop_of_the_loop_alone_does_not_end_it(self) -> None:
        self.io_loop.add_callback(self.io_loop.stop)
        self.io_loop.call_later(0.01, self.stop, "this does")
        self.assertEqual(self.wait(), "this does")

    def test_the_message_of_a_timeout_says_time_setting_and_condition(self) -> None:
        def page_is_ready() -> bool:
            return False

        self.io_loop.add_callback(self.stop)
        with self.assertRaises(self.failureException) as caught:
            self.wait(page_is_ready, timeout=0.01)
        for part in "0.01 seconds", "argument", "page_is_ready":
            self.assertIn(part, str(caught.exception))

    def test_the_timeout_comes_from_argument_attribute_or_environment(self) -> None:
        self.async_test_timeout = 0.01
        with environ(ASYNC_TEST_TIMEOUT="60"):
            with self.assertRaisesRegex(AssertionError, "0.01 seconds.*async_test_timeout"):
                self.wait()
            with self.assertRaisesRegex(AssertionError, "0.02 seconds.*argument"):
                self.wait(timeout=0.02)
        self.async_test_timeout = None
        with environ(ASYNC_TEST_TIMEOUT="0.03"), self.assertRaisesRegex(AssertionError, "0.03.*ASYNC_TEST_TIMEOUT"):
            self.wait()

    def test_zero_is_no_timeout(self) -> None:
        self.io_loop.call_later(0.01, self.stop)
        with environ(ASYNC_TEST_TIMEOUT="0"):
            self.wait()

    def test_a_bad_timeout_is_an_error_and_the_loop_is_as_before(self) -> None:
        for value, error in (-1, ValueError), (float("nan"), ValueError), ("5", TypeError):
            with self.assertRaises(error):
                self.wait(timeout=value)  # type: ignore[arg-type]
        with environ(ASYNC_TEST_TIMEOUT="soon"), self.assertRaisesRegex(ValueError, "soon"):
            self.wait()
        self.io_loop.add_callback(self.stop, 1)
        self.assertEqual(self.wait(), 1)

    def test_stop_takes_one_argument_or_keywords_but_not_both(self) -> None:
        with self.assertRaisesRegex(TypeError, r"1, and keyword arguments, \{'a': 2\}.*by keyword"):
            self.stop(1, a=2)

    async def test_a_coroutine_is_told_to_await(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "running already.*await"):
            self.wait()

    def test_an_error_ends_it_at_once(self) -> None:
        self.io_loop.add_callback(lambda: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            self.wait(timeout=0)

    def test_an_error_is_raised_once(self) -> None:
        self.io_loop.add_callback(lambda: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            self.wait()
        self.io_loop.add_callback(self.stop)
        self.wait()

    def test_an_error_from_before_is_raised_instead_of_waiting(self) -> None:
        self.io_loop.add_callback(self.stop)
        self.io_loop.add_callback(lambda: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            self.wait()


class LoopTest(AsyncTestCase):
    def test_each_test_has_a_loop_that_is_current_and_does_not_run(self) -> None:
        self.assertIs(IOLoop.current(), self.io_loop)
        self.assertIs(asyncio.get_event_loop(), self.io_loop.asyncio_loop)  # type: ignore[attr-defined]
        self.assertFalse(self.io_loop.asyncio_loop.is_running())  # type: ignore[attr-defined]

    def test_the_user_may_run_it(self) -> None:
        self.assertEqual(self.io_loop.run_sync(lambda: asyncio.sleep(0, 42)), 42)
        asyncio_loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        self.assertEqual(asyncio_loop.run_until_complete(asyncio.sleep(0, 42)), 42)
        self.io_loop.add_callback(self.io_loop.stop)
        self.io_loop.start()

    def test_an_error_ends_whatever_the_user_runs_it_with(self) -> None:
        asyncio_loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        forever = asyncio.Event()
        for run in (
            self.io_loop.start,
            asyncio_loop.run_forever,
            lambda: self.io_loop.run_sync(forever.wait),
            lambda: asyncio_loop.run_until_complete(forever.wait()),
        ):
            self.io_loop.add_callback(lambda: 1 / 0)
            with self.assertRaises(ZeroDivisionError):
                run()
        for task in asyncio.all_tasks(asyncio_loop):
            task.cancel()

    def test_more_loops_can_be_made(self) -> None:
        other = self.get_new_ioloop()
        self.addCleanup(other.close)
        self.assertIsNot(other, self.io_loop)
        self.assertEqual(other.run_sync(lambda: asyncio.sleep(0, 42)), 42)


class LoopOfOthersTest(unittest.TestCase):
    def setUp(self) -> None:
        self.io_loop: IOLoop = IOLoop(make_current=False)
        self.addCleanup(self.io_loop.close)

    def run_on_it(self, body: Any) -> RecordingResult:
        io_loop = self.io_loop

        class Sample(AsyncTestCase):
            def get_new_ioloop(self) -> IOLoop:
                return io_loop

        return run_body(Sample, body)

    def test_a_loop_from_outside_is_left_open_and_as_it_was(self) -> None:
        asyncio_loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        before = type(asyncio_loop), dict(vars(asyncio_loop))
        for _ in range(2):
            result = self.run_on_it(lambda case: case.assertIs(case.io_loop, self.io_loop))
            self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertFalse(asyncio_loop.is_closed())
        after = type(asyncio_loop), dict(vars(asyncio_loop))
        self.assertEqual((before[0], before[1].keys()), (after[0], after[1].keys()))

    def test_errors_on_it_are_trapped(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.asyncio_loop.call_soon(lambda: 1 / 0)  # type: ignore[attr-defined]
            case.wait()

        self.assertIn("ZeroDivisionError", self.run_on_it(body).report)

    def test_a_main_loop_is_left_open(self) -> None:
        class Sample(AsyncTestCase):
            def get_new_ioloop(self) -> IOLoop:
                asyncio.set_event_loop(asyncio.new_event_loop())
                io_loop: IOLoop = AsyncIOMainLoop(make_current=False)
                return io_loop

        def body(case: AsyncTestCase) -> None:
            loops.append(case.io_loop)

        loops: list[IOLoop] = []
        run_body(Sample, body)
        self.assertFalse(loops[0].asyncio_loop.is_closed())  # type: ignore[attr-defined]
        loops[0].close()

    def test_a_loop_made_for_the_test_is_closed(self) -> None:
        class Sample(AsyncTestCase):
            def get_new_ioloop(self) -> IOLoop:
                io_loop: IOLoop = IOLoop(make_current=False)
                return io_loop

        loops: list[IOLoop] = []
        run_body(Sample, lambda case: loops.append(case.io_loop))
        self.assertTrue(loops[0].asyncio_loop.is_closed())  # type: ignore[attr-defined]

    def test_what_is_no_loop_is_an_error(self) -> None:
        class Sample(AsyncTestCase):
            def get_new_ioloop(self) -> IOLoop:
                return None  # type: ignore[return-value]

        self.assertRegex(run_body(Sample, lambda case: None).report, r"no IOLoop: None. Return one")


class TestMethodsTest(unittest.TestCase):
    def verdict(self, cls: type[unittest.TestCase]) -> str:
        result = run_case(cls)
        self.assertEqual(result.events[0], "startTest")
        self.assertEqual(result.events[-1], "stopTest")
        return "\n".join([*result.verdicts, result.report])

    def test_an_undecorated_coroutine_runs(self) -> None:
        self.assertIn("ran to the end", self.verdict(cases.UndecoratedCoroutine))

    def test_an_undecorated_generator_is_an_error(self) -> None:
        self.assertRegex(self.verdict(cases.UndecoratedGenerator), "^addError\n(?s:.*)TypeError.*should be decorated")

    def test_an_asynchronous_generator_is_an_error(self) -> None:
        for cls in cases.AsynchronousGenerator, cases.UndecoratedAsynchronousGenerator:
            self.assertIn("test is an asynchronous generator: there is a 'yield'", self.verdict(cls))

    def test_a_value_that_is_returned_is_an_error(self) -> None:
        for cls in cases.ReturnsValue, cases.CoroutineReturnsValue, cases.GeneratorReturnsValue:
            self.assertRegex(self.verdict(cls), "ValueError: Return value from test method ignored: 42")

    def test_an_assertion_is_a_failure_and_anything_else_an_error(self) -> None:
        for failure in cases.AssertionInCallback, cases.AssertionInTask, cases.AssertionInCoroutine:
            self.assertRegex(self.verdict(failure), "^addFailure\n")
        for error in cases.ErrorInCallback, cases.ErrorInTask, cases.ErrorInCoroutine:
            self.assertRegex(self.verdict(error), "^addError\n")

    def test_the_report_has_the_traceback_of_the_error_and_no_line_of_ours(self) -> None:
        for cls in cases.ErrorInCallback, cases.ErrorInTask, cases.ErrorInCoroutine, cases.ErrorInGenerator:
            report = self.verdict(cls)
            self.assertIn('raise ValueError("planted")', report)
            self.assertNotIn("asynctest_tornado", report.replace("asynctest_tornado.ExpectLog", ""))
            self.assertNotIn("asyncio/", report)

    def test_an_error_that_no_wait_could_raise_is_told_by_the_verdict(self) -> None:
        self.assertIn("planted", self.verdict(cases.ErrorAfterTheBody))

    def test_the_failure_of_the_body_comes_first(self) -> None:
        report = self.verdict(cases.BodyAndTaskFail)
        self.assertLess(report.index("of the body"), report.index("of the task"))

    def test_an_expected_error_does_not_fail_the_test(self) -> None:
        for cls in cases.ExpectedByExpectLog, cases.ExpectedByAssertLogs, cases.ExpectedByExpectLogOfTornado:
            self.assertEqual(self.verdict(cls), "addSuccess\n")

    def test_an_error_under_assert_no_logs_is_told_once(self) -> None:
        report = self.verdict(cases.ErrorUnderAssertNoLogs)
        self.assertEqual(report.count("planted"), 2, report)  # the line that raises it, and the message
        self.assertNotIn("Unexpected logs", report)

    def test_skips_and_expected_failures_are_those_of_unittest(self) -> None:
        self.assertEqual(self.verdict(cases.SkipInTask), "addSkip\n")
        self.assertIn("addExpectedFailure", self.verdict(cases.ExpectedFailureInCallback))
        self.assertIn("addExpectedFailure", self.verdict(cases.ExpectedFailureInTask))
        self.assertIn("addExpectedFailure", self.verdict(cases.ExpectedFailureOfClass))
        self.assertIn("addUnexpectedSuccess", self.verdict(cases.UnexpectedSuccess))

    def test_an_exit_in_a_callback_is_no_silent_pass(self) -> None:
        self.assertIn("SystemExit", self.verdict(cases.ExitInCallback))

    def test_what_leaves_the_loop_ends_the_coroutine_that_it_ran_and_shows_where_that_stood(self) -> None:
        cases.ExitUnderCoroutine.ended = ""
        report = self.verdict(cases.ExitUnderCoroutine)
        self.assertRegex(report, r"\AaddError\n[^d]")
        self.assertRegex(report, r"SystemExit: 0\n(.*\n)+ *at .*cases.py:\d+ in test: await asyncio.Event\(\).wait\(\)")
        self.assertNotIn("already entered", report)
        self.assertEqual(cases.ExitUnderCoroutine.ended, "test tearDown")

    def test_ctrl_c_in_a_callback_stops_the_run_and_closes_the_loop(self) -> None:
        before = open_files()
        with self.assertRaises(KeyboardInterrupt):
            run_case(cases.InterruptInCallback)
        self.assertEqual(open_files(), before)

    def test_debug_raises_what_run_reports(self) -> None:
        for cls, error in (
            (cases.ErrorInCallback, ValueError),
            (cases.ErrorAfterTheBody, ValueError),
            (cases.AssertionInTask, AssertionError),
            (cases.SetUpFails, ValueError),
            (cases.UndecoratedGenerator, TypeError),
        ):
            before = open_files()
            with self.subTest(cls.__name__), self.assertRaises(error):
                cls("test").debug()
            self.assertEqual(open_files(), before)
        cases.Passes("test").debug()

    def test_a_case_without_run_test_can_be_made(self) -> None:
        AsyncTestCase()
        type("Sample", (AsyncTestCase,), {})()


class SetUpTearDownTest(unittest.TestCase):
    def test_a_set_up_that_fails_half_way_leaks_nothing(self) -> None:
        before = open_files()
        result = run_case(cases.SetUpFails)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertEqual(open_files(), before)

    def test_a_set_up_that_nobody_runs_is_an_error(self) -> None:
        for cls in cases.AsyncDefSetUp, cases.GeneratorSetUp, cases.AsyncDefTearDown:
            advice = r"Name it async(SetUp|TearDown)\(\), .* without super\(\)\.(setUp|tearDown)\(\)\. .*run_sync"
            self.assertRegex(run_case(cls).report, f"TypeError.*(setUp|tearDown).*{advice}")

    def test_pending_tasks_are_cancelled_and_end(self) -> None:
        cases.PendingTask.events.clear()
        self.assertEqual(run_case(cases.PendingTask).verdicts, ["addSuccess"])
        self.assertEqual(cases.PendingTask.events, ["cancelled", "ended"])

    def test_an_error_of_a_cancelled_task_fails_the_test(self) -> None:
        self.assertIn("on the way out", run_case(cases.FailsWhenCancelled).report)

    def test_a_task_that_refuses_to_end_is_named_and_abandoned(self) -> None:
        with mock.patch("asynctest_tornado._harness.loop_driver.DRAIN_ROUND_SECONDS", 0.01):
            self.assertRegex(run_case(cases.RefusesToEnd).report, "RuntimeError: .*stubborn was cancelled twice")

    def test_cleanups_can_still_use_the_loop(self) -> None:
        cases.CleansUp.events.clear()
        self.assertEqual(run_case(cases.CleansUp).verdicts, ["addSuccess"])
        self.assertEqual(cases.CleansUp.events, ["tearDown", "second", "first"])

    def test_cleanups_run_also_where_an_error_was_trapped(self) -> None:
        cases.CleansUpAfterError.events.clear()
        self.assertIn("planted", run_case(cases.CleansUpAfterError).report)
        self.assertEqual(cases.CleansUpAfterError.events, ["tearDown", "cleanup"])

    def test_errors_of_test_and_tear_down_are_both_told(self) -> None:
        report = run_case(cases.CallbackAndTearDownFail).report
        self.assertIn("of the callback", report)
        self.assertIn("of tearDown", report)

    def test_the_user_may_do_the_cleanups_before_the_end(self) -> None:
        self.assertEqual(run_case(cases.DoesCleanupsItself).verdicts, ["addSuccess"])

    def test_a_subtest_fails_of_the_error_that_ends_its_waiting(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            for number in range(2):
                with case.subTest(number=number):
                    case.io_loop.add_callback(cases.boom)
                    await asyncio.sleep(60)

        report = run_body(AsyncTestCase, body).report
        self.assertEqual(report.count("ValueError: planted"), 2, report)
        self.assertNotIn("CancelledError", report)

    def test_a_subtest_does_not_hold_up_a_timeout(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            with case.subTest():
                limit_clock.advance()
                await asyncio.sleep(60)

        with limit_clock.stopped():
            result = run_case(type("Sample", (AsyncTestCase,), {"test": body, "async_test_timeout": 0.01}))
        self.assertIn("TimeoutError", result.report)
        self.assertEqual(len(result.errors), 1)

    def test_a_test_may_begin_anew(self) -> None:
        def body(case: AsyncTestCase) -> None:
            async def start() -> None:
                case.task = asyncio.ensure_future(cases.fail())  # type: ignore[attr-defined]
                await asyncio.sleep(0.001)

            case.run_sync(start)
            case.tearDown()
            case.setUp()
            case.run_sync(asyncio.sleep, 0)

        before = open_files()
        self.assertIn("planted", run_body(AsyncTestCase, body).report)
        self.assertEqual(open_files(), before)

    def test_a_loop_that_the_test_closed_is_told(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.asyncio_loop.close()  # type: ignore[attr-defined]
            case.run_sync(asyncio.sleep, 0)

        result = run_body(AsyncTestCase, body)
        self.assertRegex(result.report, r"RuntimeError: The event loop of .* was closed.*Do not close")

    def test_a_case_that_has_run_can_be_copied(self) -> None:
        case = cases.Passes("test")
        case.run(unittest.TestResult())
        del case.io_loop  # which cannot be copied, as on tornado.testing
        copies: list[AsyncTestCase] = [copy.copy(case), copy.deepcopy(case), pickle.loads(pickle.dumps(case))]
        for each in copies:
            result = RecordingResult()
            each.run(result)
            self.assertEqual(result.verdicts, ["addSuccess"])

    def test_a_copy_that_runs_inside_the_original_has_its_own_loop(self) -> None:
        def body(case: AsyncTestCase) -> None:
            result = RecordingResult()
            other = copy.copy(case)
            other.test = lambda: case.assertIsNot(other.io_loop, case.io_loop)  # type: ignore[attr-defined]
            other.run(result)
            case.assertEqual(result.verdicts, ["addSuccess"], result.report)
            case.io_loop.add_callback(case.stop, 42)
            case.assertEqual(case.wait(), 42)

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_a_case_has_one_private_attribute_of_this_library(self) -> None:
        found: set[str] = set()

        def body(case: AsyncTestCase) -> None:
            found.update(vars(case).keys() - vars(unittest.TestCase()).keys() - {"_outcome"})

        result = run_body(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertEqual(found, {"_asynctest", "io_loop"})
        names = dir(AsyncTestCase)
        self.assertEqual([name for name in names if name.startswith("_asynctest")], ["_asynctest"])

    def test_a_class_may_have_a_run_of_its_own(self) -> None:
        class Sample(AsyncTestCase):
            def run(self, result: unittest.TestResult | None = None) -> None:
                self._callSetUp()
                self.io_loop.add_callback(self.stop, 42)
                self._callTestMethod(lambda: self.assertEqual(self.wait(), 42))
                self._callTearDown()
                self.doCleanups()

            def test(self) -> None:
                pass

        case = Sample("test")
        case.run()
        self.assertTrue(case.io_loop.asyncio_loop.is_closed())  # type: ignore[attr-defined]
        with self.assertRaisesRegex(RuntimeError, "has no event loop"):
            Sample("test").wait()

    def test_the_loop_is_gone_after_the_test(self) -> None:
        case = cases.Passes("test")
        case.run(unittest.TestResult())
        with self.assertRaisesRegex(RuntimeError, "has no event loop: .* it is gone after the test"):
            case.wait()

    def test_a_constructor_need_not_call_the_one_of_unittest(self) -> None:
        class Sample(AsyncTestCase):
            def __init__(self) -> None:
                self._testMethodName = "test"
                self._cleanups: list[Any] = []
                self._subtest = None

            async def test(self) -> None:
                await asyncio.sleep(0)

        case = Sample()
        case.debug()
        del case._asynctest
        case.debug()

    def test_a_loop_that_cannot_be_had_leaks_nothing(self) -> None:
        class Sample(AsyncTestCase):
            def get_new_ioloop(self) -> IOLoop:
                super().get_new_ioloop()
                raise ValueError("planted")

        before = open_files()
        self.assertIn("planted", run_body(Sample, lambda case: None).report)
        self.assertEqual(open_files(), before)

    def test_a_case_can_run_twice(self) -> None:
        case = cases.Passes("test")
        for _ in range(2):
            result = RecordingResult()
            case.run(result)
            self.assertEqual(result.verdicts, ["addSuccess"])

    def test_nothing_keeps_a_case_alive_that_has_passed(self) -> None:
        # One that failed is in a reference cycle of unittest's own, from Python 3.12 on.
        case = cases.Passes("test")
        case.run(unittest.TestResult())
        reference = weakref.ref(case)
        del case
        self.assertIsNone(reference())

    def test_no_loop_is_current_afterwards(self) -> None:
        run_case(cases.Passes)
        with warnings.catch_warnings(), self.assertRaises(RuntimeError):
            warnings.simplefilter("ignore")
            asyncio.get_event_loop()

    def test_a_context_variable_of_set_up_is_there_in_the_test_and_not_in_the_next(self) -> None:
        variable = contextvars.ContextVar("variable", default="unset")
        seen: list[str] = []

        class Sample(AsyncTestCase):
            def setUp(self) -> None:
                super().setUp()
                seen.append(variable.get())
                variable.set("of setUp")

            async def test(self) -> None:
                seen.append(variable.get())
                variable.set("of the test")

            def tearDown(self) -> None:
                seen.append(variable.get())
                super().tearDown()

        run_case(Sample)
        run_case(Sample)
        self.assertEqual(seen, ["unset", "of setUp", "of the test"] * 2)

    def test_context_managers_of_set_up_are_left_after_tear_down(self) -> None:
        events: list[str] = []

        class Manager(contextlib.AbstractContextManager[str]):
            def __enter__(self) -> str:
                events.append("enter")
                return "value"

            def __exit__(self, *exc_info: object) -> None:
                events.append("exit")

        class Sample(AsyncTestCase):
            def setUp(self) -> None:
                super().setUp()
                events.append(setup_with_context_manager(self, Manager()))

            def tearDown(self) -> None:
                super().tearDown()
                events.append("tearDown")

            def test(self) -> None: ...

        run_case(Sample)
        self.assertEqual(events, ["enter", "value", "tearDown", "exit"])


class ByHandTest(unittest.TestCase):
    def test_a_case_serves_as_a_fixture_without_run(self) -> None:
        case = cases.Passes()
        for _ in range(2):
            case.setUp()
            loop = case.io_loop.asyncio_loop  # type: ignore[attr-defined]
            self.assertEqual(case.run_sync(asyncio.sleep, 0, 42), 42)
            self.assertIs(IOLoop.current(), case.io_loop)
            case.tearDown()
            self.assertTrue(loop.is_closed())

    def test_tear_down_raises_what_was_trapped(self) -> None:
        case = cases.Passes()
        case.setUp()
        case.io_loop.asyncio_loop.call_soon(lambda: 1 / 0)  # type: ignore[attr-defined]
        with self.assertRaises(ZeroDivisionError):
            case.run_sync(asyncio.sleep, 1)
        task = case.io_loop.asyncio_loop.create_task(cases.fail())  # type: ignore[attr-defined]
        case.run_sync(asyncio.sleep, 0)
        with self.assertRaisesRegex(ValueError, "planted"):
            case.tearDown()
        del task

    def test_context_variables_are_those_of_the_caller(self) -> None:
        variable = contextvars.ContextVar("variable", default="unset")

        async def work() -> str:
            before = variable.get()
            variable.set("of the coroutine")
            return before

        case = cases.Passes()
        case.setUp()
        self.addCleanup(case.tearDown)
        variable.set("of the caller")
        self.assertEqual(case.run_sync(work), "of the caller")
        self.assertEqual(variable.get(), "of the coroutine")


class GenTestTest(AsyncTestCase):
    @gen_test
    def test_a_generator(self) -> Generator[Any, Any, None]:
        self.assertEqual((yield [gen.sleep(0), gen.maybe_future(42)]), [None, 42])

    @gen_test
    async def test_a_native_coroutine(self) -> None:
        await asyncio.sleep(0)

    @gen_test
    def test_a_plain_function(self) -> None:
        self.assertIs(IOLoop.current(), self.io_loop)

    @gen_test()
    async def test_with_empty_parentheses(self) -> None:
        await asyncio.sleep(0)

    @mock.patch("os.getcwd", return_value="patched")
    @gen_test
    async def test_under_mock_patch(self, getcwd: mock.Mock) -> None:
        await asyncio.sleep(0)
        self.assertEqual(os.getcwd(), "patched")
        getcwd.assert_called_once_with()

    @gen_test
    @mock.patch("os.getcwd", return_value="patched")
    async def test_over_mock_patch(self, getcwd: mock.Mock) -> None:
        await asyncio.sleep(0)
        self.assertEqual(os.getcwd(), "patched")

    def test_it_hands_arguments_on(self) -> None:
        @gen_test(timeout=60)
        async def method(case: GenTestTest, *args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0)
            return args, kwargs

        self.assertEqual(method(self, 1, a=2), ((1,), {"a": 2}))

    def test_it_keeps_the_name_and_the_docstring(self) -> None:
        @gen_test
        async def method(case: GenTestTest) -> None:
            """The docstring."""

        self.assertEqual((method.__name__, method.__doc__), ("method", "The docstring."))

    def test_it_waits_for_a_decorated_coroutine(self) -> None:
        events: list[str] = []

        @gen_test
        @gen.coroutine
        def method(case: GenTestTest) -> Generator[Any, Any, None]:
            yield gen.sleep(0.001)
            events.append("end")

        method(self)
        self.assertEqual(events, ["end"])

    def test_the_explicit_timeout_goes_before_the_environment(self) -> None:
        @gen_test(timeout=60)
        async def long(case: GenTestTest) -> None:
            await asyncio.sleep(0.02)

        @gen_test(timeout=0.01)
        async def short(case: GenTestTest) -> None:
            await asyncio.sleep(60)

        with environ(ASYNC_TEST_TIMEOUT="0.001"):
            long(self)
        with environ(ASYNC_TEST_TIMEOUT="60"), self.assertRaisesRegex(TimeoutError, "0.01 seconds"):
            short(self)

    def test_the_environment_is_read_when_the_test_runs(self) -> None:
        @gen_test
        async def method(case: GenTestTest) -> None:
            await asyncio.sleep(60)

        with environ(ASYNC_TEST_TIMEOUT="0.01"), self.assertRaisesRegex(TimeoutError, "ASYNC_TEST_TIMEOUT"):
            method(self)

    def test_what_cannot_be_called_cannot_be_decorated(self) -> None:
        with self.assertRaisesRegex(TypeError, "cannot decorate 42.*above a test method"):
            gen_test(42)  # type: ignore[call-overload]
        with self.assertRaisesRegex(TypeError, "not callable"):
            gen_test(timeout=5)(property())  # type: ignore[call-overload]

    def test_a_bad_timeout_is_an_error_where_it_is_written(self) -> None:
        for value, error in (-1, ValueError), (float("nan"), ValueError), ("5", TypeError):
            with self.assertRaisesRegex(error, "timeout of gen_test"):
                gen_test(timeout=value)  # type: ignore[arg-type]

    def test_it_needs_a_case_with_a_loop(self) -> None:
        class Plain(unittest.TestCase):
            @gen_test
            async def test(self) -> None: ...

        self.assertRegex(run_case(Plain).report, r"TypeError: .*Plain.test.*AsyncTestCase.*Derive")


class TimeoutTest(unittest.TestCase):
    def test_the_report_shows_the_line_at_which_the_test_stood(self) -> None:
        for name in "test_generator", "test_native":
            with self.subTest(name):
                with limit_clock.stopped():
                    result = run_case(cases.TimesOut, name)
                self.assertEqual(result.verdicts, ["addError"])
                self.assertRegex(result.report, r"gen.sleep\(60\)(?s:.*)TimeoutError: .*0\.1 seconds")

    def test_the_finally_block_runs(self) -> None:
        cases.TimesOut.events.clear()
        with limit_clock.stopped():
            run_case(cases.TimesOut, "test_finally")
        self.assertEqual(cases.TimesOut.events, ["finally"])

    def test_a_test_that_swallows_the_cancellation_has_still_timed_out(self) -> None:
        for name in "test_swallows", "test_swallows_and_fails":
            with self.subTest(name), limit_clock.stopped():
                report = run_case(cases.TimesOut, name).report
                self.assertIn("TimeoutError", report)
                self.assertEqual("KeyError: 'instead'" in report, name == "test_swallows_and_fails")

    def test_a_test_that_refuses_to_end_is_abandoned(self) -> None:
        with mock.patch("asynctest_tornado._harness.deadline.CANCEL_RETRY_SECONDS", 0.01), limit_clock.stopped():
            for sample in cases.TimesOut, cases.CatchesAll:
                self.assertRegex(run_case(sample, "test_refuses").report, "TimeoutError: .*abandoned")


class RunSyncTest(AsyncTestCase):
    def test_it_runs_coroutine_functions_of_both_kinds(self) -> None:
        async def native(a: int, b: int) -> int:
            await asyncio.sleep(0)
            return a + b

        @gen.coroutine
        def decorated(a: int, b: int) -> Generator[Any, Any, int]:
            yield gen.moment
            return a + b

        def generator(a: int, b: int) -> Generator[Any, Any, int]:
            yield gen.moment
            return a + b

        for func in native, decorated, generator:
            self.assertEqual(self.run_sync(func, 1, b=2), 3)

    def test_it_takes_what_can_be_yielded(self) -> None:
        async def native() -> int:
            return 1

        self.assertEqual(self.run_sync(native()), 1)
        self.assertEqual(self.run_sync([native(), native()]), [1, 1])
        self.assertEqual(self.run_sync({"a": native()}), {"a": 1})
        self.assertIsNone(self.run_sync(gen.sleep(0)))

    def test_a_function_may_be_synchronous_where_it_returns_nothing(self) -> None:
        self.assertIsNone(self.run_sync(lambda: None))

    def test_the_timeout_is_not_handed_on(self) -> None:
        async def forever() -> None:
            await asyncio.sleep(60)

        with self.assertRaisesRegex(TimeoutError, "0.01 seconds"):
            self.run_sync(forever, timeout=0.01)

    def test_an_exception_comes_with_the_line_of_the_user(self) -> None:
        try:
            self.run_sync(cases.fail)
        except ValueError as error:
            tb = error.__traceback__
            while tb is not None and tb.tb_next is not None:
                tb = tb.tb_next
            assert tb is not None
            self.assertEqual(tb.tb_frame.f_code, cases.fail.__code__)

    def test_what_gives_nothing_to_wait_for_is_an_error(self) -> None:
        for value in 42, lambda: 42, "text", [1, 2]:
            with self.assertRaisesRegex(TypeError, "nothing to wait for.*coroutine function"):
                self.run_sync(value)  # type: ignore[arg-type]
        with self.assertRaisesRegex(TypeError, r"The argument of run_sync\(\) gave"):
            self.run_sync(42)  # type: ignore[call-overload]
        with self.assertRaisesRegex(TypeError, "<lambda> gave nothing"):
            self.run_sync(lambda: 42)  # type: ignore[call-overload]

    def test_a_function_may_give_none(self) -> None:
        self.assertIsNone(self.run_sync(lambda: None))

    def test_what_is_no_function_takes_no_arguments(self) -> None:
        with self.assertRaisesRegex(TypeError, "cannot call 42 with arguments"):
            self.run_sync(42, 1)  # type: ignore[call-overload]

    async def test_a_coroutine_is_told_to_await(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "running already.*await"):
            self.run_sync(asyncio.sleep, 0)

    def test_an_error_of_a_callback_ends_it(self) -> None:
        self.io_loop.add_callback(lambda: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            self.run_sync(asyncio.Event().wait, timeout=0)


class HousekeepingTest(unittest.TestCase):
    def test_many_tests_leave_no_files_and_no_objects(self) -> None:
        def run_all() -> None:
            for cls in cases.Passes, cases.ErrorInCallback, cases.ErrorInTask, cases.SetUpFails, cases.PendingTask:
                cls("test").run(unittest.TestResult())

        def collect() -> None:
            # The first collection lets go of the tests that may have left garbage, the second one finds them.
            gc.collect()
            gc.collect()

        run_all()  # objects that are made once exist afterwards
        collect()
        files, objects = open_files(), len(gc.get_objects())
        for _ in range(50):
            run_all()
        collect()
        self.assertEqual(open_files(), files)
        self.assertLess(len(gc.get_objects()) - objects, 10)
