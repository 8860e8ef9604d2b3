"""How many orders prove a race absent, and how soon all orders find one.

python -m tests.benchmarks.all_orders [BOUND]

tries the orders with at most that many deviations (2) of each planted race, and of its mended version: the latter with
and without orders that differ only in steps that touch nothing.
"""

import sys
from typing import Any
from unittest import mock

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._search import repeat_all
from asynctest_tornado._search.all_orders import Explored, Explorer
from tests.samples import fixed_races, races
from tests.support import environ, run_case

#: More than the limits of a test, to count all.
MOST_ORDERS, MOST_SECONDS = 50_000, 120.0


def explore(cls: type[AsyncTestCase], bound: int, *, is_reduced: bool = True) -> tuple[str, Explored]:
    """Run a test in all orders; return its verdict, and how far the search has come."""
    explorers: list[Explorer] = []

    def make(bound: int | None) -> Explorer:
        explorers.append(Explorer(bound, MOST_ORDERS, MOST_SECONDS, is_reduced=is_reduced))
        return explorers[0]

    patched: Any = mock.patch.object(repeat_all, "Explorer", make)
    with patched, environ(ASYNC_TEST_SCHEDULES=f"all:{bound}"):
        result = run_case(cls)
    return "passes" if result.wasSuccessful() else "fails", explorers[0].explored()


def proof(cls: type[AsyncTestCase], bound: int, *, is_reduced: bool) -> str:
    verdict, explored = explore(cls, bound, is_reduced=is_reduced)
    known = explored.orders + sum(explored.left.values())
    count = f"{known:,}" if explored.is_complete else f"{explored.orders:,} of {known:,}"
    strayed = f", {explored.strayed} strayed" if explored.strayed else ""
    return f"{verdict}, {count}{strayed}, {explored.seconds:.2f} s"


def main() -> None:
    bound = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    title = f"mended, all:{bound}"
    print(f"{'race':26}{'found with':>11}{'orders':>8}{'seconds':>9}   {title:32}{'without reduction':32}")
    for name, cls in vars(races).items():
        if isinstance(cls, type) and cls.__module__ == races.__name__:
            # No race of the catalogue needs more.
            verdict, explored = explore(cls, 4)
            assert verdict == "fails", (name, explored)
            found = f"{max(explored.tried):>11}{explored.orders:>8}{explored.seconds:>9.2f}"
            mended = getattr(fixed_races, name)
            columns = [proof(mended, bound, is_reduced=is_reduced) for is_reduced in (True, False)]
            print(f"{name:26}{found}   {columns[0]:32}{columns[1]:32}", flush=True)


if __name__ == "__main__":
    main()
