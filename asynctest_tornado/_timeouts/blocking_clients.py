"""Finds a client that waits for a server of the test, which the waiting blocks."""

import inspect
import socket
import sys
import types
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import HTTPClient, HTTPRequest
from tornado.simple_httpclient import HTTPTimeoutError

from asynctest_tornado._util.exception_notes import chain
from asynctest_tornado._util.real_time import Socket
from asynctest_tornado._util.tracebacks import USER, owner_of

__unittest = True

#: The exceptions that end the waiting.
_ENDS = (TimeoutError, KeyboardInterrupt, HTTPTimeoutError)
#: Code that runs in another thread, which does not block the loop.
_THREADS = ("concurrent.futures.thread", "threading")


def hint(error: BaseException, loop: Any) -> str | None:
    """Return the hint for the timeout, or the interrupt, of a client that blocks the server it waits for, or None.

    :param loop: the asyncio loop of the test, which is open.
    """
    errors = list(chain(error))
    if not any(isinstance(each, _ENDS) for each in errors):
        return None
    ports: set[int] = set()
    for each in errors:
        tb = each.__traceback__
        while tb is not None:
            if tb.tb_frame.f_globals.get("__name__") in _THREADS:
                return None
            ports.update(_ports_of_client(tb.tb_frame))
            tb = tb.tb_next
    blocked = ports.intersection(port for _, port in addresses_of_servers(loop)) if ports else None
    if not blocked:
        return None
    return describe(min(blocked))


def describe(port: int) -> str:
    """Return the hint for a client that blocks the server on this port."""
    return (
        f"The server on port {port} is on the event loop of this thread, which the client blocks. Use fetch() "
        "of the test or AsyncHTTPClient, or run the client in a thread: await asyncio.to_thread(...)."
    )


def _ports_of_client(frame: types.FrameType) -> Iterator[int]:
    """Return the ports to which a frame of a client has connected."""
    if owner_of(frame) is USER:
        return
    variables = frame.f_locals
    client = variables.get("self")
    for thing in (client, variables.get("sock"), *(inspect.getattr_static(client, name, None) for name in _SOCKETS)):
        if isinstance(thing, socket.socket):
            try:
                yield thing.getpeername()[1]
            except (OSError, IndexError):
                continue  # it is closed, or a Unix-domain socket
    http_client = sys.modules.get("http.client")
    if http_client is not None and isinstance(client, http_client.HTTPConnection):
        yield client.port
    request = variables.get("request") if isinstance(client, HTTPClient) else None
    url = request.url if isinstance(request, HTTPRequest) else request
    if isinstance(url, str):
        yield urlsplit(url).port or 0


_SOCKETS = ("sock", "_sock")


def addresses_of_servers(loop: Any) -> Iterator[tuple[str, int]]:
    """Return the addresses and ports of the servers that a loop serves."""
    selector = getattr(loop, "_selector", None)
    for key in list(selector.get_map().values()) if selector is not None else ():
        try:
            sock = Socket(fileno=key.fd)
        except OSError:
            continue  # no socket
        try:
            is_of_ip = sock.family in (socket.AF_INET, socket.AF_INET6)
            if is_of_ip and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                yield sock.getsockname()[:2]
        finally:
            sock.detach()
