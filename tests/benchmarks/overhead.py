"""Measure the costs of a test beside ``tornado.testing`` and the standard library, in CPU time; and their growth.

::

    python -m tests.benchmarks.overhead [TESTS_PER_ROUND] [ROUNDS]

The contenders take turns, so that a machine that slows down slows all of them. A figure is the median of the rounds; a
ratio is the median of the ratios in one round. The rest is measured in processes of its own.
"""

import asyncio
import importlib
import resource
import statistics
import subprocess
import sys
import time
import unittest
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tornado import gen

from asynctest_tornado import VirtualNetwork
from tests.benchmarks import served

OURS = "asynctest_tornado"
THEIRS = "tornado.testing"
#: Tornado's client and server, without a library for tests: no such library can cost less. A few percent of it are ours
#: all the same, because objects of Tornado's classes are recorded.
BARE = "a plain loop"

SOCKETS, MEMORY = "on sockets", "in memory"
#: The columns of the tests with a server: a library, and the attributes of its test cases.
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    THEIRS: (THEIRS, {}),
    SOCKETS: (OURS, {}),
    MEMORY: (OURS, {"network_factory": VirtualNetwork}),
}

#: A dividend, a divisor, and the ratio that is the aim, if there is one.
RATIOS: list[tuple[str, str, float | None]] = [
    (f"{OURS}: gen_test, native", f"{THEIRS}: gen_test, native", 0.45),
    (f"{OURS}: gen_test, generator", f"{THEIRS}: gen_test, generator", 0.45),
    (f"{OURS}: gen_test, native", "fresh asyncio loop, one coroutine", 1.25),
    (f"{OURS}: gen_test, native", "IsolatedAsyncioTestCase", 0.1),
    (f"{OURS}: wait and stop", f"{THEIRS}: wait and stop", 0.8),
    (f"{OURS}: empty synchronous test", f"{THEIRS}: empty synchronous test", 0.8),
    (f"{SOCKETS}: fetch over HTTP", f"{THEIRS}: fetch over HTTP", 0.6),
    (f"{SOCKETS}: fetch over HTTPS", f"{THEIRS}: fetch over HTTPS", 0.09),
    (f"{SOCKETS}: fetch over HTTP", f"{BARE}: fetch over HTTP", None),
    (f"{MEMORY}: fetch over HTTP", f"{THEIRS}: fetch over HTTP", 0.45),
    (f"{MEMORY}: fetch over HTTPS", f"{THEIRS}: fetch over HTTPS", 0.03),
    (f"{BARE}: fetch over HTTP", f"{THEIRS}: fetch over HTTP", None),
    (f"{BARE}: fetch over HTTPS", f"{THEIRS}: fetch over HTTPS", None),
]


class FreshLoop(unittest.TestCase):
    def test(self) -> None:
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self.coroutine())
        finally:
            loop.close()

    async def coroutine(self) -> None:
        pass


class Isolated(unittest.IsolatedAsyncioTestCase):
    async def test(self) -> None:
        pass


def contenders(library: Any) -> dict[str, type[unittest.TestCase]]:
    """Return a test of each kind, on a library with the names of ``tornado.testing``."""

    class Synchronous(library.AsyncTestCase):  # type: ignore[misc]
        def test(self) -> None:
            pass

    class Native(library.AsyncTestCase):  # type: ignore[misc]
        @library.gen_test  # type: ignore[untyped-decorator]
        async def test(self) -> None:
            pass

    class Generator(library.AsyncTestCase):  # type: ignore[misc]
        @library.gen_test  # type: ignore[untyped-decorator]
        def test(self) -> Iterator[Any]:
            yield gen.moment

    class WaitAndStop(library.AsyncTestCase):  # type: ignore[misc]
        def test(self) -> None:
            self.io_loop.add_callback(self.stop)
            self.wait()

    return {
        "empty synchronous test": Synchronous,
        "gen_test, native": Native,
        "gen_test, generator": Generator,
        "wait and stop": WaitAndStop,
    }


class Cost(NamedTuple):
    """Microseconds that each test takes."""

    cpu: float
    elapsed: float


def cost(cls: type[unittest.TestCase], count: int) -> Cost:
    """Return the costs of each of so many tests."""
    suite = unittest.TestSuite(cls("test") for _ in range(count))
    result = unittest.TestResult()
    began, began_cpu = time.perf_counter(), time.process_time()
    suite.run(result)
    cpu, elapsed = time.process_time() - began_cpu, time.perf_counter() - began
    assert result.testsRun == count, result.testsRun
    assert result.wasSuccessful(), result.errors + result.failures
    return Cost(cpu / count * 1e6, elapsed / count * 1e6)


def measure(
    classes: dict[str, type[unittest.TestCase]], counts: Callable[[str], int], rounds: int
) -> dict[str, list[Cost]]:
    """Return the costs of tests, which take turns."""
    costs: dict[str, list[Cost]] = {name: [] for name in classes}
    for round_number in range(rounds + 1):
        for name, cls in classes.items():
            spent = cost(cls, counts(name))
            if round_number:  # the first one is to warm up
                costs[name].append(spent)
    return costs


