"""Connects to 127.0.0.1 with fewer objects, in the usual turns of the loop.

``TCPClient.connect`` makes a task that resolves the address, three timers and a dozen futures, a tenth of the cost of a
request. For a numeric address that connects at once, none of them has anything to do. All that code can see stays as
it is: each step takes place in the same turn of the loop, and at the same place among the other calls of that turn.

Where something is out of the ordinary, ``TCPClient.connect`` does all of it: another host, another resolver, a function
that the test or the application has replaced. If the system does not connect at once, it goes on with the connection
that was begun. So it is with TLS, whose handshake takes more than one step.

A network in memory connects at once, and no socket of the system has an order that it could keep: two turns are enough.
"""

import asyncio
import socket
import types
from collections.abc import Generator
from typing import Any

from tornado import gen, tcpclient
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.netutil import DefaultLoopResolver
from tornado.tcpclient import TCPClient

from asynctest_tornado._loop.connections import TURNS, ConnectingLoop, is_mocked, release_processor
from asynctest_tornado._util.patching import Patch

__unittest = True

_HOST = "127.0.0.1"
_FAMILIES = (socket.AF_UNSPEC, socket.AF_INET)
_OPTIONS = {"af", "max_buffer_size", "source_ip", "source_port", "ssl_options", "timeout"}
_LAST_PORT = 65535
# The functions that this stands in for. Any other one in their places has to be called.
_connect_of_tornado = TCPClient.connect
_resolve = DefaultLoopResolver.resolve
_getaddrinfo = ConnectingLoop.getaddrinfo
_with_timeout = gen.with_timeout
_connector: Any = getattr(tcpclient, "_Connector", None)
_start_connector = getattr(_connector, "start", None)
# A stream that is connected without them is for a network in memory alone.
_create_stream = getattr(TCPClient, "_create_stream", None)
_socket = socket.socket

#: With a time limit, a task resolves the address. It begins a turn later; when it is done, its result is copied in
#: another turn, and the waiting task goes on in a third one.
_BEFORE_TASK, _AFTER_TASK = 1, 2


async def _connect_directly(self: Any, host: Any, port: Any, *args: Any, **options: Any) -> Any:
    loop = asyncio.get_running_loop()
    if args or not _is_usual(self, loop, host, port, options):
        return await _connect.found(self, host, port, *args, **options)
    if not (options.get("source_ip") or options.get("source_port")) and _makes_usual_streams(self):
        ready = loop.connected_stream((host, port), options.get("max_buffer_size"))  # type: ignore[attr-defined]
        if ready is not None:
            return await _connect_at_once(loop, ready, host, port, options)
    limit = _Limit(options)
    await _turns_of_resolver(limit.seconds is not None)
    if limit.is_over():
        return await _connect.found(self, host, port, **limit.rest())
    stream, connecting = self._create_stream(
        options.get("max_buffer_size"),
        socket.AF_INET,
        (host, port),
        source_ip=options.get("source_ip"),
        source_port=options.get("source_port"),
    )
    is_connected = _is_connected(stream, connecting) and await _ends_well(stream, connecting)
    if is_connected and options.get("ssl_options") is None:
        return stream
    return await _connect.found(_Begun(loop, stream, connecting), host, port, **limit.rest())


async def _connect_at_once(loop: Any, stream: IOStream, host: str, port: int, options: dict[str, Any]) -> Any:
    """Return a stream that is connected already, or speak TLS on it; after two turns, in which a server accepts it."""
    try:
        await _turns(2)
    except asyncio.CancelledError:
        stream.close()
        raise
    if options.get("ssl_options") is None:
        stream._add_io_state(IOLoop.READ)  # as a stream that the loop has connected, which notices its end while idle
        return stream
    connecting = loop.create_future()
    connecting.set_result(stream)
    return await _connect.found(_Begun(loop, stream, connecting), host, port, **options)


