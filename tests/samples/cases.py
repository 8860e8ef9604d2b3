"""Small test cases, most of which fail on purpose. Tests run them; discovery does not find them."""

import asyncio
import contextlib
import unittest
from collections.abc import AsyncGenerator, Generator
from typing import Any, ClassVar

import tornado.testing
from tornado import gen

from asynctest_tornado import AsyncTestCase, ExpectLog, gen_test
from tests.limits import limit_clock


def boom() -> None:
    raise ValueError("planted")


async def fail() -> None:
    await asyncio.sleep(0)
    raise ValueError("planted")


class Passes(AsyncTestCase):
    async def test(self) -> None:
        await asyncio.sleep(0)


class UndecoratedCoroutine(AsyncTestCase):
    async def test(self) -> None:
        await asyncio.sleep(0)
        self.fail("ran to the end")


class UndecoratedGenerator(AsyncTestCase):
    def test(self) -> Generator[Any, Any, None]:
        yield gen.moment


class AsynchronousGenerator(AsyncTestCase):
    @gen_test  # type: ignore[arg-type]
    async def test(self) -> AsyncGenerator[Any, None]:
        yield gen.moment


class UndecoratedAsynchronousGenerator(AsyncTestCase):
    async def test(self) -> AsyncGenerator[Any, None]:
        yield gen.moment


class ReturnsValue(AsyncTestCase):
    def test(self) -> int:
        return 42


class CoroutineReturnsValue(AsyncTestCase):
    async def test(self) -> int:
        return 42


class GeneratorReturnsValue(AsyncTestCase):
    @gen_test
    def test(self) -> Generator[Any, Any, int]:
        yield gen.moment
        return 42


class AssertionInCallback(AsyncTestCase):
    def test(self) -> None:
        self.io_loop.add_callback(self.fail, "planted")
        self.wait()


class AssertionInTask(AsyncTestCase):
    async def test(self) -> None:
        async def work() -> None:
            self.fail("planted")

        self.task = asyncio.ensure_future(work())
        await asyncio.sleep(0.001)


class AssertionInCoroutine(AsyncTestCase):
    async def test(self) -> None:
        await asyncio.sleep(0)
        self.fail("planted")


class ErrorInCallback(AsyncTestCase):
    def test(self) -> None:
        self.io_loop.add_callback(boom)
        self.wait()


class ErrorInTask(AsyncTestCase):
    async def test(self) -> None:
        self.task = asyncio.ensure_future(fail())
        await asyncio.sleep(0.001)


class ErrorInCoroutine(AsyncTestCase):
    async def test(self) -> None:
        await fail()


class ErrorInGenerator(AsyncTestCase):
    @gen_test
    def test(self) -> Generator[Any, Any, None]:
        yield gen.moment
        yield fail()


class ErrorAfterTheBody(AsyncTestCase):
    def test(self) -> None:
        self.task = self.io_loop.asyncio_loop.create_task(self.work())  # type: ignore[attr-defined]
        self.run_sync(asyncio.sleep, 0)

    async def work(self) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            boom()


class BodyAndTaskFail(AsyncTestCase):
    async def test(self) -> None:
        async def work() -> None:
            raise ValueError("of the task")

        self.task = asyncio.ensure_future(work())
        await asyncio.sleep(0.001)
        raise ValueError("of the body")


class ExpectedByExpectLog(AsyncTestCase):
    def test(self) -> None:
        with ExpectLog("tornado.application", "Exception in callback"):
            self.io_loop.add_callback(boom)
            self.io_loop.add_callback(self.stop)
            self.wait()


class ExpectedByExpectLogOfTornado(AsyncTestCase):
    def test(self) -> None:
        with tornado.testing.ExpectLog("tornado.application", "Exception in callback"):
            self.io_loop.add_callback(boom)
            self.io_loop.add_callback(self.stop)
            self.wait()


