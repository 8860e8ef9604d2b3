import asyncio
import unittest
from typing import Any, ClassVar

import uvloop

from asynctest_tornado import AsyncTestCase, VirtualClock
from tests.samples import ordered, races
from tests.support import RecordingResult, environ, run_case, run_python


def run_counting(**attributes: Any) -> tuple[list[str], RecordingResult]:
    events: list[str] = []
    result = run_case(type("Sample", (ordered.Counting,), {"events": events, **attributes}))
    return events, result


class RunTest(unittest.TestCase):
    def test_each_order_has_its_own_set_up_and_tear_down_and_they_are_one_test(self) -> None:
        events, result = run_counting()
        self.assertEqual(events, ["setUp", "tearDown"] * 10)
        self.assertEqual(result.events, ["startTest", "addSuccess", "stopTest"])
        self.assertEqual(result.testsRun, 1)

    def test_each_order_begins_with_what_the_constructor_makes(self) -> None:
        class Sample(AsyncTestCase):
            schedules = 3

            def __init__(self, method: str, size: int, name: str = "of the constructor") -> None:
                super().__init__(method)
                self.seen: list[int] = [0] * size
                self.pair: tuple[list[int]] = ([],)
                self.name = name
                self.clients: object = {}

            async def test(self) -> None:
                self.seen.append(1)
                self.pair[0].append(1)
                self.addCleanup(list)
                self.assertEqual((self.seen, self.pair, len(self._cleanups)), ([0, 0, 1], ([1],), 1))  # type: ignore[attr-defined]
                self.assertEqual((self.name, self.clients, self.loaded), ("of the loader", loaded, loaded))  # type: ignore[attr-defined]

        case = Sample("test", 2)
        # As a loader of tests may do.
        case.name, case.clients = "of the loader", (loaded := [1])
        case.loaded = loaded  # type: ignore[attr-defined]
        result = RecordingResult()
        case.run(result)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_a_constructor_that_works_only_once(self) -> None:
        class Sample(AsyncTestCase):
            schedules = 3

            def __init__(self, method: str) -> None:
                self.assertFalse(made)
                super().__init__(method)
                made.append(self)

            async def test(self) -> None: ...

        made: list[Sample] = []
        self.assertEqual(run_case(Sample).verdicts, ["addSuccess"])

    def test_the_first_order_that_fails_ends_the_test(self) -> None:
        events, result = run_counting(fails_at=6)
        # Once more, out of sight, in the order of asyncio.
        self.assertEqual(events, ["setUp", "tearDown"] * 5)
        self.assertEqual(result.events, ["startTest", "addFailure", "stopTest"])
        self.assertIn("\nThis order was not shrunk: the test fails in asyncio's own order by now", result.report)
        self.assertRegex(
            result.report, r"In the order of seed 3\. To replay it: ASYNC_TEST_SEED=3 python .*-m unittest tests\."
        )

    def test_a_failure_in_the_order_of_asyncio_says_so(self) -> None:
        self.assertIn("In the order of asyncio itself", run_counting(fails_at=0)[1].report)

    def test_the_class_comes_before_the_environment_and_a_seed_before_both(self) -> None:
        with environ(ASYNC_TEST_SCHEDULES="3"):
            self.assertEqual(len(run_counting(schedules=None)[0]), 6)
            self.assertEqual(len(run_counting()[0]), 20)
            with environ(ASYNC_TEST_SEED="7"):
                self.assertEqual(len(run_counting()[0]), 2)

    def test_a_seed_is_replayed(self) -> None:
        with environ(ASYNC_TEST_SCHEDULES="100"):
            report = run_case(races.MissedEvent).report
        seed = report.partition("ASYNC_TEST_SEED=")[2].split()[0]
        with environ(ASYNC_TEST_SEED=seed):
            self.assertEqual(len(run_case(races.MissedEvent).failures), 1)
            with self.assertRaises(AssertionError):
                races.MissedEvent("test").debug()
        with environ(ASYNC_TEST_SEED="0"):
            self.assertEqual(run_case(races.MissedEvent).verdicts, ["addSuccess"])

    def test_subtests_and_expected_failures_and_skips(self) -> None:
        async def with_subtests(self: ordered.Counting) -> None:
            for number in range(3):
                with self.subTest(number):
                    await asyncio.sleep(0)
                    self.assertFalse(len(self.events) > 6 and number == 1, "planted")

        async def skip(self: ordered.Counting) -> None:
            self.skipTest("planted")

        @unittest.expectedFailure
        async def fail(self: ordered.Counting) -> None:
            self.fail("planted")

        @unittest.expectedFailure
        async def succeed(self: ordered.Counting) -> None:
            await asyncio.sleep(0)

        self.assertEqual(run_counting(test=with_subtests)[1].failures[0][1].count("seed 3"), 1)
        self.assertEqual(run_counting(test=skip)[1].verdicts, ["addSkip"])
        self.assertEqual(run_counting(test=fail)[1].verdicts, ["addExpectedFailure"])
        events, result = run_counting(test=succeed)
        self.assertEqual((len(events), result.verdicts), (20, ["addUnexpectedSuccess"]))
        self.assertNotIn("_asynctest_tally", vars(result))  # it is no test that has passed

    def test_a_subtest_that_is_skipped_does_not_end_the_test(self) -> None:
        async def test(self: ordered.Counting) -> None:
            with self.subTest("skipped"):
                self.skipTest("planted")

        events, result = run_counting(test=test)
        self.assertEqual((len(events), result.verdicts), (20, ["addSkip"]))

    def test_a_result_that_knows_no_more_than_it_has_to(self) -> None:
        class Result:
            """A result from before there were subtests."""

            shouldStop = False  # noqa: N815

            def __init__(self) -> None:
                self.events: list[str] = []

            def startTest(self, test: unittest.TestCase) -> None:
                self.events.append("start")

            def addSuccess(self, test: unittest.TestCase) -> None:
                self.events.append("success")

            def stopTest(self, test: unittest.TestCase) -> None:
                self.events.append("stop")

        async def test(self: ordered.Counting) -> None:
            with self.subTest("first"):
                await asyncio.sleep(0)

        result: Any = Result()
        type("Sample", (ordered.Counting,), {"events": [], "test": test})("test").run(result)
        self.assertEqual(result.events, ["start", "success", "stop"])

    def test_an_error_ends_what_waits_at_once(self) -> None:
        class Sample(AsyncTestCase):
            schedules = 5
            clock_factory = VirtualClock

            async def test(self) -> None:
                async def fail() -> None:
                    raise ZeroDivisionError

                asyncio.ensure_future(fail()).add_done_callback(lambda _: None)
                await asyncio.sleep(60)
                self.fail("it has waited")

        result = run_case(Sample)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertNotIn("it has waited", result.report)

    def test_a_shared_loop_has_orders_for_each_test(self) -> None:
        class Shared(AsyncTestCase):
            loop_scope = "class"
            schedules = 50
            log: ClassVar[set[str]] = set()
            loops: ClassVar[set[int]] = set()

            async def test(self) -> None:
                order: list[str] = []

                async def work(name: str) -> None:
                    await asyncio.sleep(0)
                    order.append(name)

                await asyncio.gather(*map(work, "abc"))
                self.log.add("".join(order))
                self.loops.add(id(asyncio.get_running_loop()))

        result = RecordingResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Shared).run(result)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertGreater(len(Shared.log), 3)
        self.assertEqual(len(Shared.loops), 1)

    def test_errors_that_a_callback_still_looks_at_are_not_told(self) -> None:
        class Sample(AsyncTestCase):
            schedules = 60

            async def test(self) -> None:
                async def fail() -> None:
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                    raise ZeroDivisionError

                def look(task: asyncio.Task[None]) -> None:
                    if not task.cancelled():
                        task.exception()

                self.task = asyncio.ensure_future(fail())
                self.task.add_done_callback(look)
                self.addCleanup(self.task.cancel)
                for _ in range(3):
                    await asyncio.sleep(0)

        self.assertEqual(run_case(Sample).report, "")

    def test_an_attribute_that_is_dropped_for_the_next_order_belongs_to_the_test(self) -> None:
        orders = []

        class Sample(AsyncTestCase):
            schedules = 2

            async def test(self) -> None:
                orders.append(1)
                if len(orders) == 1:
                    work = asyncio.sleep(0)
                    await asyncio.sleep(0)
                    self.work = work

        result = run_case(Sample)
        self.assertIn("addError", result.verdicts)
        self.assertIn("RuntimeWarning: coroutine 'sleep' was never awaited", result.report)

    def test_leaks_are_told_once(self) -> None:
        async def leave(self: ordered.Counting) -> None:
            asyncio.get_running_loop().call_later(60, self.id)

        with self.assertWarns(ResourceWarning) as caught:
            events, _ = run_counting(test=leave)
        self.assertEqual(len([each for each in caught.warnings if "pending timer" in str(each.message)]), 1)
        self.assertEqual(len(events), 20)

    def test_a_result_of_its_own(self) -> None:
        result = type("Sample", (ordered.Counting,), {"events": []})("test").run()
        assert result is not None
        self.assertTrue(result.wasSuccessful())


