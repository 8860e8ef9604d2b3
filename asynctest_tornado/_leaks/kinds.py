"""What is still open or runs, and what to call it: streams, servers, clients, threads and the like."""

# Tested by tests/leaks/test_search.py.

import asyncio
import threading
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import PeriodicCallback
from tornado.iostream import BaseIOStream
from tornado.tcpserver import TCPServer

from asynctest_tornado._loop.file_handler import FileHandler
from asynctest_tornado._timeouts.pending_report import names_of_requests
from asynctest_tornado._util import names, origins

__unittest = True

_T = TypeVar("_T")

#: What to tell of a thing that is open, a name for it, and what closes it.
Open = tuple[str, str, Callable[[], object]]


def _nothing() -> None:
    """Stand for the closing of what nobody can close here, or what the loop lets go of as it is closed."""


def safely(look: Callable[..., _T], *args: Any) -> _T | None:
    """Look at an object of the user, which can do anything then. What cannot be looked at is not told."""
    try:
        return look(*args)
    except Exception:
        return None


def open_streams(made: Iterable[object]) -> "list[weakref.ref[BaseIOStream]]":
    """Return the streams that are open, of what a test has made; weakly, since the test may drop them."""
    streams = [each for each in made if isinstance(each, BaseIOStream)]
    return [weakref.ref(each) for each in streams if safely(look_at_stream, each, None) is not None]


def look_at_stream(stream: Any, origin: origins.Origin) -> Open | None:
    # One that was handed to start_tls() or the like has let go of its socket.
    sock = getattr(stream, "socket", stream)
    if stream.closed() or sock is None:
        return None
    name = type(stream).__name__
    return f"unclosed stream {name}{_peer(sock)}", name, stream.close


def _peer(sock: Any) -> str:
    try:
        address = sock.getpeername()
    except (OSError, AttributeError):
        return ""
    return f", connected to {_address(address)}" if address else ""


def _address(address: Any) -> str:
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)


def _server(server: Any, origin: origins.Origin) -> Open | None:
    sockets = [sock for sock in vars(server).get("_sockets", {}).values() if sock.fileno() != -1]
    name = type(server).__name__
    return (f"unclosed server {name}{_listening(sockets)}", name, server.stop) if sockets else None


def _asyncio_server(server: Any, origin: origins.Origin) -> Open | None:
    name = "asyncio.Server"
    return (f"unclosed server {name}{_listening(server.sockets)}", name, server.close) if server.sockets else None


def _listening(sockets: Iterable[Any]) -> str:
    return f", listening on {', '.join(_address(sock.getsockname()) for sock in sockets)}"


def _transport(transport: Any, origin: origins.Origin) -> Open | None:
    if transport.is_closing():
        return None
    name = type(transport.get_protocol()).__name__
    peer = transport.get_extra_info("peername")
    connected = f", connected to {_address(peer)}" if peer else ""
    return f"unclosed transport of {name}{connected}", name, getattr(transport, "abort", transport.close)


def _client(client: Any, origin: origins.Origin) -> Open | None:
    if getattr(client, "_closed", True):
        return None
    name = type(client).__name__
    requests = names_of_requests(client)
    if requests:
        return f"HTTP client {name} with unfinished requests: {', '.join(requests)}", name, client.close
    # One that all code on the loop shares is not for anybody to close.
    is_shared = getattr(client, "_instance_cache", None) is not None
    return None if is_shared else (f"unclosed HTTP client {name}", name, client.close)


def _periodic(periodic: PeriodicCallback, origin: origins.Origin) -> Open | None:
    if not periodic.is_running():
        return None
    name = names.name_of(periodic.callback)
    every = f"{periodic.callback_time / 1000:g} s"
    return f"running PeriodicCallback {name}, every {every}", name, periodic.stop


def _file_handler(handler: FileHandler, origin: origins.Origin) -> Open | None:
    name = names.name_of(names.function_of_handler(handler.callback, handler.args))
    return f"handler {name} of file descriptor {handler.fd}", name, _nothing


def _thread(thread: threading.Thread, origin: origins.Origin) -> Open | None:
    if not thread.is_alive():
        return None
    if thread.daemon and origin is not None and origin.is_of_package:
        return None  # nobody can join it: that of a database driver ends some time after its client was closed
    func = getattr(thread, "_target", None)
    name = thread.name if func is None else f"{names.name_of(func)} <{thread.name}>"
    return f"running thread {name}", name, _nothing


def _generator(agen: Any, origin: origins.Origin) -> Open | None:
    frame = agen.ag_frame
    if frame is None or agen.ag_running:
        return None
    code = frame.f_code
    place = names.line_at(code.co_filename, frame.f_lineno, code.co_name, frame.f_globals)
    return f"unfinished asynchronous generator {agen.__qualname__}, at {place}", agen.__qualname__, _nothing


Kinds = tuple[tuple[type, Callable[[Any, origins.Origin], Open | None]], ...]
CLOSED_BY_HAND: Kinds = (
    (BaseIOStream, look_at_stream),
    (TCPServer, _server),
    (asyncio.Server, _asyncio_server),
    (asyncio.BaseTransport, _transport),
    (AsyncHTTPClient, _client),
    (PeriodicCallback, _periodic),
    (FileHandler, _file_handler),
)
ENDS_BY_ITSELF: Kinds = (
    (threading.Thread, _thread),
    (types.AsyncGeneratorType, _generator),
)
