"""Checks each test for leaks, when it ends."""

# Tested by tests/leaks/test_search.py.

from collections.abc import Callable, Collection
from typing import Any

from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._leaks import client_requests, kinds, policy, spawned, tracking
from asynctest_tornado._leaks.check import SHOWS_PENDING, LeakCheck
from asynctest_tornado._leaks.closing import CLOSED_CONNECTIONS
from asynctest_tornado._leaks.recording_loop import RecordingLoop
from asynctest_tornado._loop.managed_loop import LoopOfTest

__unittest = True


class Leaks(Feature):
    """The leak checks of tests. The option is the policy."""

    loop_class = RecordingLoop
    patches = (*tracking.patches, *client_requests.patches, *spawned.patches)

    def tests_ended(self) -> None:
        client_requests.drop_clients()

    def main_ended(self, loop: LoopOfTest) -> None:
        trap = loop.trap
        if trap.made:
            trap.data[OPEN_STREAMS] = kinds.open_streams(thing for thing, _ in trap.made.known())

    def timed_out(self, wait: Deadline, error: BaseException) -> None:
        wait.loop.trap.mark(error).data[SHOWS_PENDING] = True

    def ending(self, harness: Harness, get_held: Callable[[], Collection[int]]) -> None:
        if harness.loop.may_have_pending_tasks():
            self._check(harness).look_for_tasks(get_held)

    def look_for_requests(self, harness: Harness, get_held: Callable[[], Collection[int]] = tuple) -> None:
        """Find the requests that a test does not wait for, before their server is closed.

        :param get_held: see `ending`.
        """
        if harness.loop.may_have_pending_tasks():
            self._check(harness).look_for_requests(get_held)

    def closing(self, harness: Harness) -> None:
        CLOSED_CONNECTIONS.begin(harness, harness.futures)
        self._check(harness).look_for_all(harness.trap.data.get(OPEN_STREAMS, ()))

    def verdict(self, harness: Harness, error: BaseException | None) -> BaseException | None:
        return self._check(harness).report(error) if self in harness.trap.data else error

    def reported_for(self, harness: Harness) -> list[str] | None:
        """Return the leaks that were reported, as text; None if there was no check."""
        check: LeakCheck | None = harness.trap.data.get(self)
        return None if check is None else check.reported

    def has_warned(self, harness: Harness) -> bool:
        """Return whether there was a warning of leaks."""
        check: LeakCheck | None = harness.trap.data.get(self)
        return check is not None and check.has_warned

    def _check(self, harness: Harness) -> LeakCheck:
        data = harness.trap.data
        check: LeakCheck | None = data.get(self)
        if check is None or check.loop is not harness.loop:
            check = data[self] = LeakCheck(harness, harness.options.get(self, policy.IGNORE))
        return check


LEAKS = Leaks()
#: The key for references to the streams that were open at the end of the last wait.
OPEN_STREAMS: Any = object()