class ReportTest(unittest.TestCase):
    def test_a_run_says_how_many_orders_were_tried_and_differed(self) -> None:
        done = run_python("-m", "asynctest_tornado", "--schedules=20", "--verbose", "tests.samples.ordered")
        self.assertRegex(done.stderr, r"Schedules: 2 tests passed in 40 orders, \d+ of them different.")
        self.assertRegex(
            done.stderr, r"test_alone \(tests.samples.ordered.Ordered.test_alone\): 20 orders, 1 different"
        )
        several = r"test_several \(tests.samples.ordered.Ordered.test_several\): 20 orders, ([4-9]|1\d) different"
        self.assertRegex(done.stderr, several)

    def test_the_command_line_replays(self) -> None:
        done = run_python("-m", "asynctest_tornado", "--schedules=100", "tests.samples.races.MissedEvent")
        seed = done.stderr.partition("ASYNC_TEST_SEED=")[2].split()[0]
        done = run_python("-m", "asynctest_tornado", f"--seed={seed}", "tests.samples.races.MissedEvent")
        self.assertIn("FAILED (failures=1)", done.stderr)

    def test_a_program_is_named_as_it_was_called(self) -> None:
        done = run_python("tests/samples/races.py", "MissedEvent", ASYNC_TEST_SCHEDULES="100", PYTHONPATH=".")
        self.assertRegex(done.stderr, r"ASYNC_TEST_SEED=\d+ python tests/samples/races.py MissedEvent.test\n")


