"""Log records on their way to a terminal, deferred."""

# Tested by tests/sources/test_loggers.py.

import functools
import logging
import sys
from collections.abc import Callable

__unittest = True


def log_elsewhere(
    record: logging.LogRecord, log: Callable[[logging.LogRecord], None], logger: logging.Logger
) -> list[Callable[[], object]]:
    """Log a record as usual, but not to the terminal; return functions that log it there.

    :param log: logs the record.
    :param logger: the logger that got it.
    """
    terminals = [handler for handler in _handlers_of(logger) if _is_terminal(handler)]

    def is_another(each: logging.LogRecord) -> bool:
        return each is not record

    for handler in terminals:
        handler.addFilter(is_another)
    try:
        log(record)
    finally:
        for handler in terminals:
            handler.removeFilter(is_another)
    return [functools.partial(handler.handle, record) for handler in terminals if record.levelno >= handler.level]


def _handlers_of(logger: logging.Logger) -> list[logging.Handler]:
    found: list[logging.Handler] = []
    place: logging.Logger | None = logger
    while place is not None:
        found += place.handlers
        place = place.parent if place.propagate else None
    if not found and logging.lastResort is not None:
        return [logging.lastResort]
    return found


def _is_terminal(handler: logging.Handler) -> bool:
    # Not a class that the user has derived to see records, nor a stream that is captured to see the text.
    is_plain = type(handler) is logging.StreamHandler or handler is logging.lastResort
    return is_plain and getattr(handler, "stream", None) in (sys.__stderr__, sys.__stdout__)
