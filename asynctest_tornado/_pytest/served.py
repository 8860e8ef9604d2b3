"""Serves the application of a test function."""

# Tested by tests/pytest/test_plugin.py.

import functools
import inspect
import socket
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer

from asynctest_tornado._http import sockets
from asynctest_tornado._http.local_server import LocalServer
from asynctest_tornado._leaks.closing import CLOSED_CONNECTIONS
from asynctest_tornado._leaks.feature import LEAKS
from asynctest_tornado._pytest import claims
from asynctest_tornado._pytest.function import Function
from asynctest_tornado._timeouts import blocked_servers, pending_requests
from asynctest_tornado._tls import bundled_certificate

__unittest = True
__tracebackhide__ = True


def _itself(coro: Any) -> Any:
    return coro


class Served:
    """An application that is served for a test function.

    :param function: the test.
    :param app: the application.
    :param sock: the socket to serve on, which listens. It is closed in the end.
    :param ssl_options: the options of the server, if it speaks HTTPS.
    """

    def __init__(self, function: Function, app: Any, sock: socket.socket, ssl_options: Any = None) -> None:
        self._function = function
        self._server = LocalServer(sock, function.harness.waits.snapshot, is_https=ssl_options is not None)
        if inspect.iscoroutine(app):  # of a fixture that is no coroutine function
            app = function.run(functools.partial(_itself, app))
        app = self._server.servable(app, claims.APP_ORIGIN)
        self.http_server = self._server.start(lambda: HTTPServer(app, ssl_options=ssl_options), is_private=True)
        blocked_servers.watch(function.harness, lambda: function.limit)

    def make_client(self) -> AsyncHTTPClient:
        """Return a client that verifies the certificate of the server."""
        client = self._server.make_client()
        pending_requests.watch_client(self._function.harness.loop, client)
        return client

    def close(self) -> None:
        """Close the server and its connections."""
        harness = self._function.harness
        blocked_servers.end(harness.trap)
        LEAKS.look_for_requests(harness)
        try:
            self._function.run(functools.partial(self._server.close, self._function.begin_closing))
        finally:
            CLOSED_CONNECTIONS.have_cut_off(harness)


def unused_socket() -> socket.socket:
    """Return a socket that listens on an unused port of 127.0.0.1."""
    return sockets.bind_unused_port()[0]


def ssl_options_of_tests() -> dict[str, Any]:
    """Return ``ssl_options`` for a server with the test certificate."""
    return bundled_certificate.server_options()
