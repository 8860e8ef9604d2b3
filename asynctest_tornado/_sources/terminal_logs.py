"""Log records on their way to a terminal or a report of pytest, deferred."""

# Tested by tests/sources/test_loggers.py.

import contextvars
import functools
import logging
import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any

__unittest = True


def log_elsewhere(
    record: logging.LogRecord, log: Callable[[logging.LogRecord], None], logger: logging.Logger
) -> list[Callable[[], object]]:
    """Log a record as usual, but not to the terminal; return functions that log it there.

    :param log: logs the record.
    :param logger: the logger that got it.
    """
    terminals = [handler for handler in handlers_of(logger) if _is_terminal(handler)]

    def is_another(each: logging.LogRecord) -> bool:
        return each is not record

    for handler in terminals:
        handler.addFilter(is_another)
    token = _elsewhere.set(record)
    try:
        log(record)
    finally:
        _elsewhere.reset(token)
        for handler in terminals:
            handler.removeFilter(is_another)
    return [functools.partial(_log, handler, record) for handler in terminals if record.levelno >= handler.level]


#: The record that is being logged, but not to terminals, because a report may come to have its error.
_elsewhere: contextvars.ContextVar[logging.LogRecord | None] = contextvars.ContextVar(
    "asynctest_tornado_elsewhere", default=None
)
#: The record that is being logged to a terminal because no report has its error.
_deferred: contextvars.ContextVar[logging.LogRecord | None] = contextvars.ContextVar(
    "asynctest_tornado_deferred", default=None
)


def _log(handler: logging.Handler, record: logging.LogRecord) -> None:
    token = _deferred.set(record)
    try:
        handler.handle(record)
    finally:
        _deferred.reset(token)


def is_elsewhere(record: logging.LogRecord) -> bool:
    """Return true if a record is being logged, but not to terminals, because a report may come to have its error."""
    return _elsewhere.get() is record


def is_deferred(record: logging.LogRecord) -> bool:
    """Return true if a record is being logged to a terminal because no report has its error."""
    return _deferred.get() is record


def handlers_of(logger: logging.Logger) -> list[logging.Handler]:
    """Return the handlers that get the records of a logger."""
    found: list[logging.Handler] = []
    place: logging.Logger | None = logger
    while place is not None:
        found += place.handlers
        place = place.parent if place.propagate else None
    if not found and logging.lastResort is not None:
        return [logging.lastResort]
    return found


#: The handlers of pytest whose records are a part of its reports.
_reported: "weakref.WeakSet[logging.Handler]" = weakref.WeakSet()


def add_pytest(config: Any) -> None:
    """Record the handler of pytest whose records are a part of its reports: it waits as a terminal does."""
    handler = getattr(config.pluginmanager.get_plugin("logging-plugin"), "report_handler", None)
    if isinstance(handler, logging.Handler):
        _reported.add(handler)


def are_reported(handlers: Iterable[logging.Handler]) -> bool:
    """Return true if one of the handlers is part of a report of pytest."""
    return bool(_reported) and any(handler in _reported for handler in handlers)


def _is_terminal(handler: logging.Handler) -> bool:
    if handler in _reported:
        return True
    # Not a class that the user has derived to see records, nor a stream that is captured to see the text.
    is_plain = type(handler) is logging.StreamHandler or handler is logging.lastResort
    return is_plain and getattr(handler, "stream", None) in (sys.__stderr__, sys.__stdout__)
