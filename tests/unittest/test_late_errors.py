import gc
import importlib
import io
import json
import pickle
import sys
import tempfile
import unittest
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.util import strclass

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._unittest.stand_in import stand_in
from tests.samples.late import in_next_case, support
from tests.support import run_code, run_python

#: The moments at which unittest's own results can still take an error.
MOMENTS = ["in_next_case", "at_class_end", "at_last_class_end", "in_plain_case", "at_module_end"]


def load(moment: str) -> unittest.TestSuite:
    module = importlib.reload(importlib.import_module(f"tests.samples.late.{moment}"))
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def each_test_of(suite: Any) -> Iterator[unittest.TestCase]:
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from each_test_of(each)
        else:
            yield each


class Recorder:
    """A result that has only the methods that a test needs, and records the calls."""

    __slots__ = ("events", "testsRun")
    shouldStop = False  # noqa: N815  # the name that unittest looks for

    def __init__(self, events: list[tuple[str, str]]) -> None:
        self.events = events
        self.testsRun = 0

    def startTest(self, test: Any) -> None:
        self.testsRun += 1
        self.events.append(("start", test.id().rpartition(".")[2]))

    def stopTest(self, test: Any) -> None:
        self.events.append(("stop", test.id().rpartition(".")[2]))

    def addSuccess(self, test: Any) -> None:
        self.events.append(("passed", test.id().rpartition(".")[2]))

    def addError(self, test: Any, err: Any) -> None:
        self.events.append(("error", test.id().rpartition(".")[2]))

    addFailure = addError  # noqa: N815

    def addDuration(self, test: Any, elapsed: float) -> None:
        pass  # from Python 3.12 on


