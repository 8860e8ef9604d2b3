"""Describes how a wait has ended: the message, traceback and notes of its error."""

# Tested by tests/harness/test_deadline.py.

import asyncio

from asynctest_tornado._timeouts import limits
from asynctest_tornado._util import exceptions
from asynctest_tornado._util.tracebacks import strip

__unittest = True


class TimeoutReport:
    """Describes a wait by the facts that its `Deadline` records here.

    :param limit: the time limit of the wait.
    """

    #: The pending tasks, timers and requests as text, from before the first of them was cancelled.
    pending = ""
    #: The stack of the callback that blocked the loop, as text.
    blocked_at = ""
    #: True if that callback was sent a KeyboardInterrupt.
    is_interrupted = False
    #: The KeyboardInterrupt, if the callback has let it through.
    interruption: KeyboardInterrupt | None = None
    #: True if the task does not end after its cancellation.
    is_abandoned = False
    _deadlock = ""

    def __init__(self, limit: limits.Limit) -> None:
        self._limit = limit

    def record_deadlock(self, seconds: float, has_private_servers: bool) -> None:
        """Record that nothing can wake the loop.

        :param seconds: the duration of the wait.
        :param has_private_servers: true if files of the loop belong to the test's own servers.
        """
        timers, files = "no timer", "no open file"
        if has_private_servers:
            timers, files = "no timer within that time", "no open file but those of the test's own server"
        self._deadlock = (
            f"would have timed out after {self._limit_text()}, and ends after {seconds:.3g} seconds: this is a "
            f"deadlock. Nothing is left that could wake the event loop: {timers}, {files}, no thread, no child process"
        )

    def _limit_text(self) -> str:
        return f"{self._limit} ({self._limit.setting})" if self._limit.is_set else "no time limit"

    def error(
        self, cls: type[BaseException], operation: str, outcome: BaseException | None = None, addition: str = ""
    ) -> BaseException:
        """Return the error to raise.

        :param cls: its class.
        :param operation: the name of the operation that the test waited for.
        :param outcome: the exception of the task after its cancellation.
        :param addition: ends the message.
        """
        message = f"{operation} {self._deadlock or f'timed out after {self._limit_text()}'}{addition}"
        error = self._error(cls, message, outcome)
        if self.pending:
            error.add_note(self.pending)
        return error

    def _error(self, cls: type[BaseException], message: str, outcome: BaseException | None) -> BaseException:
        if self.interruption is not None:
            error = cls(f"{message}; this line blocked the event loop")
            error.__traceback__ = strip(self.interruption).__traceback__
        elif self.is_interrupted:
            error = cls(f"{message}; it blocked the event loop, and caught the KeyboardInterrupt that was to end that")
            error.add_note(f"It was blocked at:\n{self.blocked_at}")
        elif isinstance(outcome, asyncio.CancelledError):
            # The line at which it was cancelled is the line at which the test waited.
            error = cls(message).with_traceback(strip(outcome, from_end=True).__traceback__)
        elif self.is_abandoned:
            error = cls(f"{message}; it was cancelled, did not end, and is abandoned")
        else:
            error = cls(message)
            error.__cause__ = outcome
            exceptions.unchain(error)
        return error

    def blocked(self) -> str:
        """Return the text to print for a callback that blocks the loop, and cannot be interrupted."""
        limit = f"{self._limit} are over ({self._limit.setting})"
        return f"The event loop is blocked: {limit}. It stands at:\n{self.blocked_at}"


def still_blocked(stack: str) -> str:
    """Return the text to print for a callback that goes on after its interruption.

    :param stack: the stack of the callback.
    """
    return f"The event loop is still blocked after a KeyboardInterrupt. It stands at:\n{stack}"
