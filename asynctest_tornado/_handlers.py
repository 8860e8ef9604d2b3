"""What request handlers raise, kept with the request.

Tornado makes a response of such an exception, or a line in a log, or nothing at all; and an application may log it in
its own way. The one place that all of them pass is the handler itself. So each handler that is made under a test, or
by a server of this library, gets methods that look at what its own methods raise, and then go on to those.
"""

import contextvars
import functools
import inspect
import logging
import sys
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from asynctest_tornado import _trap

__unittest = True


class ServerError:
    """An exception that a request handler raised, as ``server_errors`` lists it.

    :param error: the exception.
    :param request: the request that the handler served.
    :param handler: the class of the handler.

    New in version 0.1.
    """

    def __init__(self, error: BaseException, request: HTTPServerRequest, handler: type[RequestHandler]) -> None:
        self.error = error
        self.request = request
        self.handler = handler
        #: Whether a response, or the end of a websocket connection, tells the client that something went wrong.
        self.is_answered = False
        #: Whether the test expects it.
        self.is_expected = False
        #: Whether it is in the report of a test already.
        self.is_told = False
        self._held: list[Callable[[], object]] = []

    def __repr__(self) -> str:
        return f"<ServerError {self.error!r} while serving {self.what}>"

    @property
    def what(self) -> str:
        """The request, for messages."""
        return f"{self.request.method} {self.request.uri} by {self.handler.__qualname__}"

    def hold(self, log: Callable[[], object]) -> None:
        """Keep a line of the log until it is known whether the report tells the error."""
        self._held.append(log)

    def release(self) -> None:
        """Log what was held, unless the error was told or expected."""
        held, self._held = self._held, []
        if not (self.is_told or self.is_expected):
            for log in held:
                log()


#: What the handler is just logging.
being_logged: contextvars.ContextVar[ServerError | None] = contextvars.ContextVar("asynctest_tornado_log", default=None)

#: Methods whose errors do not come to `RequestHandler.log_exception`, or not all of them.
_OTHER_HOOKS = ("write_error", "data_received", "on_connection_close")


def watch_handlers() -> None:
    """See to it that each handler is looked at, from when it is made, if it is made under a test or server of ours."""
    make = RequestHandler.__init__
    if hasattr(make, "__wrapped__"):
        return

    @functools.wraps(make)
    def make_and_watch(self: RequestHandler, application: Any, request: HTTPServerRequest, **kwargs: Any) -> None:
        chain = _trap.chain_here()
        if chain:
            _watch(self, request, chain)
        try:
            make(self, application, request, **kwargs)
        except Exception as error:
            if chain:
                _keep(ServerError(error, request, type(self)), chain)
            raise

    RequestHandler.__init__ = make_and_watch  # type: ignore[method-assign]


def _watch(handler: RequestHandler, request: HTTPServerRequest, chain: _trap.Chain) -> None:
    own = vars(handler)
    # Weak, or a handler would have to wait for the garbage collector. The methods are those of the class: it may be
    # patched, and an instance of it may not.
    reference = weakref.ref(handler)
    own["log_exception"] = functools.partial(_log_exception, reference, request, chain)
    names: tuple[str, ...] = _OTHER_HOOKS
    if isinstance(handler, WebSocketHandler):
        names += ("on_close",)
        own["get"] = functools.partial(_get_of_websocket, reference, request, chain)
    for name in names:
        own[name] = functools.partial(_call_hook, name, reference, request, chain)


def _log_exception(
    reference: "weakref.ref[RequestHandler]", request: HTTPServerRequest, chain: _trap.Chain, *exc_info: Any
) -> None:
    handler = reference()
    assert handler is not None
    error = exc_info[1]
    log = functools.partial(type(handler).log_exception, handler, *exc_info)
    if _is_answer(error):
        log()
        return
    failure = _keep(ServerError(error, request, type(handler)), chain)
    # Of a client that goes away in the middle of its response, it is the client who knows.
    failure.is_answered = _can_answer(handler) or isinstance(error, (StreamClosedError, WebSocketClosedError))
    token = being_logged.set(failure)
    try:
        log()
    finally:
        being_logged.reset(token)
        _settle(failure, chain)


