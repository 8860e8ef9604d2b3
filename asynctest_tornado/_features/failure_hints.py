"""Adds hints to the report of a failed test: how to mend a typical mistake."""

# Tested by tests/errors/test_hints.py.

import inspect
import socket
import ssl
from typing import Any

from asynctest_tornado._errors import hints, last_answer, notes, taken_address
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import NEW, Harness
from asynctest_tornado._timeouts import blocking_clients, pending_requests
from asynctest_tornado._tls import https_servers
from asynctest_tornado._util import settings
from asynctest_tornado._util.exception_notes import drop_chain
from asynctest_tornado._util.tracebacks import end_at_user, strip

__unittest = True

#: Each returns the hint for an error, or None. With a hint, the report ends at the user's line.
_HINTS = (
    hints.scheduled_call,
    hints.waits_twice,
    hints.runs_loop_twice,
    hints.unencoded_body,
    hints.closed_while_running,
    hints.plain_async_set_up,
    taken_address.hint,
)


class Hints(Feature):
    """Hints, as notes. They need the frames that the report leaves out."""

    def notes(self, harness: Harness, error: BaseException) -> None:
        trap = harness.trap
        notes.begin(error, trap)
        remark = trap.data.get(hints.REMARK)
        if remark is not None:
            hints.add(error, remark(), trap)
        # If a host or port does not exist, or is another one, the user's line has the reason.
        is_explained = isinstance(error, (ConnectionError, socket.gaierror, ssl.SSLError))
        failed = hints.failed_request(error)
        if failed is not None:
            hints.add_request(error, *failed, trap)
            self._mend(error, https_servers.hint(error, failed[1]), trap)
        self._mend(
            error,
            last_answer.hint(error, trap.data.get(last_answer.ANSWER), trap.data.get(last_answer.UNKNOWN, ())),
            trap,
        )
        hints.add(error, last_answer.of_mock(trap.data.get(last_answer.IS_MOCKED, False)), trap)
        for get_hint in _HINTS:
            text = get_hint(error)
            hints.add(error, text, trap)
            is_explained = is_explained or text is not None
        if pending_requests.is_unexplained(error):
            notes.add(error, harness.waits.snapshot(), trap)
        found = hints.missing_await(error)
        if found is not None:
            hint, explained = found
            hints.add(error, hint, trap)
            trap.data[hints.EXPLAINED] = explained
            if inspect.iscoroutine(explained):
                explained.close()  # or a second report would say that it was never awaited
        end_run: Any = getattr(trap.reporter, "end_run", None) if settings.is_of_run(error) else None
        if end_run is not None:
            end_run(error)
        strip(error, from_end=is_explained)
        # A setUp() may fail before it has a loop.
        blocked = None if harness.state is NEW else blocking_clients.hint(error, harness.loop.loop)
        if blocked is not None:
            self._mend(error, blocked, trap)
            drop_chain(error)

    def _mend(self, error: BaseException, hint: str | None, trap: Trap) -> None:
        """Add a hint, if there is one, which says more than the frames behind the user's line."""
        if hint is not None:
            hints.add(error, hint, trap)
            end_at_user(error)


def explain_interrupt(harness: Harness, error: KeyboardInterrupt) -> None:
    """Shorten the traceback of an interrupt that ends the run, and say what the test waits for if it waits for itself.

    No phase of the test ends with it.
    """
    blocked = blocking_clients.hint(error, harness.loop.loop)
    if blocked is not None:
        hints.add(error, blocked, harness.trap)
        end_at_user(error)
    strip(error, from_end=True)


HINTS = Hints()
