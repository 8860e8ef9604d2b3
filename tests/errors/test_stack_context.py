import asyncio
import gc
import types
import unittest
from collections.abc import Callable, Generator

from tornado import gen
from tornado.ioloop import IOLoop

from asynctest_tornado import AsyncTestCase, ExceptionStackContext, NullContext
from asynctest_tornado._errors import contexts


class Recorder:
    """A handler of errors that remembers them."""

    def __init__(self, answer: object = True, then: Callable[[], object] = lambda: None) -> None:
        self.answer = answer
        self.then = then
        self.seen: list[str] = []

    def __call__(self, typ: type[BaseException], value: BaseException, tb: types.TracebackType | None) -> object:
        assert typ is type(value)
        assert tb is not None
        self.seen.append(str(value))
        self.then()
        return self.answer


def fail(message: str = "boom") -> None:
    raise ValueError(message)


async def fail_later(message: str = "boom") -> None:
    await asyncio.sleep(0.001)
    raise ValueError(message)


class ExceptionStackContextTest(AsyncTestCase):
    def check_handled(self, start: Callable[[], object]) -> None:
        recorder = Recorder(then=self.stop)
        with ExceptionStackContext(recorder):
            start()
        self.wait()
        self.assertEqual(recorder.seen, ["boom"])

    def test_it_handles_an_error_in_its_block(self) -> None:
        recorder = Recorder()
        with ExceptionStackContext(recorder):
            fail()
        self.assertEqual(recorder.seen, ["boom"])

    def test_an_error_that_it_declines_leaves_the_block(self) -> None:
        recorder = Recorder(answer=None)
        with self.assertRaises(ValueError), ExceptionStackContext(recorder):
            fail()
        self.assertEqual(recorder.seen, ["boom"])

    def test_it_is_not_offered_what_is_no_error(self) -> None:
        recorder = Recorder()
        for error in asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit:
            with self.subTest(error.__name__), self.assertRaises(error), ExceptionStackContext(recorder):
                raise error
        self.assertEqual(recorder.seen, [])

    def test_it_follows_callbacks_of_the_ioloop(self) -> None:
        io_loop = self.io_loop
        for start in (
            lambda: io_loop.add_callback(fail),
            lambda: io_loop.spawn_callback(fail),
            lambda: io_loop.call_later(0, fail),
            lambda: io_loop.add_timeout(io_loop.time(), fail),
            lambda: io_loop.call_at(io_loop.time(), fail),
            lambda: io_loop.add_future(gen.sleep(0), lambda _: fail()),
            lambda: io_loop.add_callback(fail_later),
        ):
            self.check_handled(start)

    def test_it_follows_callbacks_of_asyncio(self) -> None:
        loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        for start in (
            lambda: loop.call_soon(fail),
            lambda: loop.call_soon_threadsafe(fail),
            lambda: loop.call_later(0, fail),
            lambda: loop.call_at(loop.time(), fail),
            lambda: gen.sleep(0).add_done_callback(lambda _: fail()),
        ):
            self.check_handled(start)

    def test_it_follows_tasks_that_nobody_awaits(self) -> None:
        async def start() -> None:
            asyncio.ensure_future(fail_later())  # noqa: RUF006
            await asyncio.sleep(0)

        recorder = Recorder(then=self.stop)
        with ExceptionStackContext(recorder):
            self.run_sync(start)
        self.wait()
        self.assertEqual(recorder.seen, ["boom"])

    def test_it_follows_through_three_levels(self) -> None:
        loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]

        async def third() -> None:
            await asyncio.sleep(0)
            loop.call_later(0, fail)

        def second() -> None:
            self.task = asyncio.ensure_future(third())

        self.check_handled(lambda: self.io_loop.call_later(0, lambda: self.io_loop.add_callback(second)))

    def test_the_next_outer_context_gets_what_an_inner_one_declines(self) -> None:
        outer, inner = Recorder(then=self.stop), Recorder(answer=False)
        with ExceptionStackContext(outer), ExceptionStackContext(inner):
            self.io_loop.add_callback(fail)
        self.wait()
        self.assertEqual((outer.seen, inner.seen), (["boom"], ["boom"]))

    def test_the_outer_context_does_not_see_what_an_inner_one_consumes(self) -> None:
        outer, inner = Recorder(), Recorder(then=self.stop)
        with ExceptionStackContext(outer), ExceptionStackContext(inner):
            self.io_loop.add_callback(fail)
        self.wait()
        self.assertEqual((outer.seen, inner.seen), ([], ["boom"]))

    def test_the_test_fails_of_what_everybody_declines(self) -> None:
        recorder = Recorder(answer=False)
        with ExceptionStackContext(recorder):
            self.io_loop.add_callback(fail)
        with self.assertRaisesRegex(ValueError, "boom"):
            self.wait()

    def test_a_handler_that_raises_replaces_the_error(self) -> None:
        outer = Recorder(answer=False)
        with ExceptionStackContext(outer), ExceptionStackContext(Recorder(then=lambda: fail("second"))):
            self.io_loop.add_callback(fail, "first")
        with self.assertRaisesRegex(ValueError, "second") as caught:
            self.wait()
        self.assertEqual(str(caught.exception.__context__), "first")
        self.assertEqual(outer.seen, ["second"])

    def test_what_a_handler_schedules_belongs_to_the_outer_context(self) -> None:
        outer = Recorder(then=self.stop)
        inner = Recorder(then=lambda: self.io_loop.add_callback(fail, "from the handler"))
        with ExceptionStackContext(outer), ExceptionStackContext(inner):
            self.io_loop.add_callback(fail)
        self.wait()
        self.assertEqual((outer.seen, inner.seen), (["from the handler"], ["boom"]))

    def test_nothing_leaks_past_the_block(self) -> None:
        recorder = Recorder()
        self.io_loop.add_callback(self.io_loop.add_callback, fail, "before")
        with ExceptionStackContext(recorder):
            self.io_loop.add_callback(lambda: None)
        with self.assertRaisesRegex(ValueError, "before"):
            self.wait()
        self.io_loop.add_callback(fail, "after")
        with self.assertRaisesRegex(ValueError, "after"):
            self.wait()
        self.assertEqual(recorder.seen, [])

    def test_deactivation_ends_it_also_for_what_is_scheduled(self) -> None:
        recorder = Recorder()
        with ExceptionStackContext(recorder) as deactivate:
            self.io_loop.add_callback(fail)
        deactivate()
        with self.assertRaises(ValueError):
            self.wait()
        with self.assertRaises(ValueError), ExceptionStackContext(recorder) as deactivate:
            deactivate()
            fail()
        self.assertEqual(recorder.seen, [])

    async def test_contexts_of_concurrent_tasks_do_not_mix(self) -> None:
        async def work(name: str) -> list[str]:
            recorder = Recorder()
            with ExceptionStackContext(recorder):
                await asyncio.sleep(0.001)
                self.io_loop.add_callback(fail, name)
                await asyncio.sleep(0.001)
            return recorder.seen

        self.assertEqual(await asyncio.gather(work("a"), work("b")), [["a"], ["b"]])

    def test_blocks_in_generators_need_not_end_in_order(self) -> None:
        first, second = Recorder(then=self.stop), Recorder(then=self.stop)

        def block(recorder: Recorder) -> Generator[None, None, None]:
            with ExceptionStackContext(recorder):
                yield

        one, two = block(first), block(second)
        next(one)
        next(two)
        next(one, None)
        self.io_loop.add_callback(fail, "in the second alone")
        next(two, None)
        self.wait()
        self.io_loop.add_callback(fail, "in none")
        with self.assertRaisesRegex(ValueError, "in none"):
            self.wait()
        self.assertEqual((first.seen, second.seen), ([], ["in the second alone"]))

    def test_the_same_context_may_be_entered_twice(self) -> None:
        recorder = Recorder()
        context = ExceptionStackContext(recorder)
        with context, context:
            fail()
        with context:
            fail()
        self.assertEqual(recorder.seen, ["boom", "boom"])

    def test_what_cannot_be_called_is_no_handler(self) -> None:
        with self.assertRaisesRegex(TypeError, "not callable: 'handler'.*three arguments"):
            ExceptionStackContext("handler")  # type: ignore[arg-type]


class OutsideOfTestsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.io_loop = IOLoop(make_current=False)
        asyncio.set_event_loop(self.io_loop.asyncio_loop)
        self.addCleanup(asyncio.set_event_loop, None)
        self.addCleanup(self.io_loop.close)

    def test_a_context_works_without_our_test_case(self) -> None:
        recorder = Recorder(then=self.io_loop.stop)
        with ExceptionStackContext(recorder):
            self.io_loop.call_later(0, fail)
        self.io_loop.start()
        self.assertEqual(recorder.seen, ["boom"])

    def test_what_a_context_declines_is_logged_as_ever(self) -> None:
        with ExceptionStackContext(Recorder(answer=False)):
            self.io_loop.add_callback(fail)
        with self.assertLogs("tornado.application", "ERROR") as logs:
            self.io_loop.run_sync(lambda: gen.sleep(0))
        self.assertIn("ValueError: boom", logs.output[0])


class NullContextTest(AsyncTestCase):
    def test_nothing_started_in_it_belongs_to_a_context(self) -> None:
        recorder = Recorder()
        with ExceptionStackContext(recorder), NullContext():
            self.io_loop.add_callback(fail)
        with self.assertRaises(ValueError):
            self.wait()
        self.assertEqual(recorder.seen, [])

    def test_the_context_is_back_after_the_block(self) -> None:
        recorder = Recorder(then=self.stop)
        with ExceptionStackContext(recorder):
            with NullContext():
                pass
            self.io_loop.add_callback(fail)
        self.wait()
        self.assertEqual(recorder.seen, ["boom"])


class CollectedTest(AsyncTestCase):
    async def test_a_block_that_the_garbage_collector_ends_changes_nothing_for_other_code(self) -> None:
        async def work() -> None:
            with NullContext():
                await asyncio.Future()

        coro = work()
        coro.send(None)
        cycle: list[object] = [coro]
        cycle.append(cycle)
        with ExceptionStackContext(lambda *exc_info: True):
            before = contexts.contexts.get()
            del coro, cycle
            gc.collect()
            self.assertEqual(contexts.contexts.get(), before)
