"""The worked example of a feature, in CONTRIBUTING.rst."""

import asyncio
import re
import textwrap
import types
import unittest
from functools import partial

from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._harness.feature import Features
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._harness.phase import phase
from tests.support import ROOT


def feature_of_the_example() -> types.ModuleType:
    text = (ROOT / "CONTRIBUTING.rst").read_text().partition("A new feature\n")[2]
    found = re.search(r"::\n\n((?:    .*\n|\n)+)", text)
    assert found is not None
    module = types.ModuleType("slow_waits")
    exec(compile(textwrap.dedent(found[1]), "CONTRIBUTING.rst", "exec"), vars(module))
    return module


class SlowWaitsTest(unittest.TestCase):
    def run_with(self, limit: float) -> None:
        feature = feature_of_the_example().SLOW_WAITS
        with HarnessByHand(lambda: "it", features=Features([feature]), options={feature: limit}) as harness:
            for seconds in 0.01, 0:
                harness.waits.run(partial(asyncio.sleep, seconds), Limit(60, "the test"))

    def test_a_wait_that_takes_too_long_fails_the_test(self) -> None:
        with self.assertRaisesRegex(AssertionError, "longest wait of it took 0.*slow_waits is 0.005. Wait for less"):
            self.run_with(0.005)

    def test_a_test_that_has_failed_is_reported_once(self) -> None:
        feature = feature_of_the_example().SLOW_WAITS
        harness = Harness(lambda: "it", features=Features([feature]), options={feature: 0})
        harness.open()
        harness.waits.run(partial(asyncio.sleep, 0), Limit(60, "the test"))
        with self.assertRaises(ZeroDivisionError):
            phase(harness, lambda: 1 / 0, is_main=True)
        harness.finish()
        harness.trap.forget_reports()

    def test_another_one_does_not(self) -> None:
        self.run_with(600)
