"""A socket in memory, with the methods that streams, servers and transports call.

Tornado's and asyncio's own code runs on it unchanged: ``IOStream``, ``TCPServer``, the transports of asyncio. The
number that `VirtualSocket.fileno` returns is no file of the system: `readiness` watches it for the loop.
"""

import collections
import contextlib
import errno
import itertools
import selectors
import socket
import struct
import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from asynctest_tornado._network import socket_options
from asynctest_tornado._network.pipe import CAPACITY, Pipe, error_of, nothing
from asynctest_tornado._util.real_time import Socket

__unittest = True

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
#: The first number of a virtual socket; the system has no file of such a number.
FIRST = 1 << 30
_numbers = itertools.count(FIRST)
#: The open virtual sockets by their numbers.
by_number: "weakref.WeakValueDictionary[int, VirtualSocket]" = weakref.WeakValueDictionary()

Address = tuple[Any, ...]
#: The value of ``SO_LINGER`` that is on, and waits for no second.
_RESET = struct.pack("ii", 1, 0)
_OF_PARENT = (
    "The connection is in memory, and stays in the process that has forked this one. Connect in the child process, or "
    "leave out network_factory"
)


class Dialer(Protocol):
    """A network, as sockets see it."""

    def listen(self, sock: "VirtualSocket") -> None:
        """Let other sockets connect to one that listens."""

    def stop_listening(self, sock: "VirtualSocket") -> None: ...

    def bind(self, sock: "VirtualSocket", address: Address) -> Address:
        """Return the address that a socket gets. Raises ``OSError`` if it is taken."""
        ...

    def connect(self, sock: "VirtualSocket", address: Address) -> None:
        """Connect a socket to one that listens, or refuse that."""

    def collect(self, sock: "VirtualSocket") -> None:
        """Put connections into the backlog of a socket that the system has accepted for it."""

    def expose(self, sock: "VirtualSocket") -> None:
        """Record that the test learns the address of a socket, and so may hand it to other programs."""