class Adapter:
    """Hands everything on to another result."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)


class MomentsTest(unittest.TestCase):
    def check(self, moment: str, result: unittest.TestResult) -> None:
        innocent = [test.id() for test in each_test_of(load(moment)) if "innocent" in test.id()]
        suite = load(moment)
        passed: list[str] = []
        result.addSuccess = lambda test: passed.append(test.id())  # type: ignore[method-assign]
        suite.run(result)
        self.assertFalse(result.wasSuccessful())
        ((test, text),) = result.errors
        self.assertEqual(test.id(), f"tests.samples.late.{moment}.Sample.test_a_guilty")
        self.assertEqual(text.count("ValueError: planted"), 1)
        self.assertLessEqual(set(innocent), set(passed))
        self.assertEqual(result.testsRun, len(innocent) + 1)

    def test_the_error_is_reported_once_and_for_its_own_test(self) -> None:
        for moment in MOMENTS:
            with self.subTest(moment):
                self.check(moment, unittest.TestResult())

    def test_it_is_in_the_lists_of_a_result_before_anybody_asks_for_the_verdict(self) -> None:
        for moment in MOMENTS[:-1]:
            with self.subTest(moment):
                result = unittest.TestResult()
                load(moment).run(result)
                self.assertEqual(len(result.errors), 1)

    def test_what_is_printed_may_be_redirected(self) -> None:
        before = sys.stdout, sys.stderr
        for moment in MOMENTS:
            with self.subTest(moment):
                result = unittest.TestResult()
                result.buffer = True
                self.check(moment, result)
                self.assertEqual((sys.stdout, sys.stderr), before)

    def test_what_is_printed_is_redirected_once_at_a_time(self) -> None:
        class Copying(unittest.TestResult):
            saved: Any = None

            def _setupStdout(self) -> None:
                assert self.saved is None
                self.saved, sys.stdout = sys.stdout, io.StringIO()

            def _restoreStdout(self) -> None:
                if self.saved is not None:
                    sys.stdout, self.saved = self.saved, None

        before = sys.stdout
        for moment in MOMENTS:
            with self.subTest(moment):
                self.check(moment, Copying())
                self.assertIs(sys.stdout, before)

    def test_it_ends_a_run_that_is_to_end_at_the_first_failure(self) -> None:
        result = unittest.TestResult()
        result.failfast = True
        load("in_next_case").run(result)
        self.assertEqual(len(result.errors), 1)
        self.assertEqual(result.testsRun, 3)  # with the output of the class that comes first

    def test_an_error_while_the_class_is_cleaned_up_is_told_as_well(self) -> None:
        def fail() -> None:
            raise KeyError("cleanup")

        suite = load("at_last_class_end")
        for test in each_test_of(suite):
            if isinstance(test, AsyncTestCase):
                type(test).addClassCleanup(fail)
                break
        result = unittest.TestResult()
        result.buffer = True
        suite.run(result)
        self.assertEqual(
            [test.id().partition(" ")[0].rpartition(".")[2] for test, _ in result.errors],
            ["test_a_guilty", "tearDownClass"],
        )

    def test_a_test_that_asks_for_the_verdict_gets_that_of_what_is_told(self) -> None:
        verdicts = []

        class Asks(support.Guilty):
            left = support.Left()
            result: Any

            def test_b_innocent(self) -> None:
                self.left.fail()
                verdicts.append(result.wasSuccessful())

        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Asks).run(result)
        self.assertEqual(verdicts, [True])
        self.assertFalse(result.wasSuccessful())

    def test_methods_of_the_result_are_as_before_once_it_is_told(self) -> None:
        result = unittest.TestResult()
        result.stopTestRun = own = lambda: None  # type: ignore[method-assign]
        load("in_plain_case").run(result)
        result.stopTestRun()
        self.assertEqual(len(result.errors), 1)
        self.assertEqual({"stopTest", "stopTestRun", "wasSuccessful"} & vars(result).keys(), {"stopTestRun"})
        self.assertIs(result.stopTestRun, own)

    def test_one_that_prints_shows_the_test_before_its_error(self) -> None:
        stream = io.StringIO()
        unittest.TextTestRunner(stream, verbosity=2, buffer=True).run(load("in_next_case"))
        name = r"test_a_guilty \(tests.samples.late.in_next_case.Sample.test_a_guilty\)\nLeave a thread that fails."
        self.assertRegex(stream.getvalue(), rf"{name} \.\.\. ok\n")
        self.assertRegex(stream.getvalue(), rf"test_b_innocent .* \.\.\. ok\n{name} \.\.\. ERROR\ntest_c")
        self.assertRegex(stream.getvalue(), rf"ERROR: {name}\n")
        self.assertIn(
            "It surfaced after the end of its test, tests.samples.late.in_next_case.Sample.test_a_guilty",
            stream.getvalue(),
        )


class ResultsTest(unittest.TestCase):
    """The results of other runners."""

    def test_one_that_has_nothing_but_what_a_test_needs(self) -> None:
        events: list[tuple[str, str]] = []
        recorder: Any = Recorder(events)
        for test in each_test_of(load("in_next_case")):
            test.run(recorder)
        self.assertEqual(
            [event for event in events if event[0] not in ("start", "stop")],
            [
                ("passed", "test_z_innocent"),
                ("passed", "test_a_guilty"),
                ("passed", "test_b_innocent"),
                ("error", "test_a_guilty"),
                ("passed", "test_c_innocent"),
            ],
        )
        for (before, name), (after, same) in zip(events[::3], events[2::3], strict=True):
            self.assertEqual((before, after, name), ("start", "stop", same))

    def test_a_new_one_for_each_test(self) -> None:
        events: list[tuple[str, str]] = []
        for test in each_test_of(load("in_next_case")):
            adapter: Any = Adapter(Recorder(events))
            test.run(adapter)
            gone = weakref.ref(adapter)
            del adapter
            self.assertIsNone(gone())
        self.assertEqual(events.count(("error", "test_a_guilty")), 1)
        self.assertEqual(len([event for event in events if event[0] == "error"]), 1)

    def test_one_that_hands_everything_on_and_keeps_no_reports(self) -> None:
        done = run_code(HANDS_ON)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, "printed all\n")
        self.assertRegex(done.stderr, r"ERROR: test_a_guilty \(")
        self.assertEqual(done.stderr.count("ValueError: planted"), 1)

    def test_one_that_refuses(self) -> None:
        done = run_code(REFUSES)
        self.assertEqual(done.returncode, 120, done.stderr)
        self.assertEqual(done.stdout, "ran 4 tests\n")
        self.assertEqual(done.stderr.count("ERROR: test_a_guilty"), 1)
        self.assertIn("does not take it: LookupError('never heard of it')", done.stderr)

    def test_those_of_other_processes_that_know_tests_by_number_or_in_order(self) -> None:
        for kind in "numbered", "named":
            for moment in MOMENTS:
                with self.subTest(kind, moment=moment):
                    done = run_python("-m", "tests.samples.late.workers", kind, moment)
                    sent = json.loads(done.stdout)
                    names = [name.rpartition(".")[2] for state, name in sent if state == "error"]
                    self.assertEqual(names, ["test_a_guilty"], sent)
                    passed = {name.rpartition(".")[2] for state, name in sent if state == "passed"}
                    self.assertGreaterEqual(passed, {"test_a_guilty", "test_b_innocent", "test_z_innocent"})
                    self.assertEqual(done.stderr, "")

    def test_another_process_tells_what_comes_too_late_for_its_result(self) -> None:
        done = run_python("-m", "tests.samples.late.workers", "numbered", "at_process_end")
        self.assertEqual(done.stderr.count("ERROR: test_a_guilty"), 1)


HANDS_ON = """
import sys, unittest
from tests.samples.late import at_module_end

