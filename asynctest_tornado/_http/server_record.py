"""The errors and websockets of the request handlers of one server."""

# Tested by tests/http/test_http_test_server.py.

import asyncio
from collections.abc import Callable

from tornado.httputil import HTTPServerRequest

from asynctest_tornado._errors.server_error import ServerError, record_in
from asynctest_tornado._http import websocket
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

    def handle(self, error: BaseException) -> bool:
        return False

    def record_error(self, failure: ServerError) -> ServerError | None:
        return record_in(self.errors, failure)

    def add_handler(self, request: HTTPServerRequest, cls: type) -> None:
        key = request.headers.get(_KEY)
        if key is not None:
            self.handlers[key] = websocket.Serving(cls, str(request.method), request.path)

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
