import contextvars
import gc
import os
import re
import threading
import unittest
import weakref
from pathlib import Path
from tempfile import TemporaryDirectory

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._features.all_features import PLAIN
from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._replace.summary import Summary
from asynctest_tornado._timeouts import limits
from asynctest_tornado._util import observer
from asynctest_tornado._util.observer import Observer, attached
from tests.samples import observed
from tests.samples.recorder import Recorder
from tests.support import run_body, run_python

#: The events of `tests.samples.observed.Observed`, in their order.
EVENTS = [
    "waited: {0}.test_1_error_in_callback, at most 61 s",
    "trapped: {0}.test_1_error_in_callback, [IndexError('list index out of range')]",
    "ended: {0}.test_1_error_in_callback, 0 leaks, is_searched=True, is_ordered=False",
    "ended: {0}.test_2_timer, 1 leaks, is_searched=True, is_ordered=False",
    "waited: {0}.test_3_goes_on, at most 60 s",
    "ended: {0}.test_3_goes_on, 0 leaks, is_searched=True, is_ordered=False",
    "came late: {0}.test_3_goes_on, KeyError('key')",
    "ended: {0}.test_4_error_of_the_test_before, 0 leaks, is_searched=True, is_ordered=False",
]


def events_of(*classes: type) -> list[str]:
    return [event.format(f"{each.__module__}.{each.__qualname__}") for each in classes for event in EVENTS]


def run_suite(*classes: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    for each in classes:
        unittest.defaultTestLoader.loadTestsFromTestCase(each).run(result)
    result.stopTestRun()
    return result


class EventsTest(unittest.TestCase):
    maxDiff = None

    def test_they_come_in_their_order(self) -> None:
        with attached(Recorder()) as recorder:
            result = run_suite(observed.Observed)
        self.assertEqual(recorder.events, events_of(observed.Observed))
        self.assertEqual(len(result.errors), 2)

    def test_each_order_of_a_test_is_an_event_of_its_own(self) -> None:
        async def passes(self: AsyncTestCase) -> None:
            pass

        with attached(Recorder()) as recorder:
            run_body(type("Base", (AsyncTestCase,), {"schedules": 2, "leaks": "ignore"}), passes)
        kinds = [re.sub(": .* leaks", "", event) for event in recorder.events]
        self.assertEqual(kinds[1::2], ["ended, is_searched=False, is_ordered=True"] * 2)

    def test_an_observer_need_not_care(self) -> None:
        with attached(Observer()):
            result = run_suite(observed.Observed)
        self.assertEqual(len(result.errors), 2)

    def test_without_an_observer_a_test_that_passes_is_not_asked_for_its_name(self) -> None:
        names = []

        def describe() -> str:
            names.append("test")
            return "test"

        async def passes() -> None:
            pass

        def run() -> None:
            with HarnessByHand(describe, features=PLAIN) as harness:
                harness.waits.run(passes, limits.limit(60, None))

        run()
        self.assertEqual(names, [])
        with attached(Recorder()):
            run()
        self.assertEqual(names, ["test"] * 2)


class AttachedTest(unittest.TestCase):
    def test_the_one_before_is_back_after_the_block(self) -> None:
        with attached(Recorder()) as outer:
            with attached(Recorder()):
                run_suite(observed.Observed)
            self.assertIs(observer.current, outer)
        self.assertIsNone(observer.current)
        self.assertEqual(outer.events, [])

    def test_it_is_back_after_an_error_as_well(self) -> None:
        with self.assertRaises(SystemExit), attached(Recorder()):
            raise SystemExit
        self.assertIsNone(observer.current)

    def test_nothing_is_kept_after_a_run(self) -> None:
        kept: list[weakref.ref[object]] = []

        class Planted(Exception):
            pass

        def fails(self: AsyncTestCase) -> None:
            error = Planted()
            kept.extend(map(weakref.ref, (self, self.io_loop, error)))

            def throw(error: Exception = error) -> None:
                raise error

            self.io_loop.add_callback(throw)
            self.io_loop.call_later(60, self.stop)
            self.wait()

        with attached(Summary()) as summary:
            run_body(AsyncTestCase, fails)
        self.assertEqual(len(summary.data()["errors"]), 1)
        gc.collect()
        self.assertEqual([each() for each in kept], [None] * 3)
        gone = weakref.ref(summary)
        del summary
        gc.collect()
        self.assertIsNone(gone())

    def test_an_event_after_the_run_goes_nowhere(self) -> None:
        contexts = []

        def goes_on(self: AsyncTestCase) -> None:
            contexts.append(contextvars.copy_context())

        with attached(Recorder()) as recorder:
            result = run_body(AsyncTestCase, goes_on)
        thread = threading.Thread(target=lambda: [][0])
        contexts[0].run(thread.start)
        thread.join()
        result.stopTestRun()
        self.assertEqual(result.verdicts, ["addSuccess", "addError"])
        self.assertEqual(["came late" in event for event in recorder.events], [False])

    def test_runs_after_each_other_have_the_same_events(self) -> None:
        for _ in range(2):
            with attached(Recorder()) as recorder:
                run_suite(observed.Observed)
            self.assertEqual(recorder.events, events_of(observed.Observed))


class RunnersTest(unittest.TestCase):
    maxDiff = None

    def run_recorded(self, *args: str) -> list[str]:
        """Run pytest, and return the events that the observers of all its processes have recorded."""
        with TemporaryDirectory() as folder:
            file = Path(folder, "events")
            done = run_python(
                *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.samples.recorder", *args),
                os.path.relpath(observed.__file__),
                EVENTS=str(file),
            )
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            return file.read_text().splitlines()

    def test_pytest_has_the_events_of_unittest(self) -> None:
        self.assertEqual(self.run_recorded(), events_of(observed.Observed, observed.Observed2))

    def test_workers_of_pytest_have_them_together(self) -> None:
        events = self.run_recorded("-n", "2", "--dist", "loadscope")
        self.assertEqual(sorted(events), sorted(events_of(observed.Observed, observed.Observed2)))

    def test_each_of_two_runs_in_one_process_has_its_own_summary(self) -> None:
        code = """
            import sys, pytest
            for test in "test_sleep", "test_timer":
                name = f"tests/samples/unmodified.py::Unmodified::{test}"
                pytest.main(["-q", "-p", "no:cacheprovider", "-p", "asynctest_tornado.replace", name])
            from asynctest_tornado._util import observer
            print(observer.current)
        """
        text = run_python("-c", re.sub("^ {12}", "", code, flags=re.MULTILINE)).stdout
        self.assertEqual(text.count("1 test ran on it"), 2, text)
        self.assertEqual((text.count("Slowest waits"), text.count("Leaks: 1 in 1 test")), (1, 1), text)
        self.assertTrue(text.endswith("None\n"), text)
