"""A dozen tests that nothing can end: after how much of their timeout each one ends.

::

    python -m tests.benchmarks.deadlocks
"""

import asyncio
import time
import unittest
from collections.abc import Generator
from typing import Any

from tornado import gen, locks, queues

from asynctest_tornado import AsyncTestCase, gen_test

TIMEOUT = 5.0


class Deadlocked(AsyncTestCase):
    async_test_timeout = TIMEOUT

    async def test_event_of_tornado(self) -> None:
        await locks.Event().wait()

    async def test_event_of_asyncio(self) -> None:
        await asyncio.Event().wait()

    async def test_future(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def test_lock_taken_twice(self) -> None:
        lock = asyncio.Lock()
        async with lock, lock:
            pass

    async def test_queue_of_asyncio(self) -> None:
        await asyncio.Queue[int]().get()

    async def test_queue_of_tornado(self) -> None:
        await queues.Queue[int]().get()

    async def test_join_of_a_queue(self) -> None:
        queue: queues.Queue[int] = queues.Queue()
        await queue.put(1)
        await queue.join()

    async def test_gather(self) -> None:
        await asyncio.gather(asyncio.sleep(0), asyncio.Event().wait())

    async def test_tasks_that_wait_for_each_other(self) -> None:
        tasks: list[asyncio.Task[None]] = []

        async def wait_for(number: int) -> None:
            await tasks[number]

        tasks += [asyncio.ensure_future(wait_for(1)), asyncio.ensure_future(wait_for(0))]
        await tasks[0]

    @gen_test
    def test_generator(self) -> Generator[Any, Any, None]:
        yield gen.moment
        yield locks.Condition().wait()

    def test_wait(self) -> None:
        self.io_loop.add_callback(lambda: None)
        self.wait()

    def test_loop_that_the_test_runs(self) -> None:
        self.io_loop.start()


def main() -> None:
    names = unittest.defaultTestLoader.getTestCaseNames(Deadlocked)
    for name in names:
        result = unittest.TestResult()
        began = time.monotonic()
        Deadlocked(name).run(result)
        spent = time.monotonic() - began
        assert len(result.errors) + len(result.failures) > 0, name
        print(f"{name:40} {spent:8.4f} s, {spent / TIMEOUT:.1%} of its timeout")


if __name__ == "__main__":
    main()
