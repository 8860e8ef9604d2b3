"""Errors of request handlers, recorded with their requests.

Tornado makes a response of such an exception, or a line in a log, or nothing at all; and an application may log it in
its own way. The one place that all of them pass is the handler itself. So each handler that is made under a test, or
by a server of this library, gets methods that call the handler's own methods, and record the exceptions of these.

An error that a response reports does not fail the test: the client gets the response. If the test fails, its report has
the error as a note. An error that no response can report any more fails the test at once, by `contexts.deliver`.
"""

import contextvars
import functools
import inspect
import weakref
from collections.abc import Awaitable, Callable
from sys import _getframe  # a test may replace it
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from asynctest_tornado._errors import contexts, notes
from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._sources import handler_errors
from asynctest_tornado._util.patching import Patch
from asynctest_tornado._util.tracebacks import TORNADO, owner_of

__unittest = True

#: The error that a handler is just logging.
being_logged: contextvars.ContextVar[ServerError | None] = contextvars.ContextVar("asynctest_tornado_log", default=None)


class Server(contexts.Context):
    """The context of a server, which records the handlers of the server."""

    def record_error(self, failure: ServerError) -> ServerError | None:
        """Record an error of a handler; or return the earlier record of the same exception."""
        raise NotImplementedError

    def add_handler(self, request: HTTPServerRequest, cls: type) -> None:
        """Record which class of handlers serves a request."""
        raise NotImplementedError

    def add_websocket(self, request: HTTPServerRequest) -> None:
        """Record that a handler begins to serve a websocket."""
        raise NotImplementedError

    def remove_websocket(self, request: HTTPServerRequest) -> None:
        """Record that the websocket has ended."""
        raise NotImplementedError


def _make_and_watch(self: RequestHandler, application: Any, request: HTTPServerRequest, **kwargs: Any) -> None:
    chain = _chain_of_request() if _make.is_active else ()
    if chain:
        _watch(self, request, chain)
        for context in chain:
            if isinstance(context, Server):
                context.add_handler(request, type(self))
    try:
        _make.found(self, application, request, **kwargs)
    except Exception as error:
        if chain:
            _record(ServerError(error, request, type(self)), chain)
        raise


def _break_cycles_and_restore(self: RequestHandler) -> None:
    _break_cycles.found(self)
    _restore_method(self)


_make = Patch(RequestHandler, "__init__", _make_and_watch)
#: They watch each handler that is made under a test, or by a server of this library.
patches = [_make]
if hasattr(RequestHandler, "_break_cycles"):
    _break_cycles = Patch(RequestHandler, "_break_cycles", _break_cycles_and_restore)
    patches.append(_break_cycles)


def _chain_of_request() -> contexts.Chain:
    """Return the contexts that a request belongs to: the contexts of its server, under the test that runs.

    The server may belong to a whole class, and a connection may have served an earlier test.
    """
    chain = contexts.chain_here()
    trap = contexts.of_running_loop()
    if trap is not None and chain[:1] != (trap,):
        chain = (trap, *(context for context in chain if not context.is_trap))
        contexts.contexts.set(chain)
    return chain


def _watch(handler: RequestHandler, request: HTTPServerRequest, chain: contexts.Chain) -> None:
    own = vars(handler)
    # Weak, or a handler would have to wait for the garbage collector.
    reference = weakref.ref(handler)
    own.setdefault("log_exception", functools.partial(_log_exception, reference, request, chain))
    names: tuple[str, ...] = ("write_error", "data_received")
    if isinstance(handler, WebSocketHandler):
        names += ("on_close",)
        own.setdefault("get", functools.partial(_get_of_websocket, reference, request, chain))
    for name in names:
        own.setdefault(name, functools.partial(_call_hook, name, reference, request, chain))
    # But the connection may be all that keeps a handler alive, by this method. Tornado lets go of it, as we do, when
    # the request is finished.
    strong = functools.partial(_call_hook, "on_connection_close", lambda: handler, request, chain)
    own.setdefault("on_connection_close", strong)


def _restore_method(handler: RequestHandler) -> None:
    if isinstance(vars(handler).get("on_connection_close"), functools.partial):
        del vars(handler)["on_connection_close"]


def _method(handler: RequestHandler, name: str) -> Callable[..., Any]:
    """Return the handler's own method, of any kind, from its class, which may be patched."""
    for cls in type(handler).__mro__:
        if name in vars(cls):
            found = vars(cls)[name]
            method: Callable[..., Any] = found.__get__(handler, type(handler)) if hasattr(found, "__get__") else found
            return method
    raise AttributeError(name)


_Reference = Callable[[], RequestHandler | None]


def _is_called_by_tornado() -> bool:
    """Return true if a method of a handler is called to serve a request, and not by a test that checks its result."""
    return owner_of(_getframe(2)) is TORNADO


def _log_exception(reference: _Reference, request: HTTPServerRequest, chain: contexts.Chain, *exc_info: Any) -> None:
    handler = reference()
    assert handler is not None
    error = exc_info[1]
    log = functools.partial(_method(handler, "log_exception"), *exc_info)
    if not _is_called_by_tornado() or _is_refusal(error):
        # Tornado logs a refusal as a warning, and so it is no error even where the response was sent before.
        log()
        return
    is_answered = _can_answer(handler)
    failure = _record(ServerError(error, request, type(handler)), chain)
    # Of a client that goes away in the middle of its response, it is the client who knows.
    if isinstance(error, (StreamClosedError, WebSocketClosedError)):
        failure.is_of_client = failure.has_test and not is_answered and _is_gone(request)
        is_answered = True
    failure.is_answered = is_answered
    token = being_logged.set(failure)
    try:
        log()
    finally:
        being_logged.reset(token)
        _deliver(failure, chain)


