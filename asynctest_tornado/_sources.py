"""Where errors surface that had no caller to catch them.

Tornado and asyncio do one thing alike where that happens: they log the exception, to ``tornado.application``,
``tornado.general`` or ``asyncio``. The trap stands at the door of these three loggers, before levels, filters and
handlers, so that no configuration of logging blinds it.
"""

import asyncio
import concurrent.futures
import logging
import os
import sys
from collections.abc import Callable

import tornado
from tornado import gen, websocket

from asynctest_tornado import _garbage, _handlers, _terminal, _trap
from asynctest_tornado._collector import Trap

__unittest = True

_TORNADO = os.path.dirname(tornado.__file__) + os.sep
_ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep
# A loop that is not written in Python has no frames; then the caller is our default_exception_handler.
_OWN = os.path.dirname(__file__) + os.sep
_CONCURRENT = os.path.dirname(concurrent.futures.__file__) + os.sep
_TORNADO_TEST = os.path.join(_TORNADO, "test") + os.sep


def watch_loggers() -> None:
    """Put the trap in front of the loggers of Tornado and asyncio, once and for all.

    What no context takes goes on to the logger, as before.
    """
    for name in ("tornado.application", "tornado.general", "asyncio", "concurrent.futures"):
        logger = logging.getLogger(name)
        if "handle" not in vars(logger):
            _watch(logger)


def _watch(logger: logging.Logger) -> None:
    is_enabled, handle = logger.isEnabledFor, logger.handle

    def watched_is_enabled(level: int) -> bool:
        return level >= logging.ERROR or is_enabled(level)

    def watched_handle(record: logging.LogRecord) -> None:
        failure = _handlers.being_logged.get()
        if failure is not None:
            _log_of_handler(failure, handle, logger, record, is_enabled(record.levelno))
        elif _is_stray(record) and _consume(logger, record, is_enabled(record.levelno)):
            return
        elif is_enabled(record.levelno):
            handle(record)

    # On the instance: a logger outlives dictConfig and the like, which only change its attributes.
    vars(logger).update(isEnabledFor=watched_is_enabled, handle=watched_handle)


def _is_stray(record: logging.LogRecord) -> bool:
    """Tell whether the record says that Tornado or asyncio caught an error which had no caller.

    The same loggers serve applications, which may log an exception that they handled: not an error of the test. Nor
    is that of a request handler, which comes another way.
    """
    if record.levelno < logging.ERROR or not record.exc_info or not _trap.is_error(record.exc_info[1]):
        return False
    libraries = (_TORNADO, _ASYNCIO, _CONCURRENT, _OWN)
    if not record.pathname.startswith(libraries) or record.pathname.startswith(_TORNADO_TEST):
        return False
    # The client of a websocket has a method of that name, too, for its callbacks.
    return record.funcName != "log_exception" or record.pathname == websocket.__file__


def _log_of_handler(
    failure: _handlers.ServerError,
    log: Callable[[logging.LogRecord], None],
    logger: logging.Logger,
    record: logging.LogRecord,
    is_enabled: bool,
) -> None:
    """Log what a request handler has raised: expected or not, and with the report of the test or without."""
    if _is_expected(logger, record):
        failure.is_expected = True
    elif is_enabled and _is_captured(logger, record.levelno):
        failure.is_expected = True
        log(record)
    elif is_enabled and not failure.is_expected:
        if failure.has_test and record.exc_info and record.exc_info[1] is failure.error:
            failure.hold(_terminal.log_elsewhere(record, log, logger))
        else:
            log(record)


#: Tornado's function that logs the error of a future which was cancelled before.
_AFTER_CANCELLATION = "future_set_exception_unless_cancelled"


def _consume(logger: logging.Logger, record: logging.LogRecord, is_enabled: bool) -> bool:
    """Return whether the record is dealt with, so that it need not be logged any more."""
    caught = record.exc_info[1] if record.exc_info else None
    assert caught is not None
    if _garbage.is_collecting():
        return _garbage.deliver(caught)
    chain = _trap.chain_here()
    trap = chain[0] if chain and isinstance(chain[0], Trap) else None
    if record.funcName == _AFTER_CANCELLATION:
        return trap is not None and (trap.has_cancelled or trap.comes_of_closing(caught))
    if trap is not None and _is_told_again(trap, logger, caught):
        return True
    error = _trap.offer(caught, chain[1:] if trap else chain)
    if error is None:
        return True
    record.exc_info = (type(error), error, error.__traceback__)
    if trap is None:
        return False
    # What comes late is not what the test that runs by then expects.
    if trap.is_open:
        expected = _is_expected(logger, record)
        if expected or (is_enabled and _is_captured(logger, record.levelno)):
            trap.expect(error)
            return expected
        first = _first_error_of_multi(record)
        if first is not None and first is not error:
            trap.add_sibling(first, error)
            return False
    return trap.add(error)


def _is_told_again(trap: Trap, logger: logging.Logger, error: BaseException) -> bool:
    """Tell whether asyncio logs what Tornado has just logged and raised again."""
    just_told, trap.just_told = trap.just_told, None if logger.name == "asyncio" else error
    return logger.name == "asyncio" and just_told is error


def _first_error_of_multi(record: logging.LogRecord) -> BaseException | None:
    """Return the error that ``gen.multi`` fails of, if the record is about another one, which it drops."""
    frame = sys._getframe() if record.msg == "Multiple exceptions in yield list" else None
    while frame is not None and frame.f_code.co_filename != gen.__file__:
        frame = frame.f_back
    future = None if frame is None else frame.f_locals.get("future")
    first: BaseException | None = getattr(future, "_exception", None)
    return first


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


def _is_captured(logger: logging.Logger, level: int) -> bool:
    """Tell whether ``assertLogs`` would see what is logged there. ``assertNoLogs`` expects nothing."""
    place: logging.Logger | None = logger
    while place is not None:
        for handler in place.handlers:
            # The class of this handler is private to unittest; the watcher, which has the records, is not.
            if hasattr(handler, "watcher"):
                return handler.level <= level and not getattr(handler, "expects_nothing", False)
        place = place.parent if place.propagate else None
    return False
