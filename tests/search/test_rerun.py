import asyncio
import functools
import gc
import io
import logging
import pdb
import re
import sys
import threading
import unittest
import warnings
import weakref
from collections.abc import Callable
from typing import Any, ClassVar
from unittest import mock

from tornado.httpclient import AsyncHTTPClient, HTTPError
from tornado.ioloop import IOLoop
from tornado.web import Application

from asynctest_tornado import AsyncTestCase, VirtualClock, VirtualNetwork, gen_test
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search import rerun
from asynctest_tornado._search.shrink import Budget, Way
from asynctest_tornado._util import debuggers, observer
from tests.samples import shrinking
from tests.support import RecordingResult, environ, run_python

SHRUNK = r"\nIt fails with 1 deviation from asyncio's own order \(of \d+ in the order of seed (\d+); (\d+) runs\)\.\n"
SAMPLE = "tests.samples.shrinking.DoubleClose"
TOKEN = "close.1.2-after-on_error.1.3"


def sample(**attributes: Any) -> Any:
    return type("Sample", (shrinking.DoubleClose,), {"runs": 0, **attributes})


def run(cls: Any, result: RecordingResult | None = None) -> RecordingResult:
    result = RecordingResult() if result is None else result
    with mock.patch("sys.stdout", io.StringIO()):
        cls("test").run(result)
    return result


def found(result: RecordingResult) -> tuple[int, int]:
    """Return the seed and the number of runs that a report of a shrunk order names."""
    text = re.search(SHRUNK, result.report)
    if text is None:
        raise AssertionError(f"It was not shrunk:\n{result.report}")
    return int(text[1]), int(text[2])