def _is_answer(error: object) -> bool:
    """Tell whether an exception is how the handler says that the request is wrong."""
    return isinstance(error, HTTPError) and error.status_code < 500


def _can_answer(handler: RequestHandler) -> bool:
    """Tell whether the client will learn that something went wrong."""
    if isinstance(handler, WebSocketHandler) and handler.get_status() == 101:
        return handler.ws_connection is not None  # else it is in on_close(), or beyond
    # There is no public way to ask: get_status() says 200 before and after.
    return not (getattr(handler, "_finished", False) or getattr(handler, "_headers_written", False))


def _call_hook(
    name: str,
    reference: "weakref.ref[RequestHandler]",
    request: HTTPServerRequest,
    chain: _trap.Chain,
    *args: Any,
    **kwargs: Any,
) -> Any:
    handler = reference()
    assert handler is not None
    try:
        result = getattr(type(handler), name)(handler, *args, **kwargs)
    except Exception as error:
        if not _tell_of_hook(name, error, handler, request, chain):
            raise
        return None
    if inspect.isawaitable(result):
        return _watched(result, name, handler, request, chain)
    return result


async def _get_of_websocket(
    reference: "weakref.ref[RequestHandler]",
    request: HTTPServerRequest,
    chain: _trap.Chain,
    *args: Any,
    **kwargs: Any,
) -> None:
    """Run the method, which ends when the connection has ended, after ``on_close`` if that is called."""
    handler = reference()
    assert handler is not None
    for context in chain:
        context.add_websocket(request)
    try:
        result: Any = type(handler).get(handler, *args, **kwargs)
        if inspect.isawaitable(result):
            await result
    finally:
        for context in chain:
            context.remove_websocket(request)


async def _watched(
    awaitable: Awaitable[Any], name: str, handler: RequestHandler, request: HTTPServerRequest, chain: _trap.Chain
) -> Any:
    try:
        return await awaitable
    except Exception as error:
        _tell_of_hook(name, error, handler, request, chain)
        raise


def _tell_of_hook(
    name: str, error: Exception, handler: RequestHandler, request: HTTPServerRequest, chain: _trap.Chain
) -> bool:
    """Keep the error; return whether the test was told of it, and Tornado need not be."""
    if _is_answer(error):
        return False
    failure = _keep(ServerError(error, request, type(handler)), chain)
    # Tornado would take a ValueError for a malformed request, and drop it. Of an error in the other method, the
    # connection would not learn that it is closed, and the server could not close it for ever.
    if name == "on_connection_close" or (name == "on_close" and isinstance(error, ValueError)):
        _settle(failure, chain)
        return failure.is_told or failure.is_expected
    return False


def _keep(failure: ServerError, chain: _trap.Chain) -> ServerError:
    """Hand it to the test and to the server; return what is known of the same error already, if there is something."""
    for context in chain:
        known = context.keep_server_error(failure)
        if known is not None:
            failure = known
    return failure


def _settle(failure: ServerError, chain: _trap.Chain) -> None:
    """Let the test fail of what its client cannot learn, or of any error where the test says so."""
    if failure.is_answered and not any(context.is_strict for context in chain):
        return
    if failure.is_expected or not _trap.is_error(failure.error):
        failure.release()
        return
    failure.error.add_note(f"That was while serving {failure.what}.")
    failure.is_told = _trap.deliver(failure.error, chain)
    failure.release()


def log_later(
    failure: ServerError, log: Callable[[logging.LogRecord], None], logger: logging.Logger, record: logging.LogRecord
) -> None:
    """Log a record as ever, but hold back what would go to the terminal."""
    terminals = [handler for handler in _handlers_of(logger) if _is_terminal(handler)]
    for handler in terminals:
        handler.addFilter(_nothing)
    try:
        log(record)
    finally:
        for handler in terminals:
            handler.removeFilter(_nothing)
            if record.levelno >= handler.level:
                failure.hold(functools.partial(handler.handle, record))


def _nothing(record: logging.LogRecord) -> bool:
    return False


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
    streams = (sys.stderr, sys.stdout, sys.__stderr__, sys.__stdout__)
    return isinstance(handler, logging.StreamHandler) and handler.stream in streams
