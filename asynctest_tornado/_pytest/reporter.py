"""Reports about a test function beside the result that it has in pytest."""

# Tested by tests/pytest/test_plugin.py.

import traceback
from collections.abc import Callable
from typing import Any

from asynctest_tornado._util import exception_notes, process_end
from asynctest_tornado._util.tracebacks import OURS, USER, owner_of, strip

__unittest = True
__tracebackhide__ = True

drop_own_lines = exception_notes.drop_own_lines


class Reporter:
    """Reports about a test function, or about the latest one of a scope.

    :param item: the test, as pytest knows it.
    :param report_late: called with the test and an error that surfaces after its end; returns whether it will report.
    """

    def __init__(self, item: Any, report_late: Callable[[Any, BaseException, str | None], bool]) -> None:
        self.item = item
        self._report_late = report_late

    def late(self, error: BaseException, other: str | None) -> bool:
        if not self._report_late(self.item, strip(error), other):
            process_end.fail_later(f"ERROR: {self.item.nodeid}\n{''.join(traceback.format_exception(error))}")
        return True

    def amend(self, error: BaseException, text: str) -> None:
        self.item.add_report_section("teardown", "leaks", text)  # the report of the failure is written already


def is_ours(error: BaseException) -> bool:
    """Return whether an error was raised by this library, without a call of code of the user."""
    return all(owner_of(frame) is OURS for frame, _ in traceback.walk_tb(error.__traceback__))


def hide_own(error: BaseException) -> None:
    """Take the traceback from an error that this library has made, for example for a leak."""
    tb = strip(error).__traceback__
    if tb is not None and owner_of(tb.tb_frame) is OURS:
        error.__traceback__ = None


def hide_our_frames(call: Any) -> None:
    """Take the frames of this library out of the error of a fixture, which has lines of the user.

    :param call: the ``pytest.CallInfo`` of the set-up, or the teardown, of a test function.
    """
    if {OURS, USER} <= {owner_of(entry.frame.raw) for entry in call.excinfo.traceback}:
        call.excinfo = type(call.excinfo).from_exception(strip(call.excinfo.value))
