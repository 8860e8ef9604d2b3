import asyncio
import functools
import unittest
from collections.abc import Callable, Generator
from typing import Any
from unittest import mock

from tornado import gen
from tornado.ioloop import PeriodicCallback

from asynctest_tornado import AsyncTestCase, VirtualClock, gen_test
from asynctest_tornado._timeouts.eventually import text_of
from tests.limits import limit_clock
from tests.support import RecordingResult, run_body

SOON = 0.01


class HoldsTest(AsyncTestCase):
    async def asyncSetUp(self) -> None:
        self.seen: list[int] = []
        self.io_loop.call_later(SOON, self.seen.append, 42)
        self.addCleanup(self.seen.clear)

    async def test_it_returns_the_value(self) -> None:
        self.assertEqual(await self.eventually(lambda: self.seen and self.seen[0]), 42)
        self.assertEqual(await self.eventually(lambda: 1), 1)

    async def test_a_coroutine_function(self) -> None:
        async def get() -> list[int]:
            await asyncio.sleep(0)
            return self.seen

        self.assertEqual(await self.eventually(get), [42])

    async def test_assertions(self) -> None:
        def check() -> None:
            self.assertEqual(self.seen, [42])

        async def check_later() -> None:
            await asyncio.sleep(0)
            check()

        def call() -> None:
            check()
            if self.seen[0] != 42:
                return

        await self.eventually(check)
        for condition in check, check_later, call, lambda: self.assertEqual(self.seen, [42]):
            self.seen.clear()
            self.io_loop.call_later(SOON, self.seen.append, 42)
            await self.eventually(condition)
            self.assertEqual(self.seen, [42])
        await self.eventually(functools.partial(self.assertIn, 42, self.seen))
        called = mock.Mock()
        called(42)
        await self.eventually(functools.partial(called.assert_called_once_with, 42), timeout=1)

    async def test_a_mock(self) -> None:
        callback = mock.Mock()
        self.io_loop.call_later(SOON, callback, 1)
        await self.eventually(callback.assert_called_once)
        await self.eventually(lambda: callback.assert_called_once_with(1))

    async def test_none_is_not_true(self) -> None:
        found: dict[str, int] = {}
        self.io_loop.call_later(SOON, found.update, tea=1)
        self.assertEqual(await self.eventually(lambda: found.get("tea")), 1)

    async def test_a_missing_item_is_not_there_yet(self) -> None:
        found: dict[str, int] = {}
        self.io_loop.call_later(SOON, found.update, tea=1)
        self.assertEqual(await self.eventually(lambda: found["tea"]), 1)
        self.assertEqual(await self.eventually(lambda: self.seen[0]), 42)

    def test_synchronous_code(self) -> None:
        self.assertEqual(self.run_sync(self.eventually, lambda: self.seen), [42])

    @gen_test
    def test_a_generator(self) -> Generator[Any, Any, None]:
        seen = yield self.eventually(lambda: self.seen)
        self.assertEqual(seen, [42])

    async def test_it_does_not_spin(self) -> None:
        calls = 0

        def condition() -> list[int]:
            nonlocal calls
            calls += 1
            return self.seen

        await self.eventually(condition)
        self.assertLess(calls, 10)

    async def test_a_condition_that_nothing_announces(self) -> None:
        results = iter([False] * 5)
        self.assertTrue(await self.eventually(lambda: next(results, True)))

    async def test_a_loop_that_is_always_busy(self) -> None:
        async def spin() -> None:
            while True:
                await asyncio.sleep(0)

        task = asyncio.create_task(spin())
        with self.assertRaises(AssertionError):
            await self.eventually(lambda: False, timeout=0.05)
        task.cancel()


class HoldsOnALoopOfAClassTest(HoldsTest):
    loop_scope = "class"


class HoldsInOrdersTest(HoldsTest):
    schedules = 3


class HoldsInVirtualTimeTest(HoldsTest):
    clock_factory = VirtualClock
    test_a_loop_that_is_always_busy = None  # type: ignore[assignment]

    async def test_time_stands_still_once_the_condition_holds(self) -> None:
        seen: list[float] = []
        for seconds in 3600, 7200:
            self.io_loop.call_later(seconds, lambda: seen.append(self.clock.time()))
        await self.eventually(lambda: seen)
        self.assertEqual(self.clock.time(), 3600)
        # A callback in the same turn as the look.
        self.io_loop.add_callback(lambda: self.io_loop.add_callback(seen.append, 1))
        await self.eventually(lambda: 1 in seen)
        self.assertEqual(self.clock.time(), 3600)
        await self.eventually(lambda: len(seen) == 3)

    async def test_a_periodic_callback_ticks(self) -> None:
        ticks: list[float] = []
        periodic = PeriodicCallback(lambda: ticks.append(self.clock.time()), 1000)
        periodic.start()
        await self.eventually(lambda: len(ticks) == 10)
        periodic.stop()
        self.assertEqual(self.clock.time(), 10)

    async def test_a_condition_of_the_real_world_is_no_deadlock(self) -> None:
        results = iter([False] * 5)
        await self.eventually(lambda: next(results, True))