class ExpectedByAssertLogs(AsyncTestCase):
    def test(self) -> None:
        for logger in "tornado.application", "tornado", None:
            with self.assertLogs(logger, "ERROR") as logs:
                self.io_loop.add_callback(boom)
                self.io_loop.add_callback(self.stop)
                self.wait()
            self.assertIn("planted", logs.output[0])


class ErrorUnderAssertNoLogs(AsyncTestCase):
    def setUp(self) -> None:
        self.enterContext(self.assertNoLogs())
        super().setUp()

    def test(self) -> None:
        self.io_loop.add_callback(boom)
        self.wait()


class SkipInTask(AsyncTestCase):
    async def test(self) -> None:
        async def work() -> None:
            self.skipTest("planted")

        self.task = asyncio.ensure_future(work())
        await asyncio.sleep(0.001)


class ExpectedFailureInCallback(AsyncTestCase):
    @unittest.expectedFailure
    def test(self) -> None:
        self.io_loop.add_callback(boom)
        self.wait()


class ExpectedFailureInTask(AsyncTestCase):
    @unittest.expectedFailure
    async def test(self) -> None:
        self.task = asyncio.ensure_future(fail())
        await asyncio.sleep(0.001)


@unittest.expectedFailure
class ExpectedFailureOfClass(AsyncTestCase):
    async def test(self) -> None:
        self.task = asyncio.ensure_future(fail())
        await asyncio.sleep(0.001)


class UnexpectedSuccess(AsyncTestCase):
    @unittest.expectedFailure
    async def test(self) -> None:
        await asyncio.sleep(0)


class ExitInCallback(AsyncTestCase):
    def test(self) -> None:
        def leave() -> None:
            raise SystemExit(0)

        self.io_loop.add_callback(leave)
        self.wait()


class ExitUnderCoroutine(AsyncTestCase):
    ended = ""

    async def test(self) -> None:
        def leave() -> None:
            raise SystemExit(0)

        self.io_loop.add_callback(leave)
        try:
            await asyncio.Event().wait()
        finally:
            type(self).ended += "test "

    async def asyncTearDown(self) -> None:
        type(self).ended += "tearDown"


class InterruptInCallback(AsyncTestCase):
    def test(self) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        self.io_loop.add_callback(interrupt)
        self.wait()


