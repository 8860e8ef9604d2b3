"""The end of a test's time."""

import asyncio
from collections.abc import Callable

from asynctest_tornado import _loop, _timeouts

__unittest = True

#: Seconds that a task which has used up the time gets to end after its cancellation, twice.
INSISTENCE = 0.2


class Deadline:
    """For a block that runs the loop for a task: ends it when the time is over."""

    def __init__(self, loop: _loop.LoopOfTest, cancel: Callable[[], None], limit: _timeouts.Limit) -> None:
        self._loop = loop
        self._cancel = cancel
        self._limit = limit
        self._call_off: Callable[[], object] | None = None
        self.is_over = False
        #: Whether the task does not end in spite of everything.
        self.is_hopeless = False

    def __enter__(self) -> "Deadline":
        if self._limit.is_set:
            self._call_off = self._loop.call_later(self._limit.seconds, self._expire)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._call_off is not None:
            self._call_off()

    def _expire(self) -> None:
        self.is_over = True
        self._cancel()
        self._call_off = self._loop.call_later(INSISTENCE, self._insist)

    def _insist(self) -> None:
        self._cancel()
        self._call_off = self._loop.call_later(INSISTENCE, self._give_up)

    def _give_up(self) -> None:
        self.is_hopeless = True
        self._loop.loop.stop()

    def error(self, outcome: BaseException | None) -> TimeoutError:
        """Return the error to raise, given what became of the task after its cancellation."""
        message = f"Operation timed out after {self._limit} ({self._limit.setting})"
        if isinstance(outcome, asyncio.CancelledError):
            # The line at which it was cancelled is the one at which the test stood.
            return TimeoutError(message).with_traceback(outcome.__traceback__)
        if self.is_hopeless:
            message += "; it was cancelled twice, did not end, and is abandoned"
        elif outcome is None:
            message += "; it caught the CancelledError and went on"
        error = TimeoutError(message)
        error.__cause__ = outcome
        return error
