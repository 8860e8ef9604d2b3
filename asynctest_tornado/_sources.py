"""Where errors surface that had no caller to catch them.

Tornado and asyncio do one thing alike where that happens: they log the exception, to ``tornado.application``,
``tornado.general`` or ``asyncio``. The trap stands at the door of these three loggers, before levels, filters and
handlers, so that no configuration of logging blinds it.
"""

import asyncio
import logging
import os

import tornado

from asynctest_tornado import _trap
from asynctest_tornado._collector import Trap

__unittest = True

_TORNADO = os.path.dirname(tornado.__file__) + os.sep
_ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep
# A loop that is not written in Python has no frames; then the caller is our default_exception_handler.
_OWN = os.path.dirname(__file__) + os.sep
_TORNADO_TEST = os.path.join(_TORNADO, "test") + os.sep


def watch_loggers() -> None:
    """Put the trap in front of the loggers of Tornado and asyncio, once and for all.

    What no context takes goes on to the logger, as before.
    """
    for name in ("tornado.application", "tornado.general", "asyncio"):
        logger = logging.getLogger(name)
        if "handle" not in vars(logger):
            _watch(logger)


def _watch(logger: logging.Logger) -> None:
    is_enabled, handle = logger.isEnabledFor, logger.handle

    def watched_is_enabled(level: int) -> bool:
        return level >= logging.ERROR or is_enabled(level)

    def watched_handle(record: logging.LogRecord) -> None:
        if _is_stray(record) and _consume(logger, record):
            return
        if is_enabled(record.levelno):
            handle(record)

    # On the instance: a logger outlives dictConfig and the like, which only change its attributes.
    vars(logger).update(isEnabledFor=watched_is_enabled, handle=watched_handle)


def _is_stray(record: logging.LogRecord) -> bool:
    """Tell whether the record says that Tornado or asyncio caught an error which had no caller.

    The same loggers serve applications, which may log an exception that they handled: not an error of the test.
    Nor is that of a request handler, which the response tells.
    """
    if record.levelno < logging.ERROR or not record.exc_info or not _trap.is_error(record.exc_info[1]):
        return False
    if not record.pathname.startswith((_TORNADO, _ASYNCIO, _OWN)) or record.pathname.startswith(_TORNADO_TEST):
        return False
    return record.funcName != "log_exception"


#: Tornado's function that logs the error of a future which was cancelled before.
_AFTER_CANCELLATION = "future_set_exception_unless_cancelled"


def _consume(logger: logging.Logger, record: logging.LogRecord) -> bool:
    """Return whether the record is dealt with, so that it need not be logged any more."""
    caught = record.exc_info[1] if record.exc_info else None
    assert caught is not None
    chain = _trap.chain_here()
    trap = chain[0] if chain and isinstance(chain[0], Trap) else None
    if record.funcName == _AFTER_CANCELLATION:
        return trap is not None and trap.has_cancelled
    error = _trap.offer(caught, chain[1:] if trap else chain)
    if error is None:
        return True
    record.exc_info = (type(error), error, error.__traceback__)
    if trap is None:
        return False
    expected = _is_expected(logger, record)
    if expected or _is_captured(logger):
        # Some errors are logged twice on their way; the second time, nobody may expect them any more.
        trap.remember(error)
        return expected
    return trap.add(error)


def _is_expected(logger: logging.Logger, record: logging.LogRecord) -> bool:
    """Tell whether an ``ExpectLog`` takes the record; it notes that it did.

    Known by their attributes, since those of ``tornado.testing`` count as well.
    """
    place: logging.Logger | None = logger
    while place is not None:
        for each in place.filters:
            if isinstance(each, logging.Filter) and hasattr(each, "required") and not each.filter(record):
                return True
        place = place.parent
    return False


def _is_captured(logger: logging.Logger) -> bool:
    """Tell whether ``assertLogs`` would see what is logged there. ``assertNoLogs`` expects nothing."""
    place: logging.Logger | None = logger
    while place is not None:
        for handler in place.handlers:
            # The class of this handler is private to unittest; the watcher, which has the records, is not.
            if hasattr(handler, "watcher"):
                return not getattr(handler, "expects_nothing", False)
        place = place.parent if place.propagate else None
    return False
