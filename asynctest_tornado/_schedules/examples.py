"""Lets each example of hypothesis begin the order of a schedule anew.

hypothesis runs a test many times in one run, with other inputs each time. To shrink an input and to report it, it runs
the same example again, and has to see the same end. So the order of an example depends on the seed and on the example
alone. An example that has failed in one order may pass in another one, and hypothesis drops examples that pass: its
database keeps the examples of each order apart.
"""

import contextlib
import functools
from collections.abc import Iterable, Iterator
from typing import Any

import hypothesis
from hypothesis.database import ExampleDatabase

from asynctest_tornado._schedules.schedule import Schedule

__unittest = True
__tracebackhide__ = True

#: The attribute of a test under ``given`` for its settings.
_SETTINGS = "_hypothesis_internal_use_settings"
#: The ends of the keys of examples that are not the smallest ones that fail.
_OTHERS = (b".secondary", b".pareto")
#: To run the examples that are known to fail, and no others.
_KNOWN = (hypothesis.Phase.explicit, hypothesis.Phase.reuse)


class Examples:
    """The examples of one test, which is run in several orders.

    :param test: the function that ``given`` has made, or one that wraps it.
    """

    def __init__(self, test: Any) -> None:
        self._test = _innermost(test)
        self._failed: dict[bytes, set[bytes]] = {}
        #: True if only those are run that have failed before.
        self.are_known = False

    @contextlib.contextmanager
    def in_order(self, schedule: Schedule) -> Iterator[None]:
        """Let the examples that the block runs have the order of a schedule, each from its beginning."""
        test, handle = self._test, self._test.hypothesis
        inner, before = handle.inner_test, getattr(test, _SETTINGS, None)

        # It keeps the name and the source, by which hypothesis knows the test.
        @functools.wraps(inner)
        def run_example(*args: Any, **kwargs: Any) -> Any:
            schedule.restart()
            return inner(*args, **kwargs)

        handle.inner_test = run_example
        if before is not None:
            setattr(test, _SETTINGS, self._settings(before, schedule))
        try:
            yield
        finally:
            handle.inner_test = inner
            if before is not None:
                setattr(test, _SETTINGS, before)

    def _settings(self, before: hypothesis.settings, schedule: Schedule) -> hypothesis.settings:
        order = schedule.token or (f"seed{schedule.seed}" if schedule.seed else "")
        phases = [phase for phase in before.phases if phase in _KNOWN or not self.are_known]
        if self.are_known:
            phases.append(hypothesis.Phase.reuse)
        return hypothesis.settings(
            before, phases=phases, database=_OfOrder(before.database, order, self._failed, self.are_known)
        )


def _innermost(test: Any) -> Any:
    """Return the function that ``given`` has made: functions that wrap it have its attributes, too."""
    test = getattr(test, "__func__", test)
    while hasattr(getattr(test, "__wrapped__", None), "hypothesis"):
        test = test.__wrapped__
    return test


class _OfOrder(ExampleDatabase):
    """The examples that have failed in one order.

    :param database: keeps them for later runs, among the examples of other orders; None to keep none.
    :param order: the name of the order; "" for the order of asyncio.
    :param failed: keeps them by key as long as the test runs.
    :param are_known: true to return only these, and to drop none.
    """

    def __init__(
        self, database: ExampleDatabase | None, order: str, failed: dict[bytes, set[bytes]], are_known: bool
    ) -> None:
        super().__init__()
        self._database = database
        self._end = f".{order}".encode() if order else b""
        self._failed = failed
        self._are_known = are_known

    def save(self, key: bytes, value: bytes) -> None:
        if not self._are_known:
            self._failed.setdefault(key, set()).add(value)
        if self._database is not None:
            self._database.save(key + self._end, value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        if self._are_known:
            # Under other keys are examples that were shrunk to these.
            yield from () if key.endswith(_OTHERS) else self._failed.get(key, ())
        elif self._database is not None:
            yield from self._database.fetch(key + self._end)

    def delete(self, key: bytes, value: bytes) -> None:
        if not self._are_known:
            self._failed.get(key, set()).discard(value)
        if self._database is not None:
            self._database.delete(key + self._end, value)
