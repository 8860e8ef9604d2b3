"""Records the logs of each test, and keeps them from the terminal.

A record that passes the levels and filters of its logger comes to ``Logger.callHandlers``. There it is recorded for the
test that the running code belongs to, and then goes to all handlers as usual: no handler is added to a logger, because
programs look whether the root logger has some. A test pays only if it logs.

If no handler is configured, ``logging`` itself prints warnings and errors, by ``logging.lastResort``. During tests it
leaves the recorded ones to the report of the test, and so does the handler that our own runner has from Tornado's
options. As ever, they print a record that belongs to no test, or comes too late for its report, or goes to a stream
that the test has redirected. Errors of request handlers that are in no report, because the test passes, are printed
when the tests have ended. Handlers that a program has configured get all records.
"""

import asyncio
import functools
import logging
import sys
import weakref
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors import collection, contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._expect import expect_log
from asynctest_tornado._logs.recorded import Entry, Recorded
from asynctest_tornado._sources import terminal_logs
from asynctest_tornado._sources.outliving_threads import is_guess
from asynctest_tornado._util import process_end, settings
from asynctest_tornado._util.patching import Patch

__unittest = True

#: The key in ``trap.data``.
KEY: Any = object()
#: The records that are left to the report of a test, with the function that returns its name.
_left: "weakref.WeakKeyDictionary[logging.LogRecord, Callable[[], str]]" = weakref.WeakKeyDictionary()


def of(trap: Trap) -> Recorded:
    """Return the records of a test, to be added to."""
    found: Recorded = known(trap) or trap.data.setdefault(KEY, Recorded())
    return found


def known(trap: Trap) -> Recorded | None:
    """Return the records of a test, if there may be some."""
    return trap.data.get(KEY)


def _record_and_call(self: logging.Logger, record: logging.LogRecord) -> None:
    trap = _trap_here() if calling.is_active else None
    if trap is not None:
        if _is_of_end(trap, record):
            terminal_logs.log_elsewhere(record, functools.partial(calling.found, self), self)
            return
        if _add(trap, self, record):
            _left[record] = trap.describe
    calling.found(self, record)


# Handlers that look for the line which logs skip all frames of this file, as loguru's documentation has it.
_record_and_call.__code__ = _record_and_call.__code__.replace(co_filename=logging.__file__)
calling = Patch(logging.Logger, "callHandlers", _record_and_call)


def _trap_here() -> Trap | None:
    """Return the trap of the test that the running code certainly belongs to."""
    if collection.is_collecting():
        return None
    chain = contexts.chain_here()
    trap = chain[0] if chain else None
    return trap if isinstance(trap, Trap) and trap.is_open and not is_guess(chain) else None


def _add(trap: Trap, logger: logging.Logger, record: logging.LogRecord) -> bool:
    """Record a log record for a test. Return true if terminals may leave it to the report of the test."""
    if expect_log.is_watched(logger):
        return False  # by assertLogs or assertNoLogs, which have it
    try:
        entry = Entry(record)
        weakref.ref(record), hash(record)  # a class of the user may be no key
    except Exception:
        return False  # an argument does not fit the message, for example: handlers report that
    has_report = trap.reporter is not None
    handlers = terminal_logs.handlers_of(logger)
    is_redirected = handlers == [logging.lastResort] and _is_last_resort_replaced()
    entry.is_shown = (
        terminal_logs.are_reported(handlers)
        or (is_redirected and record.levelno >= handlers[0].level)
        or not has_report
        or terminal_logs.is_elsewhere(record)
    )
    of(trap).entries.append(entry)
    return has_report and not settings.SHOW_LOGS.find()[0]


#: A method that a test may replace, as it is now.
_EMIT = logging.StreamHandler.emit


def _is_last_resort_replaced() -> bool:
    """Return true if a test has redirected what ``logging`` prints if no handler is configured, or looks at it."""
    stream = sys.stderr
    emit = getattr(logging.lastResort, "emit", None)
    is_patched = "write" in getattr(stream, "__dict__", ()) or getattr(emit, "__func__", None) is not _EMIT
    return stream is not sys.__stderr__ or is_patched


def _is_of_end(trap: Trap, record: logging.LogRecord) -> bool:
    """Return true for a line of Tornado about a handler that the end of the test has cancelled.

    Terminals do not get it: without this library there would be none, and no reader could connect it with its cause.
    """
    recorded = known(trap)
    if recorded is None or not recorded.is_ending or not record.name.startswith("tornado."):
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


def _left_by(record: logging.LogRecord) -> Callable[[], str] | None:
    """Return the function for the name of the test that leaves a record to its report, or None."""
    try:
        return _left.get(record)
    except TypeError:  # a class of the user, which is no key
        return None


class _LeavesToReport(logging.Filter):
    """Keeps the records that a report will have from a handler.

    :param is_last: True for the handler that ``logging`` has if none is configured. A test may redirect its stream.
    """

    def __init__(self, is_last: bool = False) -> None:
        super().__init__()
        self._is_last = is_last
        self._deferred: list[logging.LogRecord] = []

    def filter(self, record: logging.LogRecord) -> bool:
        describe = _left_by(record)
        if describe is None or (self._is_last and _is_last_resort_replaced()):
            return True
        if terminal_logs.is_deferred(record):
            # Without frames: the end of the run may be far away.
            entry = Entry(record)
            entry.record.msg = f"In {describe()}: {entry.record.msg}"
            self._deferred.append(entry.record)
            process_end.add(end)  # some runners never say that the tests have ended
        return False

    def log_deferred(self, handler: logging.Handler) -> None:
        """Log the errors that are in no report."""
        deferred, self._deferred = self._deferred, []
        if deferred and isinstance(handler, logging.StreamHandler):
            handler.stream.write("\n")  # the dots of the tests are in this line
        for record in deferred:
            handler.handle(record)


#: The handlers of our own runner, which print the logs that belong to no test.
handlers_of_runner: list[logging.Handler] = []
_filtered: list[tuple[logging.Handler, _LeavesToReport]] = []


def begin() -> None:
    """Let the terminal leave the logs of tests to their reports, from now on."""
    if logging.lastResort is not None:
        _filtered.append((logging.lastResort, _LeavesToReport(is_last=True)))
    _filtered.extend((handler, _LeavesToReport()) for handler in handlers_of_runner)
    for handler, each in _filtered:
        handler.addFilter(each)


def end() -> None:
    """Let the terminal have all logs again."""
    filtered, _filtered[:] = _filtered[:], []
    for handler, each in filtered:
        handler.removeFilter(each)
        each.log_deferred(handler)
