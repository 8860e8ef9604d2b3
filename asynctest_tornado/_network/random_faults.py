"""Faults that are drawn from a seed, of responses and of connections."""

import functools
import random
from collections.abc import Callable, Mapping
from typing import Any

from asynctest_tornado._network.fault import Fault
from asynctest_tornado._network.faulty_pipe import CUT, HALF_CLOSE, RESET, SILENCE
from asynctest_tornado._util import spelling

__unittest = True

#: The kinds of random faults. All but the first are faults of a response.
KINDS = ("refuse", CUT, RESET, HALF_CLOSE, "latency", SILENCE)
#: The longest latency that is drawn, in seconds.
_LONGEST = 60.0


def shares_of(faults: Any) -> dict[str, float]:
    """Return the shares of all kinds, given an argument of ``VirtualNetwork``.

    Raises ``TypeError`` or ``ValueError`` if there are none.
    """
    advice = 'Give a number from 0 to 1, or such numbers by kind, as in {"cut": 0.1, "latency": 0.05}.'
    shares: dict[str, Any] = dict(faults) if isinstance(faults, Mapping) else dict.fromkeys(KINDS, faults)
    for kind, share in shares.items():
        if kind not in KINDS:
            meant = spelling.meant(str(kind), KINDS)
            hint = f"Did you mean {meant!r}?" if meant else f"The kinds are {', '.join(KINDS)}."
            raise ValueError(f"VirtualNetwork got faults={faults!r}, and there is no kind {kind!r}. {hint}")
        if isinstance(share, bool) or not isinstance(share, int | float):
            raise TypeError(f"VirtualNetwork got faults={faults!r}, and {share!r} is no number. {advice}")
        if not 0 <= share <= 1:
            raise ValueError(f"VirtualNetwork got faults={faults!r}, and {share!r} is no share. {advice}")
    if not isinstance(faults, Mapping):
        shares = {kind: share if kind == "refuse" else share / (len(KINDS) - 1) for kind, share in shares.items()}
    total = sum(share for kind, share in shares.items() if kind != "refuse")
    if total > 1 + 1e-9:
        raise ValueError(f"VirtualNetwork got faults={faults!r}, which is {total:g} faults for each response. {advice}")
    return shares


class RandomFaults:
    """Draws faults.

    :param faults: the argument of ``VirtualNetwork``.
    :param seed: decides the values.
    """

    def __init__(self, faults: Any, seed: int) -> None:
        has_none = type(faults) is int and not faults  # mostly
        self._shares = {} if has_none else shares_of(faults)
        self.is_on = any(self._shares.values())
        self._seed = seed
        # Made when it is needed: that takes as long as the rest of a network, and most tests draw nothing.
        self._draw: Callable[[], float] | None = None
        self._text = f"faults={faults!r}, drawn from the seed {seed}"

    @functools.cached_property
    def fault(self) -> Fault:
        """The fault that stands for all of them in reports."""
        fault = Fault(self._text, "the network", "random")
        fault.line, fault.is_set = "", False
        return fault

    def _random(self) -> float:
        if self._draw is None:
            # Of its methods, Python promises only for random() that its values are the same in all versions.
            self._draw = random.Random(f"network {self._seed}").random
        return self._draw()

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random()

    def refuses(self) -> bool:
        """Return whether to refuse an attempt to connect."""
        return self.is_on and self._random() < self._shares.get("refuse", 0)

    def of_response(self, size: int) -> tuple[Fault, str, float] | None:
        """Return a fault of a response, its kind, and the seconds or bytes before it; None for no fault.

        :param size: the number of bytes that the host has sent so far.
        """
        if not self.is_on:
            return None
        value = self._random()
        for kind in KINDS[1:]:
            share = self._shares.get(kind, 0)
            if value < share:
                amount = self._random()
                return self.fault, kind, amount * _LONGEST if kind == "latency" else int(amount * (size + 1))
            value -= share
        return None
