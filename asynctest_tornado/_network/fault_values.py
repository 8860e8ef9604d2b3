"""The numbers that a fault can have, and the errors for others."""

# Tested by tests/network/test_faults.py.

import math
from typing import Any

__unittest = True


def checked_latency(where: str, value: Any) -> Any:
    """Return a latency, or 0. Raises ``TypeError`` or ``ValueError`` if it is no time and no range of times."""
    text = f"latency = {value!r}"
    kind = "seconds, or a range such as (0.1, 2)"
    if value is None:
        return 0
    ends = value if isinstance(value, tuple) else (value, value)
    if len(ends) != 2:
        raise ValueError(f"{where}: {text} is no range. Set a number of {kind}.")
    low, high = (checked_number(where, text, each, kind) for each in ends)
    if low > high:
        raise ValueError(f"{where}: {text} begins above its end. Set the lower number first: ({high!r}, {low!r}).")
    return value if isinstance(value, tuple) else low


def checked_number(where: str, text: str, value: Any, unit: str) -> float:
    """Return a number from 0 on. Raises ``TypeError`` or ``ValueError`` if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{where}: {text} is no number. Set a number of {unit}.")
    if not 0 <= value < math.inf:
        raise ValueError(
            f"{where}: {text} is {'negative' if value < 0 else 'not finite'}. Set a number of {unit}; hold() is for a "
            "response that never arrives."
        )
    return value


def checked_count(where: str, text: str, value: Any, unit: str) -> int:
    """Return a whole number from 0 on. Raises ``TypeError`` or ``ValueError`` if it is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{where}: {text} got no whole number. Give a number of {unit}.")
    if value < 0:
        raise ValueError(f"{where}: {text} got a negative number. Give a number of {unit}.")
    return value
