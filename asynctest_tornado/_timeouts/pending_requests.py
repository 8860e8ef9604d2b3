"""The HTTP clients of a test, and their requests that have no response yet."""

# Tested by tests/http/test_http_case.py.

import inspect
import socket
from typing import Any, Protocol
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError, SimpleAsyncHTTPClient
from tornado.tcpserver import TCPServer

from asynctest_tornado._loop.managed_loop import LoopOfTest

__unittest = True

#: The key of a test's loop and its clients.
_CLIENTS = object()


class Stream(Protocol):
    """A request whose response is read while it arrives, by no client of Tornado."""

    def summary(self) -> str: ...


class Streams(set[Stream]):
    """Such requests that have not ended. They count as the requests of one client."""


def watch_client(loop: LoopOfTest, client: object) -> None:
    """Let the timeout reports of a test show the requests of a client, or its `Streams`."""
    known: tuple[LoopOfTest, list[object]] | None = loop.trap.data.get(_CLIENTS)
    if known is None or known[0] is not loop:  # a test that sets up twice has a new loop
        known = loop.trap.data[_CLIENTS] = loop, []
    known[1].append(client)


def clients_of(loop: LoopOfTest) -> list[object]:
    """Return the clients of a test on its present loop."""
    known_loop, clients = loop.trap.data.get(_CLIENTS, (loop, []))
    return list(clients) if known_loop is loop else []


def names_of_requests(client: object) -> list[str]:
    """Return the requests of a client that have no response yet."""
    if type(client) is Streams:
        return sorted(stream.summary() for stream in client)
    active, waiting = _requests_of(client)
    names = [f"{request.method} {request.url}{_remark(client, request.url)}" for request, _ in active]
    return names + [f"{request.method} {request.url} (waits for another one)" for request, _ in waiting]


def _remark(client: object, url: str) -> str:
    mistake = mistaken_scheme(client, url)
    return "" if mistake is None else f"\n    {mistake}"


def mistaken_scheme(client: Any, url: str) -> str | None:
    """Return the hint for an ``https:`` URL that leads to a server which speaks HTTP, on the loop of a client; or None.

    Such a server waits for the end of the headers, and the client for an answer.
    """
    if not url.lower().startswith("https:"):
        return None
    port = urlsplit(url).port or 443
    for sock, handler in list(getattr(client.io_loop, "handlers", {}).values()):
        is_socket = isinstance(sock, socket.socket) and sock.family in (socket.AF_INET, socket.AF_INET6)
        if is_socket and sock.fileno() != -1 and sock.getsockname()[1] == port and _is_plain(handler):
            return f"The server speaks HTTP: the URL is http{url[5:]}."
    return None


def _is_plain(handler: Any) -> bool:
    """Return whether a handler of a loop accepts connections for a server without TLS."""
    callback = inspect.getclosurevars(handler).nonlocals.get("callback") if inspect.isfunction(handler) else None
    server = getattr(callback, "__self__", None)
    return isinstance(server, TCPServer) and server.ssl_options is None


def urls_of_requests(client: object) -> list[str]:
    """Return the URLs of the requests that a client has begun, and has no response to."""
    return [request.url for request, _ in _requests_of(client)[0]]


_Request = tuple[HTTPRequest, Any]


def _requests_of(client: Any) -> tuple[list[_Request], list[_Request]]:
    """Return the requests that a client has begun and the requests that wait, each with its callback."""
    cls = type(client)  # a mock may say that it is another one, or have any attribute
    if issubclass(cls, SimpleAsyncHTTPClient):
        active = list(client.active.values())
        return active, [(request, callback) for _, request, callback in client.queue]
    if not issubclass(cls, AsyncHTTPClient):
        return [], []
    # The attributes of Tornado's client for pycurl, which may be missing: then nothing is known.
    handles = [getattr(curl, "info", None) for curl in getattr(client, "_curls", ())]
    active = [(info["request"], info["callback"]) for info in handles if info]
    return active, [(request, callback) for request, callback, *_ in getattr(client, "_requests", ())]


def is_unexplained(error: BaseException) -> bool:
    """Return true if a client has given up a request, and no note says where the server stood."""
    if not isinstance(error, HTTPClientError) or isinstance(error, HTTPStreamClosedError):
        return False  # if the server has closed the connection, its error has the reason
    return error.code == 599 and not getattr(error, "__notes__", ())
