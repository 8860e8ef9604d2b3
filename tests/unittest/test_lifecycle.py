import _thread
import asyncio
import contextlib
import contextvars
import gc
import os
import traceback
import unittest
import warnings
from collections.abc import AsyncGenerator, Generator
from typing import Any, ClassVar
from unittest import mock

from tornado import gen
from tornado.ioloop import IOLoop

from asynctest_tornado import AsyncTestCase, gen_test
from asynctest_tornado._util.tracebacks import ASYNCIO, OURS, TORNADO, owner_of
from tests.limits import limit_clock
from tests.support import RecordingResult, run_body, run_case


class Events(AsyncTestCase):
    """A test that records the calls of its methods."""

    fails: str | None = None

    def note(self, event: str) -> None:
        self.events.append(event)
        if event == self.fails:
            raise ValueError(f"in {event}")

    def setUp(self) -> None:
        self.events: list[str] = []
        super().setUp()
        self.addCleanup(self.note, "first cleanup")
        self.note("setUp")

    async def asyncSetUp(self) -> None:
        await asyncio.sleep(0)
        self.addAsyncCleanup(self.note_later, "second cleanup")
        self.note("asyncSetUp")

    async def note_later(self, event: str) -> None:
        await asyncio.sleep(0)
        self.note(event)

    async def test(self) -> None:
        await self.enterAsyncContext(self.manager())
        self.note("test")

    @contextlib.asynccontextmanager
    async def manager(self) -> AsyncGenerator[None, None]:
        self.note("enter")
        yield
        await self.note_later("exit")

    async def asyncTearDown(self) -> None:
        await self.note_later("asyncTearDown")

    def tearDown(self) -> None:
        super().tearDown()
        self.note("tearDown")


def run_events(fails: str | None = None, **attributes: Any) -> tuple[list[str], RecordingResult]:
    case = type("Sample", (Events,), {"fails": fails, **attributes})("test")
    result = RecordingResult()
    case.run(result)
    return case.events, result


CLEANUPS = ["second cleanup", "first cleanup"]
ENDS = ["asyncTearDown", "tearDown", "exit", *CLEANUPS]