class ShrunkTest(unittest.TestCase):
    def test_one_mistake_is_one_report(self) -> None:
        cls = sample()
        result = run(cls)
        self.assertEqual(result.events, ["startTest", "addFailure", "stopTest"])
        seed, runs = found(result)
        self.assertEqual(cls.runs, seed + 1 + runs + 1)  # up to the seed, out of sight, for the report
        begin, end = "\nTo replay this order: ASYNC_TEST_ORDER=", r" python .*-m unittest tests\."
        self.assertRegex(result.report, rf"{begin}{TOKEN}{end}")
        self.assertRegex(result.report, rf"in which it was found: ASYNC_TEST_SEED={seed}{end}")
        self.assertNotIn("In the order of seed", result.report)

    def test_an_error_in_set_up_is_shrunk(self) -> None:
        def set_up(self: Any) -> None:
            AsyncTestCase.setUp(self)
            self.check(self.run_sync(self.close_twice))

        self.assertEqual(run(cls := sample(setUp=set_up)).verdicts, ["addFailure"])
        found(run(cls))

    def test_a_subtest_that_fails_is_shrunk(self) -> None:
        async def test(self: Any) -> None:
            with self.subTest("passes"):
                await asyncio.sleep(0)
            with self.subTest("fails"):
                self.check(await self.close_twice())

        result = run(sample(test=test))
        found(result)
        self.assertEqual(len(result.failures), 1)
        self.assertIn("[fails]", str(result.failures[0][0]))

    def test_an_error_in_a_callback_is_shrunk(self) -> None:
        async def test(self: Any) -> None:
            closed = await self.close_twice()
            IOLoop.current().add_callback(lambda: self.check(closed))
            await asyncio.sleep(0.001)

        found(run(sample(test=test, clock_factory=VirtualClock)))

    def test_a_leak_that_fails_is_shrunk(self) -> None:
        def check(self: Any, closed: int) -> None:
            if closed != 1:
                asyncio.get_running_loop().call_later(60, print)

        result = run(sample(check=check, leaks="fail"))
        found(result)
        self.assertEqual(result.verdicts, ["addFailure"])
        self.assertIn("left these resources open:", result.report)

    def test_a_warning_of_leaks_that_is_an_error_is_shrunk(self) -> None:
        def check(self: Any, closed: int) -> None:
            if closed > 1:
                self.left = asyncio.ensure_future(asyncio.sleep(60))

        with warnings.catch_warnings():
            warnings.simplefilter("error", ResourceWarning)
            result = run(sample(check=check, leaks="warn"))
        found(result)
        self.assertEqual(result.report.count("To replay this order:"), 1)
        self.assertIn("left these resources open:", result.report)

    def test_a_deadlock_is_shrunk(self) -> None:
        async def test(self: Any) -> None:
            if await self.close_twice() != 1:
                await asyncio.Event().wait()

        result = run(sample(test=test))
        found(result)
        self.assertIn("this is a deadlock", result.report)

    def test_the_tests_of_a_shared_loop(self) -> None:
        result = RecordingResult()
        with mock.patch("sys.stdout", io.StringIO()):
            unittest.defaultTestLoader.loadTestsFromTestCase(sample(loop_scope="class")).run(result)
        found(result)
        self.assertEqual(result.verdicts, ["addFailure"])

    def test_random_faults_that_it_needs_are_part_of_the_order(self) -> None:
        class Sample(shrinking.DoubleClose):
            clock_factory = VirtualClock
            network_factory = functools.partial(VirtualNetwork, faults={"refuse": 0.5})

            async def test(self) -> None:
                self.network.serve("http://service", Application())
                closed = await self.close_twice()
                try:
                    await AsyncHTTPClient().fetch("http://service/")
                except OSError:
                    self.assertEqual(closed, 1)
                except HTTPError:
                    pass  # there is no such page

        result = run(Sample)
        self.assertRegex(
            result.report, r"fails with 1 deviation from .* order and the random faults of seed (\d+) \(of"
        )
        order = re.findall(r"To replay this order: ASYNC_TEST_ORDER=(\S+)", result.report)[0]
        self.assertRegex(order, rf"\Aseed\d+,{TOKEN}\Z")
        with environ(ASYNC_TEST_ORDER=order):
            self.assertEqual(run(Sample).verdicts, ["addFailure"])
        with environ(ASYNC_TEST_ORDER=TOKEN):
            self.assertEqual(run(Sample).verdicts, ["addSuccess"])

    def test_outcomes_that_are_no_failures_are_not_shrunk(self) -> None:
        def skip(self: Any, closed: int) -> None:
            if closed != 1:
                self.skipTest("planted")

        async def test(self: Any) -> None:
            self.check(await self.close_twice())

        for verdict, cls in ("addSkip", sample(check=skip)), ("addExpectedFailure", sample(test=test)):
            if verdict == "addExpectedFailure":
                cls.test = unittest.expectedFailure(cls.test)
            result = run(cls)
            self.assertEqual(result.verdicts, [verdict])
            self.assertNotIn("fails with", result.report)
            self.assertNotIn("was not shrunk", result.report)

    def test_a_failure_in_the_order_of_asyncio_is_not_shrunk(self) -> None:
        def check(self: Any, closed: int) -> None:
            self.fail("planted")

        cls = sample(check=check)
        self.assertNotIn("shrunk", run(cls).report)
        self.assertEqual(cls.runs, 1)


