"""Nothing of a test lives longer than on ``tornado.testing``."""

import asyncio
import contextlib
import copy
import functools
import gc
import pickle
import socket
import sys
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tornado import gen
from tornado.httpclient import HTTPError
from tornado.iostream import IOStream
from tornado.web import Application

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ExpectError, ExpectLog


class Thing:
    def work(self, *args: object) -> int:
        return 1

    def fail(self, *args: object) -> None:
        raise ValueError("planted")

    async def work_async(self) -> None:
        await asyncio.sleep(0)

    async def fail_async(self) -> None:
        await asyncio.sleep(0)
        raise ValueError("planted")


class DroppedTest(AsyncTestCase):
    """Objects that the test has dropped are gone, without a garbage collection if ``tornado.testing`` needs none."""

    def setUp(self) -> None:
        super().setUp()
        gc.disable()
        self.addCleanup(gc.enable)
        self.thing: Thing | None = Thing()
        self.reference = weakref.ref(self.thing)

    def take(self) -> Thing:
        thing, self.thing = self.thing, None
        assert thing is not None
        return thing

    def check(self, after: Callable[[], object] = lambda: None) -> None:
        after()
        self.assertIsNone(self.reference())

    async def test_what_a_job_has_run(self) -> None:
        future = self.io_loop.run_in_executor(None, self.take().work)
        await future
        self.check()

    async def test_the_arguments_of_a_job(self) -> None:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(None, functools.partial(Thing.work, self.take()))
        await future
        self.check()

    async def test_what_another_thread_is_handed(self) -> None:
        task = asyncio.ensure_future(asyncio.to_thread(self.take().work))
        await task
        self.check()

    def test_a_job_that_has_ended_while_the_loop_does_not_run(self) -> None:
        with ThreadPoolExecutor(1) as pool:
            future = self.io_loop.run_in_executor(pool, self.take().work)
        self.check()
        self.run_sync(future)

    async def test_the_callback_of_a_timer_that_has_fired(self) -> None:
        timer = asyncio.get_running_loop().call_later(0, self.take().work)
        await asyncio.sleep(0.001)
        self.assertFalse(timer.cancelled())
        del timer
        self.check()

    async def test_a_callback_that_was_called(self) -> None:
        self.io_loop.add_callback(self.take().work)
        await asyncio.sleep(0)
        self.check()

    async def test_a_handler_that_was_removed(self) -> None:
        with contextlib.closing(socket.socket()) as sock:
            handler: Callable[..., object] = self.take().work
            self.io_loop.add_handler(sock, handler, self.io_loop.READ)  # type: ignore[arg-type]
            del handler
            self.io_loop.remove_handler(sock)
            self.check()

    async def test_a_task_that_has_ended(self) -> None:
        await asyncio.ensure_future(self.take().work_async())
        self.check()

    async def test_a_task_whose_error_was_caught(self) -> None:
        task: Any = asyncio.ensure_future(self.take().fail_async())
        with contextlib.suppress(ValueError):
            await task
        del task
        await asyncio.sleep(0)
        self.check(after=gc.collect)  # the frames of a coroutine that fails are a cycle

    def test_the_function_of_a_task_that_is_kept(self) -> None:
        async def work(thing: Thing) -> None:
            tasks.append(asyncio.current_task())

        tasks: list[Any] = []
        self.run_sync(functools.partial(work, self.take()))
        self.check()

    def test_what_has_failed_and_was_caught(self) -> None:
        with contextlib.suppress(ValueError):
            self.run_sync(self.take().fail_async)
        self.check(after=gc.collect)

    def test_a_callback_whose_error_was_caught(self) -> None:
        self.io_loop.add_callback(self.take().fail)
        with contextlib.suppress(ValueError):
            self.wait()
        self.check()

    def test_an_error_that_was_expected(self) -> None:
        with ExpectError(ValueError) as expected:
            self.io_loop.add_callback(self.take().fail)
            self.io_loop.add_callback(self.stop)
            self.wait()
        del expected
        # From Python 3.14 on, a handle for other threads is in a cycle with the error of its callback.
        self.check(after=gc.collect if sys.version_info >= (3, 14) else lambda: None)

    def test_an_error_whose_message_was_expected(self) -> None:
        with ExpectLog("tornado.application", "Exception in callback"):
            self.io_loop.add_callback(self.take().fail)
            self.io_loop.add_callback(self.stop)
            self.wait()
        self.check()

    def test_what_was_waited_for_until_the_time_was_over(self) -> None:
        async def wait(thing: Thing) -> None:
            await asyncio.Event().wait()

        with contextlib.suppress(TimeoutError):
            self.run_sync(wait, self.take(), timeout=0.01)
        self.check(after=gc.collect)

    async def test_an_error_that_gather_drops(self) -> None:
        other: Any = asyncio.ensure_future(Thing().fail_async())
        with contextlib.suppress(ValueError):
            await asyncio.gather(other, self.take().fail_async())
        del other
        await asyncio.sleep(0)
        self.check()

    async def test_an_error_that_multi_drops(self) -> None:
        async def fail(thing: Thing) -> None:
            await thing.fail_async()

        with ExpectLog("tornado.application", "Multiple exceptions"), contextlib.suppress(ValueError):
            await gen.multi([Thing().fail_async(), fail(self.take())])
        await asyncio.sleep(0)
        self.check(after=gc.collect)

    async def test_a_stream(self) -> None:
        ours, theirs = socket.socketpair()
        self.enterContext(ours)
        self.enterContext(theirs)
        stream: Any = IOStream(ours)
        stream.thing = self.take()
        await asyncio.sleep(0)
        del stream
        self.check()

    def test_a_stream_that_was_open_when_a_wait_had_ended(self) -> None:
        ours, theirs = socket.socketpair()
        self.enterContext(ours)
        self.enterContext(theirs)

        async def make() -> IOStream:
            return IOStream(ours)

        stream: Any = self.run_sync(make)
        stream.thing = self.take()
        del stream
        self.check()

    def test_a_value_of_stop(self) -> None:
        self.stop(self.take())
        self.wait()
        self.check()


class RequestTest(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return Application()

    def test_the_error_of_a_request_that_was_caught(self) -> None:
        try:
            with ExpectLog("tornado.access", "404 GET /missing"):
                self.fetch("/missing", raise_error=True)
        except HTTPError as error:
            reference = weakref.ref(error)
        gc.collect()
        self.assertIsNone(reference())


class MarkTest(AsyncTestCase):
    def test_what_is_known_of_an_error_is_no_part_of_copies(self) -> None:
        def fail() -> None:
            raise ValueError("planted")

        self.io_loop.add_callback(fail)
        with self.assertRaises(ValueError) as caught:
            self.wait()
        error = caught.exception
        copies: list[Callable[[], BaseException]] = [
            lambda: copy.copy(error),
            lambda: copy.deepcopy(error),
            lambda: pickle.loads(pickle.dumps(error)),
        ]
        for make in copies:
            # Another error, of which nothing is known yet.
            copied = make()
            self.io_loop.add_callback(self._raise, copied)
            with self.assertRaisesRegex(ValueError, "planted"):
                self.wait()

    def _raise(self, error: BaseException) -> None:
        raise error
