import asyncio
import contextvars
import json
import sys
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

from asynctest_tornado import AsyncTestCase, ExpectError
from asynctest_tornado._leaks import policy
from asynctest_tornado._replace import summary as _summary
from asynctest_tornado._replace.summary import Summary
from asynctest_tornado._util import observer
from tests.support import environ, run_body


class Base(AsyncTestCase):
    leaks = "note"


def seen(*bodies: Any, base: type[AsyncTestCase] = Base) -> dict[str, Any]:
    """Run test methods, and return their summary."""
    with observer.attached(Summary()) as summary:
        for body in bodies:
            result = run_body(base, body)
            result.stopTestRun()
    return summary.data()


async def passes(self: AsyncTestCase) -> None:
    pass


def fails_in_callback(self: AsyncTestCase) -> None:
    self.io_loop.add_callback(lambda: [][0])
    self.io_loop.add_callback(dict[str, int]().__getitem__, "key")
    self.io_loop.add_callback(self.stop)
    self.wait()


def leaves_timer(self: AsyncTestCase) -> None:
    self.io_loop.call_later(60, self.stop)


class ErrorsTest(unittest.TestCase):
    def test_an_error_that_had_no_caller_is_noted(self) -> None:
        (errors,) = seen(fails_in_callback)["errors"].values()
        self.assertEqual(errors, ["IndexError: list index out of range", "KeyError: 'key'"])

    def test_an_error_of_the_test_itself_is_none(self) -> None:
        async def fails(self: AsyncTestCase) -> None:
            raise ValueError("planted")

        async def awaits(self: AsyncTestCase) -> None:
            await asyncio.gather(asyncio.create_task(fails(self)))

        self.assertEqual(seen(fails, awaits)["errors"], {})

    def test_an_error_that_is_expected_is_none(self) -> None:
        def expects(self: AsyncTestCase) -> None:
            with ExpectError(ZeroDivisionError):
                self.io_loop.add_callback(lambda: 1 / 0)
                self.io_loop.add_callback(self.stop)
                self.wait()

        self.assertEqual(seen(expects)["errors"], {})

    def test_a_skip_is_none(self) -> None:
        def skips(self: AsyncTestCase) -> None:
            self.io_loop.add_callback(self.skipTest, "not today")
            self.wait()

        self.assertEqual(seen(skips)["errors"], {})

    def test_an_error_after_its_test_is_noted(self) -> None:
        contexts = []

        def goes_on(self: AsyncTestCase) -> None:
            contexts.append(contextvars.copy_context())

        with observer.attached(Summary()) as summary:
            result = run_body(Base, goes_on)
            thread = threading.Thread(target=lambda: [][0])
            contexts[0].run(thread.start)
            thread.join()
            result.stopTestRun()
        self.assertEqual(list(summary.data()["errors"].values()), [["IndexError: list index out of range"]])


class LeaksTest(unittest.TestCase):
    def test_they_are_looked_for_in_tests_that_pass_and_tell_only_failures(self) -> None:
        self.assertRegex(str(seen(leaves_timer)["leaks"]), "pending timer .*stop, due in 60 s")

    def test_without_a_summary_they_are_not_looked_for(self) -> None:
        self.assertFalse(policy.Policy("note").is_interested(has_failed=False))

    def test_tests_that_ignore_them_are_counted(self) -> None:
        data = seen(passes, leaves_timer, base=type("Ignores", (Base,), {"leaks": "ignore"}))
        self.assertEqual((data["leaks"], data["unsearched"]), ({}, 2))

    def test_a_test_that_runs_in_several_orders_counts_once(self) -> None:
        data = seen(leaves_timer, base=type("Ordered", (Base,), {"schedules": 3}))
        self.assertEqual((data["tests"], len(*data["leaks"].values())), (1, 1))

    def test_tests_of_the_same_name_count_each(self) -> None:
        data = seen(leaves_timer, leaves_timer)
        self.assertEqual((data["tests"], len(*data["leaks"].values())), (2, 2))


