"""Tests that get stuck, each in its own way. Their reports are in ``tests/gallery``."""

import asyncio
import time
from contextlib import asynccontextmanager

from tornado import gen, locks, queues, web

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, gen_test

SHORT = 0.1


class EventIsNeverSet(AsyncTestCase):
    async def test(self):
        await self.helper(locks.Event())

    async def helper(self, event):
        await event.wait()


class StopIsNotCalled(AsyncTestCase):
    def test(self):
        self.wait()


class ConditionNeverHolds(AsyncTestCase):
    def is_ready(self):
        return False

    def test(self):
        self.io_loop.add_callback(self.stop)
        self.wait(self.is_ready)


class TwoWaitForEachOther(AsyncTestCase):
    async def test(self):
        tasks = []

        async def first():
            await tasks[1]

        async def second():
            await tasks[0]

        tasks += [asyncio.ensure_future(first()), asyncio.ensure_future(second())]
        await tasks[0]


class QueueStaysEmpty(AsyncTestCase):
    async def test(self):
        queue = queues.Queue()
        self.worker = asyncio.ensure_future(self.work(queue))
        await queue.put(1)
        await queue.join()

    async def work(self, queue):
        while True:
            await queue.get()


class DecoratedCoroutines(AsyncTestCase):
    @gen_test(timeout=SHORT)
    def test(self):
        yield self.outer()

    @gen.coroutine
    def outer(self):
        yield self.inner()

    @gen.coroutine
    def inner(self):
        yield gen.sleep(3600)


class OneOfAGather(AsyncTestCase):
    @gen_test(timeout=SHORT)
    async def test(self):
        await asyncio.gather(self.quick(), self.slow())

    async def quick(self):
        await asyncio.sleep(0)

    async def slow(self):
        await asyncio.sleep(3600)


class OneOfATaskGroup(AsyncTestCase):
    @gen_test(timeout=SHORT)
    async def test(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(3600), name="slow")
            group.create_task(asyncio.sleep(0), name="quick")


class AsyncWithAndFor(AsyncTestCase):
    @asynccontextmanager
    async def connection(self):
        yield 1

    async def numbers(self):
        yield 1
        await asyncio.sleep(3600)

    @gen_test(timeout=SHORT)
    async def test(self):
        async with self.connection():
            async for number in self.numbers():
                self.assertEqual(number, 1)


class ManyTimersAndTasks(AsyncTestCase):
    @gen_test(timeout=SHORT)
    async def test(self):
        for number in range(12):
            self.io_loop.call_later(3600 + number, self.fail, "never")
        self.tasks = [asyncio.ensure_future(asyncio.Event().wait()) for _ in range(12)]
        await asyncio.sleep(3500)


class RequestInFlight(AsyncHTTPTestCase):
    class Handler(web.RequestHandler):
        async def get(self):
            await asyncio.Event().wait()

    def get_app(self):
        return web.Application([("/slow", self.Handler)], log_function=lambda handler: None)

    @gen_test(timeout=SHORT)
    async def test(self):
        await self.http_client.fetch(self.get_url("/slow"))


class Blocked(AsyncTestCase):
    @gen_test(timeout=SHORT)
    async def test(self):
        await asyncio.sleep(0)
        self.compute()

    def compute(self):
        time.sleep(30)


class InSetUp(AsyncTestCase):
    async def asyncSetUp(self):
        await asyncio.Event().wait()

    def test(self):
        raise AssertionError("never reached")


class WorkDoesNotEnd(AsyncTestCase):
    async def poll(self):
        while True:
            await asyncio.sleep(0)

    async def test(self):
        self.poller = asyncio.create_task(self.poll())
        await self.settle(timeout=SHORT)


class ConditionStaysFalse(AsyncTestCase):
    async def test(self):
        messages = ["hello"]
        await self.eventually(lambda: len(messages) == 2, timeout=SHORT)


class AssertionStaysWrong(AsyncTestCase):
    async def test(self):
        def check():
            self.assertEqual(len(messages), 2)

        messages = ["hello"]
        await self.eventually(check, timeout=SHORT, message="The second message is missing")
