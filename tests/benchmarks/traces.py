"""Measure the cost of a trace, in tests that pass: with ``trace = "failures"``, beside the same tests without it.

python -m tests.benchmarks.traces [TESTS_PER_ROUND] [ROUNDS]

Prints the ratios of CPU time, each the median of the ratios in one round. The two take turns in one run.
"""

import asyncio
import statistics
import sys
import unittest
import warnings
from typing import Any

import asynctest_tornado
from tests.benchmarks import overhead, served

SWITCHES = 100
#: The ratio that is the aim.
MOST = 1.5


class Switches(asynctest_tornado.AsyncTestCase):
    """Goes on many times in turn, and does nothing else."""

    @asynctest_tornado.gen_test
    async def test(self) -> None:
        for _ in range(SWITCHES):
            await asyncio.sleep(0)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 25
    warnings.simplefilter("ignore")
    library: Any = asynctest_tornado
    classes: dict[str, type[unittest.TestCase]] = {
        **overhead.contenders(library),
        f"{SWITCHES} switches between tasks": Switches,
        "fetch over HTTP": served.contenders(library, {})["fetch over HTTP"],
    }
    pairs = {
        f"{kind}, {value}": type(cls.__name__, (cls,), {"trace": value})
        for kind, cls in classes.items()
        for value in ("off", "failures")
    }
    costs = overhead.measure(pairs, lambda name: count, rounds)
    for kind in classes:
        on, off = costs[f"{kind}, failures"], costs[f"{kind}, off"]
        spent = statistics.median(each.cpu for each in off)
        print(f"{kind:30}{spent:8.1f} us without, ratio {overhead.ratio(on, off):.2f} (aim: below {MOST})")


if __name__ == "__main__":
    main()
