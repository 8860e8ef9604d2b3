"""Reports that the clock of a loop stands still, so that no timer comes."""

import time
from typing import Any

from asynctest_tornado._util.real_time import sleep

__unittest = True

#: Seconds in which a clock that runs has moved.
_PAUSE = max(0.002, 2 * time.get_clock_info("monotonic").resolution)


def describe(loop: Any) -> str:
    """Return a line for a timeout report; empty if the clock runs, or is not the computer's.

    :param loop: the asyncio loop.
    """
    if "time" in vars(loop):  # a virtual clock
        return ""
    before = loop.time()
    sleep(_PAUSE)
    if loop.time() != before:
        return ""
    line = "The loop's clock stands still: time passes, and loop.time() does not move. No timer comes."
    if str(getattr(time.monotonic, "__module__", "")).startswith("freezegun"):
        line += (
            " freezegun has frozen it: give freeze_time() the argument real_asyncio=True, or set clock_factory = "
            "VirtualClock, which freezegun does not stop."
        )
    return line
