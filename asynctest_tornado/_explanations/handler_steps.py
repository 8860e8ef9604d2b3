"""Watches a step of a request handler: its error, and its first function."""

# Tested by tests/explanations/test_explain.py.

import types
import weakref
from typing import Any

from tornado.web import RequestHandler

from asynctest_tornado._timeouts.pending_report import handler_in
from asynctest_tornado._util.tracebacks import USER, owner_of, owner_of_file

__unittest = True

#: Tornado's method that handles all errors of a handler.
_METHOD = "_handle_request_exception"


class HandlerStep:
    """A step of the coroutine in which Tornado runs a request handler.

    During the step, the handler has an attribute by the name of the method that handles its errors.

    :param code: the code of that coroutine.
    """

    def __init__(self, handler: RequestHandler, code: types.CodeType) -> None:
        self.code = code
        # Weak, so that the handler is dropped as early as without a record.
        self._handler = weakref.ref(handler)
        self._class = type(handler)
        self._http_method = str(handler.request.method).lower()
        self._has_error = False
        self._first_of_error: types.CodeType | None = None
        #: The functions that the error has passed.
        self.passed: set[types.CodeType] = set()
        vars(handler)[_METHOD] = self._handle

    def _handle(self, error: BaseException) -> Any:
        self._has_error = True
        tb = error.__traceback__
        while tb is not None:
            self.passed.add(tb.tb_frame.f_code)
            if self._first_of_error is None and owner_of(tb.tb_frame) is USER:
                self._first_of_error = tb.tb_frame.f_code
            tb = tb.tb_next
        return getattr(self._class, _METHOD)(self._handler(), error)

    def end(self) -> None:
        """Take the attribute back."""
        handler = self._handler()
        if handler is not None and vars(handler).get(_METHOD) == self._handle:
            del vars(handler)[_METHOD]

    def first_function(self) -> types.CodeType | None:
        """Return the user's function that the handler has called first, if it has ended in its first step."""
        if self._has_error:
            return self._first_of_error
        name = self._http_method if self._class.prepare is RequestHandler.prepare else "prepare"
        func = getattr(self._class, name, None)
        if not isinstance(func, types.FunctionType):
            return None
        module = func.__globals__.get("__name__")
        owner = owner_of_file(func.__code__.co_filename, module if isinstance(module, str) else None)
        return func.__code__ if owner is USER else None


def watch(outermost: types.FrameType | None) -> HandlerStep | None:
    """Begin to watch a step, if it is one of a request handler that can be watched.

    :param outermost: the outermost frame of the task.
    """
    if outermost is None or outermost.f_code.co_name != "_execute" or not hasattr(RequestHandler, _METHOD):
        return None
    handler = handler_in(outermost)
    # A test may have replaced the method.
    return None if handler is None or _METHOD in vars(handler) else HandlerStep(handler, outermost.f_code)
