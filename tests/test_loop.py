import asyncio
import contextvars
import gc
import sys
import unittest
import warnings
import weakref
from typing import Any

import uvloop
from tornado.ioloop import IOLoop

from asynctest_tornado import AsyncTestCase, _collector, _loop, _watched
from asynctest_tornado._recycling import RecyclingLoop
from tests.samples import cases
from tests.support import run_body, run_case


class NewIOLoopTest(unittest.TestCase):
    def test_it_is_a_plain_loop_until_a_test_watches_it(self) -> None:
        io_loop = _loop.new_ioloop()
        self.addCleanup(io_loop.close)
        self.assertIs(type(io_loop.asyncio_loop), RecyclingLoop)  # type: ignore[attr-defined]

    def test_a_policy_of_the_user_decides(self) -> None:
        class Loop(asyncio.SelectorEventLoop):
            pass

        # Policies are deprecated from Python 3.14 on.
        self.enterContext(warnings.catch_warnings(action="ignore", category=DeprecationWarning))

        class Policy(asyncio.DefaultEventLoopPolicy):
            def new_event_loop(self) -> asyncio.AbstractEventLoop:
                return Loop()

        self.addCleanup(asyncio.set_event_loop_policy, None)
        asyncio.set_event_loop_policy(Policy())

        def body(case: AsyncTestCase) -> None:
            case.assertIsInstance(case.io_loop.asyncio_loop, Loop)  # type: ignore[attr-defined]
            case.io_loop.add_callback(lambda: 1 / 0)
            case.wait()

        self.assertIn("ZeroDivisionError", run_body(AsyncTestCase, body).report)


class AttributesTest(AsyncTestCase):
    def test_it_has_no_more_than_cpython_finds_at_once(self) -> None:
        self.io_loop.asyncio_loop.call_soon_threadsafe(self.stop)  # type: ignore[attr-defined]
        self.wait()
        self.assertLess(len(vars(self.io_loop.asyncio_loop)), 30)  # type: ignore[attr-defined]


class FactoryTest(unittest.TestCase):
    """A loop of another make gives the same verdicts."""

    def test_errors_are_trapped_on_a_loop_of_uvloop(self) -> None:
        class Sample(AsyncTestCase):
            loop_factory = uvloop.new_event_loop

        for cls in (
            cases.ErrorInCallback,
            cases.ErrorInTask,
            cases.ErrorAfterTheBody,
            cases.BlindedCallback,
            cases.ExpectedByExpectLog,
            cases.PendingTask,
            cases.SkipInTask,
        ):
            with self.subTest(cls.__name__):
                both = [run_case(type(cls.__name__, (cls, base), {})) for base in (AsyncTestCase, Sample)]
                self.assertEqual(both[0].verdicts, both[1].verdicts)
                self.assertEqual(both[0].report.count("planted"), both[1].report.count("planted"))

    def test_the_loop_is_of_the_factory(self) -> None:
        class Sample(AsyncTestCase):
            loop_factory = uvloop.new_event_loop

        def body(case: AsyncTestCase) -> None:
            case.assertIsInstance(case.io_loop.asyncio_loop, uvloop.Loop)  # type: ignore[attr-defined]

        result = run_body(Sample, body)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)


class TwoArguments(AsyncTestCase):
    """Has a task factory as those were before Python 3.11."""

    def setUp(self) -> None:
        super().setUp()
        loop: Any = asyncio.get_event_loop()
        loop.set_task_factory(lambda loop, coro: asyncio.Task(coro, loop=loop))