def run(body: Callable[[Any], Any], **attributes: Any) -> RecordingResult:
    return run_body(type("Sample", (AsyncTestCase,), attributes), body)


@unittest.skipUnless(__debug__, "without assertions, None cannot be a mistake")
class NoneTest(AsyncTestCase):
    """A condition that returns None."""

    def check(self) -> None:
        self.assertEqual(self.seen, [1])

    @staticmethod
    def check_statically(seen: list[int]) -> None:
        check_seen(seen)

    @classmethod
    def check_of_class(cls, seen: list[int]) -> None:
        cls.check_statically(seen)

    def forget(self) -> None:
        len(self.seen)

    async def check_later(self) -> None:
        await asyncio.sleep(0)
        self.check()

    async def asyncSetUp(self) -> None:
        self.seen: list[int] = []
        self.found: dict[str, int] = {}
        self.helper = _Helper(self.seen)

    async def test_it_holds_by_assertions(self) -> None:
        def statement() -> None:
            assert self.seen == [1]

        def helper() -> None:
            self.check()

        def each() -> None:
            all(self.assertEqual(number, 1) is None for number in self.seen or [0])  # type: ignore[func-returns-value]

        def raises() -> None:
            if not self.seen:
                raise IndexError

        @gen.coroutine
        def generator() -> Generator[Any, Any, None]:
            yield gen.moment
            self.check()

        conditions: list[Callable[[], Any]] = [statement, helper, each, raises, generator]
        conditions += [self.check, self.check_later, functools.partial(check_seen, self.seen)]

        def alias() -> None:
            helper = self.helper
            helper.verify()

        conditions += [alias, lambda: self.check(), lambda: self.check_later(), lambda: self.helper.verify()]
        conditions += [lambda: self.check_statically(self.seen), lambda: self.check_of_class(self.seen)]
        conditions += [lambda: check_seen(self.seen), lambda: self.assertEqual([n + 0 for n in self.seen], [1])]
        for number, condition in enumerate(conditions):
            with self.subTest(number):
                self.seen.clear()
                self.io_loop.call_later(SOON, self.seen.append, 1)
                await self.eventually(condition)
                self.assertEqual(self.seen, [1])

    async def test_it_is_false(self) -> None:
        def find() -> int | None:
            assert self.found is not None
            return self.found.get("tea")

        def wrong() -> int | None:
            if not self.found:
                return None
            return self.found["tea"]

        conditions: list[Callable[[], Any]] = [find, wrong, lambda: find(), lambda: self.found.get("tea")]
        conditions += [lambda: self.helper.check("tea")]  # and no self.check()
        conditions += [lambda: check_seen([1]) or self.found.get("tea")]  # type: ignore[func-returns-value]
        for number, condition in enumerate(conditions):
            with self.subTest(number):
                self.found.clear()
                self.seen.clear()
                self.io_loop.call_later(SOON, self.found.update, tea=1)
                self.io_loop.call_later(SOON, self.seen.append, 1)
                self.assertEqual(await self.eventually(condition), 1)

    async def test_a_mistake_is_named_with_its_line(self) -> None:
        with self.assertRaisesRegex(
            TypeError, r"NoneTest.forget \(tests/.*test_eventually.py:\d+ in forget: def forget"
        ):
            await self.eventually(self.forget)
        with self.assertRaisesRegex(
            TypeError, r"the condition 'self.forget\(\)' at tests/.*test_eventually.py:\d+ ret"
        ):
            await self.eventually(lambda: self.forget())

    async def test_it_is_a_mistake(self) -> None:
        def arrived() -> None:
            len(self.seen) == 1  # noqa: B015

        async def arrived_later() -> None:
            await asyncio.sleep(0)

        def begins() -> None:
            self.io_loop.add_callback(arrived)

        for condition in arrived, arrived_later, begins, self.forget, lambda: self.forget():
            with self.subTest(condition), self.assertRaisesRegex(TypeError, "returned None, and no assertion was foun"):
                await self.eventually(condition)


def check_seen(seen: list[int]) -> None:
    if seen != [1]:
        raise AssertionError(seen)


class _Helper:
    def __init__(self, seen: list[int]) -> None:
        self._seen = seen

    def verify(self) -> None:
        check_seen(self._seen)

    def check(self, key: str) -> int | None:
        return {"tea": self._seen[0]}.get(key) if self._seen else None


