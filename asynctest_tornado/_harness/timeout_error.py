"""Makes the error of a wait that has ended too early or too late."""

# Tested by tests/harness/test_deadline.py.

import asyncio
from typing import Any

__unittest = True


def error_of(
    wait: Any, cls: type[BaseException], operation: str, outcome: BaseException | None = None, addition: str = ""
) -> BaseException:
    """Return the error to raise.

    :param wait: a `Deadline`, which has the facts.
    :param cls: the class of the error.
    :param operation: the name of the operation that the test waited for.
    :param outcome: the exception of the task after its cancellation.
    :param addition: a clause about the end, for the message.
    """
    reason = wait.reason or f"timed out after {wait.limit.describe()}"
    error = cls(f"{operation} {reason}{addition}{wait.remark}")
    if wait.raised is not None:
        error.__traceback__ = wait.raised.__traceback__
    elif wait.remark:
        pass  # it says enough
    elif isinstance(outcome, asyncio.CancelledError):
        # The line at which it was cancelled is the line at which the test waited.
        error.__traceback__ = outcome.__traceback__
    elif wait.is_hopeless:
        error = cls(f"{operation} {reason}{addition}; it was cancelled, did not end, and is abandoned")
    else:
        error.__cause__ = outcome
    for feature in wait.loop.trap.features.timed_out:
        feature.timed_out(wait, error)
    if wait.pending:
        error.add_note(wait.pending)
    return error
