"""The connection of a streamed response.

It is a connection of Tornado's client: requests, TLS and the parsing of HTTP are the same as for a fetch. Tornado's
client hands over a response when it has ended, and cannot be made to leave before that; this one hands over its parts.
It reads on only if the test does: a handler that waits in ``flush`` waits for the test, as for a slow client.
"""

# Tested by tests/http/test_streaming.py.

import asyncio
import copy
from collections.abc import Awaitable
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine
from tornado.simple_httpclient import HTTPStreamClosedError, SimpleAsyncHTTPClient, _HTTPConnection
from tornado.tcpclient import TCPClient

from asynctest_tornado._http.arrivals import Arrivals

__unittest = True

_BUFFER_SIZE = 100 * 1024 * 1024
_NO_LIMIT = 2**62


class Connection(_HTTPConnection):
    """The connection of a request whose response is streamed. It begins at once.

    :param client: its settings count, and its resolver if it has one.
    :param resolver: the resolver to use otherwise.
    """

    def __init__(self, request: HTTPRequest, client: AsyncHTTPClient, resolver: Any) -> None:
        self.arrivals = Arrivals()
        self.has_ended = asyncio.Event()
        #: The address of this end of the connection.
        self.address: Any = None
        # Of another client, no more than the defaults of requests is known.
        known: Any = client if isinstance(client, SimpleAsyncHTTPClient) else None
        size = getattr(known, "max_body_size", None)
        super().__init__(
            None,
            request,
            lambda: None,
            lambda response: None,
            getattr(known, "max_buffer_size", _BUFFER_SIZE),
            TCPClient(resolver=resolver) if known is None else known.tcp_client,
            getattr(known, "max_header_size", None),  # type: ignore[arg-type]  # as the client does
            _NO_LIMIT if size is None else size,
        )

    async def run(self) -> None:
        try:
            await super().run()
        except (OSError, HTTPClientError):
            if self.final_callback is not None:
                raise
            # It was left before it was connected, and so nothing of the test waits for this error.
        finally:
            self.arrivals.end(HTTPStreamClosedError("Connection closed"))
            self.has_ended.set()

    def _run_callback(self, response: HTTPResponse) -> None:
        # With the error, unless all parts have arrived.
        self.arrivals.end(response.error)
        super()._run_callback(response)

    def _create_connection(self, stream: Any) -> Any:
        self.address = stream.socket.getsockname()
        connection = super()._create_connection(stream)
        # Tornado's client ends when the stream is closed. But some of the response may be there, and not read yet.
        stream.set_close_callback(None)
        return connection

    async def headers_received(self, first_line: ResponseStartLine | RequestStartLine, headers: HTTPHeaders) -> None:
        assert isinstance(first_line, ResponseStartLine)
        if first_line.code == 100 or first_line.code >= 200:
            await super().headers_received(first_line, headers)
        if first_line.code >= 200:
            self.arrivals.begin(first_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[Any] | None:
        return self.arrivals.put(chunk)

    def finish(self) -> None:
        self.arrivals.end()
        super().finish()

    def on_connection_close(self) -> None:
        error = getattr(self.stream, "error", None)
        self.arrivals.end(error or HTTPStreamClosedError("Connection closed"))

    def leave(self) -> None:
        """Close the connection."""
        self.final_callback = None  # type: ignore[assignment]  # which closes a connection that is only being made
        self._remove_timeout()
        self.arrivals.drop()
        if hasattr(self, "stream"):
            self.stream.close()


def prepared(request: HTTPRequest, defaults: dict[str, Any], tls: dict[str, Any]) -> HTTPRequest:
    """Return a copy of a request with all arguments that a connection asks for.

    :param defaults: the defaults of the client. Its limit for the whole request does not count.
    :param tls: arguments that replace those of the request.
    """
    made = copy.copy(request)
    made.headers = HTTPHeaders(request.headers)
    vars(made).update(tls)
    for name, value in (("request_timeout", 0.0), *defaults.items()):
        if getattr(made, name, None) is None:
            setattr(made, name, value)
    made.follow_redirects = False
    return made