class SetUpFails(AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.task = self.io_loop.asyncio_loop.create_task(asyncio.sleep(60))  # type: ignore[attr-defined]
        boom()

    def test(self) -> None:
        raise AssertionError("never reached")


class NoSuperInSetUp(AsyncTestCase):
    """As suites for ``IsolatedAsyncioTestCase`` are written."""

    def setUp(self) -> None:
        pass

    def tearDown(self) -> None:
        pass

    def test_wait(self) -> None:
        self.io_loop.add_callback(self.stop, 42)
        self.assertEqual(self.wait(), 42)

    async def test_coroutine(self) -> None:
        await asyncio.sleep(0)

    @gen_test
    async def test_gen_test(self) -> None:
        await asyncio.sleep(0)

    def test_run_sync(self) -> None:
        self.run_sync(asyncio.sleep, 0)

    def test_needs_nothing(self) -> None:
        pass


class AsyncDefSetUp(AsyncTestCase):
    async def setUp(self) -> None:  # type: ignore[override]
        super().setUp()

    def test(self) -> None:
        pass


class GeneratorSetUp(AsyncTestCase):
    def setUp(self) -> Generator[Any, Any, None]:  # type: ignore[override]
        super().setUp()
        yield

    def test(self) -> None:
        pass


class AsyncDefTearDown(AsyncTestCase):
    async def tearDown(self) -> None:  # type: ignore[override]
        super().tearDown()

    def test(self) -> None:
        pass


class PendingTask(AsyncTestCase):
    leaks = "ignore"
    events: ClassVar[list[str]] = []

    async def test(self) -> None:
        async def work() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.events.append("cancelled")
                await asyncio.sleep(0)
                self.events.append("ended")
                raise

        self.task = asyncio.ensure_future(work())
        await asyncio.sleep(0)


class FailsWhenCancelled(AsyncTestCase):
    async def test(self) -> None:
        async def work() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                raise ValueError("on the way out")

        self.task = asyncio.ensure_future(work())
        await asyncio.sleep(0)


class RefusesToEnd(AsyncTestCase):
    async def test(self) -> None:
        async def stubborn() -> None:
            for _ in range(2):
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    continue
            await asyncio.get_running_loop().create_future()

        self.task = asyncio.ensure_future(stubborn())
        await asyncio.sleep(0)


class CleansUp(AsyncTestCase):
    events: ClassVar[list[str]] = []

    async def clean_up(self, name: str) -> None:
        await asyncio.sleep(0)
        self.events.append(name)

    def tearDown(self) -> None:
        super().tearDown()
        self.events.append("tearDown")

    def test(self) -> None:
        self.addCleanup(self.run_sync, self.clean_up, "first")
        self.addCleanup(self.clean_up, "second")


class CleansUpAfterError(AsyncTestCase):
    events: ClassVar[list[str]] = []

    async def clean_up(self, name: str) -> None:
        await asyncio.sleep(0)
        self.events.append(name)

    def tearDown(self) -> None:
        self.run_sync(self.clean_up, "tearDown")
        super().tearDown()

    def test(self) -> None:
        self.addCleanup(self.run_sync, self.clean_up, "cleanup")
        self.io_loop.add_callback(boom)
        self.wait()


class CallbackAndTearDownFail(AsyncTestCase):
    def tearDown(self) -> None:
        super().tearDown()
        raise ValueError("of tearDown")

    def test(self) -> None:
        def fail() -> None:
            raise ValueError("of the callback")

        self.io_loop.add_callback(fail)
        self.wait()


class DoesCleanupsItself(AsyncTestCase):
    def test(self) -> None:
        self.addCleanup(self.stop)
        self.doCleanups()
        self.wait()
        self.run_sync(asyncio.sleep, 0)


class TimesOut(AsyncTestCase):
    """Each gets to where it waits, in time, if the clock of the limits is stopped."""

    events: ClassVar[list[str]] = []

    @gen_test(timeout=0.1)
    def test_generator(self) -> Generator[Any, Any, None]:
        limit_clock.advance()
        yield gen.sleep(60)

    @gen_test(timeout=0.1)
    async def test_native(self) -> None:
        limit_clock.advance()
        await gen.sleep(60)

    @gen_test(timeout=0.1)
    async def test_finally(self) -> None:
        limit_clock.advance()
        try:
            await gen.sleep(60)
        finally:
            self.events.append("finally")

    @gen_test(timeout=0.1)
    async def test_swallows(self) -> None:
        limit_clock.advance()
        with contextlib.suppress(asyncio.CancelledError):
            await gen.sleep(60)

    @gen_test(timeout=0.1)
    async def test_swallows_and_fails(self) -> None:
        limit_clock.advance()
        try:
            await gen.sleep(60)
        except asyncio.CancelledError:
            raise KeyError("instead") from None

    @gen_test(timeout=0.1)
    async def test_refuses(self) -> None:
        limit_clock.start()
        while True:
            try:
                await gen.sleep(60)
            except asyncio.CancelledError:
                continue


class CatchesAll(TimesOut):
    async def test_refuses(self) -> None:  # type: ignore[override]
        limit_clock.start()
        while True:
            try:
                await gen.sleep(60)
            except BaseException:
                continue


class RefusesToEndInDeadlock(AsyncTestCase):
    async def test(self) -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()


class BlindedCallback(AsyncTestCase):
    """Callbacks fail after something was done to logging."""

    def blind(self) -> None:
        """Do something to logging."""

    def test(self) -> None:
        self.blind()
        self.io_loop.add_callback(boom)
        self.io_loop.asyncio_loop.call_soon(boom)  # type: ignore[attr-defined]
        self.wait()
