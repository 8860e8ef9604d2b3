"""How many orders it takes to find each of the planted races.

python -m tests.benchmarks.races [ORDERS]

Tries that many orders (1000) of each, and counts, from each order on, how many have to be tried to find the race.
"""

import os
import statistics
import sys

from asynctest_tornado import AsyncTestCase
from tests.samples import races
from tests.support import run_case


def failing(cls: type[AsyncTestCase], orders: int) -> list[int]:
    """Return the seeds of the orders in which the test fails, of those from 0 on."""
    seeds = []
    for seed in range(orders):
        os.environ["ASYNC_TEST_SEED"] = str(seed)
        if not run_case(cls).wasSuccessful():
            seeds.append(seed)
    del os.environ["ASYNC_TEST_SEED"]
    return seeds


def tries(seeds: list[int]) -> list[int]:
    """Return, for each seed to begin with, how many orders are tried up to the next one that fails."""
    counts = []
    begin = 0
    for seed in seeds:
        counts += [seed - each + 1 for each in range(begin, seed + 1)]
        begin = seed + 1
    return counts


def main() -> None:
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{'race':28}{'asyncio':>9}{'first seed':>12}{'share':>8}{'median tries':>14}{'most tries':>12}")
    for name, cls in vars(races).items():
        if isinstance(cls, type) and cls.__module__ == races.__name__:
            found = failing(cls, orders)
            alone = "passes" if 0 not in found else "fails"
            counts = tries(found)
            share = f"{len(found) / orders:.0%}"
            print(f"{name:28}{alone:>9}{found[0]:>12}{share:>8}{statistics.median(counts):>14g}{max(counts):>12}")


if __name__ == "__main__":
    main()
