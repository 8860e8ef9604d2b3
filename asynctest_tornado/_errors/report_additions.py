"""Additions to the report of a failed test: hints, errors of request handlers."""

# Tested by tests/sources/test_request_handlers.py.

from collections.abc import Callable

from asynctest_tornado._errors.server_error import ServerError

__unittest = True


class ReportAdditions:
    """The hints and the errors of request handlers that `failure_notes` adds to the failure of a test."""

    #: How to repeat the order of the test.
    hint: str | None = None
    #: The task or future that the failure is about: the leak check leaves it out.
    explained: object = None
    #: Returns a hint about the latest wait of the test, or None.
    remark: Callable[[], str | None] | None = None

    def __init__(self) -> None:
        #: The errors of request handlers.
        self.server_errors: list[ServerError] = []
        #: Each ``HTTPError`` below 500 to which Tornado sends no response.
        self.refusals: list[ServerError] = []

    def forget(self) -> None:
        """Drop all that holds frames. Deferred log records of errors that are in no report are logged."""
        self.explained = None
        if self.server_errors or self.refusals:
            for failure in (*self.server_errors, *self.refusals):
                failure.log_deferred()
            self.server_errors.clear()
            self.refusals.clear()