class OrderTest(unittest.TestCase):
    def test_the_order_is_that_of_unittest(self) -> None:
        events, result = run_events()
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertEqual(events, ["setUp", "asyncSetUp", "enter", "test", *ENDS])

    def test_what_was_set_up_is_cleaned_up_wherever_it_fails(self) -> None:
        expected = {
            "setUp": ["setUp", "first cleanup"],
            "asyncSetUp": ["setUp", "asyncSetUp", *CLEANUPS],
            "test": ["setUp", "asyncSetUp", "enter", "test", *ENDS],
            "asyncTearDown": ["setUp", "asyncSetUp", "enter", "test", *ENDS],
            "tearDown": ["setUp", "asyncSetUp", "enter", "test", *ENDS],
            "exit": ["setUp", "asyncSetUp", "enter", "test", *ENDS],
            "second cleanup": ["setUp", "asyncSetUp", "enter", "test", *ENDS],
        }
        before = len(os.listdir("/proc/self/fd"))
        for fails, events in expected.items():
            with self.subTest(fails):
                seen, result = run_events(fails)
                self.assertEqual(seen, events)
                self.assertEqual(result.verdicts, ["addError"])
                self.assertIn(f"ValueError: in {fails}", result.report)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_async_cleanups_run_after_a_timeout(self) -> None:
        async def test(self: Events) -> None:
            await self.enterAsyncContext(self.manager())
            limit_clock.advance()
            await asyncio.sleep(60)

        with limit_clock.stopped():
            events, result = run_events(test=test, async_test_timeout=0.2)
        self.assertIn("TimeoutError", result.report)
        self.assertEqual(events, ["setUp", "asyncSetUp", "enter", *ENDS])

    def test_each_phase_has_its_own_time(self) -> None:
        ends: list[float] = []

        async def look(self: Events) -> None:
            loop: Any = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
            when, _ = loop._asynctest_system.selector.alarm
            ends.append(when)

        phases: Any = {"asyncSetUp": look, "test": look, "asyncTearDown": look}
        _, result = run_events(async_test_timeout=60, **phases)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        # If all shared one limit, it would be over at one moment for all.
        self.assertEqual(len(set(ends)), 3)
        self.assertEqual(ends, sorted(ends))

    def test_each_phase_has_a_limit(self) -> None:
        async def stuck(self: Events) -> None:
            limit_clock.advance()
            await asyncio.sleep(60)

        for name in "asyncSetUp", "test", "asyncTearDown":
            with self.subTest(name), limit_clock.stopped():
                phase: Any = {name: stuck}
                _, result = run_events(async_test_timeout=0.1, **phase)
                self.assertIn("TimeoutError: Operation timed out after 0.1 seconds", result.report)

    def test_a_cleanup_that_was_called_too_early_says_so(self) -> None:
        class Sample(AsyncTestCase):
            async def close(self) -> None:
                pass

            def test_plain(self) -> None:
                add: Any = self.addCleanup
                add(self.close())

            async def test_asynchronous(self) -> None:
                add: Any = self.addAsyncCleanup
                add(self.close())

        for method in "test_plain", "test_asynchronous":
            result = RecordingResult()
            Sample(method).run(result)
            self.assertEqual(result.verdicts, ["addError"], result.report)
            self.assertRegex(result.report, r"coroutine that .*close\(\) has returned .*test_lifecycle.py:\d+ in close")
            self.assertIn("as in addAsyncCleanup(close)", result.report)

    def test_a_cleanup_that_is_stuck_does_not_hold_up_the_next(self) -> None:
        events: list[str] = []

        async def test(self: AsyncTestCase) -> None:
            self.addAsyncCleanup(note)
            self.addAsyncCleanup(stuck)

        async def stuck() -> None:
            limit_clock.advance()
            await asyncio.sleep(60)

        async def note() -> None:
            events.append("cleanup")

        with limit_clock.stopped():
            result = run_case(type("Sample", (AsyncTestCase,), {"test": test, "async_test_timeout": 0.02}))
        self.assertIn("TimeoutError", result.report)
        self.assertEqual(events, ["cleanup"])

    def test_a_synchronous_method_of_that_name_is_no_hook(self) -> None:
        def method(self: Events, argument: int) -> None:
            raise AssertionError("called")

        _, result = run_events(asyncSetUp=method, asyncTearDown=method)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_styles_mix(self) -> None:
        class Sample(AsyncTestCase):
            def setUp(self) -> None:
                super().setUp()
                self.io_loop.add_callback(self.stop, "of setUp")
                self.first = self.wait()

            @gen_test
            def test(self) -> Generator[Any, Any, None]:
                yield gen.moment
                self.assertEqual(self.first, "of setUp")

            @gen_test
            async def tearDown(self) -> None:
                await asyncio.sleep(0)

            async def asyncTearDown(self) -> None:
                await gen.sleep(0)

        self.assertEqual(run_case(Sample).verdicts, ["addSuccess"])

    def test_what_is_no_context_manager_is_an_error(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            with case.assertRaisesRegex(TypeError, "int does not support.*Give"):
                await case.enterAsyncContext(42)  # type: ignore[arg-type]

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])


class PatchedClassTest(unittest.TestCase):
    """A suite that patches the hooks of ``AsyncTestCase`` itself, for all of its test cases."""

    def assert_passes(self, test: Any, **hooks: Any) -> None:
        with mock.patch.multiple(AsyncTestCase, **hooks):
            result = run_body(AsyncTestCase, test)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_set_up_may_make_the_loop(self) -> None:
        def set_up(self: AsyncTestCase) -> None:
            self.io_loop = IOLoop(make_current=False)

        def test(self: AsyncTestCase) -> None:
            self.io_loop.add_callback(self.stop)
            self.wait()

        self.assert_passes(test, setUp=set_up)

    def test_get_new_ioloop_is_called(self) -> None:
        loops: list[IOLoop] = []

        def get_new_ioloop(self: AsyncTestCase) -> IOLoop:
            loops.append(IOLoop(make_current=False))
            return loops[-1]

        def test(self: AsyncTestCase) -> None:
            assert [self.io_loop] == loops

        self.assert_passes(test, get_new_ioloop=get_new_ioloop)

    def test_coroutine_hooks_are_called(self) -> None:
        called = []

        async def set_up(self: AsyncTestCase) -> None:
            called.append("asyncSetUp")

        async def tear_down(self: AsyncTestCase) -> None:
            called.append("asyncTearDown")

        async def test(self: AsyncTestCase) -> None:
            called.append("test")

        self.assert_passes(test, asyncSetUp=set_up, asyncTearDown=tear_down)
        self.assertEqual(called, ["asyncSetUp", "test", "asyncTearDown"])