class Result:
    shouldStop = False
    is_good = True
    def startTest(self, test): pass
    stopTest = addSuccess = startTest
    def addDuration(self, test, elapsed): pass
    def addError(self, test, err): self.is_good = False
    def wasSuccessful(self): return self.is_good

result = Result()
unittest.defaultTestLoader.loadTestsFromModule(at_module_end).run(result)
print("printed all")
sys.exit(not result.wasSuccessful())
"""

REFUSES = """
import unittest
from tests.samples.late import in_next_case

class Result(unittest.TestResult):
    def addError(self, test, err):
        raise LookupError("never heard of it")

result = Result()
unittest.defaultTestLoader.loadTestsFromModule(in_next_case).run(result)
print("ran", result.testsRun, "tests")
"""


class ProcessEndTest(unittest.TestCase):
    def test_an_error_that_comes_when_all_is_over_fails_the_process(self) -> None:
        done = run_python("-m", "unittest", "tests.samples.late.at_process_end")
        self.assertRegex(
            done.stderr, r"\nOK\n\nasynctest_tornado, after the end of the test run:\nERROR: test_a_guilty \("
        )
        self.assertEqual(done.stderr.count("ValueError: planted"), 1)
        self.assertEqual(done.returncode, 120)

    def test_what_others_do_at_the_end_is_done(self) -> None:
        done = run_code(EXIT, "0")
        self.assertEqual(done.stdout, "ran\nafter\nbefore\n")
        self.assertRegex(done.stderr, r"test_a_guilty\.\nthe last line\n\Z")
        self.assertEqual(done.stderr.count("ValueError: planted"), 1)
        self.assertEqual(done.returncode, 120)

    def test_garbage_of_the_run_fails_the_run(self) -> None:
        for program in "unittest.main()", ALL_OF_TORNADO:
            with self.subTest(program):
                done = run_code(f"{GARBAGE}\n{program}")
                for name in "test_1", "test_2":
                    self.assertRegex(done.stderr, rf"ERROR: {name} \(")
                self.assertEqual(done.stderr.count("ValueError: planted"), 2)
                self.assertIn("FAILED (errors=2)", done.stderr)
                self.assertEqual(done.stdout, "ran\ncollected\ncollected\nexit\n")
                self.assertEqual(done.returncode, 1)

    def test_garbage_that_the_interpreter_finds_as_it_ends_fails_the_process(self) -> None:
        for program in "unittest.main()", ALL_OF_TORNADO.replace("TestCase(Sample)", "Module(sys.modules[__name__])"):
            with self.subTest(program):
                done = run_code(f"{GARBAGE}{BESIDE_GARBAGE}\n{program}")
                self.assertRegex(done.stderr, r"\nOK\n")
                for name in "test_1", "test_2":
                    self.assertRegex(done.stderr, rf"after the end of the test run:\nERROR: {name} \(")
                self.assertEqual(done.stderr.count("ValueError: planted"), 2)
                self.assertEqual(done.stdout, "ran\nexit\ncollected\ncollected\n")
                self.assertEqual(done.returncode, 120)

    def test_so_does_what_a_module_holds_to_the_end(self) -> None:
        for leave in "set_on_future()", "raise_in_task()":
            with self.subTest(leave), tempfile.TemporaryDirectory() as folder:
                Path(folder, "held.py").write_text(HELD.replace("LEAVE", leave))
                done = run_python("-m", "unittest", "held", cwd=Path(folder))
                self.assertRegex(
                    done.stderr, r"\nOK\n\nasynctest_tornado, after the end of the test run:\nERROR: test \("
                )
                self.assertEqual(done.stderr.count("ValueError: planted"), 1)
                self.assertEqual("in fail\n" in done.stderr, leave == "raise_in_task()", done.stderr)
                self.assertEqual(done.returncode, 120)

    def test_garbage_without_errors_fails_nothing(self) -> None:
        code = GARBAGE.replace("future.set_exception(ValueError('planted'))", "future.cancel()")
        done = run_code(f"{code}\nunittest.main()")
        self.assertEqual(done.stdout, "ran\ncollected\ncollected\nexit\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_run_that_has_told_all_ends_as_ever(self) -> None:
        for moment in MOMENTS:
            with self.subTest(moment):
                done = run_python("-m", "unittest", f"tests.samples.late.{moment}")
                self.assertEqual(done.stderr.count("ValueError: planted"), 1)
                self.assertEqual(done.returncode, 1)

    def test_a_child_leaves_to_its_parent_what_that_has_to_tell(self) -> None:
        done = run_code(FORK)
        self.assertEqual(done.stdout, "child ended with 0\n")
        self.assertEqual(done.stderr.count("ValueError: planted"), 1)
        self.assertEqual(done.returncode, 120)


EXIT = """
import atexit, sys, unittest
from tests.samples.late import at_module_end

