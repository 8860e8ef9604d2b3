"""Interrupt callbacks again and again as they end, and see that nothing else is interrupted.

    python -m tests.benchmarks.watchdog [RUNS]

Each run of a loop has a time limit, and a callback that blocks it for about as long. It ends by itself, or is
interrupted; an interruption anywhere else would leave the library half stopped.
"""

import random
import sys
import time
from typing import Any
from unittest import mock

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._timeouts import blocked_code, watchdog

LIMIT = 0.0005
RUNS = 10_000


class Sample(AsyncTestCase):
    """Runs a loop many times."""

    leaks = "ignore"

    def runTest(self) -> None:
        pass

    def block(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass

    async def block_once(self, seconds: float) -> None:
        self.block(seconds)


def main(runs: int) -> None:
    """Run them, and print how they have ended."""
    sys.setswitchinterval(1e-5)
    sent: list[Any] = []

    def note(*args: Any, interrupt: Any = blocked_code.interrupt) -> Any:
        sent.append(interrupt(*args))
        return sent[-1]

    with (
        mock.patch.multiple(watchdog, OVERRUN_SECONDS=0, LOOK_INTERVAL_SECONDS=0.00001),
        mock.patch.object(blocked_code, "interrupt", note),
    ):
        ended, late, interrupted = run_many(runs)
    arrived_late = sum(interruption.has_raised is False for interruption in sent)
    print(f"{runs} runs: {ended} in time, {late} too late, {interrupted} interrupted")
    print(f"{len(sent)} interruptions, {arrived_late} of them after the end of the callback")


def run_many(runs: int) -> tuple[int, int, int]:
    """Run them, and return how many have ended in time, too late, and by an interruption."""
    case = Sample()
    case.setUp()
    ended = interrupted = late = 0
    for number in range(runs):
        # About as long as it takes until the interruption arrives.
        seconds = LIMIT + random.Random(number).uniform(0, 0.0015)
        try:
            case.run_sync(case.block_once, seconds, timeout=LIMIT)
            ended += 1
        except TimeoutError as error:
            if "blocked the event loop" in str(error):
                interrupted += 1
            else:
                late += 1
        if watchdog._watches:
            raise SystemExit(f"Run {number} is still watched.")
    case.tearDown()
    case.doCleanups()
    return ended, late, interrupted


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