class ContextTest(unittest.TestCase):
    def test_all_parts_of_a_test_share_one_context_and_tokens(self) -> None:
        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
        seen: list[str] = []

        class Sample(AsyncTestCase):
            async def asyncSetUp(self) -> None:
                self.token = variable.set("of asyncSetUp")

            async def test(self) -> None:
                seen.append(variable.get())
                self.addAsyncCleanup(self.check)

            async def asyncTearDown(self) -> None:
                variable.reset(self.token)
                variable.set("of asyncTearDown")

            async def check(self) -> None:
                seen.append(variable.get())

        for _ in range(2):
            result = run_case(Sample)
            self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertEqual(seen, ["of asyncSetUp", "of asyncTearDown"] * 2)
        self.assertEqual(variable.get(), "unset")


class DebugTest(unittest.TestCase):
    def test_cleanups_can_be_done_after_an_error(self) -> None:
        case = type("Sample", (Events,), {"fails": "test"})("test")
        with self.assertRaises(ValueError):
            case.debug()
        self.assertEqual(case.events[-1], "test")
        case.doCleanups()
        self.assertEqual(case.events[-3:], ["exit", *CLEANUPS])
        self.assertTrue(case.io_loop.asyncio_loop.is_closed())


class SkippedTest(unittest.TestCase):
    """A test that is skipped may have made coroutines, which no other test is to be blamed for."""

    def check(self, base: type[AsyncTestCase], body: Any) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = run_body(base, body)
            gc.collect()
        self.assertEqual(result.verdicts, ["addSkip"], result.report)
        self.assertEqual([str(each.message) for each in caught], [])

    def test_its_coroutines_are_closed(self) -> None:
        async def coroutine(case: Any) -> None:
            held = asyncio.sleep(0)
            case.skipTest("no server")
            await held

        def plain(case: Any) -> None:
            case.held = asyncio.sleep(0)
            raise unittest.SkipTest("no server")

        @gen_test
        def generator(case: Any) -> Any:
            held = asyncio.sleep(0)
            yield asyncio.sleep(0)
            case.skipTest("no server")
            yield held

        class InSetUp(AsyncTestCase):
            async def asyncSetUp(self) -> None:
                held = asyncio.sleep(0)
                self.skipTest("no server")
                await held

        def in_cleanup(case: Any) -> None:
            held = asyncio.sleep(0)
            case.addCleanup(case.run_sync, held)
            case.skipTest("no server")

        for body in coroutine, plain, generator, in_cleanup:
            self.check(AsyncTestCase, body)
        self.check(InSetUp, plain)

    def test_those_of_all_tests_stay_open(self) -> None:
        class Sharing(AsyncTestCase):
            held: ClassVar = asyncio.sleep(0, "made for all")

            def test_1_skipped(self) -> None:
                held = self.held
                self.skipTest(f"no server for {held}")

            async def test_2(self) -> None:
                self.assertEqual(await self.held, "made for all")

        self.assertEqual(run_case(Sharing, "test_1_skipped").verdicts, ["addSkip"])
        result = run_case(Sharing, "test_2")
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_others_are_reported_in_its_name(self) -> None:
        def body(case: Any) -> None:
            asyncio.sleep(0)  # type: ignore[unused-coroutine]
            case.skipTest("no server")

        self.assertIn("coroutine 'sleep' was never awaited", run_body(AsyncTestCase, body).report)


class InterruptTest(unittest.TestCase):
    def test_its_report_has_no_frames_of_libraries_below_the_test(self) -> None:
        async def coroutine(case: Any) -> None:
            case.io_loop.add_callback(_thread.interrupt_main)
            await asyncio.Event().wait()

        def plain(case: Any) -> None:
            case.io_loop.add_callback(_thread.interrupt_main)
            case.wait()

        for body in coroutine, plain:
            frames = []
            try:
                run_body(AsyncTestCase, body)
            except KeyboardInterrupt as error:
                frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
            owners = [owner_of(frame) for frame in frames]
            self.assertEqual([owners.count(each) for each in (OURS, ASYNCIO, TORNADO)], [1, 0, 0], frames)
            self.assertNotIn("selectors", [frame.f_globals["__name__"] for frame in frames])