def _is_gone(request: HTTPServerRequest) -> bool:
    """Return true if the client of a request has closed the connection."""
    stream = getattr(request.connection, "stream", None)
    return stream is None or bool(stream.closed())


def _is_refusal(error: object) -> bool:
    """Return true if the handler raises the exception to say that the request is wrong."""
    return isinstance(error, HTTPError) and error.status_code < 500


def _can_answer(handler: RequestHandler) -> bool:
    """Return true if the client will learn that something went wrong."""
    if isinstance(handler, WebSocketHandler) and handler.get_status() == 101:
        return handler.ws_connection is not None  # else it is in on_close(), or beyond
    # There is no public way to ask: get_status() says 200 before and after.
    return not (getattr(handler, "_finished", False) or getattr(handler, "_headers_written", False))


def _call_hook(
    name: str, reference: _Reference, request: HTTPServerRequest, chain: contexts.Chain, *args: Any, **kwargs: Any
) -> Any:
    handler = reference()
    assert handler is not None
    method = _method(handler, name)
    if not _is_called_by_tornado():
        return method(*args, **kwargs)
    if name == "write_error":
        _record_answered(handler, request, chain, kwargs.get("exc_info"))
    try:
        result = method(*args, **kwargs)
    except Exception as error:
        if not _record_of_hook(name, error, handler, request, chain):
            raise
        return None
    if name == "data_received" and inspect.isawaitable(result):
        return _watched(result, handler, request, chain)
    return result


def _record_answered(handler: RequestHandler, request: HTTPServerRequest, chain: contexts.Chain, exc_info: Any) -> None:
    """Record an error that an application has caught by itself, and reports by its own call of ``send_error``."""
    error = exc_info[1] if exc_info else None
    if error is not None and not _is_refusal(error):
        failure = ServerError(error, request, type(handler))
        failure.is_answered = True
        if _record(failure, chain) is failure:  # else log_exception() has recorded it
            _deliver(failure, chain)


async def _get_of_websocket(
    reference: _Reference, request: HTTPServerRequest, chain: contexts.Chain, *args: Any, **kwargs: Any
) -> None:
    """Run the method, which ends when the connection has ended, after ``on_close`` if that is called."""
    handler = reference()
    assert handler is not None
    for context in chain:
        if isinstance(context, Server):
            context.add_websocket(request)
    try:
        result: Any = _method(handler, "get")(*args, **kwargs)
        if inspect.isawaitable(result):
            await result
    finally:
        for context in chain:
            if isinstance(context, Server):
                context.remove_websocket(request)


async def _watched(
    awaitable: Awaitable[Any], handler: RequestHandler, request: HTTPServerRequest, chain: contexts.Chain
) -> Any:
    try:
        return await awaitable
    except Exception as error:
        _record_of_hook("data_received", error, handler, request, chain)
        raise


def _record_of_hook(
    name: str, error: Exception, handler: RequestHandler, request: HTTPServerRequest, chain: contexts.Chain
) -> bool:
    """Record the error; return true if the test has got it, and Tornado need not get it."""
    failure = ServerError(error, request, type(handler))
    if name == "data_received":
        _record_of_data(failure, chain)
        return False
    if _is_refusal(error):
        return False
    failure = _record(failure, chain)
    # Tornado would take a ValueError for a malformed request, and drop it. Of an error in the other method, the
    # connection would not learn that it is closed, and the server could not close it for ever.
    if name == "on_connection_close" or (name == "on_close" and isinstance(error, ValueError)):
        _deliver(failure, chain)
        return failure.is_reported or failure.is_expected
    return False


def _record_of_data(failure: ServerError, chain: contexts.Chain) -> None:
    """Record an error of ``data_received``: Tornado logs it, and closes the connection."""
    failure.hint = _NO_RESPONSE.format(getattr(failure.error, "status_code", 500))
    if _is_refusal(failure.error):
        failure.is_answered = failure.has_test = True
        for context in chain:
            if isinstance(context, Trap):
                handler_errors.of(context).refusals.append(failure)
    else:
        _record(failure, chain)
        test = chain[0] if chain else None
        notes.add(failure.error, f"That was while serving {failure.what}.\n{failure.hint}", test, once=True)


_NO_RESPONSE = (
    "Tornado sends no response to an exception in data_received(): it closes the connection. To answer, call "
    "self.send_error({}) there."
)


def _record(failure: ServerError, chain: contexts.Chain) -> ServerError:
    """Record an error for the test and for the server; return the earlier record of the same error, if there is one."""
    failure.has_test = any(context.is_trap for context in chain)
    for context in chain:
        if isinstance(context, Trap):
            known = handler_errors.of(context).record(failure, context)
        elif isinstance(context, Server):
            known = context.record_error(failure)
        else:
            continue
        if known is not None:
            failure = known
    return failure


def _deliver(failure: ServerError, chain: contexts.Chain) -> None:
    """Let the test fail of an error that its client cannot learn of; with ``fail_on_server_error``, of any error."""
    if failure.is_answered and handler_errors.strict.isdisjoint(chain):
        return
    if failure.is_expected or not contexts.is_error(failure.error):
        failure._log_deferred()
        return
    notes.add(failure.error, f"That was while serving {failure.what}.", chain[0] if chain else None)
    failure.is_reported = contexts.deliver(failure.error, chain)
    failure._log_deferred()
