"""Kinds of resources: the maker, whether one is open, its name, how to close it.

A new kind is one entry in `KINDS`.
"""

import asyncio
import threading
import types
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, NamedTuple, TypeVar

from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import PeriodicCallback
from tornado.iostream import BaseIOStream
from tornado.tcpserver import TCPServer

from asynctest_tornado._leaks.recording_loop import FileHandler
from asynctest_tornado._timeouts.pending_requests import names_of_requests
from asynctest_tornado._util import names, origins

__unittest = True

_T = TypeVar("_T")


class Open(NamedTuple):
    """A resource that is still open."""

    description: str
    name: str


class Maker(NamedTuple):
    """The method that makes or opens a resource; `tracking` patches it."""

    method: str
    through: frozenset[str]
    """The modules that call it for their callers; see `origins.find`."""


@dataclass(frozen=True)
class Kind:
    """A kind of resource that a test can leave open."""

    cls: type
    #: Describes an object, given the line that made it. None if it is closed, or if leaving it open is no mistake.
    look: Callable[[Any, origins.Origin], Open | None]
    #: Closes an object. None if only the loop can, or the code that runs in it.
    close: Callable[[Any], object] | None = None
    #: None if another room records such objects: the loop, or the hook for threads.
    made_by: Maker | None = None
    #: True if such an object may need a few turns of the loop, or some time, to end after the test.
    ends_by_itself: bool = False


def kind_of(thing: object) -> Kind | None:
    """Return the kind of a resource, or None for a timer."""
    return next((kind for kind in KINDS if isinstance(thing, kind.cls)), None)


def safely(look: Callable[..., _T], *args: Any) -> _T | None:
    """Look at an object of the user, which may run any code. If that raises, the object is not reported."""
    try:
        return look(*args)
    except Exception:
        return None


def open_streams(made: Iterable[object]) -> "list[weakref.ref[BaseIOStream]]":
    """Return the streams that are open, of those that a test has made; weakly, because the test may drop them."""
    streams = [each for each in made if isinstance(each, BaseIOStream)]
    return [weakref.ref(each) for each in streams if safely(look_at_stream, each, None) is not None]


def look_at_stream(stream: Any, origin: origins.Origin) -> Open | None:
    # After start_tls() or the like, the stream has no socket: another stream has it.
    sock = getattr(stream, "socket", stream)
    if stream.closed() or sock is None:
        return None
    name = type(stream).__name__
    return Open(f"unclosed stream {name}{_peer(sock)}", name)


def _peer(sock: Any) -> str:
    try:
        address = sock.getpeername()
    except (OSError, AttributeError):
        return ""
    return f", connected to {_address(address)}" if address else ""


def _address(address: Any) -> str:
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)


def _look_at_server(server: Any, origin: origins.Origin) -> Open | None:
    sockets = [sock for sock in vars(server).get("_sockets", {}).values() if sock.fileno() != -1]
    name = type(server).__name__
    return Open(f"unclosed server {name}{_listening(sockets)}", name) if sockets else None


def _look_at_asyncio_server(server: Any, origin: origins.Origin) -> Open | None:
    name = "asyncio.Server"
    return Open(f"unclosed server {name}{_listening(server.sockets)}", name) if server.sockets else None


def _listening(sockets: Iterable[Any]) -> str:
    return f", listening on {', '.join(_address(sock.getsockname()) for sock in sockets)}"


def _look_at_transport(transport: Any, origin: origins.Origin) -> Open | None:
    if transport.is_closing():
        return None
    name = type(transport.get_protocol()).__name__
    peer = transport.get_extra_info("peername")
    connected = f", connected to {_address(peer)}" if peer else ""
    return Open(f"unclosed transport of {name}{connected}", name)


def _abort_transport(transport: Any) -> None:
    getattr(transport, "abort", transport.close)()


def _look_at_client(client: Any, origin: origins.Origin) -> Open | None:
    if getattr(client, "_closed", True):
        return None
    name = type(client).__name__
    requests = names_of_requests(client)
    if requests:
        return Open(f"HTTP client {name} with unfinished requests: {', '.join(requests)}", name)
    # A test need not close a client that all code on the loop shares.
    is_shared = getattr(client, "_instance_cache", None) is not None
    return None if is_shared else Open(f"unclosed HTTP client {name}", name)


def _look_at_periodic_callback(periodic: PeriodicCallback, origin: origins.Origin) -> Open | None:
    if not periodic.is_running():
        return None
    name = names.name_of(periodic.callback)
    every = f"{periodic.callback_time / 1000:g} s"
    return Open(f"running PeriodicCallback {name}, every {every}", name)


def _look_at_file_handler(handler: FileHandler, origin: origins.Origin) -> Open | None:
    name = names.name_of(names.function_of_handler(handler.callback, handler.args))
    return Open(f"handler {name} of file descriptor {handler.fd}", name)


def _look_at_thread(thread: threading.Thread, origin: origins.Origin) -> Open | None:
    if not thread.is_alive():
        return None
    if thread.daemon and origin is not None and origin.is_of_package:
        return None  # the test cannot join it: the thread of a database driver, for example, ends later than its client
    func = getattr(thread, "_target", None)
    name = thread.name if func is None else f"{names.name_of(func)} <{thread.name}>"
    end = "" if thread.daemon else ", for which Python waits when it ends"
    return Open(f"running thread {name}{end}", name)


def _look_at_generator(agen: Any, origin: origins.Origin) -> Open | None:
    frame = agen.ag_frame
    if frame is None or agen.ag_running:
        return None
    code = frame.f_code
    place = names.line_at(code.co_filename, frame.f_lineno, code.co_name, frame.f_globals)
    return Open(f"unfinished asynchronous generator {agen.__qualname__}, at {place}", agen.__qualname__)


KINDS = (
    Kind(BaseIOStream, look_at_stream, methodcaller("close"), Maker("__init__", origins.STREAMS)),
    Kind(TCPServer, _look_at_server, methodcaller("stop"), Maker("add_sockets", origins.SERVERS)),
    Kind(asyncio.Server, _look_at_asyncio_server, methodcaller("close")),
    Kind(asyncio.BaseTransport, _look_at_transport, _abort_transport),
    Kind(AsyncHTTPClient, _look_at_client, methodcaller("close"), Maker("initialize", origins.CLIENTS)),
    Kind(PeriodicCallback, _look_at_periodic_callback, methodcaller("stop"), Maker("start", origins.TIMERS)),
    Kind(FileHandler, _look_at_file_handler),
    Kind(threading.Thread, _look_at_thread, ends_by_itself=True),
    Kind(types.AsyncGeneratorType, _look_at_generator, ends_by_itself=True),
)
