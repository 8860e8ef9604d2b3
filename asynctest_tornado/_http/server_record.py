"""The errors and websockets of the request handlers of one server."""

# Tested by tests/http/test_http_test_server.py.

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

from asynctest_tornado._errors import last_answer
from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._http import websocket
from asynctest_tornado._http.response import Response
from asynctest_tornado._sources.server_errors import ServerErrors

__unittest = True

_KEY = "Sec-WebSocket-Key"


class Record(ServerErrors, websocket.Server):
    """The errors and websockets of the handlers of one server, which find it in the contexts that they run in."""

    def __init__(self, describe: Callable[[], str]) -> None:
        super().__init__()
        self.describe = describe  # type: ignore[method-assign]
        self.closings: dict[str, asyncio.Future[None]] = {}
        self.handlers: dict[str, websocket.Serving] = {}

    def add_handler(self, request: HTTPServerRequest, cls: type) -> None:
        key = request.headers.get(_KEY)
        if key is not None:
            self.handlers[key] = websocket.Serving(cls, str(request.method), request.path)
        else:
            super().add_handler(request, cls)

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
