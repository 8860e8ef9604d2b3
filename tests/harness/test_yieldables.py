import asyncio
import concurrent.futures
import functools
import traceback
import unittest
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from tornado import gen
from tornado.ioloop import IOLoop

from asynctest_tornado import AsyncTestCase, gen_test
from asynctest_tornado._harness import yieldables
from asynctest_tornado._timeouts import pending_report
from asynctest_tornado._util import names as _names


def run(func: Callable[[], Any]) -> Any:
    return IOLoop.current().run_sync(lambda: yieldables.run(func))


class RunTest(unittest.TestCase):
    def setUp(self) -> None:
        self.io_loop = IOLoop(make_current=False)
        asyncio.set_event_loop(self.io_loop.asyncio_loop)
        self.addCleanup(asyncio.set_event_loop, None)
        self.addCleanup(self.io_loop.close)

    def test_it_runs_a_native_coroutine(self) -> None:
        async def work() -> int:
            await asyncio.sleep(0)
            return 1

        self.assertEqual(run(work), 1)

    def test_it_runs_a_decorated_coroutine(self) -> None:
        @gen.coroutine
        def work() -> Generator[Any, Any, int]:
            yield gen.moment
            return 1

        self.assertEqual(run(work), 1)

    def test_it_waits_for_what_an_asynchronous_generator_waits_for(self) -> None:
        async def work() -> AsyncGenerator[str, None]:
            yield await asyncio.get_running_loop().run_in_executor(None, str, "first")

        generator = work()
        self.assertEqual(run(generator.__anext__), "first")
        run(generator.aclose)

    def test_the_next_item_of_an_asynchronous_generator_can_be_cancelled(self) -> None:
        async def items() -> AsyncGenerator[None, None]:
            await asyncio.Event().wait()
            yield

        async def cancel() -> None:
            task = asyncio.ensure_future(yieldables.run(items().__anext__))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        run(cancel)

    def test_a_generator_may_yield_whatever_tornado_can(self) -> None:
        async def native() -> str:
            return "native"

        def work() -> Generator[Any, Any, list[Any]]:
            future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            future.set_result("future")
            with concurrent.futures.ThreadPoolExecutor(1) as executor:
                return [
                    (yield None),
                    (yield gen.moment),
                    (yield native()),
                    (yield future),
                    (yield executor.submit(str, "thread")),
                    (yield [gen.sleep(0), native()]),
                    (yield {"a": native(), "b": gen.sleep(0)}),
                    (yield []),
                ]

        many: Any = [None, "native"], {"a": "native", "b": None}, []
        self.assertEqual(run(work), [None, None, "native", "future", "thread", *many])

    def test_a_generator_gets_the_error_at_its_yield(self) -> None:
        async def fail() -> None:
            raise KeyError("failed")

        def work() -> Generator[Any, Any, str]:
            try:
                yield fail()
            except KeyError as error:
                yield gen.moment
                return error.args[0]  # type: ignore[no-any-return]
            return "not failed"

        self.assertEqual(run(work), "failed")

    def test_a_generator_gets_a_bad_yield_at_its_yield(self) -> None:
        def work() -> Generator[Any, Any, None]:
            with self.assertRaisesRegex(gen.BadYieldError, "42"):
                yield 42

        run(work)

    def test_a_generator_may_raise_gen_return(self) -> None:
        def work() -> Generator[Any, Any, None]:
            yield gen.moment
            raise gen.Return(1)

        self.assertEqual(run(work), 1)

    def test_a_cancelled_generator_runs_its_finally_block(self) -> None:
        events: list[str] = []

        def work() -> Generator[Any, Any, None]:
            try:
                yield asyncio.get_running_loop().create_future()
            finally:
                yield gen.moment
                events.append("finally")

        async def main() -> None:
            task = asyncio.ensure_future(yieldables.run(work))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        self.io_loop.run_sync(main)
        self.assertEqual(events, ["finally"])

    def test_the_traceback_of_a_generator_goes_to_its_line(self) -> None:
        def inner() -> None:
            raise KeyError("failed")

        def work() -> Generator[Any, Any, None]:
            yield gen.moment
            inner()

        try:
            run(work)
        except KeyError as error:
            names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        self.assertEqual(names[-2:], ["work", "inner"])

    def test_what_cannot_be_waited_for_is_returned(self) -> None:
        for value in 42, "text", None, [], {}, [1, 2], {"a": 1}:
            self.assertEqual(run(lambda value=value: value), value)  # type: ignore[misc]

    def test_an_asynchronous_generator_is_an_error(self) -> None:
        async def work() -> AsyncGenerator[int, None]:
            yield 1

        with self.assertRaisesRegex(TypeError, "work is an asynchronous generator.*await"):
            run(work)


class GeneratorTest(AsyncTestCase):
    @gen_test
    def test_a_report_has_its_line(self) -> Generator[Any, Any, None]:
        async def describe() -> str:
            return pending_report.describe(self.io_loop, asyncio.all_tasks())

        reports = yield [describe()]
        self.assertRegex(reports[0], r"at .* in test_a_report_has_its_line: reports = yield \[describe\(\)\]")

    def test_one_that_has_ended_is_forgotten(self) -> None:
        before = dict(yieldables.generators)
        during: list[int] = []

        def work() -> Generator[Any, Any, None]:
            during.append(len(yieldables.generators))
            yield gen.moment

        self.run_sync(work)
        self.assertEqual(during, [len(before) + 1])
        self.assertEqual(yieldables.generators, before)

    def test_one_of_a_class_of_the_user_runs(self) -> None:
        class Own(Generator[Any, Any, str]):
            __slots__ = ()

            def send(self, value: Any) -> Any:
                raise StopIteration("end")

            def throw(self, *args: Any) -> Any:
                raise AssertionError

        self.assertEqual(self.run_sync(Own), "end")


class NameTest(unittest.TestCase):
    def test_a_partial_has_the_name_of_its_function(self) -> None:
        self.assertEqual(_names.name_of(functools.partial(functools.partial(print, 1), 2)), "print")

    def test_an_object_without_a_name_has_its_repr(self) -> None:
        class Callable_:
            def __call__(self) -> None: ...

            def __repr__(self) -> str:
                return "<it>"

        self.assertEqual(_names.name_of(Callable_()), "<it>")
