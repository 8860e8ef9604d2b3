"""Tests that have to pass, or fail, on every version of asyncio and Tornado."""

import asyncio
import gc
import io
import os
import threading
import unittest
from typing import Any

import tornado.ioloop
import tornado.web
from tornado import gen
from tornado.httpclient import HTTPClientError

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ExpectError, VirtualClock, gen_test

#: How long a deadlock may last that is not found, in seconds. Long, where it has to be found.
DEADLOCK_TIMEOUT = float(os.environ.get("DEADLOCK_TIMEOUT", "60"))


class Hello(tornado.web.RequestHandler):
    def get(self) -> None:
        if self.get_argument("fail", ""):
            raise ZeroDivisionError("in a handler")
        self.write("hello")


class Passing(AsyncTestCase):
    async def test_native(self) -> None:
        await asyncio.sleep(0.001)

    @gen_test
    def test_generator(self) -> Any:
        yield gen.sleep(0.001)
        yield gen.multi([gen.sleep(0), gen.sleep(0)])

    def test_wait(self) -> None:
        self.io_loop.add_callback(self.stop, 42)
        self.assertEqual(42, self.wait())

    def test_thread_wakes_the_loop(self) -> None:
        thread = threading.Thread(target=lambda: self.io_loop.add_callback(self.stop, 43))
        thread.start()
        self.assertEqual(43, self.wait())
        thread.join()

    async def test_executor(self) -> None:
        self.assertEqual(1, await self.io_loop.run_in_executor(None, lambda: 1))

    async def test_gather(self) -> None:
        self.assertEqual([1, 2], await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2)))

    async def test_expected_error(self) -> None:
        with ExpectError(ZeroDivisionError):
            self.io_loop.add_callback(lambda: 1 / 0)
            await asyncio.sleep(0.001)

    async def test_cleanup_runs_on_the_loop(self) -> None:
        self.addAsyncCleanup(asyncio.sleep, 0)

    @unittest.expectedFailure
    async def test_expected_failure(self) -> None:
        self.fail("as expected")

    @unittest.skip("of no interest")
    async def test_skipped(self) -> None:
        raise AssertionError


class Failing(AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(gc.collect)

    async def test_raises(self) -> None:
        raise ZeroDivisionError("of the test")

    def test_assertion(self) -> None:
        self.fail("of the assertion")

    async def test_in_callback(self) -> None:
        self.io_loop.add_callback(lambda: 1 / 0)
        await asyncio.sleep(0.001)

    async def test_in_task(self) -> None:
        async def fail() -> None:
            raise ZeroDivisionError("of the task")

        self.task = asyncio.ensure_future(fail())
        await asyncio.sleep(0.001)

    async def test_in_timer_of_asyncio(self) -> None:
        self.io_loop.asyncio_loop.call_later(0.001, lambda: 1 / 0)  # type: ignore[attr-defined]
        await asyncio.sleep(0.01)

    async def test_in_coroutine_of_tornado(self) -> None:
        @gen.coroutine
        def fail() -> Any:
            yield gen.sleep(0)
            raise ZeroDivisionError("of the coroutine")

        fail()
        await asyncio.sleep(0.01)

    async def test_second_of_gather(self) -> None:
        async def fail(text: str) -> None:
            raise ZeroDivisionError(text)

        await asyncio.gather(fail("first"), fail("second"))

    async def test_in_thread(self) -> None:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        await asyncio.get_running_loop().run_in_executor(None, thread.join)

    async def test_unawaited(self) -> None:
        asyncio.sleep(0)  # type: ignore[unused-coroutine]
        gc.collect()

    @gen_test(timeout=0.02)
    async def test_timeout(self) -> None:
        await asyncio.sleep(60)

    def test_timeout_of_wait(self) -> None:
        self.wait(timeout=DEADLOCK_TIMEOUT)

    @gen_test(timeout=DEADLOCK_TIMEOUT)
    async def test_deadlock(self) -> None:
        await asyncio.Event().wait()

    async def test_in_cleanup(self) -> None:
        async def fail() -> None:
            raise ZeroDivisionError("of the cleanup")

        self.addAsyncCleanup(fail)


class HTTP(AsyncHTTPTestCase):
    fail_on_server_error = True

    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([("/", Hello)])

    def test_fetch(self) -> None:
        self.assertEqual(b"hello", self.fetch("/").body)

    async def test_error_of_handler(self) -> None:
        with self.assertRaises(HTTPClientError):
            await self.http_client.fetch(self.get_url("/?fail=1"))


class InVirtualTime(AsyncTestCase):
    clock_factory = VirtualClock

    async def test_an_hour(self) -> None:
        before = self.io_loop.time()
        await asyncio.sleep(3600)
        self.assertGreaterEqual(self.io_loop.time() - before, 3600)


class InSchedules(AsyncTestCase):
    schedules = 3

    async def test_orders(self) -> None:
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))


class Leaking(AsyncTestCase):
    leaks = "fail"

    async def test_timer(self) -> None:
        self.io_loop.call_later(60, print)

    async def test_periodic(self) -> None:
        tornado.ioloop.PeriodicCallback(print, 60_000).start()


class _Result(unittest.TextTestResult):
    """Keeps the verdict of each test."""

    def __init__(self) -> None:
        super().__init__(unittest.runner._WritelnDecorator(io.StringIO()), False, 0)
        self.verdicts: dict[str, str] = {}

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.verdicts[_name(test)] = "ok"

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self.verdicts[_name(test)] = f"ERROR {self.errors[-1][1]}"

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self.verdicts[_name(test)] = f"FAIL {self.failures[-1][1]}"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self.verdicts[_name(test)] = "skipped"

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        self.verdicts[_name(test)] = "expected failure"


def _name(test: unittest.TestCase) -> str:
    return test.id().removeprefix(f"{__name__}.")


def verdicts() -> dict[str, str]:
    """Run the tests of this module; return the verdict of each, with its report."""
    result = _Result()
    unittest.defaultTestLoader.loadTestsFromName(__name__).run(result)
    return result.verdicts
