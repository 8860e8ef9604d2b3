"""ServerError: an exception that a request handler raised, and whether a report tells it."""

# Tested by tests/sources/test_request_handlers.py.

from collections.abc import Callable, Iterable

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

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
        #: Whether there is a test whose report could tell it.
        self.has_test = False
        #: Whether it says that the client has gone away, which the client knows.
        self.is_of_client = False
        #: What else to add to a report.
        self.hint = ""
        self._held: list[Callable[[], object]] = []

    def __repr__(self) -> str:
        return f"<ServerError {self.error!r} while serving {self.what}>"

    @property
    def what(self) -> str:
        """The request, for messages. New in version 0.1."""
        return f"{self.request.method} {self.request.uri} by {self.handler.__qualname__}"

    def hold(self, logs: Iterable[Callable[[], object]]) -> None:
        """Keep lines of the log until it is known whether the report tells the error."""
        self._held += logs

    def release(self) -> None:
        """Log what was held, unless the error was told or expected."""
        held, self._held = self._held, []
        if not (self.is_told or self.is_expected or self.is_of_client):
            for log in held:
                log()


def keep_in(failures: list[ServerError], failure: ServerError) -> ServerError | None:
    """Add to a list what a handler has raised; or return what is there already of the same exception."""
    for known in failures:
        if known.error is failure.error:
            return known
    failures.append(failure)
    return None
