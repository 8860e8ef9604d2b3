"""How many deviations the orders have in which races are found, before and after they are shrunk.

python -m tests.benchmarks.shrinking [ORDERS]

Shrinks the first orders (10) in which each race fails, and prints the smallest, the median and the greatest number.
"""

import re
import statistics
import sys
from collections.abc import Iterator
from unittest import mock

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._schedules import settings
from examples.races import going_wrong
from tests.samples import races
from tests.support import environ, run_case

_SHRUNK = re.compile(r"fails with (\d+) deviations? .*\(of (\d+) in the order of seed (\d+); (\d+) runs(.*)\)")
_SEED = re.compile(r"ASYNC_TEST_SEED=(\d+)")


def cases() -> Iterator[tuple[type[AsyncTestCase], str]]:
    """Return the test cases that have a race, with the names of their methods."""
    for module in races, going_wrong:
        for cls in vars(module).values():
            if isinstance(cls, type) and cls.__module__ == module.__name__ and issubclass(cls, AsyncTestCase):
                for method in dir(cls):
                    if method.startswith("test"):
                        yield cls, method


def shrunk(cls: type[AsyncTestCase], method: str, orders: int) -> Iterator[tuple[int, int, int]]:
    """Return the deviations before and after, and the runs, for each of the first orders that fail."""
    begin = 1
    for _ in range(orders):
        seeds = range(begin, begin + 1000)
        # A test looks for orders only if the environment, or its class, has some.
        with environ(ASYNC_TEST_SCHEDULES="1000"), mock.patch.object(settings, "seeds", return_value=seeds):
            report = run_case(cls, method).report
        found = _SHRUNK.search(report)
        if found is None:
            print(f"{cls.__name__}.{method} was not shrunk:\n{report}")
            seed = _SEED.search(report)
            if seed is None:
                return
            begin = int(seed[1]) + 1
            continue
        after, before, seed_found, runs = map(int, found.groups()[:4])
        begin = seed_found + 1
        yield before, after, runs


def main() -> None:
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(f"{'race':50}{'deviations':>14}{'shrunk':>12}{'runs':>14}")
    everything: list[int] = []
    for cls, method in cases():
        columns = list(zip(*shrunk(cls, method, orders), strict=True))
        before, after, runs = (f"{min(each)} {statistics.median(each):g} {max(each)}" for each in columns)
        print(f"{f'{cls.__name__}.{method}':50}{before:>14}{after:>12}{runs:>14}")
        everything += columns[1]
    print(f"\nMedian of all {len(everything)} orders: {statistics.median(everything):g} deviations")


if __name__ == "__main__":
    main()
