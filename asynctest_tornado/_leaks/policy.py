"""What it means for a test that it has left something behind: the policies, and what is told."""

import re
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from asynctest_tornado._util import observer, origins, settings

__unittest = True

#: How many leaks a report shows.
MOST_SHOWN = 10


class Leak(NamedTuple):
    """Something that a test has left behind."""

    what: str
    """What it is, and in which state."""
    names: tuple[str, ...]
    """By which a pattern can allow it."""
    thing: Any
    origin: origins.Origin
    is_pending: bool = False
    """Whether it is code that would have run later, with assertions in it maybe."""


class Policy(NamedTuple):
    """What a test's leaks mean for it."""

    action: str
    allowed: tuple[type | re.Pattern[str], ...] = ()

    def allows(self, leak: Leak) -> bool:
        """Return whether the test may leave this behind."""
        return any(
            isinstance(leak.thing, each) if isinstance(each, type) else any(map(each.search, leak.names))
            for each in self.allowed
        )

    def is_interested(self, has_failed: bool) -> bool:
        """Return whether leaks are to be looked for at all, given whether the test has failed."""
        is_told = has_failed or observer.current is not None
        return self.action in ("warn", "fail") or (is_told and self.action == "note")


_PLAIN = {action: Policy(action) for action in settings.ACTIONS}
IGNORE = _PLAIN["ignore"]


def policy(attribute: str | None, allowed: Sequence[type | str | re.Pattern[str]]) -> Policy:
    """Return the policy in force, given the attributes ``leaks`` and ``allowed_leaks`` of the class.

    Raises ``ValueError`` for an action that does not exist or a malformed pattern, ``TypeError`` for other mistakes.
    """
    action, _ = settings.LEAKS.find(attribute)
    return Policy(action, settings.ALLOWED_LEAKS.find(allowed)[0]) if allowed else _PLAIN[action]


def describe(test: str, leaks: Sequence[Leak]) -> str:
    """Return a report."""
    lines = [f"{test} leaks what it has begun and not ended:"]
    for leak in leaks[:MOST_SHOWN]:
        lines.append(f"  {leak.what}")
        lines += [f"    {line}" for line in origins.describe(leak.origin, leak.thing)]
    if len(leaks) > MOST_SHOWN:
        lines.append(f"  ... and {len(leaks) - MOST_SHOWN} more")
    return "\n".join(lines)


_END = "End what is left in the test, in tearDown() or in a cleanup; or name what may be left in allowed_leaks."
_WAIT = (
    "The test ended, and this was still to come. If the test should wait for it: await it, or call self.wait() until "
    "it calls self.stop(). If not: cancel it, or name it in allowed_leaks."
)
_WAIT_IN_SETUP = "In setUp(), self.run_sync() waits for a coroutine."
_ALL_LINES = "With -X tracemalloc=25, all lines that lead there are shown."


def _advice(leaks: Sequence[Leak]) -> str:
    """Return what to do about leaks."""
    pending = [leak for leak in leaks if leak.is_pending]
    parts = [_WAIT] if pending else []
    if any(leak.origin is not None and leak.origin.code.co_name == "setUp" for leak in pending):
        parts.append(_WAIT_IN_SETUP)
    if len(pending) < len(leaks):
        parts.append(_END)
    return " ".join([*parts, _ALL_LINES])


def warn(test: str, leaks: Sequence[Leak], hint: str | None) -> None:
    """Warn of leaks, where the first one was made.

    :param hint: what else to tell.
    """
    origin = next((leak.origin for leak in leaks if leak.origin is not None), None)
    place = ("unknown", 0) if origin is None else (origin.code.co_filename, origin.number)
    lines = [describe(test, leaks), *([] if hint is None else [hint]), _advice(leaks)]
    # Not by the line in which this is called: that is always the same one.
    warnings.warn_explicit("\n".join(lines), ResourceWarning, *place)


def failure(test: str, leaks: Sequence[Leak]) -> AssertionError:
    """Return what a test fails of that must not leave anything."""
    return AssertionError(f"{describe(test, leaks)}\n{_advice(leaks)}")