_connect = Patch(TCPClient, "connect", _connect_directly)
#: They connect in the shorter way.
patches = [_connect] if hasattr(TCPClient, "_create_stream") and hasattr(IOStream, "_add_io_state") else []


def _is_usual(client: Any, loop: Any, host: object, port: Any, options: dict[str, Any]) -> bool:
    """Return whether it is known what Tornado would do, step by step."""
    timeout = options.get("timeout")
    return (
        host == _HOST
        and _connect.is_active
        and _connect.found is _connect_of_tornado
        and isinstance(loop, ConnectingLoop)
        and type(client.resolver) is DefaultLoopResolver
        and getattr(client.resolver.resolve, "__func__", None) is _resolve
        and getattr(loop.getaddrinfo, "__func__", None) is _getaddrinfo
        and not is_mocked()
        and gen.with_timeout is _with_timeout
        and getattr(tcpclient, "_Connector", None) is _connector
        and getattr(_connector, "start", None) is _start_connector
        and loop.get_task_factory() is None  # or the task might begin at once
        and type(port) is int
        and 0 < port <= _LAST_PORT
        and (timeout is None or (isinstance(timeout, (int, float)) and timeout > 0))
        and options.get("af", socket.AF_UNSPEC) in _FAMILIES
        and options.keys() <= _OPTIONS
    )


def _makes_usual_streams(client: Any) -> bool:
    """Return whether it is known how a client makes and connects a stream."""
    return (
        getattr(client._create_stream, "__func__", None) is _create_stream
        and vars(tcpclient)["IOStream"] is IOStream
        and socket.socket is _socket
    )


class _Limit:
    """The time limit of a connection, in the seconds of the loop.

    :param options: the arguments of ``connect``.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self.seconds: float | None = options.get("timeout")
        self._io_loop = IOLoop.current()
        self._began = 0.0 if self.seconds is None else self._io_loop.time()

    def is_over(self) -> bool:
        return self.seconds is not None and self._io_loop.time() >= self._began + self.seconds

    def rest(self) -> dict[str, Any]:
        """Return the arguments, with the seconds that are left."""
        if self.seconds is None:
            return self._options
        return {**self._options, "timeout": self._began + self.seconds - self._io_loop.time()}


class _Begun:
    """Stands in for a client whose connection was begun, so that ``TCPClient.connect`` goes on with it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stream: Any, connecting: Any) -> None:
        self.resolver = self
        self._loop = loop
        self._made = stream, connecting

    def resolve(self, host: str, port: int, family: int) -> "asyncio.Future[list[Any]]":
        """Return the address, for which the loop has waited before."""
        found: asyncio.Future[list[Any]] = self._loop.create_future()
        found.set_result([(socket.AF_INET, (host, port))])
        return found

    def _create_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self._made


async def _turns_of_resolver(has_task: bool) -> None:
    await _turns(TURNS + _BEFORE_TASK if has_task else TURNS)
    release_processor()
    if has_task:
        await _turns(_AFTER_TASK)


@types.coroutine
def _turns(count: int) -> Generator[None, None, None]:
    """Take turns of the loop, as ``asyncio.sleep(0)`` does."""
    for _ in range(count):
        yield


def _is_connected(stream: Any, connecting: Any) -> bool:
    """Return whether the system has connected a socket at once, as it does on loopback if a server listens."""
    if not (isinstance(stream, IOStream) and isinstance(connecting, asyncio.Future)) or stream.closed():
        return False  # of a mock; or the system has refused
    if getattr(stream, "_connect_future", None) is not connecting:
        return False  # of a test, which decides when it is done
    try:
        stream.socket.getpeername()
    except OSError:
        return False
    return True


async def _ends_well(stream: IOStream, connecting: "asyncio.Future[Any]") -> bool:
    """Wait until the loop finds that a socket is connected. Return false if the stream was closed instead."""
    is_well = True
    try:
        await connecting
    except asyncio.CancelledError:
        stream.close()
        raise
    except OSError:
        is_well = False
    await _turns(1)  # in which Tornado sets the result of another future
    return is_well
