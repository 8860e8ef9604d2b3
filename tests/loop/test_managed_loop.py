import asyncio
import contextvars
import functools
import gc
import selectors
import sys
import unittest
import warnings
import weakref
from typing import Any
from unittest import mock

import uvloop
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOLoop

from asynctest_tornado import AsyncTestCase, VirtualClock
from asynctest_tornado._errors import contexts, trap
from asynctest_tornado._features.loop_classes import USER_RUNS
from asynctest_tornado._harness.feature import Features
from asynctest_tornado._loop import instrumented_loop, managed_loop, new_loop
from asynctest_tornado._loop.recycled_loop import RecyclingLoop
from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._sources import lent_loop
from asynctest_tornado._util import names
from tests.limits import after_turns
from tests.samples import cases
from tests.support import run_body, run_case, run_code

FEATURES_OF_LOOP = Features([USER_RUNS])


class NewIOLoopTest(unittest.TestCase):
    def test_it_is_a_plain_loop_until_a_test_watches_it(self) -> None:
        io_loop = new_loop.new_ioloop()
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

    def test_a_factory_that_makes_no_loop_is_an_error_that_names_it(self) -> None:
        for wrong, reason in (7, "7"), (dict, r"<class 'dict'>: it returned \{\}"):
            for attributes in {}, {"get_new_ioloop": lambda case: AsyncTestCase.get_new_ioloop(case)}:
                cls = type("Sample", (AsyncTestCase,), {"loop_factory": wrong, **attributes})
                with self.subTest(wrong, attributes=attributes):
                    report = run_body(cls, lambda case: None).report
                    expected = rf"TypeError: The class attribute loop_factory cannot be {reason}\. Set it to a function"
                    self.assertRegex(report, expected)


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


class SelectorsTest(unittest.TestCase):
    """The selector of a loop that the user has made gets the methods of ours, if it can."""

    def case(self, factory: Any, **attributes: Any) -> type[AsyncTestCase]:
        return type("Sample", (AsyncTestCase,), {"loop_factory": factory, **attributes})

    def test_a_deadlock_is_seen_on_each_loop_with_the_usual_selector(self) -> None:
        class Derived(asyncio.SelectorEventLoop):
            pass

        for factory in asyncio.SelectorEventLoop, asyncio.new_event_loop, Derived:
            with self.subTest(factory.__name__):
                result = run_body(self.case(factory), lambda case: case.run_sync(wait_for_ever, timeout=120))
                self.assertIn("this is a deadlock", result.report)

    def test_a_deadlock_is_seen_on_a_loop_that_was_there(self) -> None:
        io_loop = IOLoop(make_current=False)
        self.addCleanup(io_loop.close)
        selector = io_loop.asyncio_loop._selector
        before = dict(vars(selector))
        base = self.case(None, get_new_ioloop=lambda case: io_loop)
        result = run_body(base, lambda case: case.run_sync(wait_for_ever, timeout=120))
        self.assertIn("this is a deadlock", result.report)
        self.assertEqual((type(selector), vars(selector)), (selectors.DefaultSelector, before))

    def test_a_timer_or_a_file_is_waited_for(self) -> None:
        async def sleep() -> None:
            await asyncio.sleep(0.01)

        self.assertEqual(
            run_body(self.case(asyncio.SelectorEventLoop), lambda case: case.run_sync(sleep)).verdicts, ["addSuccess"]
        )

    def test_a_selector_of_another_class_or_with_a_method_of_its_own_is_left_alone(self) -> None:
        class Own(selectors.SelectSelector):
            pass

        replaced = selectors.DefaultSelector()
        select = replaced.select
        calls: list[Any] = []

        def noting(timeout: Any = None) -> Any:
            calls.append(timeout)
            return select(timeout)

        vars(replaced)["select"] = noting
        for selector in Own(), replaced:

            def body(case: AsyncTestCase, selector: Any = selector) -> None:
                case.assertNotIsInstance(selector, Selector)
                case.run_sync(asyncio.sleep, 0)
                with case.assertRaisesRegex(TimeoutError, "timed out after 0.01"):
                    case.run_sync(wait_for_ever, timeout=0.01)

            case = self.case(functools.partial(asyncio.SelectorEventLoop, selector))
            self.assertEqual(run_body(case, body).verdicts, ["addSuccess"])
        self.assertTrue(calls)

    def test_a_clock_is_for_loops_of_this_library(self) -> None:
        result = run_body(self.case(asyncio.SelectorEventLoop, clock_factory=VirtualClock), lambda case: None)
        self.assertIn("A VirtualClock cannot pass time on", result.report)

    def test_a_function_in_the_place_of_asyncios_makes_the_loop(self) -> None:
        made: list[Any] = []
        original = asyncio.new_event_loop

        @functools.wraps(original)
        def new_event_loop() -> Any:
            made.append(original())
            return made[-1]

        def body(case: AsyncTestCase) -> None:
            case.assertIs(case.io_loop.asyncio_loop, made[-1])  # type: ignore[attr-defined]
            case.run_sync(asyncio.sleep, 0)

        with mock.patch.object(asyncio, "new_event_loop", new_event_loop):
            self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_what_others_add_to_tornados_loop_is_called(self) -> None:
        made: list[Any] = []
        original = AsyncIOLoop.initialize

        def initialize(loop: Any, **kwargs: Any) -> None:
            made.append(loop)
            original(loop, **kwargs)

        def body(case: AsyncTestCase) -> None:
            case.assertIs(case.io_loop, made[-1])
            case.assertEqual(case.io_loop.is_made, True)  # type: ignore[attr-defined]

        def init(loop: Any, *args: Any, **kwargs: Any) -> None:
            loop.is_made = True

        with (
            mock.patch.object(AsyncIOLoop, "initialize", initialize),
            mock.patch.object(IOLoop, "__init__", init),
        ):
            self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])