class TaskFactoryTest(AsyncTestCase):
    """Task factories of the user, with the loops of asyncio."""

    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    def use(self, factory: Any) -> None:
        loop: Any = asyncio.get_event_loop()
        loop.set_task_factory(factory)

    def check(self, factory: Any) -> None:
        self.use(factory)
        seen = self.run_sync(self.set_and_create)
        self.assertEqual((seen, self.variable.get()), ("inner", "outer"))
        with self.assertRaisesRegex(ValueError, "planted"):
            self.run_sync(self.fail_in_task)

    async def set_and_create(self) -> str:
        self.variable.set("outer")

        async def inner() -> str:
            self.assertEqual(self.variable.get(), "outer")
            self.variable.set("inner")
            return self.variable.get()

        return await asyncio.create_task(inner())

    async def fail_in_task(self) -> None:
        asyncio.get_running_loop().call_soon(cases.boom)
        await asyncio.Event().wait()

    def test_of_two_arguments(self) -> None:
        self.check(lambda loop, coro: asyncio.Task(coro, loop=loop))

    def test_that_drops_the_context(self) -> None:
        self.check(lambda loop, coro, **options: asyncio.Task(coro, loop=loop))

    def test_that_hands_the_context_on(self) -> None:
        self.check(lambda loop, coro, **options: asyncio.Task(coro, loop=loop, **options))

    def test_that_is_a_class(self) -> None:
        class Factory:
            def __call__(self, loop: Any, coro: Any) -> Any:
                return asyncio.Task(coro, loop=loop)

        self.check(Factory())

    @unittest.skipIf(sys.version_info < (3, 12), "there is none")
    def test_of_eager_tasks(self) -> None:
        self.check(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]

    def test_a_test_shares_its_variables_with_its_cleanups(self) -> None:
        async def body(case: Any) -> None:
            case.addCleanup(lambda: case.assertEqual(self.variable.get(), "of the test"))
            self.variable.set("of the test")

        self.assertEqual(run_body(TwoArguments, body).verdicts, ["addSuccess"])

    def test_a_report_names_the_test(self) -> None:
        async def body(case: Any) -> None:
            await asyncio.Event().wait()

        report = run_body(TwoArguments, body).report
        self.assertRegex(report, r"body <.*> \(the test\)\n +at .* in body")

    def test_a_task_that_is_cancelled_before_it_begins_leaves_no_warning(self) -> None:
        self.use(lambda loop, coro: asyncio.Task(coro, loop=loop))
        with self.assertRaisesRegex(ValueError, "planted"):
            self.io_loop.add_callback(cases.boom)
            self.io_loop.run_sync(lambda: asyncio.sleep(0))


class WatchedLoopTest(unittest.TestCase):
    def setUp(self) -> None:
        self.trap = _collector.Trap(lambda: "it")
        self.watched = _loop.LoopOfTest(_loop.new_ioloop, self.trap)
        self.addCleanup(self.watched.close)
        self.loop = self.watched.loop

    def run_for(self, coro: Any) -> None:
        self.loop.run_until_complete(coro)

    def test_the_error_of_a_task_is_lost_only_if_nobody_looked(self) -> None:
        async def fail() -> None:
            raise ValueError

        async def main() -> None:
            self.tasks = [asyncio.ensure_future(fail()) for _ in range(4)]
            await asyncio.wait(self.tasks)
            self.tasks[0].exception()
            for look in self.tasks[1].result, lambda: asyncio.gather(self.tasks[2]):
                try:
                    result = look()
                    if result is not None:
                        await result
                except ValueError:
                    pass

        self.run_for(main())
        self.watched.report_lost_errors()
        error = self.trap.take()
        self.assertIs(error, self.tasks[3].exception())

    def test_an_error_that_was_told_is_not_told_by_the_finalizer(self) -> None:
        async def fail() -> None:
            raise ValueError

        async def main() -> None:
            self.task = asyncio.ensure_future(fail())
            await asyncio.sleep(0)

        self.run_for(main())
        self.watched.report_lost_errors()
        self.assertIsInstance(self.trap.take(), ValueError)
        with self.assertNoLogs("asyncio"):
            del self.task
            gc.collect()

    def test_a_task_is_not_kept_alive(self) -> None:
        async def main() -> None:
            reference = weakref.ref(asyncio.ensure_future(asyncio.sleep(0)))
            await asyncio.sleep(0.001)
            gc.collect()
            self.assertIsNone(reference())

        self.run_for(main())

    def test_a_loop_of_the_user_is_handed_back_as_it_was(self) -> None:
        class Loop(asyncio.SelectorEventLoop):
            pass

        loop = Loop()
        io_loop = IOLoop(make_current=False, asyncio_loop=loop)
        self.addCleanup(io_loop.close)
        watched = _loop.LoopOfTest(lambda: io_loop, self.trap)
        self.assertFalse(watched.is_own)
        self.assertIsInstance(loop, _watched.WatchedLoop)
        watched.close()
        self.assertIs(type(loop), Loop)
        self.assertFalse([name for name in vars(loop) if "asynctest" in name])

    def test_one_loop_may_be_watched_by_a_test_within_a_test(self) -> None:
        inner = _collector.Trap(lambda: "inner")
        watched = _loop.LoopOfTest(lambda: self.watched.io_loop, inner)
        self.loop.call_soon(lambda: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            self.loop.run_forever()
        watched.close()
        self.loop.call_soon([].pop)
        with self.assertRaises(IndexError):
            self.loop.run_forever()