atexit.register(print, "before", flush=True)
atexit.register(lambda: print("the last line", file=sys.stderr, flush=True))
result = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromModule(at_module_end).run(result)
assert not result.errors
atexit.register(print, "after", flush=True)
print("ran")
"""

ALL_OF_TORNADO = """
import sys, asynctest_tornado

def all():
    return unittest.defaultTestLoader.loadTestsFromTestCase(Sample)

asynctest_tornado.main()
"""

GARBAGE = """
import asyncio, atexit, gc, unittest
from asynctest_tornado import AsyncTestCase

gc.disable()
atexit.register(print, "exit")  # not flushed

class Cyclic:
    def __init__(self, future):
        self.me, self.future = self, future

    def __del__(self, tell=print):
        tell("collected")

class Sample(AsyncTestCase):
    async def test_1(self):
        future = asyncio.Future()
        future.set_exception(ValueError('planted'))
        Cyclic(future)

    async def test_2(self):
        await self.test_1()

    @classmethod
    def tearDownClass(cls):
        print("ran")
"""

BESIDE_GARBAGE = """

class ThenPlain(unittest.TestCase):
    def test(self):
        pass
"""

HELD = """
import asyncio
from asynctest_tornado import AsyncTestCase

held = []

async def set_on_future():
    held.append(asyncio.Future())
    held[0].set_exception(ValueError("planted"))

async def fail():
    raise ValueError("planted")

async def raise_in_task():
    held.append(asyncio.gather(fail()))
    await asyncio.wait(held)

class Sample(AsyncTestCase):
    async def test(self):
        await LEAVE
"""

FORK = """
import os, sys, unittest
from tests.samples.late import at_module_end

result = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromModule(at_module_end).run(result)
child = os.fork()
if child == 0:
    sys.exit()
print("child ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class StandInTest(unittest.TestCase):
    def setUp(self) -> None:
        self.cls = in_next_case.Sample
        self.report = stand_in(self.cls, "test_a_guilty", "some.name")

    def test_it_has_what_results_ask_a_test_for(self) -> None:
        case = self.cls("test_a_guilty")
        self.assertEqual(str(self.report), str(case))
        self.assertEqual(self.report.shortDescription(), case.shortDescription())
        self.assertEqual(self.report.id(), "some.name")
        for name in "_testMethodName", "_testMethodDoc", "failureException", "__module__":
            self.assertEqual(getattr(self.report, name), getattr(case, name))
        self.assertEqual(strclass(type(self.report)), strclass(self.cls))
        method: Any = self.report.test_a_guilty
        self.assertIs(method.__func__, support.Guilty.test_a_guilty)
        self.assertEqual(len({self.report, self.report}), 1)

    def test_a_failure_is_what_the_test_says(self) -> None:
        class Own(support.Guilty):
            failureException = KeyError

        self.assertIs(stand_in(Own, "test_a_guilty", "some.name").failureException, KeyError)

    def test_it_runs_nothing(self) -> None:
        result = unittest.TestResult()
        unittest.TestSuite([self.report]).run(result)
        self.report.debug()
        self.assertEqual((result.testsRun, self.report.countTestCases()), (0, 0))

    def test_another_process_can_read_it(self) -> None:
        for other in None, "mod.Cls.test_other":
            report = stand_in(self.cls, "test_a_guilty", "some.name", other)
            copy = pickle.loads(pickle.dumps(report))
            self.assertEqual(str(copy), str(report))
            self.assertEqual(strclass(type(copy)), strclass(type(report)))
            self.assertEqual((copy.id(), copy.shortDescription()), (report.id(), report.shortDescription()))

    def test_it_needs_no_method_of_that_name(self) -> None:
        report = stand_in(unittest.FunctionTestCase, "runTest", "some.name")
        self.assertEqual(report.id(), "some.name")

    def test_the_class_learns_nothing_of_it(self) -> None:
        learned: list[type] = []

        class Base(unittest.TestCase):
            def __init_subclass__(cls) -> None:
                super().__init_subclass__()
                learned.append(cls)

            def __init__(self, method: str, needed: object) -> None:
                super().__init__(method)

            def test(self) -> None:
                pass

            def __str__(self) -> str:
                raise AttributeError("set by setUp")

        self.assertIn("test", str(stand_in(Base, "test", "some.name")))
        self.assertEqual((learned, Base.__subclasses__()), ([], []))

    def test_the_test_does_not_live_on(self) -> None:
        result = unittest.TestResult()
        suite = load("in_next_case")
        tests = [weakref.ref(test) for test in each_test_of(suite)]
        suite.run(result)
        gc.collect()
        self.assertEqual([test() for test in tests], [None] * 4)
        self.assertEqual(len(result.errors), 1)
