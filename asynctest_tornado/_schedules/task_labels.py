"""Names of tasks for the reports of orders."""

# Tested by tests/schedules/test_explain.py.

import types
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPMessageDelegate

from asynctest_tornado._timeouts.pending_report import handler_in
from asynctest_tornado._util import names

__unittest = True


def label_of(outermost: types.FrameType, frame: types.FrameType) -> str:
    """Return a name for a task that runs code of the user.

    :param outermost: its frame.
    :param frame: its outermost frame of the user.
    """
    return _label_of_handler(outermost) or f"{frame.f_code.co_name}({names.arguments_of(frame)})"


def label_in_library(coro: Any, frame: types.FrameType | None) -> str:
    """Return a name for a task that has no line of the user.

    :param coro: its coroutine or generator.
    :param frame: its frame, if it has one.
    """
    if frame is not None:
        owner = frame.f_locals.get("self")
        request = getattr(owner, "request", None) if isinstance(owner, HTTPMessageDelegate) else None
        if request is not None:  # of a client: it stands for an HTTPRequest, and has its attributes
            url = urlsplit(str(request.url))
            return f"request {request.method} {url.path}{url.query and '?'}{url.query}"
        label = _label_of_handler(frame)
        if label:
            return label
    return f"{names.name_of(coro).rpartition('<locals>.')[2]}()"


def _label_of_handler(frame: types.FrameType) -> str:
    handler = handler_in(frame)
    return "" if handler is None else f"{type(handler).__name__} serving {handler.request.method} {handler.request.uri}"