class WaitsTest(unittest.TestCase):
    def test_each_kind_of_wait_is_noted(self) -> None:
        def waits(self: AsyncTestCase) -> None:
            self.stop()
            self.wait(timeout=7)

        def runs(self: AsyncTestCase) -> None:
            self.run_sync(asyncio.sleep, 0, timeout=8)

        with mock.patch.object(_summary, "LEAST_WAIT", 0), environ(ASYNC_TEST_TIMEOUT=None):
            self.assertEqual([limit for _, _, limit in seen(waits)["waits"]], [7])
            self.assertEqual([limit for _, _, limit in seen(runs)["waits"]], [8])
            self.assertEqual([limit for _, _, limit in seen(passes)["waits"]], [5])

    def test_the_longest_ones_are_kept_one_for_each_test(self) -> None:
        summary = Summary()
        for seconds in 0.05, 3, 1, 2, 5, 4:
            summary.waited(lambda name=f"test_{seconds}": name, seconds, 5)  # type: ignore[misc]
        summary.waited(lambda: "test_5", 4.5, 5)
        summary.ended("test", [], True, False)
        slowest = [f"  test_{seconds}: {seconds} s of at most 5 s" for seconds in (5, 4, 3)]
        self.assertEqual(summary.lines()[-4:], ["Slowest waits:", *slowest])

    def test_threads_may_wait_at_once(self) -> None:
        summary = Summary()
        barrier = threading.Barrier(4)

        def wait(number: int) -> None:
            barrier.wait()
            for seconds in range(1, 5000):
                summary.waited(f"test_{number}_{seconds}".strip, seconds, 0)

        interval = sys.getswitchinterval()
        self.addCleanup(sys.setswitchinterval, interval)
        sys.setswitchinterval(1e-6)
        with ThreadPoolExecutor(4) as pool:
            for _ in pool.map(wait, range(4)):
                pass
        self.assertEqual([seconds for _, seconds, _ in summary.data()["waits"]], [4999] * 3)


class SummaryTest(unittest.TestCase):
    maxDiff = None

    def test_what_processes_have_seen_is_merged(self) -> None:
        whole = Summary()
        for name in "a", "b":
            part = Summary()
            part.ended(f"{name}.leaks", ["pending timer", "pending task"], True, False)
            part.ended(f"{name}.other", [], True, False)
            part.trapped(f"{name}.fails", [ValueError("planted\nand more"), OSError()])
            part.waited(lambda name=f"{name}.slow": name, 0.25, 0)  # type: ignore[misc]
            whole.merge(json.loads(json.dumps(part.data())))
        self.assertEqual(
            whole.lines(),
            [
                "4 tests ran on it, in place of tornado.testing.",
                "Errors that had no caller to catch them: 4 in 2 tests. tornado.testing logs these, if at all, and "
                "fails no test for them:",
                "  a.fails: ValueError: planted, and 1 more",
                "  b.fails: ValueError: planted, and 1 more",
                "Leaks: 4 in 2 tests. ASYNC_TEST_LEAKS=fail makes these tests fail, and shows the lines that made "
                "these resources:",
                "  a.leaks: pending timer, and 1 more",
                "  b.leaks: pending timer, and 1 more",
                "Slowest waits:",
                "  a.slow: 0.25 s",
                "  b.slow: 0.25 s",
            ],
        )

    def test_it_does_not_advise_a_setting_that_is_set(self) -> None:
        summary = Summary()
        summary.ended("test", ["pending timer"], True, False)
        with environ(ASYNC_TEST_LEAKS="fail"):
            self.assertIn(
                "Leaks: 1 in 1 test. Their reports show the lines that made these resources:", summary.lines()
            )

    def test_it_says_that_nothing_was_seen(self) -> None:
        summary = Summary()
        self.assertIn("No test ran on it", summary.lines()[0])
        summary.ended("test", [], True, False)
        self.assertEqual(summary.lines()[1:], ["No errors trapped.", "No leaks."])

    def test_it_says_that_leaks_were_not_looked_for(self) -> None:
        summary = Summary()
        summary.ended("test", [], False, False)
        self.assertEqual(summary.lines()[-1], "Not searched for leaks, because their settings ignore them: 1 test.")

    def test_it_names_a_few_tests_and_counts_the_others(self) -> None:
        summary = Summary()
        for number in range(5):
            summary.ended(f"test_{number}", ["x" * 200], True, False)
        self.assertEqual(summary.lines()[-1], "  and in 2 more tests")
        self.assertTrue(summary.lines()[-2].endswith("xxx..."))
