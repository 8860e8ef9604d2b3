import asyncio
import selectors
import unittest
from typing import Any

from tornado.platform.asyncio import AsyncIOLoop

from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._harness.feature import Feature, Features
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._loop import own_handles
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._timeouts.alarms import ALARMS

LIMIT = Limit(60, "the test")


class Sleeper(Feature):
    """Counts the calls before sleep."""

    def __init__(self) -> None:
        self.loops: list[LoopOfTest] = []

    def before_sleep(self, loop: LoopOfTest, timeout: float | None) -> float | None:
        self.loops.append(loop)
        return timeout


class AlarmsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.sleeper = Sleeper()
        self.features = Features([ALARMS, self.sleeper])

    def test_without_them_no_hook_is_called_before_sleep(self) -> None:
        for features, is_called in (Features([self.sleeper]), False), (self.features, True):
            with self.subTest(is_called), HarnessByHand(lambda: "it", features=features) as harness:
                harness.waits.run(lambda: asyncio.sleep(0.001), LIMIT)
            self.assertEqual(bool(self.sleeper.loops), is_called)

    def test_the_hooks_of_the_innermost_test_are_called(self) -> None:
        with HarnessByHand(lambda: "outer", features=self.features) as outer:
            with HarnessByHand(lambda: "inner", outer, self.features) as inner:
                inner.waits.run(lambda: asyncio.sleep(0.001), LIMIT)
                self.assertEqual(set(self.sleeper.loops), {inner.loop})
            self.sleeper.loops.clear()
            outer.waits.run(lambda: asyncio.sleep(0.001), LIMIT)
            self.assertEqual(set(self.sleeper.loops), {outer.loop})

    def test_a_limit_is_no_timer_of_the_loop(self) -> None:
        async def timers() -> int:
            return len(own_handles.timers_of(harness.loop))

        for features, count in (Features(), 1), (self.features, 0):
            with self.subTest(count), HarnessByHand(lambda: "it", features=features) as harness:
                self.assertEqual(harness.waits.run(timers, LIMIT), count)

    def test_the_last_test_gives_the_selector_of_another_loop_back(self) -> None:
        asyncio_loop: Any = asyncio.SelectorEventLoop()
        io_loop: Any = AsyncIOLoop(asyncio_loop=asyncio_loop, make_current=False)
        self.addCleanup(io_loop.close)
        before = dict(vars(asyncio_loop._selector))
        with HarnessByHand(lambda: "outer", features=self.features) as unused:
            unused.open(lambda: io_loop)
            with HarnessByHand(lambda: "inner", unused, self.features):
                pass
            self.assertIsInstance(asyncio_loop._selector, Selector)
        self.assertEqual(
            (type(asyncio_loop._selector), vars(asyncio_loop._selector)), (selectors.DefaultSelector, before)
        )
