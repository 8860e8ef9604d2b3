"""The policies for leaks: ignore, note, warn, fail; the reports."""

import asyncio
import inspect
import re
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from asynctest_tornado._util import observer, origins, settings

__unittest = True

#: How many leaks a report shows.
MOST_SHOWN = 10


class Leak(NamedTuple):
    """A task, timer, resource or thread that a test has left."""

    description: str
    names: tuple[str, ...]
    """The names by which a pattern can allow it."""
    thing: Any
    origin: origins.Origin
    is_pending: bool = False
    """True for code that would have run later, perhaps with assertions in it."""
    passed_over: str = ""
    """Why a ``settle`` did not wait for it."""


class Policy(NamedTuple):
    """The consequence of leaks for a test."""

    action: str
    allowed: tuple[type | re.Pattern[str], ...] = ()
    hint: str | None = None
    """How to repeat the order of the test; None if it has the order of asyncio."""
    is_of_function: bool = False
    """True for a test function of pytest, which has fixtures in the place of methods."""

    def allows(self, leak: Leak) -> bool:
        """Return whether the test may leave this."""
        return any(
            isinstance(leak.thing, each) if isinstance(each, type) else any(map(each.search, leak.names))
            for each in self.allowed
        )

    def is_interested(self, has_failed: bool) -> bool:
        """Return whether to search for leaks at all, given whether the test has failed."""
        has_reader = has_failed or observer.current is not None
        return self.action in ("warn", "fail") or (has_reader and self.action == "note")


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
    lines = [f"{test} left these resources open:"]
    for leak in leaks[:MOST_SHOWN]:
        lines.append(f"  {leak.description}")
        lines += [f"    {line}" for line in origins.describe(leak.origin, leak.thing)]
        if leak.passed_over:
            lines.append(f"    {leak.passed_over}")
    if len(leaks) > MOST_SHOWN:
        lines.append(f"  ... and {len(leaks) - MOST_SHOWN} more")
    return "\n".join(lines)


_END = "End open resources in the test, in tearDown() or in a cleanup; or name them in allowed_leaks."
_WAIT = (
    "The test ended, and this was still to come. If the test should wait for it: await it, call self.wait() until it "
    "calls self.stop(), or wait for all by self.settle(). If not: cancel it, or name it in allowed_leaks."
)
_WAIT_IN_COROUTINE = (
    "The test ended, and this was still to come. If the test should wait for it: await it, or all by self.settle(). If "
    "not: cancel it, or name it in allowed_leaks."
)
_WAIT_LONGER = (
    "The test ended, and this was still to come, also after it had settled. If the test should wait for it: await it, "
    "or let it end before. If not: cancel it, or name it in allowed_leaks."
)
_END_OF_FUNCTION = "End open resources in the test, or after the 'yield' of a fixture; or name them in allowed_leaks."
_WAIT_OF_FUNCTION = (
    "The test ended, and this was still to come. If the test should wait for it: await it, or all by the fixture "
    "settle. If not: cancel it, or name it in allowed_leaks."
)
_WAIT_IN_SETUP = "In setUp(), self.run_sync({}) waits for it."
_ALL_LINES = "With -X tracemalloc=25, all lines that lead there are shown."


def _advice(leaks: Sequence[Leak], policy: Policy) -> str:
    """Return the ways to mend leaks."""
    pending = [leak for leak in leaks if leak.is_pending]
    wait, end = (_WAIT_OF_FUNCTION, _END_OF_FUNCTION) if policy.is_of_function else (_WAIT, _END)
    if wait is _WAIT and any(map(_is_of_coroutine, pending)):
        wait = _WAIT_IN_COROUTINE
    if all(leak.passed_over for leak in pending):
        wait = _WAIT_LONGER
    parts = [wait] if pending else []
    in_setup = [leak for leak in pending if leak.origin is not None and leak.origin.code.co_name == "setUp"]
    if in_setup:
        parts.append(_WAIT_IN_SETUP.format(_call_of(in_setup[0])))
    if len(pending) < len(leaks):
        parts.append(end)
    if not origins.are_allocations_traced():
        parts.append(_ALL_LINES)
    return " ".join(parts)


def _is_of_coroutine(leak: Leak) -> bool:
    """Return true if a coroutine has made it, or called the function that has: there, self.wait() is an error."""
    origin = leak.origin
    if origin is None:
        return False
    code = origin.code if origin.caller is None else origin.caller[0]
    return bool(code.co_flags & (inspect.CO_COROUTINE | inspect.CO_GENERATOR))


def _call_of(leak: Leak) -> str:
    """Return the argument of ``run_sync`` for a leak: the function of a task, mostly a method of the test."""
    cls, _, method = leak.names[0].rpartition("<locals>.")[2].rpartition(".")
    if not (isinstance(leak.thing, asyncio.Task) and method.isidentifier()):
        return "a coroutine function"
    return f"self.{method}" if cls else method


def warn(test: str, leaks: Sequence[Leak], policy: Policy) -> None:
    """Warn of leaks, where the first one was made."""
    origin = next((leak.origin for leak in leaks if leak.origin is not None), None)
    place = ("unknown", 0) if origin is None else (origin.code.co_filename, origin.number)
    report, advice = describe(test, leaks), _advice(leaks, policy)
    lines = [report, *([] if policy.hint is None else [policy.hint]), advice]
    try:
        # Not at the line that calls this function: that is the same line for all tests.
        warnings.warn_explicit("\n".join(lines), ResourceWarning, *place)
    except ResourceWarning as error:  # by a filter; other than a warning, it has notes, for example the hint
        error.args = (f"{report}\n{advice}",)
        raise


def failure(test: str, leaks: Sequence[Leak], policy: Policy) -> AssertionError:
    """Return the error of a test whose policy is "fail"."""
    return AssertionError(f"{describe(test, leaks)}\n{_advice(leaks, policy)}")
