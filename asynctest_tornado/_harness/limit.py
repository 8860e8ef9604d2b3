"""Limit: a time limit, and the place that sets it."""

# Tested by tests/timeouts/test_limits.py.

import math
from typing import NamedTuple

__unittest = True


class Limit(NamedTuple):
    """A time limit and the place that sets it, for the report of a timeout."""

    seconds: float
    """0 or infinity: no limit."""
    setting: str

    @property
    def is_set(self) -> bool:
        return 0 < self.seconds < math.inf

    def __str__(self) -> str:
        return f"{self.seconds:g} seconds"

    def describe(self) -> str:
        """Return the limit and its setting, for messages."""
        return f"{self} ({self.setting})" if self.is_set else "no time limit"
