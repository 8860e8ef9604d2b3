"""The errors and websockets of the request handlers of one server."""

# Tested by tests/http/test_http_test_server.py.

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.web import ErrorHandler

from asynctest_tornado._errors import contexts, last_answer
from asynctest_tornado._errors.server_error import ServerError, record_in
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._http import websocket
from asynctest_tornado._http.response import Response
from asynctest_tornado._sources import request_handlers

__unittest = True

_KEY = "Sec-WebSocket-Key"


class Record(request_handlers.Server, websocket.Server):
    """The errors and websockets of the handlers of one server, which find it in the contexts that they run in."""

    def __init__(self, describe: Callable[[], str]) -> None:
        self.describe = describe  # type: ignore[method-assign]
        self.errors: list[ServerError] = []
        self.closings: dict[str, asyncio.Future[None]] = {}
        self.handlers: dict[str, websocket.Serving] = {}
        #: The paths that no handler is for.
        self.unknown_paths: set[str] = set()

    def handle(self, error: BaseException) -> bool:
        return False

    def record_error(self, failure: ServerError) -> ServerError | None:
        return record_in(self.errors, failure)

    def add_handler(self, request: HTTPServerRequest, cls: type) -> None:
        key = request.headers.get(_KEY)
        if key is not None:
            self.handlers[key] = websocket.Serving(cls, str(request.method), request.path)
        elif cls is ErrorHandler:
            self.unknown_paths.add(request.path)
            chain = contexts.contexts.get()
            if chain and isinstance(chain[0], Trap):  # for a client that this library has not made
                chain[0].data.setdefault(last_answer.UNKNOWN, set()).add(request.path)

    def explain(self, response: Response) -> bool:
        """Add the reason for a response to it, if the server knows one. Return whether that is an error of a handler.

        The client may have answered by itself, with a response of any kind.
        """
        if type(response) is not Response or response.code < 400:
            return False
        url = urlsplit(response.effective_url)
        path = url.path or "/"
        if path in self.unknown_paths:
            response._reason_of_server = last_answer.no_handler(path)
        uri = f"{path}?{url.query}" if url.query else path
        failures = [each for each in self.errors if each.request.uri == uri and response.code >= 500]
        response._failures = tuple(each for each in failures[-1:] if not each.has_test)
        return bool(failures)

    def take_handler(self, key: str) -> websocket.Serving | None:
        return self.handlers.pop(key, None)

    def add_websocket(self, request: HTTPServerRequest) -> None:
        key = request.headers.get(_KEY)
        if key is not None:
            self.closings[key] = asyncio.get_running_loop().create_future()

    def remove_websocket(self, request: HTTPServerRequest) -> None:
        closing = self.closings.pop(request.headers.get(_KEY, ""), None)
        if closing is not None and not closing.done():
            closing.set_result(None)

    def errors_of(self, key: str) -> list[ServerError]:
        return [failure for failure in self.errors if failure.request.headers.get(_KEY) == key]

    def closing_of(self, key: str) -> "asyncio.Future[None] | None":
        return self.closings.get(key)
