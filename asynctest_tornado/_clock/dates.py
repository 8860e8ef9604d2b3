"""Lets the functions for the date follow a clock, by time-machine."""

import time
from typing import Any, Protocol

__unittest = True


class _Clock(Protocol):
    def wall_time(self) -> float: ...

    def wall_time_ns(self) -> int: ...


def check_installed() -> None:
    """Raise ``ModuleNotFoundError`` if time-machine is missing."""
    try:
        import time_machine  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "VirtualClock(dates=True) needs time-machine, which is not installed. Install it, by "
            "pip install asynctest_tornado[dates], or leave dates out.",
            name=error.name,
        ) from None


class Dates:
    """``time.time()``, ``datetime.now()`` and the like, from now on, up to `stop`.

    time-machine asks the object on top of its stack for the time, at each call of such a function. Ours asks the clock,
    so that it is never behind. Another one on top, of a test that uses time-machine itself, goes before it.

    :param clock: the clock.

    Raises ``RuntimeError`` while freezegun has replaced these functions.
    """

    def __init__(self, clock: _Clock) -> None:
        import time_machine

        # time-machine would change the functions behind freezegun's, which no code calls.
        if getattr(time.time, "__module__", "").partition(".")[0] == "freezegun":
            raise RuntimeError(
                "VirtualClock(dates=True) cannot begin, because freezegun has frozen the time. Freeze it inside of the "
                "test, after its clock has begun, or leave freezegun or dates out."
            )
        self._travel: Any = time_machine.travel(clock.wall_time(), tick=False)
        self._traveller: Any = self._travel.start()
        vars(self._traveller)["time_ns"] = clock.wall_time_ns

    def stop(self) -> None:
        """Restore the functions."""
        import time_machine

        # The name before version 3 is the second one.
        stack: Any = getattr(time_machine, "traveller_stack", None) or getattr(time_machine, "coordinates_stack", [])
        if self._traveller in stack[:-1]:
            # The test has begun to travel, and goes on. That ends its own travel when it stops.
            stack.remove(self._traveller)
        elif stack:
            # If the test has stopped a travel from before ours, it has removed ours. We remove that one.
            self._travel.stop()