class FailureTest(unittest.TestCase):
    def test_it_shows_the_condition_and_the_last_value(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            seen = [1]
            await case.eventually(lambda: len(seen) == 2 and seen, timeout=0.05)

        result = run(body)
        self.assertEqual(result.verdicts, ["addFailure"])
        self.assertRegex(
            result.report,
            r"AssertionError: eventually\(\) timed out after 0.05 seconds \(the argument timeout\): the condition "
            r"'len\(seen\) == 2 and seen' at tests/timeouts/test_eventually.py:\d+ did not hold; its last value was "
            r"False\n",
        )
        self.assertNotIn("asynctest_tornado/_", result.report)

    def test_it_shows_the_last_exception(self) -> None:
        def body(case: AsyncTestCase) -> None:
            def check() -> None:
                case.assertEqual([1, 2], [1])

            case.run_sync(case.eventually, check, timeout=0.05, message="no mail")

        report = run(body).report
        self.assertRegex(report, r"in check\n.*case.assertEqual\(\[1, 2\], \[1\]\)")
        self.assertRegex(report, r"AssertionError: no mail: eventually\(\) timed out after 0.05 seconds")
        self.assertRegex(report, r"check did not hold; its last call raised AssertionError: Lists differ: .*\]\n")
        self.assertEqual(report.count("timed out"), 1)

    def test_it_shows_the_pending_work(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            async def stuck() -> None:
                await asyncio.Event().wait()

            task = asyncio.create_task(stuck())
            await case.eventually(lambda: task.done(), timeout=0.05)

        self.assertRegex(run(body).report, r"in stuck: await asyncio.Event\(\).wait\(\)")

    def test_by_default_it_ends_with_the_test(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            def condition() -> bool:
                limit_clock.advance()
                return False

            await case.eventually(condition)

        with limit_clock.stopped():
            report = run(body, async_test_timeout=0.05).report
        self.assertRegex(report, r"AssertionError: eventually\(\) timed out after 0.05 seconds \(the class attribute")

    def test_a_condition_that_takes_too_long(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            async def condition() -> None:
                await asyncio.sleep(3600)

            await case.eventually(condition, timeout=0.05)

        self.assertRegex(run(body).report, r"condition did not hold; its first call had not ended")

    def test_a_call_that_is_interrupted(self) -> None:
        """The report has the outcome of the last call that has ended."""

        async def body(case: AsyncTestCase) -> None:
            calls = iter((0, 0, 3600))

            async def check() -> None:
                await asyncio.sleep(next(calls))
                case.fail("the reason")

            await case.eventually(check, timeout=0.1)

        report = run(body).report
        self.assertIn("its last call raised AssertionError: the reason; the next call had not ended\n", report)
        self.assertRegex(report, r"in check\n +case.fail")

    def test_another_error_is_raised_at_once(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            await case.eventually(lambda: undefined)  # type: ignore[name-defined]  # noqa: F821

        self.assertRegex(run(body, async_test_timeout=0).report, r"NameError: name 'undefined' is not defined")

    def test_an_error_of_a_callback_ends_it(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            case.io_loop.call_later(SOON, case.fail, "planted")
            await case.eventually(lambda: False)

        self.assertRegex(run(body, async_test_timeout=0).report, r"AssertionError: planted\n$")

    def test_things_that_are_no_conditions(self) -> None:
        async def coroutine(case: AsyncTestCase) -> None:
            async def is_ready() -> None:
                pass

            await case.eventually(is_ready())  # type: ignore[call-overload]

        async def value(case: AsyncTestCase) -> None:
            is_done: Any = False
            await case.eventually(is_done)

        self.assertRegex(run(coroutine).report, r"got a coroutine, .* Write eventually\(is_ready\), without calling")
        self.assertRegex(run(value).report, r"got False, which is no function. Write a lambda")
        self.assertNotIn("never awaited", run(coroutine).report)

    def test_a_value_whose_repr_raises(self) -> None:
        class Bad:
            def __bool__(self) -> bool:
                return False

            def __repr__(self) -> str:
                raise ValueError("planted")

        async def body(case: AsyncTestCase) -> None:
            await case.eventually(Bad, timeout=0.05)

        self.assertIn("its last value was <FailureTest.test_a_value_whose_repr_raises", run(body).report)


class TextTest(unittest.TestCase):
    def test_texts(self) -> None:
        two = [lambda: 1 + 1, lambda: 2 + 2]
        self.assertRegex(text_of(two[1]), r"the condition '2 \+ 2' at .*test_eventually.py:\d+$")
        over_lines = [
            lambda: (
                len("tea") == 3
                and len("coffee") == 6
                and len("milk") == 4
                and len("sugar") == 5
                and len("lemon") == 5
                and len("honey") == 5
            )
        ]
        self.assertIn('len("tea") == 3 and len("coffee") == 6 and', text_of(over_lines[0]))
        self.assertEqual(text_of(functools.partial(self.assertIn, 1)), "the condition TestCase.assertIn")
        code = compile("lambda: None", "<made>", "eval")
        self.assertEqual(text_of(eval(code)), "the condition at <made>:1")


if __name__ == "__main__":
    unittest.main()
