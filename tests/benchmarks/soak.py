"""Run many tests in one process, one in ten of which gets stuck; print the files, threads and memory that are left.

::

    python -m tests.benchmarks.soak [NUMBER_OF_TESTS]
"""

import asyncio
import os
import sys
import threading
import time
import unittest

from tornado import locks

from asynctest_tornado import AsyncTestCase, gen_test
from asynctest_tornado._harness import loop_driver


class Good(AsyncTestCase):
    async def test(self) -> None:
        await asyncio.sleep(0)


class TimesOut(AsyncTestCase):
    @gen_test(timeout=0.005)
    async def test(self) -> None:
        await asyncio.sleep(60)


class Deadlocks(AsyncTestCase):
    async def test(self) -> None:
        await locks.Event().wait()


class RefusesToDie(AsyncTestCase):
    @gen_test(timeout=0.005)
    async def test(self) -> None:
        self.task = asyncio.ensure_future(self.refuse())
        await asyncio.sleep(60)

    async def refuse(self) -> None:
        for _ in range(4):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue


def resident() -> int:
    """Return the memory of the process, in KiB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def figures() -> str:
    files = len(os.listdir("/proc/self/fd"))
    return f"{files} files, {threading.active_count()} threads, {resident()} KiB"


def main(number: int) -> None:
    loop_driver.DRAIN_ROUND_SECONDS = 0.01  # or those that refuse to die would take most of the time
    bad: list[type[AsyncTestCase]] = [TimesOut, Deadlocks, RefusesToDie]
    print(f"before: {figures()}")
    verdicts = dict.fromkeys(("passed", "failed"), 0)
    began = time.process_time()
    for index in range(number):
        cls = bad[index // 10 % 3] if index % 10 == 9 else Good
        result = unittest.TestResult()
        cls("test").run(result)
        verdicts["passed" if result.wasSuccessful() else "failed"] += 1
        if (index + 1) % (number // 10) == 0:
            print(f"after {index + 1}: {figures()}")
    print(verdicts, f"{(time.process_time() - began) / number * 1e6:.0f} CPU microseconds per test")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
