"""Adds hints, and errors of request handlers, to the report of a failed test."""

# Tested by tests/sources/test_request_handlers.py.

import inspect
import socket
import traceback
from collections.abc import Iterator

from asynctest_tornado._errors import hints, notes
from asynctest_tornado._errors.contexts import is_failure
from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._util import exceptions
from asynctest_tornado._util.tracebacks import TORNADO, owner_of, strip

__unittest = True

#: How many errors a report shows.
MOST_SHOWN = 10


def explain(error: BaseException, trap: Trap) -> None:
    """Let the report of an error that the user's code raised show the user's lines, and the reasons.

    :param trap: the trap of the test.
    """
    if is_failure(error):
        notes.begin(error, trap)
        _add_hints(error, trap)
        # If a host or port does not exist, the user's line has the reason.
        strip(error, from_end=isinstance(error, (ConnectionError, socket.gaierror)))
        trap.failure = error
        if trap.report.hint is not None:
            notes.add(error, trap.report.hint, trap, once=True)
        if trap.report.server_errors or trap.report.refusals:
            add_to(error, trap)
        exceptions.unchain(error)


def _add_hints(error: BaseException, trap: Trap) -> None:
    """Add how to mend a typical mistake. This needs the frames that the report leaves out."""
    if trap.report.remark is not None:
        hints.add(error, trap.report.remark(), trap)
    hints.add(error, hints.failed_request(error), trap)
    found = hints.missing_await(error)
    if found is not None:
        hint, trap.report.explained = found
        hints.add(error, hint, trap)
        if inspect.iscoroutine(trap.report.explained):
            trap.report.explained.close()  # or a second report would say that it was never awaited


def add_to(error: BaseException, trap: Trap) -> None:
    """Add a note for each error of a handler that was answered with a response, and that is in no report yet.

    :param error: the failure of the test.
    :param trap: the trap of the test.
    """
    shown = set(map(id, _parts(error)))
    unreported = []
    for failure in (*trap.report.server_errors, *trap.report.refusals):
        if id(failure.error) in shown:
            failure.is_reported = True
        elif failure.is_answered and not failure.is_reported:
            unreported.append(failure)
    for failure in unreported[:MOST_SHOWN]:
        notes.add(error, describe(failure), trap)
        for sibling in trap.siblings_of(failure.error):
            notes.add(error, "At the same time, and dropped by gather():\n" + _format(sibling), trap)
    if len(unreported) > MOST_SHOWN:
        notes.add(error, f"{len(unreported) - MOST_SHOWN} more errors of request handlers are not shown.", trap)
    for failure in unreported:
        failure.is_reported = True


def describe(failure: ServerError) -> str:
    """Return the text about an error of a handler."""
    expected = ", which the test expects" if failure.is_expected else ""
    hint = f"\n{failure.hint}" if failure.hint else ""
    return f"While serving {failure.what}{expected}:\n{_format(failure.error)}{hint}"


def _format(error: BaseException) -> str:
    """Return the traceback, from the first line on that is not Tornado's."""
    strip(error)
    tb = error.__traceback__
    while tb is not None and owner_of(tb.tb_frame) is TORNADO and tb.tb_next is not None:
        tb = tb.tb_next
    return "".join(traceback.TracebackException(type(error), error, tb, compact=True).format()).rstrip()


def _parts(error: BaseException) -> Iterator[BaseException]:
    """Return the errors that a report shows: the members of groups, causes and contexts as well."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        part = left.pop()
        if part is not None and id(part) not in seen:
            seen.add(id(part))
            yield part
            left += [part.__cause__, part.__context__, *getattr(part, "exceptions", ())]
