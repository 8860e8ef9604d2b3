"""Errors that Tornado and asyncio log, because no caller could catch them.

They log to ``tornado.application``, ``tornado.general`` and ``asyncio``. The trap stands before the methods of these
loggers, and thereby before levels, filters and handlers: no configuration of logging blinds it.
"""

import asyncio
import inspect
import logging
import types
from collections.abc import Callable
from sys import _getframe  # a test may replace it
from typing import Any, TypeGuard

from tornado import gen, websocket
from tornado.web import HTTPError, RequestHandler

from asynctest_tornado._errors import closed_connections, collection, contexts, notes, siblings
from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._expect import expect_log
from asynctest_tornado._sources import garbage, handler_errors, pool_contexts, request_handlers, terminal_logs
from asynctest_tornado._sources.outliving_threads import is_guess
from asynctest_tornado._util.patching import Patch
from asynctest_tornado._util.tracebacks import MACHINERY, STDLIB, owner_of

__unittest = True


def _method_of_class(logger: logging.Logger, name: str) -> Callable[[Any], object]:
    """Return the present method of the class: another library may have replaced it, by a function or a mock."""
    cls = type(logger)
    found = getattr(cls, name)
    bind = getattr(type(found), "__get__", None)
    method: Callable[[Any], object] = found if bind is None else bind(found, logger, cls)
    return method


def _patches_of(logger: logging.Logger) -> tuple[Patch, Patch]:
    def is_enabled(level: int) -> bool:
        return bool(_method_of_class(logger, "isEnabledFor")(level))

    def handle(record: logging.LogRecord) -> None:
        _method_of_class(logger, "handle")(record)

    def watched_is_enabled(level: int) -> bool:
        found = type(logger).isEnabledFor
        # As is_enabled() does, without a call: each new loop asks.
        if found(logger, level) if type(found) is types.FunctionType else is_enabled(level):
            return True
        if level < logging.ERROR or not asking.is_active:
            return False
        # Other callers get the truth.
        method = _getframe(1)
        return method.f_code in _ASKING and _is_of_library(_caller(logger, method))

    def watched_handle(record: logging.LogRecord) -> None:
        if not handling.is_active:
            handle(record)
            return
        failure = request_handlers.being_logged.get() or _refusal(record)
        if failure is not None:
            _log_of_handler(failure, handle, logger, record, is_enabled(record.levelno))
            return
        if record.levelno >= logging.ERROR:
            method = _getframe(1)
            caught, caller = _caught(record, method), _caller(logger, method)
            if _is_stray(caught, caller) and _consume(logger, record, caught, caller, is_enabled(record.levelno)):
                return
            if is_enabled(record.levelno) and _is_without_response(logger, record, caller, handle):
                return
        if is_enabled(record.levelno):
            handle(record)

    # On the instance: a logger outlives dictConfig and the like, which only change its attributes.
    asking = Patch(logger, "isEnabledFor", watched_is_enabled)
    handling = Patch(logger, "handle", watched_handle)
    return asking, handling


#: They put the trap in front of the loggers. Errors that no context consumes go on to the logger.
patches = [
    patch
    for name in ("tornado.application", "tornado.general", "asyncio", pool_contexts.LOGGER)
    for patch in _patches_of(logging.getLogger(name))
]


def are_watched() -> bool:
    """Return true if the patches are in, so that a logged error is delivered."""
    return all(patch.is_active for patch in patches)


def _refusal(record: logging.LogRecord) -> ServerError | None:
    """Return the ``HTTPError`` below 500 that Tornado logs as an error, or None: it refuses a request."""
    error = record.exc_info[1] if record.levelno >= logging.ERROR and record.exc_info else None
    trap = contexts.of_running_loop() if isinstance(error, HTTPError) else None
    recorded = handler_errors.known(trap) if isinstance(trap, Trap) else None
    return next((failure for failure in recorded.refusals if failure.error is error), None) if recorded else None


def _is_without_response(
    logger: logging.Logger,
    record: logging.LogRecord,
    caller: types.FrameType | None,
    log: Callable[[logging.LogRecord], None],
) -> bool:
    """Log that Tornado cannot send an error any more; return False if the record is another one.

    The terminal gets the record together with the error. If the handler was cancelled, because the test is at its end
    or the client gone, the terminal does not get it at all: no reader could connect that line with its cause.
    """
    if caller is None or caller.f_code is not _SEND_ERROR or record.exc_info:
        return False
    handler = caller.f_locals.get("self")
    trap = contexts.of_running_loop()
    if not isinstance(handler, RequestHandler) or not isinstance(trap, Trap):
        return False
    recorded = handler_errors.known(trap)
    errors = [failure for failure in recorded.errors if failure.request is handler.request] if recorded else []
    task = asyncio.current_task()
    if not errors and (task is None or not task.cancelling()):
        return False
    deferred = terminal_logs.log_elsewhere(record, log, logger)
    if errors:
        errors[-1]._defer(deferred)
    return True


_SEND_ERROR = RequestHandler.send_error.__code__

_METHODS = ("critical", "error", "exception", "log", "_log")
#: The methods that ask whether an error is to be logged.
_ASKING = {each.__code__ for each in (logging.Logger.critical, logging.Logger.error, logging.Logger.log)}


def _caller(logger: logging.Logger, frame: types.FrameType | None) -> types.FrameType | None:
    """Return the frame that has called a logger, given one of its methods.

    The record may be wrong: a program may set ``logging`` not to look for the caller, or change the contents of
    records. A function that stands in for a method of the logger, and the functions that it wraps, are not the caller.
    """
    stand_ins = {getattr(getattr(logger, name, None), "__code__", None) for name in _METHODS}
    found = frame
    while frame is not None:
        is_method = frame.f_code.co_filename == logging.__file__ or frame.f_code in stand_ins
        if not is_method and not _has_logger(frame):
            break
        frame = frame.f_back
        if is_method:
            found = frame
    return found


