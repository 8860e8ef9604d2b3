"""Checks whether an HTTPServer can serve an application."""

# Tested by tests/http/test_app_hooks.py.

import functools
import inspect
from typing import Any

from tornado.httputil import HTTPServerConnectionDelegate, HTTPServerRequest
from tornado.web import Application, RequestHandler

__unittest = True


def check_app(app: Any, origin: str) -> None:
    """Raise ``TypeError`` for an application that no ``HTTPServer`` could serve.

    :param origin: where it comes from.
    """
    if isinstance(app, HTTPServerConnectionDelegate):
        return
    if inspect.iscoroutine(app):
        app.close()
        raise TypeError(f"{origin} is a coroutine. Await it, and give the tornado.web.Application that it returns.")
    if inspect.isroutine(app):
        _check_function(app, origin)
    # Any other class may be a callback, which HTTPServer calls with the request.
    is_class_of_tornado = inspect.isclass(app) and issubclass(app, (HTTPServerConnectionDelegate, RequestHandler))
    if app is None or is_class_of_tornado or not callable(app):
        returned = "None" if app is None else f"{app!r}, which cannot be served"
        question = " Is its 'return' missing?" if app is None and "get_app()" in origin else ""
        raise TypeError(
            f"{origin} is {returned}. It has to be the tornado.web.Application to test, or another callback of "
            f"HTTPServer.{question}"
        )


def _check_function(function: Any, origin: str) -> None:
    """Raise ``TypeError`` for a function that cannot be called with a request: it makes the application, perhaps."""
    name = function.__name__
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"{origin} is the coroutine function {name}, not its result. Write 'await {name}()'.")
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        raise TypeError(
            f"{origin} is the function {name}, which cannot be called with a request. If it makes the application, "
            f"write {name}()."
        ) from None
    except ValueError:
        pass  # a function in C, without a signature


def guarded(app: Any, origin: str) -> Any:
    """Return the application; a function is called with requests, and must not make the application instead."""
    if isinstance(app, HTTPServerConnectionDelegate) or not inspect.isroutine(app):
        return app  # mostly
    return functools.partial(_call, app, origin)


def _call(function: Any, origin: str, request: HTTPServerRequest) -> None:
    result = function(request)
    if isinstance(result, Application):
        raise TypeError(
            f"{origin} is the function {function.__name__}, which makes an application and answers no request. Write "
            f"{function.__name__}()."
        )