class NotShrunkTest(unittest.TestCase):
    """Orders that are reported as they were found."""

    def check(self, expected: str, cls: Any) -> RecordingResult:
        result = run(cls)
        self.assertEqual(result.verdicts, ["addFailure"])
        self.assertRegex(result.report, r"In the order of seed \d+\. To replay it: ASYNC_TEST_SEED=\d+ python")
        self.assertIn(f"\nThis order was not shrunk: {expected}", result.report)
        self.assertNotIn("ASYNC_TEST_ORDER", result.report)
        return result

    def failing(self, fails: Callable[[int], bool]) -> Any:
        """Return a class whose test fails in some of the runs that close twice, by their numbers from 1."""

        class Sample(shrinking.DoubleClose):
            runs = 0
            closed_twice: ClassVar[int] = 0

            def check(self, closed: int) -> None:
                if closed == 2:
                    type(self).closed_twice += 1
                    if fails(type(self).closed_twice):
                        self.fail("planted")

        return Sample

    def test_one_that_passes_when_it_is_run_again(self) -> None:
        self.check("run in it once more, the test passed.", self.failing(lambda number: number == 1))

    def test_one_that_passes_when_it_is_run_for_the_report(self) -> None:
        cls = self.failing(lambda number: number < last)
        last = 1000
        found(run(cls))
        last, cls.closed_twice = cls.closed_twice, 0
        self.check("run in it once more, the test passed.", cls)

    def test_one_that_fails_in_another_way(self) -> None:
        class Sample(shrinking.DoubleClose):
            has_failed = False

            def check(self, closed: int) -> None:
                if closed == 2 and not self.has_failed:
                    type(self).has_failed = True
                    self.fail("first")
                if closed == 2:
                    self.fail("later")

        result = self.check("run in it once more, the test failed in another way.", Sample)
        self.assertIn("AssertionError: first", result.report)

    def test_one_that_fails_in_any_order_by_now(self) -> None:
        class Sample(shrinking.DoubleClose):
            is_broken = False

            def check(self, closed: int) -> None:
                type(self).is_broken = self.is_broken or closed == 2
                self.assertFalse(self.is_broken)

        self.check("the test fails in asyncio's own order by now", Sample)

    def test_one_that_is_slow(self) -> None:
        cls = sample()
        with mock.patch.object(rerun, "LONGEST_RUN", 0):
            self.check("a run of the test takes 0.0", cls)

    def test_one_for_which_there_is_no_time(self) -> None:
        with mock.patch.object(rerun, "Budget", functools.partial(Budget, seconds=0)):
            self.check("the time for it was used up, or the run was stopped, before", sample())

    def hanging(self) -> list[type[shrinking.Hanging]]:
        """Return test cases that hang for an hour when they are run again, whose limits are set in different ways."""

        class ByAttribute(shrinking.Hanging):
            async_test_timeout = 3600

            async def test(self) -> None:
                await self.hang_or_fail()

        class ByGenTest(shrinking.Hanging):
            @gen_test(timeout=3600)
            async def test(self) -> None:  # type: ignore[override]
                await self.hang_or_fail()

        class ByWait(shrinking.Hanging):
            def test(self) -> None:  # type: ignore[override]
                self.io_loop.add_future(asyncio.ensure_future(self.hang_or_fail()), self.stop)
                self.wait(timeout=3600).result()

        return [ByAttribute, ByGenTest, ByWait]

    def test_a_run_takes_no_longer_than_there_is_time(self) -> None:
        with mock.patch.object(rerun, "Budget", functools.partial(Budget, seconds=0.2)):
            for cls in self.hanging():
                with self.subTest(cls.__name__):
                    self.check("the time for it was used up, or the run was stopped, before", cls)
            result = RecordingResult()
            shared = type("OnOneLoop", (self.hanging()[1],), {"loop_scope": "class"})
            with mock.patch("sys.stdout", io.StringIO()):
                unittest.TestSuite([shared("test")]).run(result)
            self.assertIn("the time for it was used up, or the run was stopped, before", result.report)

    def test_a_run_that_hangs_does_not_take_all_the_time_there_is(self) -> None:
        now = 0.0

        class Target:
            has_faults = False

            def is_stopped(self) -> bool:
                return False

            def run_out_of_sight(self, schedule: Schedule, seconds: float) -> Way | None:
                nonlocal now
                now += seconds * schedule.seed  # it hangs in the order of seed 1
                return None

        with mock.patch.object(rerun, "monotonic", side_effect=lambda: now):
            said = rerun.Rerun(Target(), 1, Way("AssertionError", ""), is_required=True).shrink(1.5)
        self.assertIn("run in it once more, the test had not ended after 4.5 seconds.", str(said))

    def test_a_budget_that_ends_is_named(self) -> None:
        with mock.patch.object(rerun, "Budget", functools.partial(Budget, runs=3)):
            report = run(sample()).report
        self.assertIn("; 3 runs; the time or the runs for shrinking were used up, so fewer may do).\n", report)