def _has_logger(frame: types.FrameType) -> bool:
    """Return true if the first argument is a logger."""
    code = frame.f_code
    if code.co_argcount:
        return isinstance(frame.f_locals.get(code.co_varnames[0]), logging.Logger)
    if code.co_flags & inspect.CO_VARARGS:
        args = frame.f_locals.get(code.co_varnames[code.co_kwonlyargcount])
        return isinstance(args, tuple) and bool(args) and isinstance(args[0], logging.Logger)
    return False


def _caught(record: logging.LogRecord, method: types.FrameType) -> BaseException | None:
    """Return the exception that is being logged, also if a record factory has left it out."""
    info: Any = record.exc_info
    if not info and method.f_code.co_name == "_log" and method.f_code.co_filename == logging.__file__:
        info = method.f_locals.get("exc_info")
    return info[1] if isinstance(info, tuple) and info else None


_FUTURES = "concurrent.futures."


def _is_of_library(frame: types.FrameType | None) -> bool:
    if frame is None:
        return False
    # A loop that is not written in Python has no frames; then the caller is our default_exception_handler.
    owner = owner_of(frame)
    return owner in MACHINERY or (owner is STDLIB and str(frame.f_globals.get("__name__")).startswith(_FUTURES))


def _is_stray(caught: BaseException | None, caller: types.FrameType | None) -> TypeGuard[BaseException]:
    """Return true if Tornado or asyncio logs that it caught an error which had no caller.

    The same loggers serve applications, which may log an exception that they handled: that is no error of the test.
    Errors of request handlers come another way, by `request_handlers`.

    :param caller: the frame that has called the logger.
    """
    if caller is None or not contexts.is_error(caught) or not _is_of_library(caller):
        return False
    # The client of a websocket has a method of that name, too, for its callbacks.
    return caller.f_code.co_name != "log_exception" or caller.f_code.co_filename == websocket.__file__


def _log_of_handler(
    failure: ServerError,
    log: Callable[[logging.LogRecord], None],
    logger: logging.Logger,
    record: logging.LogRecord,
    is_enabled: bool,
) -> None:
    """Log the error of a request handler: expected or not, and with the report of the test or without."""
    if expect_log.is_expected(logger, record):
        failure.is_expected = True
    elif is_enabled and expect_log.is_captured(logger, record.levelno):
        failure.is_expected = True
        log(record)
    elif is_enabled and not failure.is_expected:
        if failure.has_test and record.exc_info and record.exc_info[1] is failure.error:
            failure._defer(terminal_logs.log_elsewhere(record, log, logger))
        else:
            log(record)


#: Tornado's function that logs the error of a future which was cancelled before.
_AFTER_CANCELLATION = "future_set_exception_unless_cancelled"


def _consume(
    logger: logging.Logger,
    record: logging.LogRecord,
    caught: BaseException,
    caller: types.FrameType | None,
    is_enabled: bool,
) -> bool:
    """Deliver a logged error to its test. Return true if the record need not be logged any more."""
    if collection.is_collecting():
        return closed_connections.is_noted(caught) or garbage.deliver(caught) or _is_guessed(caught)
    chain = (logger.name == pool_contexts.LOGGER and pool_contexts.chain_of(caught)) or contexts.chain_here()
    trap = chain[0] if chain and isinstance(chain[0], Trap) else None
    if caller is not None and caller.f_code.co_name == _AFTER_CANCELLATION:
        return trap is not None and (trap.has_cancelled or closed_connections.comes_of_closing(trap, caught))
    if trap is not None and _is_logged_again(trap, logger, caught):
        return True
    error = contexts.offer(caught, chain[1:] if trap else chain)
    if error is None:
        return True
    record.exc_info = (type(error), error, error.__traceback__)
    if trap is None or is_guess(chain):
        return closed_connections.is_noted(error) or _is_guessed(error)
    # A late error is none that the test which runs by then expects.
    if trap.is_open:
        expected = expect_log.is_expected(logger, record)
        if expected or (is_enabled and expect_log.is_captured(logger, record.levelno)):
            trap.expect(error)
            return expected
        first = _first_error_of_multi(record)
        if first is not None and first is not error:
            if closed_connections.comes_of_closing(trap, error):
                return True
            siblings.add(trap, first, error)
            return False
    return trap.add(error)


def _is_guessed(error: BaseException) -> bool:
    """Let the log record name the tests that it may come of. Return false: it still has to be logged."""
    guess = garbage.guess()
    if guess:
        notes.add(error, guess, once=True)
    return False


#: The key in ``trap.data`` for the mark of the error that Tornado logged last, while it raises that error on.
_JUST_LOGGED: Any = object()


def _is_logged_again(trap: Trap, logger: logging.Logger, error: BaseException) -> bool:
    """Return true if asyncio logs an error that Tornado has just logged and raised again."""
    mark = trap.mark(error)
    if logger.name == "asyncio":
        return trap.data.pop(_JUST_LOGGED, None) is mark
    trap.data[_JUST_LOGGED] = mark
    return False


def _first_error_of_multi(record: logging.LogRecord) -> BaseException | None:
    """Return the error that ``gen.multi`` fails of, if the record is about another error, which it drops."""
    frame = _getframe() if record.msg == "Multiple exceptions in yield list" else None
    while frame is not None and frame.f_code.co_filename != gen.__file__:
        frame = frame.f_back
    future = None if frame is None else frame.f_locals.get("future")
    first: BaseException | None = getattr(future, "_exception", None)
    return first