class LentLoopTest(unittest.TestCase):
    def test_what_a_test_puts_in_the_place_of_a_method_stays_there(self) -> None:
        io_loop = IOLoop(make_current=False)
        self.addCleanup(io_loop.close)
        own = mock.Mock()

        def body(case: AsyncTestCase) -> None:
            vars(io_loop)["run_sync"] = own

        base = type("Lent", (AsyncTestCase,), {"get_new_ioloop": lambda case: io_loop})
        self.assertEqual(run_body(base, body).verdicts, ["addSuccess"])
        self.assertIs(io_loop.run_sync, own)
        del vars(io_loop)["run_sync"]
        self.assertEqual(run_body(base, lambda case: case.run_sync(asyncio.sleep, 0)).verdicts, ["addSuccess"])
        self.assertNotIn("run_sync", vars(io_loop))
        self.assertIs(type(io_loop), AsyncIOLoop)

    def test_one_that_wraps_its_methods_is_handed_back_as_it_was(self) -> None:
        class Wrapping(AsyncIOLoop):
            def __getattribute__(self, name: str) -> Any:
                value = super().__getattribute__(name)
                return functools.partial(value) if callable(value) else value

        io_loop = Wrapping(make_current=False)
        self.addCleanup(io_loop.close)
        before = dict(vars(io_loop))
        base = type("Lent", (AsyncTestCase,), {"get_new_ioloop": lambda case: io_loop})
        self.assertEqual(run_body(base, lambda case: None).verdicts, ["addSuccess"])
        self.assertEqual(vars(io_loop), before)
        self.assertIs(type(io_loop), Wrapping)


class OtherInterpreterTest(unittest.TestCase):
    def test_what_pypy_does_not_have_is_not_needed(self) -> None:
        done = run_code(OTHER_INTERPRETER)
        self.assertRegex(
            done.stderr, r"ValueError: planted\n(?s:.*)pending timer print(?s:.*)FAILED \(failures=1, errors=1\)\n"
        )


OTHER_INTERPRETER = """
import asyncio, gc, sys, unittest, warnings
sys.modules["tracemalloc"] = None
del gc.callbacks
from asynctest_tornado import AsyncTestCase

class Sample(AsyncTestCase):
    leaks = "fail"

    async def test_1(self):
        asyncio.get_running_loop().call_later(100, print)

    async def test_2(self):
        asyncio.get_running_loop().call_soon(self.fail_in_callback)
        await asyncio.Event().wait()

    def fail_in_callback(self):
        raise ValueError("planted")

unittest.main()
"""


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


class NameOfTestTest(AsyncTestCase):
    """A task of ours has the name of the function that it runs, whichever coroutine of ours does that."""

    def name(self) -> str:
        task = asyncio.current_task()
        assert task is not None
        return names.name_of_task(task)

    async def test_of_its_own_task(self) -> None:
        self.assertRegex(self.name(), r"test_of_its_own_task$")

    def test_of_what_it_runs(self) -> None:
        async def native() -> str:
            return self.name()

        self.assertRegex(self.run_sync(native), r"\.native$")

    def test_of_a_test_by_a_task_factory(self) -> None:
        async def native() -> str:
            await asyncio.sleep(0)
            return self.name()

        loop: Any = asyncio.get_event_loop()
        loop.set_task_factory(lambda loop, coro: asyncio.Task(coro, loop=loop))
        self.assertRegex(self.run_sync(native), r"\.native$")


class WatchedLoopTest(unittest.TestCase):
    def setUp(self) -> None:
        self.trap = trap.Trap(lambda: "it", FEATURES_OF_LOOP)
        self.watched = managed_loop.LoopOfTest(new_loop.new_ioloop, self.trap)
        self.addCleanup(self.watched.close)
        self.loop = self.watched.loop

    def run_limited(self) -> None:
        """Run the loop until something else ends that; after many turns of the loop, the test fails."""
        stops: list[None] = []

        def stop() -> None:
            stops.append(None)
            self.loop.stop()

        after_turns(self.watched.io_loop, 100, stop)
        try:
            self.loop.run_forever()
        finally:
            self.assertEqual(stops, [], "The loop has run on.")

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
            for _ in range(4):  # its two steps, and the callback for its end
                await asyncio.sleep(0)
            gc.collect()
            self.assertIsNone(reference())

        self.run_for(main())

    def test_a_loop_of_the_user_is_handed_back_as_it_was(self) -> None:
        class Loop(asyncio.SelectorEventLoop):
            pass

        loop = Loop()
        io_loop = IOLoop(make_current=False, asyncio_loop=loop)
        self.addCleanup(io_loop.close)
        watched = managed_loop.LoopOfTest(lambda: io_loop, self.trap)
        self.assertFalse(watched.is_own)
        self.assertIsInstance(loop, instrumented_loop.WatchedLoop)
        watched.close()
        self.assertIs(type(loop), Loop)
        self.assertFalse([name for name in vars(loop) if "asynctest" in name])

    def test_code_of_others_stays_theirs_on_the_loop_of_a_test(self) -> None:
        self.assertEqual(contexts.rooted(lent_loop.OTHERS, self.loop), lent_loop.OTHERS)

    def test_one_loop_may_be_watched_by_a_test_within_a_test(self) -> None:
        inner = trap.Trap(lambda: "inner", FEATURES_OF_LOOP)
        watched = managed_loop.LoopOfTest(lambda: self.watched.io_loop, inner)
        self.loop.call_soon(lambda: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            self.run_limited()
        watched.close()
        self.loop.call_soon([].pop)
        with self.assertRaises(IndexError):
            self.run_limited()