class BadSettingsTest(unittest.TestCase):
    def check(self, expected: str, **attributes: Any) -> None:
        events, result = run_counting(**attributes)
        self.assertEqual((events, result.verdicts), ([], ["addError"]))
        self.assertRegex(result.report, expected)

    def test_each_is_an_error_of_the_test(self) -> None:
        self.check("TypeError: The class attribute schedules cannot be 'many'. Set it to the number", schedules="many")
        self.check("ValueError: The class attribute schedules cannot be 0. Set it to the number", schedules=0)
        with environ(ASYNC_TEST_SCHEDULES="x"):
            self.check("ValueError: The environment variable ASYNC_TEST_SCHEDULES cannot be 'x'.", schedules=None)
        with environ(ASYNC_TEST_SEED="-1"):
            self.check("ValueError: The environment variable ASYNC_TEST_SEED cannot be '-1'.")

    def test_one_that_was_corrected_is_forgotten(self) -> None:
        case: Any = type("Sample", (ordered.Counting,), {"events": [], "schedules": "many"})("test")
        verdicts = []
        for schedules in "many", 2:
            case.schedules = schedules
            result = RecordingResult()
            case.run(result)
            verdicts += result.verdicts
        self.assertEqual(verdicts, ["addError", "addSuccess"])

    def test_loops_of_another_make(self) -> None:
        self.check(
            "TypeError: uvloop.Loop runs ready callbacks in its own order only", loop_factory=uvloop.new_event_loop
        )
        with environ(ASYNC_TEST_SCHEDULES="3"):
            # That is meant for those for which it makes sense.
            events, result = run_counting(loop_factory=uvloop.new_event_loop, schedules=None)
        self.assertEqual((len(events), result.verdicts), (6, ["addSuccess"]), result.report)
