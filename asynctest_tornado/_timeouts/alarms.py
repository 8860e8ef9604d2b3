"""Gives the loop of a test real-time alarms and the hook before sleep.

Without it, the time limits of this library are timers of the loop, among the test's own. These may be in virtual time.
"""

import asyncio
from typing import Any

from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._loop.selector import Selector

__unittest = True


class Alarms(Feature):
    """The selectors of loops: each has an alarm, and calls the hooks of the innermost test that uses the loop."""

    def opened(self, harness: Harness) -> None:
        loop = harness.loop
        selector: Any = getattr(loop.loop, "_selector", None)
        if not isinstance(selector, Selector):
            selector = Selector.adopt(selector) if isinstance(loop.loop, asyncio.SelectorEventLoop) else None
        if selector is not None:
            loop.selector = selector
            selector.users.append(loop)

    def closed(self, harness: Harness) -> None:
        loop = harness.loop
        selector, loop.selector = loop.selector, None  # which the next loop may have
        if selector is not None and selector.users:  # else it was recycled
            selector.leave(loop)


ALARMS = Alarms()
