"""Errors of request handlers in one test, and their notes in its report."""

# Tested by tests/sources/test_request_handlers.py.

import traceback
import weakref
from collections.abc import Iterator
from typing import Any

from asynctest_tornado._errors import contexts, notes, siblings
from asynctest_tornado._errors.server_error import ServerError, record_in
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._util.tracebacks import TORNADO, owner_of, strip

__unittest = True

#: How many errors a report shows.
MOST_SHOWN = 10
#: The key in ``trap.data``.
_KEY: Any = object()
#: The tests that fail of each error of a request handler, also if a response reports it, and it comes late.
strict: "weakref.WeakSet[contexts.Context]" = weakref.WeakSet()


class HandlerErrors:
    """The errors of the request handlers of one test."""

    def __init__(self) -> None:
        self.errors: list[ServerError] = []
        #: Each ``HTTPError`` below 500 to which Tornado sends no response.
        self.refusals: list[ServerError] = []

    def record(self, failure: ServerError, trap: Trap) -> ServerError | None:
        """Record an error; or return the earlier record of the same exception."""
        recorded = record_in(self.errors, failure)
        if recorded is None:
            failure.is_expected = trap.is_expected(failure.error)
        return recorded


def of(trap: Trap) -> HandlerErrors:
    """Return the errors of the handlers of a test, to be changed."""
    found: HandlerErrors = known(trap) or trap.data.setdefault(_KEY, HandlerErrors())
    return found


def known(trap: Trap) -> HandlerErrors | None:
    """Return the errors of the handlers of a test, if there may be some."""
    return trap.data.get(_KEY)


def drop(trap: Trap) -> None:
    """Drop the errors, which hold frames. Deferred log records of errors that are in no report are logged."""
    found = known(trap)
    if found is not None:
        for failure in (*found.errors, *found.refusals):
            failure._log_deferred()
        found.errors.clear()
        found.refusals.clear()


def add_notes(error: BaseException, trap: Trap) -> None:
    """Add a note for each error of a handler that was answered with a response, and that is in no report yet.

    :param error: the failure of the test.
    :param trap: the trap of the test.
    """
    found = known(trap)
    if found is None:
        return
    shown = set(map(id, parts_of(error)))
    unreported = []
    for failure in (*found.errors, *found.refusals):
        if id(failure.error) in shown:
            failure.is_reported = True
        elif failure.is_answered and not failure.is_reported:
            unreported.append(failure)
    for failure in unreported[:MOST_SHOWN]:
        notes.add(error, describe(failure), trap)
        for sibling in siblings.of(trap, failure.error):
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


def parts_of(error: BaseException) -> Iterator[BaseException]:
    """Return the errors that a report shows: the members of groups, causes and contexts as well."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        part = left.pop()
        if part is not None and id(part) not in seen:
            seen.add(id(part))
            yield part
            left += [part.__cause__, part.__context__, *getattr(part, "exceptions", ())]
