"""ServerError: an exception that a request handler raised."""

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
        #: True if a response, or the end of a websocket connection, shows the client that something went wrong.
        self.is_answered = False
        #: True if the test expects the error.
        self.is_expected = False
        #: True if the error is in the report of a test.
        self.is_reported = False
        #: True if a test runs whose report can show the error.
        self.has_test = False
        #: True if the error says that the client has gone away, which the client knows.
        self.is_of_client = False
        #: A hint for the report.
        self.hint = ""
        self._deferred: list[Callable[[], object]] = []

    def __repr__(self) -> str:
        return f"<ServerError {self.error!r} while serving {self.what}>"

    @property
    def what(self) -> str:
        """The request, for messages. New in version 0.1."""
        return f"{self.request.method} {self.request.uri} by {self.handler.__qualname__}"

    def _defer(self, logs: Iterable[Callable[[], object]]) -> None:
        """Defer log records until it is known whether a report shows the error."""
        self._deferred += logs

    def _log_deferred(self) -> None:
        """Log the deferred records, unless the error was reported or expected."""
        deferred, self._deferred = self._deferred, []
        if not (self.is_reported or self.is_expected or self.is_of_client):
            for log in deferred:
                log()


def record_in(failures: list[ServerError], failure: ServerError) -> ServerError | None:
    """Add the error of a handler to a list; or return the earlier record of the same exception."""
    for known in failures:
        if known.error is failure.error:
            return known
    failures.append(failure)
    return None