class OutOfSightTest(unittest.TestCase):
    """Runs that only look for the cause leave no trace."""

    def test_their_logs_on_a_terminal(self) -> None:
        def check(self: Any, closed: int) -> None:
            logger.warning("closed")
            self.assertEqual(closed, 1)

        logger = logging.getLogger("tests.with_its_own_handler")
        with mock.patch("sys.__stderr__", io.StringIO()) as terminal:
            handler = logging.StreamHandler(terminal)
            self.addCleanup(logger.removeHandler, handler)
            logger.addHandler(handler)
            seed, _ = found(run(sample(check=check)))
            self.assertEqual(terminal.getvalue().count("closed"), seed + 2)
            self.assertIs(handler.stream, terminal)

    def test_their_output(self) -> None:
        done = run_python("-m", "unittest", SAMPLE)
        seed, _ = re.findall(SHRUNK, done.stderr)[0]
        self.assertEqual(done.stdout.count("in the test"), int(seed) + 2)
        self.assertRegex(done.stderr, r"\AF\n")
        self.assertRegex(done.stderr, r"\nRan 1 test in .*\n\nFAILED \(failures=1\)\n\Z")

    def test_their_breakpoints(self) -> None:
        def check(self: Any, closed: int) -> None:
            breakpoint()
            pdb.set_trace()
            self.assertEqual(closed, 1)

        with mock.patch("sys.breakpointhook") as stop, mock.patch("pdb.set_trace") as trace:
            seed, _ = found(run(sample(check=check)))
            self.assertIs(sys.breakpointhook, stop)
            self.assertIs(pdb.set_trace, trace)
        self.assertEqual((stop.call_count, trace.call_count), (seed + 2, seed + 2))

    def test_output_that_is_buffered(self) -> None:
        with mock.patch("sys.stdout", io.StringIO()) as stdout:
            result = RecordingResult()
            result.buffer = True
            shrinking.DoubleClose("test").run(result)
            self.assertIs(sys.stdout, stdout)
        seed, _ = found(result)
        self.assertEqual(result.report.count("in the test"), seed + 2)

    def test_their_events(self) -> None:
        class Recorder(observer.Observer):
            ended_tests = 0

            def ended(self, *args: Any) -> None:
                self.ended_tests += 1

        with observer.attached(Recorder()) as recorder:
            seed, _ = found(run(sample()))
        self.assertEqual(recorder.ended_tests, seed + 1)

    def test_their_warnings_and_leaks(self) -> None:
        def check(self: Any, closed: int) -> None:
            warnings.warn("planted", stacklevel=1)
            asyncio.get_running_loop().call_later(60, print)
            self.assertEqual(closed, 1)

        shown: list[str] = []
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            with mock.patch("warnings.showwarning", lambda message, *_: shown.append(str(message))):
                seed, _ = found(run(sample(check=check)))
        self.assertEqual(shown.count("planted"), seed + 2)
        self.assertEqual(len([text for text in shown if "pending timer" in text]), 1)

    def test_leaks_are_in_the_report_once(self) -> None:
        result = run(shrinking.Leaking)
        found(result)
        self.assertEqual(result.report.count("left these resources open:"), 1)
        done = run_python("-m", "pytest", "-p", "no:cacheprovider", "tests/samples/shrinking.py", "-k", "Leaking")
        self.assertIn("ASYNC_TEST_ORDER", done.stdout)
        self.assertEqual(done.stdout.count("left these resources open:"), 1)

    def test_their_objects_are_gone(self) -> None:
        class Thing:
            pass

        things: list[weakref.ref[Thing]] = []

        def check(self: Any, closed: int) -> None:
            thing = Thing()
            things.append(weakref.ref(thing))
            self.assertEqual(closed, 1)

        gc.collect()
        gc.disable()
        try:
            with environ(ASYNC_TEST_ORDER=TOKEN):
                run(sample(check=check))
            if things[0]() is not None:
                self.skipTest("In this version of Python, each test that fails keeps its objects in a cycle.")
            things.clear()
            found(run(sample(check=check)))
            self.assertGreater(len(things), 4)
            self.assertEqual([thing for thing in things if thing() is not None], [])
        finally:
            gc.enable()

    def test_their_late_errors(self) -> None:
        is_over = threading.Event()
        threads: list[threading.Thread] = []

        def fail_late(error: Exception) -> None:
            is_over.wait()
            raise error

        def check(self: Any, closed: int) -> None:
            if closed == 2:
                for error in ZeroDivisionError("planted"), ValueError(f"planted {len(threads)}"):
                    threads.append(threading.Thread(target=fail_late, args=(error,)))
                    threads[-1].start()
            self.assertEqual(closed, 1)

        result = run(sample(check=check, leaks="ignore"))
        found(result)
        is_over.set()
        for thread in threads:
            thread.join()
        run(sample(schedules=None), result)  # late errors are reported between tests
        self.assertGreater(len(threads), 6)
        # Once, though it comes in the run that has found the order, and in the run for the report. Others differ.
        self.assertEqual(result.report.count("ZeroDivisionError: planted"), 1)
        self.assertEqual(len(set(re.findall(r"ValueError: planted \d+", result.report))), 2)

    def test_their_durations(self) -> None:
        class Result(RecordingResult):
            durations = 0

            def addDuration(self, test: unittest.TestCase, elapsed: float) -> None:
                self.durations += 1

        result = Result()
        found(run(sample(), result))
        self.assertEqual((result.durations, result.testsRun), (1, 1))

    def test_the_attributes_of_the_test_case(self) -> None:
        cls = sample(async_test_timeout=3600)
        case = cls("test")
        with mock.patch("sys.stdout", io.StringIO()):
            case.run(RecordingResult())
        self.assertEqual(case.async_test_timeout, 3600)
        self.assertNotIn("async_test_timeout", vars(case))


