"""Lets a request go on whose time limit has passed while a debugger stood.

The wait of the test has no limit then, see `blocked_waits`. But Tornado's client has limits of its own: if a handler
stands at a breakpoint for 20 seconds, the request has timed out when the handler goes on. The timer of that limit is
late, because the loop did not run: so the request gets its time once more. A timer that comes in time ends the request
under a debugger as well, since the test may be about that.
"""

import functools
from typing import Any

from tornado import simple_httpclient

from asynctest_tornado._errors import contexts
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._timeouts.blocked_waits import BLOCKED_WAITS
from asynctest_tornado._util.patching import Patch

__unittest = True

#: Seconds by which a timer is late if the program stood still. Those of a busy machine are less.
LATE_SECONDS = 1.0


def _end_unless_stopped(self: Any, info: str | None = None, due: float | None = None) -> None:
    seconds = self.request.request_timeout
    if _on_timeout.is_active and seconds and _was_stopped():
        now = self.io_loop.time()
        if now - (self.start_time + seconds if due is None else due) > LATE_SECONDS:
            due = now + seconds
            self._timeout = self.io_loop.add_timeout(due, functools.partial(self._on_timeout, info, due=due))
            return
    _on_timeout.found(self, info)


def _was_stopped() -> bool:
    """Return whether a debugger has stopped the program in a wait that goes on, or is attached."""
    trap: Any = contexts.of_running_loop()
    waits = () if trap is None else trap.waits
    return any(isinstance(wait, Deadline) and BLOCKED_WAITS.expiring(wait) for wait in waits)


patches = []
if hasattr(getattr(simple_httpclient, "_HTTPConnection", None), "_on_timeout"):
    _on_timeout = Patch(simple_httpclient._HTTPConnection, "_on_timeout", _end_unless_stopped)
    patches.append(_on_timeout)


class DebuggedRequests(Feature):
    """More time for such requests."""

    patches = patches


DEBUGGED_REQUESTS = DebuggedRequests()
