"""Records the errors of the request handlers of one server."""

# Tested by tests/http/test_http_test_server.py.

from tornado.httputil import HTTPServerRequest
from tornado.web import ErrorHandler

from asynctest_tornado._errors import contexts, last_answer
from asynctest_tornado._errors.server_error import ServerError, record_in
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._sources import request_handlers

__unittest = True


class ServerErrors(request_handlers.Server):
    """The errors of the handlers of one server, which find it in the contexts that they run in."""

    def __init__(self) -> None:
        self.errors: list[ServerError] = []
        #: The paths that no handler is for.
        self.unknown_paths: set[str] = set()

    def handle(self, error: BaseException) -> bool:
        return False

    def record_error(self, failure: ServerError) -> ServerError | None:
        return record_in(self.errors, failure)

    def add_handler(self, request: HTTPServerRequest, cls: type) -> None:
        if cls is ErrorHandler:
            self.unknown_paths.add(request.path)
            chain = contexts.contexts.get()
            if chain and isinstance(chain[0], Trap):  # for a client that this library has not made
                chain[0].data.setdefault(last_answer.UNKNOWN, set()).add(request.path)

    def add_websocket(self, request: HTTPServerRequest) -> None:
        """Ignore it: no client of this library waits for its end."""

    def remove_websocket(self, request: HTTPServerRequest) -> None:
        """Ignore it."""
