"""A fault: where a test has set it, and what has come of it."""

# Tested by tests/network/test_fault_table.py.

from collections import deque
from collections.abc import Callable
from typing import Any

from asynctest_tornado._util import names, origins

__unittest = True

#: The most effects of a fault that a report shows.
_MOST_SHOWN = 3
_HERE = frozenset(
    f"asynctest_tornado._network.{name}"
    for name in ("fault", "fault_names", "faults", "fault_table", "host_faults", "served_host", "virtual_network")
)


class Fault:
    """A fault that a test has set, and its effects.

    :param text: the fault, as the test has written it.
    :param where: the host, link or connection.
    :param kind: the name of the attribute or method.
    :param amount: seconds, bytes per second, or the number of bytes before it.
    :param left: how often it has still to come into effect; 0 for a fault that lasts.
    """

    #: Learns of effects, with the exchange of each.
    watcher: "Callable[[Fault, object], object] | None" = None

    def __init__(self, text: str, where: str, kind: str, amount: Any = None, left: int = 0) -> None:
        self.text = text
        self.where = where
        self.kind = kind
        self.amount = amount
        self.left = left
        self.line: str = _line()
        #: False if the test has ended it.
        self.is_set = True
        #: The reason why it has not come into effect, if it is a special one.
        self.missed = ""
        self._effects: deque[Callable[[], str]] = deque(maxlen=_MOST_SHOWN)
        self._count = 0
        self._latest: object = None

    def has_met(self, exchange: object, describe: Callable[[], str]) -> None:
        """Record an effect.

        :param exchange: the request and response that have met the fault; more effects on the same one do not count.
        :param describe: returns the effect as text.
        """
        if exchange is not self._latest:
            self._latest = exchange
            self._effects.append(describe)
            self._count += 1
            if self.watcher is not None:
                self.watcher(self, exchange)

    def describe(self) -> list[str]:
        """Return lines about the fault, with its effects."""
        lines = [describe() for describe in self._effects]
        hidden = self._count - len(lines)
        if hidden:
            lines.insert(0, f"... and {hidden} before:")
        if not lines:
            if not self.is_set:
                return []
            lines.append(f"{self.where}: {self.text} has had no effect{self.missed and f', because {self.missed}'}")
            return [*lines, f"  set at {self.line}"] if self.line else lines
        return [*lines, f"  by {self.text}{f', set at {self.line}' if self.line else ''}"]

    def complaint(self) -> str:
        """Return the sentence about a fault that has not come into effect."""
        why = self.missed or ("nothing has connected" if self.kind == "refuse" else "no response was sent after it")
        often = f" {self.left} more time{'s' if self.left > 1 else ''}" if self._count else ""
        line = f"\n  set at {self.line}" if self.line else ""
        return f"{self.where}: {self.text} has not come into effect{often}, because {why}.{line}"


def _line() -> str:
    """Return the line of the user that sets a fault."""
    origin = origins.find(_HERE)
    if origin is None or origin is origins.LIBRARY:
        return ""
    return names.line_at(origin.code.co_filename, origin.number, origin.code.co_name)