class VirtualSocket:
    """An end of a connection, or a socket that listens. It never blocks.

    :param network: finds the other end.
    :param family: ``AF_INET`` or ``AF_INET6``.
    """

    type = socket.SOCK_STREAM
    proto = 0
    timeout: float = 0.0
    _is_of_parent = False

    def __init__(self, network: Dialer, family: int = socket.AF_INET) -> None:
        self.network = network
        self.family = family
        self._number = next(_numbers)
        by_number[self._number] = self
        self.incoming: Pipe | None = None
        self.outgoing: Pipe | None = None
        self.address: Address = ("::", 0, 0, 0) if family == socket.AF_INET6 else ("0.0.0.0", 0)
        self.peer: Address | None = None
        #: True if a server speaks TLS here, and does not only look like it.
        self.speaks_tls = False
        #: The connections that wait to be accepted; None if the socket does not listen.
        self.backlog: collections.deque[Any] | None = None
        #: True if other sockets may bind to its port: ``SO_REUSEPORT``.
        self.shares_port = False
        #: True if the network has chosen the port.
        self.is_port_chosen = False
        #: The error of a connection that was refused, for ``SO_ERROR``.
        self.error: int = 0
        #: True from `connect` on until it is known whether the other end accepts.
        self.is_connecting: bool = False
        self._options: dict[tuple[int, int], Any] = {}
        #: The faults of the host that listens, a `HostFaults`; None if it cannot have any.
        self.faults: Any = None
        #: Called when the socket may have become readable or writable; see `watch`.
        self.changed: Callable[[], object] = nothing

    # The life of a socket.

    def bind(self, address: Address) -> None:
        self._check_open()
        self.address = self.network.bind(self, address)

    def listen(self, backlog: int = 128) -> None:
        self._check_open()
        if self.backlog is None:
            if not self.address[1]:
                self.address = self.network.bind(self, self.address)
            self.backlog = collections.deque()
            self.network.listen(self)

    def accept(self) -> tuple[Any, Address]:
        """Return a connection, and the address of its other end. It may be a socket of the system, see `real_ports`."""
        self._check_open()
        if self.backlog is None:
            raise error_of(errno.EINVAL)
        if not self.backlog:
            self.network.collect(self)
        if not self.backlog:
            raise error_of(errno.EAGAIN)
        connection = self.backlog.popleft()
        return connection if isinstance(connection, tuple) else (connection, connection.peer)

    def connect(self, address: Address) -> None:
        """Begin to connect. Always raises: ``BlockingIOError``, as a socket of the system that does not block."""
        self._check_open()
        if self.incoming is not None:
            raise error_of(errno.EISCONN)
        if self.is_connecting:
            raise error_of(errno.EALREADY)
        self.is_connecting = True
        self.network.connect(self, address)
        raise error_of(errno.EINPROGRESS)

    def connect_ex(self, address: Address) -> int:
        try:
            self.connect(address)
        except OSError as error:
            return error.errno or 0
        return 0

    def join(self, incoming: Pipe, outgoing: Pipe, address: Address, peer: Address) -> None:
        """Make the socket an end of a connection."""
        self.incoming, self.outgoing = incoming, outgoing
        self.address, self.peer = address, peer
        self.is_connecting = False
        self.watch(self.changed)
        self.changed()

    def watch(self, changed: Callable[[], object]) -> None:
        """Call a function from now on when the socket may have become readable or writable.

        The pipes know the function, and not the socket: dropped, it is closed, as a socket of the system is.
        """
        self.changed = changed
        if self.incoming is not None and self.outgoing is not None:
            self.incoming.reader_changed = self.outgoing.writer_changed = changed

    def refuse(self, number: int = errno.ECONNREFUSED) -> None:
        """End the attempt to connect with an error, by its number."""
        self.error = number
        self.is_connecting = False
        self.changed()

    def shutdown(self, how: int) -> None:
        incoming, outgoing = self._pipes()
        if how in (socket.SHUT_WR, socket.SHUT_RDWR):
            outgoing.end()
        if how in (socket.SHUT_RD, socket.SHUT_RDWR):
            incoming.end()

    def close(self) -> None:
        if self._number == -1:
            return
        by_number.pop(self._number, None)
        self._number = -1
        if self.peer is None and self.address[1]:
            self.network.stop_listening(self)
        for connection in self.backlog or ():
            if isinstance(connection, tuple):
                connection[0].close()
            else:
                connection.abort()
        self.backlog = None
        if self.incoming is not None and self.outgoing is not None:
            if self.incoming.data or self._does_not_linger():
                self.abort()  # as TCP: unread bytes are lost
            else:
                self.outgoing.end()
            self.incoming.is_abandoned = True
            self.incoming.writer_changed()
        self.changed()
        self.watch(nothing)

    def abort(self) -> None:
        """Reset the connection: both ends fail with ``ConnectionResetError``, apart from one that was closed."""
        if self.incoming is not None and self.outgoing is not None:
            self.outgoing.reset()
            self.incoming.reset()

    def _does_not_linger(self) -> bool:
        """Return whether the socket resets its connection as it is closed, by ``SO_LINGER`` of no seconds."""
        linger = self._options.get((socket.SOL_SOCKET, socket.SO_LINGER))
        return linger is not None and linger == _RESET

    def detach(self) -> int:
        raise error_of(errno.EOPNOTSUPP)

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if not _is_finalizing():  # there may be no modules left
            self.close()

    def __enter__(self) -> "VirtualSocket":
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    # Bytes.

    def send(self, data: Any, flags: int = 0, *, is_handshake: bool = False) -> int:
        incoming, outgoing = self._pipes()
        if outgoing.is_shut:
            error, incoming.error = incoming.error or errno.EPIPE, None
            raise error_of(error)
        view = memoryview(data).cast("B")
        if outgoing.is_abandoned:
            outgoing.end()  # the other end answers by a reset
            return min(len(view), CAPACITY)
        return outgoing.write_handshake(view) if is_handshake else outgoing.write(view)

    def sendall(self, data: Any, flags: int = 0) -> None:
        view = memoryview(data).cast("B")
        while view:
            view = view[self.send(view) :]

    def sendmsg(self, buffers: Iterable[Any], *args: Any) -> int:
        sent = 0
        for buffer in buffers:
            size = len(memoryview(buffer).cast("B"))
            try:
                part = self.send(buffer)
            except BlockingIOError:
                if sent:
                    break
                raise
            sent += part
            if part < size:
                break
        return sent

    def recv(self, size: int, flags: int = 0) -> bytes:
        incoming = self._pipes()[0]
        return incoming.peek(size) if flags & socket.MSG_PEEK else incoming.read(size)

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        view = memoryview(buffer).cast("B")
        return self._pipes()[0].read_into(view[:size] if size else view)

    def _pipes(self) -> tuple[Pipe, Pipe]:
        if self._number == -1 or self.incoming is None or self.outgoing is None:
            self._check_open()
            raise error_of(self.error or errno.ENOTCONN)
        return self.incoming, self.outgoing

    def _check_open(self) -> None:
        if self._number == -1:
            raise socket_options.closed(_OF_PARENT if self._is_of_parent else None)

    def cut_off(self) -> None:
        """Close the socket in a child process. The other end, in the parent process, learns nothing of that."""
        by_number.pop(self._number, None)
        self._number, self._is_of_parent = -1, True

    def ready(self, events: int = READ | WRITE) -> int:
        """Return the events of these that would wake a loop now, as selectors number them."""
        found = 0
        if self.incoming is not None and self.outgoing is not None:
            if events & READ and self.incoming.is_readable:
                found |= READ
            if events & WRITE and self.outgoing.is_writable:
                found |= WRITE
        elif self.backlog is not None:
            found = READ if self.backlog else 0
        elif self.error:
            found = READ | WRITE
        return found & events

    # The rest of the interface.

    def fileno(self) -> int:
        return self._number

    def getsockname(self) -> Address:
        self._check_open()
        if self.peer is None and self.address[1]:
            self.network.expose(self)
        return self.address

    def getpeername(self) -> Address:
        self._check_open()
        if self.peer is None:
            raise error_of(errno.ENOTCONN)
        return self.peer

    def setsockopt(self, level: int, name: int, value: Any, length: int | None = None) -> None:
        self._check_open()
        self._options[level, name] = value

    def getsockopt(self, level: int, name: int, size: int = 0) -> Any:
        self._check_open()
        if (level, name) == (socket.SOL_SOCKET, socket.SO_ERROR):
            error, self.error = self.error, 0
            if self.incoming is not None and not error:
                error, self.incoming.error = self.incoming.error or 0, None
            return error
        if (level, name) == (socket.SOL_SOCKET, getattr(socket, "SO_ACCEPTCONN", -1)):
            return int(self.backlog is not None)
        if (level, name) == (socket.SOL_SOCKET, socket.SO_TYPE):
            return int(self.type)
        if (level, name) in self._options:
            return self._options[level, name]
        socket_options.check(level, name)
        with contextlib.closing(Socket(self.family, self.type)) as fresh:
            return fresh.getsockopt(level, name, size) if size else fresh.getsockopt(level, name)

    def __getattr__(self, name: str) -> Any:
        raise socket_options.missing(name)

    def setblocking(self, flag: bool) -> None:
        """Do nothing: it never blocks. asyncio and Tornado call this with False."""

    def settimeout(self, value: float | None) -> None:
        """Do nothing, see `setblocking`."""

    def gettimeout(self) -> float:
        return self.timeout

    def getblocking(self) -> bool:
        return False

    def set_inheritable(self, inheritable: bool) -> None:
        """Do nothing: a child process has no part in memory."""

    def get_inheritable(self) -> bool:
        return False

    def __repr__(self) -> str:
        state = "closed" if self._number == -1 else "listening" if self.backlog is not None else "open"
        peer = f" raddr={self.peer}" if self.peer else ""
        return f"<VirtualSocket {state} laddr={self.address}{peer}>"


def cut_off_all() -> None:
    """Close all virtual sockets in a child process."""
    for sock in list(by_number.values()):
        sock.cut_off()