def ratio(ones: list[Cost], others: list[Cost], field: str = "cpu") -> float:
    shares: list[float] = [getattr(one, field) / getattr(other, field) for one, other in zip(ones, others, strict=True)]
    return statistics.median(shares)


def compare(count: int, rounds: int) -> None:
    """Print the costs of tests."""
    classes: dict[str, type[unittest.TestCase]] = {
        "fresh asyncio loop, one coroutine": FreshLoop,
        "IsolatedAsyncioTestCase": Isolated,
        f"{BARE}: fetch over HTTP": served.BareFetch,
        f"{BARE}: fetch over HTTPS": served.BareFetchSecurely,
    }
    for name in (THEIRS, OURS):
        classes |= {f"{name}: {kind}": cls for kind, cls in contenders(importlib.import_module(name)).items()}
    kinds: list[str] = []
    for column, (name, attributes) in NETWORKS.items():
        found = served.contenders(importlib.import_module(name), attributes)
        kinds = list(found)
        classes |= {f"{column}: {kind}": cls for kind, cls in found.items()}
    few = max(10, count // 10)
    costs = measure(classes, lambda name: few if any(kind in name for kind in kinds) else count, rounds)
    for name, values in costs.items():
        if not name.endswith(tuple(kinds)) or name.startswith(BARE):
            print(f"{name:45}{statistics.median(value.cpu for value in values):10.1f} us")
    print()
    print_networks(kinds, costs)
    print()
    for one, other, aim in RATIOS:
        print(f"{one} / {other}: {ratio(costs[one], costs[other]):.2f}" + ("" if aim is None else f" (aim: {aim})"))


def print_networks(kinds: list[str], costs: dict[str, list[Cost]]) -> None:
    """Print a table of the tests with a server: a row for each kind, a column for each network."""
    for field, title in (("cpu", "CPU time"), ("elapsed", "elapsed time")):
        print(f"{f'us of {title}':35}" + "".join(f"{column:>28}" for column in NETWORKS))
        for kind in kinds:
            row = f"{kind:35}"
            for column in NETWORKS:
                values, base = costs[f"{column}: {kind}"], costs[f"{THEIRS}: {kind}"]
                spent = statistics.median(getattr(value, field) for value in values)
                share = "" if column == THEIRS else f"{ratio(values, base, field):.2f}"
                row += f"{spent:>20.1f}{share:>8}"
            print(row)


CALLBACKS = 100_000


def callbacks_on(loop: asyncio.AbstractEventLoop, stop: Callable[[], object], run: Callable[[], object]) -> float:
    """Return how many callbacks a second a loop makes, each of which schedules the next one."""
    left = CALLBACKS

    def callback() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(callback)
        else:
            stop()

    loop.call_soon(callback)
    began = time.process_time()
    run()
    return CALLBACKS / (time.process_time() - began)


def compare_callbacks(rounds: int) -> None:
    """Print how fast a loop is while a test uses it."""
    ratios: list[float] = []

    class Busy(importlib.import_module(OURS).AsyncTestCase):  # type: ignore[misc]
        async_test_timeout = 600

        def test(self) -> None:
            loop = asyncio.new_event_loop()
            plain = callbacks_on(loop, loop.stop, loop.run_forever)
            loop.close()
            asyncio.set_event_loop(self.io_loop.asyncio_loop)
            ratios.append(callbacks_on(self.io_loop.asyncio_loop, self.stop, self.wait) / plain)

    for _ in range(rounds):
        Busy("test").debug()
    print(f"callbacks a second in a test / on a plain loop: {statistics.median(ratios):.2f} (aim: 0.95 or more)")


def spent_by(*arguments: str) -> float:
    """Return the seconds of CPU time that Python takes for these arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare_imports(rounds: int) -> None:
    """Print the costs of an import, beside the import of ``tornado.testing``."""
    statements = [f"import {OURS}", f"from {OURS} import AsyncTestCase, gen_test", f"from {OURS} import *"]
    ratios: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(rounds):
        theirs = spent_by("-c", f"import {THEIRS}")
        for statement in statements:
            ratios[statement].append(spent_by("-c", statement) / theirs)
    for statement, values in ratios.items():
        print(f"{statement} / import {THEIRS}: {statistics.median(values):.2f}")


GROWTH = """
import resource, time, unittest
from asynctest_tornado import AsyncTestCase, gen_test

class Case(AsyncTestCase):
    @gen_test
    async def test(self): pass

result = unittest.TestResult()
began = time.process_time()
for _ in range({count}):
    Case("test").run(result)
spent = (time.process_time() - began) / {count} * 1e6
assert result.testsRun == {count} and result.wasSuccessful(), result.errors
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"{count:7} tests in one process: {{spent:.1f}} us for each, {{peak}} KiB at most")
"""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    warnings.simplefilter("ignore")
    print(f"Python {sys.version.split()[0]}, {count} tests a round, {rounds} rounds\n")
    compare(count, rounds)
    print()
    compare_callbacks(rounds)
    compare_imports(rounds)
    print(flush=True)
    for number in (100, 1_000, 10_000, 50_000):
        subprocess.run([sys.executable, "-c", GROWTH.format(count=number)], check=True)


if __name__ == "__main__":
    main()