class StoppedTest(unittest.TestCase):
    def test_an_interrupt_of_a_run_out_of_sight(self) -> None:
        class Sample(shrinking.DoubleClose):
            has_failed = False

            def check(self, closed: int) -> None:
                if self.has_failed:
                    raise KeyboardInterrupt
                type(self).has_failed = closed == 2
                self.assertEqual(closed, 1)

        result = RecordingResult()
        with self.assertRaises(KeyboardInterrupt):
            run(Sample, result)
        self.assertEqual(result.events, ["startTest", "addFailure", "stopTest"])
        self.assertIn("In the order of seed", result.report)

    def test_a_result_that_stops_at_the_first_failure(self) -> None:
        result = RecordingResult()
        result.failfast = True
        found(run(sample(), result))
        self.assertTrue(result.shouldStop)

    def test_a_result_that_is_to_stop(self) -> None:
        class Sample(shrinking.DoubleClose):
            runs = 0

            def check(self, closed: int) -> None:
                if closed == 2:
                    result.stop()
                self.assertEqual(closed, 1)

        result = RecordingResult()
        run(Sample, result)
        self.assertEqual(result.verdicts, ["addFailure"])
        self.assertNotIn("ASYNC_TEST_ORDER", result.report)


class ReplayTest(unittest.TestCase):
    def test_an_order_is_replayed_once(self) -> None:
        cls = sample()
        with environ(ASYNC_TEST_ORDER=TOKEN):
            result = run(cls)
            self.assertEqual(result.events, ["startTest", "addFailure", "stopTest"])
            self.assertEqual(cls.runs, 2)  # the second one in asyncio's own order, for the explanation
            self.assertNotIn("never came", result.report)
            with self.assertRaisesRegex(AssertionError, "2 != 1"), mock.patch("sys.stdout", io.StringIO()):
                cls("test").debug()

    def test_it_has_the_explanation_of_the_run_that_has_found_it(self) -> None:
        explanation = r"(?s)\nIt fails when .*\nAround the first step .*\nTo replay this order: [^\n]*"
        for number in 100, "all:1":
            with self.subTest(schedules=number):
                first = re.findall(explanation, run(sample(schedules=number)).report)
                with environ(ASYNC_TEST_ORDER=TOKEN):
                    report = run(sample(schedules=number)).report
                self.assertEqual(re.findall(explanation, report), first)

    def test_one_that_makes_no_difference(self) -> None:
        with environ(ASYNC_TEST_ORDER=TOKEN):
            report = run(sample(check=lambda self, closed: self.fail("planted"))).report
        self.assertIn("\nIt fails in asyncio's own order as well, if it is run again.\nTo replay this order: ", report)

    def test_one_whose_own_order_hangs(self) -> None:
        with (
            environ(ASYNC_TEST_ORDER=TOKEN),
            mock.patch.object(rerun, "Budget", functools.partial(Budget, seconds=0.2)),
        ):
            report = run(type("Sample", (shrinking.Hanging,), {"test": shrinking.Hanging.hang_or_fail})).report
        self.assertRegex(report, r"\nAssertionError: True is not false\nTo replay this order: .*\n\Z")

    def test_a_debugger_that_is_attached(self) -> None:
        with mock.patch.object(debuggers, "are_attached", return_value=True):
            with environ(ASYNC_TEST_ORDER=TOKEN):
                cls = sample()
                self.assertNotIn("It fails when", run(cls).report)
                self.assertEqual(cls.runs, 1)
            self.assertIn("\nThis order was not shrunk: a debugger is attached", run(cls).report)

    def test_a_seed_is_replayed_once(self) -> None:
        cls = sample()
        seed, _ = found(run(cls))
        cls.runs = 0
        with environ(ASYNC_TEST_SEED=str(seed)):
            result = run(cls)
        self.assertEqual((result.verdicts, cls.runs), (["addFailure"], 1))
        self.assertNotIn("shrunk", result.report)

    def test_the_command_line_replays(self) -> None:
        done = run_python("-m", "asynctest_tornado", f"--order={TOKEN}", SAMPLE)
        self.assertIn("FAILED (failures=1)", done.stderr)
        self.assertIn(f"ASYNC_TEST_ORDER={TOKEN} ", done.stderr)

    def test_a_call_that_never_came_is_named(self) -> None:
        changed = f"{TOKEN},close.7.2-after-opened.1.1"
        with environ(ASYNC_TEST_ORDER=changed):
            report = run(sample()).report
        self.assertIn("\nclose.7.2, opened.1.1 never came: the test has changed, or has failed before.\n", report)
        done = run_python("-m", "unittest", SAMPLE, ASYNC_TEST_ORDER="close.7.2-after-close.1.1")
        self.assertRegex(done.stderr, r"\nOK\n\Z")
        self.assertRegex(done.stderr, r"\ntest .* has passed, but close\.7\.2 never came: the test has changed\.\n")
        self.assertNotIn("Schedules: ", done.stderr)

    def test_one_that_passes(self) -> None:
        done = run_python("-m", "unittest", SAMPLE, ASYNC_TEST_ORDER="close.1.2-after-close.1.1")
        self.assertRegex(done.stderr, r"\A\.\n-+\nRan 1 test in .*\n\nOK\n\Z")

    def test_wrong_ones(self) -> None:
        cls = sample()
        with environ(ASYNC_TEST_ORDER="first"):
            report = run(cls).report
        self.assertIn(
            "ValueError: The environment variable ASYNC_TEST_ORDER cannot be 'first': 'first' names no", report
        )
        with environ(ASYNC_TEST_ORDER=TOKEN, ASYNC_TEST_SEED="3"):
            report = run(cls).report
        self.assertIn("ASYNC_TEST_SEED is set, too, and a test can have one order only; unset it.", report)
        self.assertEqual(cls.runs, 0)
