"""How many sleeps a second a virtual clock takes, beside sleeps of no length in real time.

python -m tests.benchmarks.virtual_sleeps
"""

import asyncio
import statistics
import time
import unittest
from collections.abc import Callable, Coroutine
from typing import Any

from asynctest_tornado import AsyncTestCase, VirtualClock

SLEEPS = 20_000
ROUNDS = 9

#: Sleeps a second, in the test that runs.
_rates: list[float] = []


async def sleep_often(seconds: float) -> None:
    began = time.perf_counter()
    for _ in range(SLEEPS):
        await asyncio.sleep(seconds)
    _rates.append(SLEEPS / (time.perf_counter() - began))


class VirtualCase(AsyncTestCase):
    clock_factory = VirtualClock
    async_test_timeout = 0

    async def test(self) -> None:
        await sleep_often(1)


class RealCase(AsyncTestCase):
    async_test_timeout = 0

    async def test(self) -> None:
        # Zero itself would be no timer, and no sleep at all; by the time that the loop looks, this one is due.
        await sleep_often(1e-9)


def in_test(cls: type[AsyncTestCase]) -> None:
    result = unittest.TestResult()
    cls("test").run(result)
    assert result.wasSuccessful(), result.errors


def in_asyncio(seconds: float) -> None:
    main: Callable[[], Coroutine[Any, Any, None]] = lambda: sleep_often(seconds)  # noqa: E731
    asyncio.run(main())


CONTENDERS: dict[str, Callable[[], None]] = {
    "virtual, 1 s": lambda: in_test(VirtualCase),
    "real, 1 ns, in a test": lambda: in_test(RealCase),
    "real, 1 ns, plain asyncio": lambda: in_asyncio(1e-9),
    "real, 0 s (a bare yield), plain asyncio": lambda: in_asyncio(0),
}


def main() -> None:
    rates: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(ROUNDS):
        for name, run in CONTENDERS.items():
            _rates.clear()
            run()
            rates[name] += _rates
    virtual = rates["virtual, 1 s"]
    for name, values in rates.items():
        ratio = statistics.median(ours / other for ours, other in zip(virtual, values, strict=True))
        print(f"{name:42}{statistics.median(values):12,.0f} sleeps/s   virtual / this: {ratio:.2f}")


if __name__ == "__main__":
    main()
