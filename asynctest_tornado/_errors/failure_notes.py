"""Tells in the report of a test that failed what the request handlers of its servers have raised."""

# Tested by tests/sources/test_request_handlers.py.

import inspect
import socket
import traceback
from collections.abc import Iterator

from asynctest_tornado._errors import exception_notes, hints
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

    :param trap: that of the test.
    """
    if is_failure(error):
        exception_notes.begin(error, trap)
        _add_hints(error, trap)
        # Of a host or port that is not there, it is the line of the user that has the reason.
        strip(error, from_end=isinstance(error, (ConnectionError, socket.gaierror)))
        trap.failure = error
        if trap.hint is not None:
            exception_notes.add(error, trap.hint, trap, once=True)
        if trap.server_errors or trap.refusals:
            add_to(error, trap)
        exceptions.unchain(error)


def _add_hints(error: BaseException, trap: Trap) -> None:
    """Add how to mend a typical mistake, for which the frames are needed that the report leaves out."""
    if trap.remark is not None:
        hints.add(error, trap.remark(), trap)
    hints.add(error, hints.failed_request(error), trap)
    found = hints.missing_await(error)
    if found is not None:
        hint, trap.explained = found
        hints.add(error, hint, trap)
        if inspect.iscoroutine(trap.explained):
            trap.explained.close()  # or a second report would say that it was never awaited


def add_to(error: BaseException, trap: Trap) -> None:
    """Add a note for each error of a handler that was answered with a response, and is in no report yet.

    :param error: what the test fails of.
    :param trap: that of the test.
    """
    shown = set(map(id, _parts(error)))
    untold = []
    for failure in (*trap.server_errors, *trap.refusals):
        if id(failure.error) in shown:
            failure.is_told = True
        elif failure.is_answered and not failure.is_told:
            untold.append(failure)
    for failure in untold[:MOST_SHOWN]:
        exception_notes.add(error, describe(failure), trap)
        for sibling in trap.siblings_of(failure.error):
            exception_notes.add(error, "At the same time, which gather() does not tell:\n" + _format(sibling), trap)
    if len(untold) > MOST_SHOWN:
        exception_notes.add(error, f"{len(untold) - MOST_SHOWN} more errors of request handlers are not shown.", trap)
    for failure in untold:
        failure.is_told = True


def describe(failure: ServerError) -> str:
    """Tell what a handler has raised."""
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
    """Return what a report on an error shows: the members of groups, causes and contexts as well."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        part = left.pop()
        if part is not None and id(part) not in seen:
            seen.add(id(part))
            yield part
            left += [part.__cause__, part.__context__, *getattr(part, "exceptions", ())]
