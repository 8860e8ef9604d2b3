"""Names of tasks for the reports of orders."""

# Tested by tests/explanations/test_explain.py.

import types
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1ServerConnection
from tornado.httputil import HTTPMessageDelegate
from tornado.web import RequestHandler
from tornado.websocket import WebSocketProtocol

from asynctest_tornado._timeouts.pending_report import handler_in
from asynctest_tornado._util import names
from asynctest_tornado._util.tracebacks import OURS, owner_of

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
        owner = _object_of(frame)
        request = getattr(owner, "request", None) if isinstance(owner, HTTPMessageDelegate) else None
        if request is not None:  # of a client: it stands for an HTTPRequest, and has its attributes
            url = urlsplit(str(request.url))
            return f"request {request.method} {url.path}{url.query and '?'}{url.query}"
        if isinstance(owner, WebSocketProtocol):
            handler: Any = owner.handler
            is_server = isinstance(handler, RequestHandler)
            path = handler.request.path if is_server else urlsplit(str(handler.request.url)).path
            return f"websocket {path} of the {'server' if is_server else 'client'}"
        if isinstance(owner, HTTP1ServerConnection):
            return "connection of the server"
        label = _label_of_handler(frame)
        if label:
            return label
    return f"{names.name_of(coro).rpartition('<locals>.')[2]}()"


def act_in_library(frames: Sequence[types.FrameType]) -> str:
    """Return a verb and its object for a step of Tornado's clients and servers; empty for any other.

    :param frames: the frames of the task, the innermost first.
    """
    owner = _object_of(frames[-1]) if frames else None
    names_of_frames = [frame.f_code.co_name for frame in frames]
    if "_receive_frame_loop" in names_of_frames and isinstance(owner, WebSocketProtocol | RequestHandler):
        return "reads a message"
    if frames and frames[-1].f_code.co_name == "fetch" and owner_of(frames[-1]) is OURS:
        return "gets its response"
    if "_read_message" in names_of_frames:
        return "reads a request" if isinstance(owner, HTTP1ServerConnection) else "reads its response"
    if isinstance(owner, HTTPMessageDelegate) and any("connect" in name for name in names_of_frames):
        return "connects"
    return ""


def _object_of(frame: types.FrameType) -> Any:
    """Return the object whose method a frame runs; None if it runs a function."""
    return frame.f_locals.get("self")


def _label_of_handler(frame: types.FrameType) -> str:
    handler = handler_in(frame)
    return "" if handler is None else f"{type(handler).__name__} serving {handler.request.method} {handler.request.uri}"
