"""Adds hints to the report of a failed test: how to mend a typical mistake."""

# Tested by tests/errors/test_hints.py.

import inspect
import socket

from asynctest_tornado._errors import hints, notes
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._timeouts import pending_requests
from asynctest_tornado._util.tracebacks import strip

__unittest = True


class Hints(Feature):
    """Hints, as notes. They need the frames that the report leaves out."""

    def notes(self, harness: Harness, error: BaseException) -> None:
        trap = harness.trap
        notes.begin(error, trap)
        remark = trap.data.get(hints.REMARK)
        if remark is not None:
            hints.add(error, remark(), trap)
        hints.add(error, hints.failed_request(error), trap)
        if pending_requests.is_unexplained(error):
            notes.add(error, harness.waits.snapshot(), trap)
        found = hints.missing_await(error)
        if found is not None:
            hint, explained = found
            hints.add(error, hint, trap)
            trap.data[hints.EXPLAINED] = explained
            if inspect.iscoroutine(explained):
                explained.close()  # or a second report would say that it was never awaited
        # If a host or port does not exist, the user's line has the reason.
        strip(error, from_end=isinstance(error, (ConnectionError, socket.gaierror)))


HINTS = Hints()
