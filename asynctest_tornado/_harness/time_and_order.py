"""Attaches the clock of a test to its loop."""

from asynctest_tornado._clock.autojump import Passing
from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._loop import recycled_loop
from asynctest_tornado._loop.managed_loop import LoopOfTest

__unittest = True


def attach_clock(loop: LoopOfTest, clock: VirtualClock) -> None:
    """Let a clock give the time of a loop, up to its end.

    Closes a loop on which it cannot pass time, and raises ``TypeError``.
    """
    selector = loop.own_selector
    if selector is not None:
        Passing(loop.io_loop, loop.loop, selector, clock)
        return
    loop.close()
    missing = recycled_loop.missing()
    if missing:
        raise TypeError(
            "A VirtualClock cannot pass time on this version of Python, whose asyncio lacks "
            f"{', '.join(missing)}. Leave out clock_factory, or take another version."
        )
    raise TypeError(
        f"A VirtualClock cannot pass time on {loop.loop!r}: it is for the loops that this library makes. Leave out "
        "loop_factory, get_new_ioloop() and policies of your own, or clock_factory."
    )
