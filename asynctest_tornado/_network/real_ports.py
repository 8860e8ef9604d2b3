"""Opens servers in memory to the system.

A server in memory has a port number, and nothing listens there for the system. That begins as soon as other code could
use the number:

- a socket of the system connects to the number in this process, mostly in another thread;
- a child process starts, or is there when the test asks for the number; then all servers, or this one, are opened.

A connection that the system accepts goes to the backlog of the socket in memory: so the server accepts it as its own.

The number has to be the same before and after. It is reserved when the test learns it: by a socket that is bound and
does not listen, one for all tests of the process. So no file is opened for a test. If another process has the number,
for example because tests run in parallel, the server gets another one at this moment, and has both in memory.

The price of an open port: the clock and the detection of deadlocks wait for other code, as on real sockets.
"""

import asyncio
import atexit
import contextlib
import contextvars
import errno
import os
import socket
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from asynctest_tornado._loop.child_processes import has_children
from asynctest_tornado._network.virtual_socket import VirtualSocket

__unittest = True

#: A test may have a mock in its place.
_Socket = socket.socket
#: The number of the first server of a test. The system's own numbers, for clients and unused ports, begin above.
_FIRST_PORT = 20_001
#: The numbers begin again after so many.
_PORTS = 10_000
#: How many connections wait to be accepted; as in Tornado.
_BACKLOG = 128
#: The local addresses that stand for listening ones.
_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}

Host = tuple[str, int]


class _Numbers:
    """The port numbers that this process uses."""

    def __init__(self) -> None:
        #: How many numbers are left out: others have them, or they were open.
        self.skipped = 0
        self._reserved: dict[Host, socket.socket] = {}
        self._process = os.getpid()

    def number(self, index: int) -> int:
        """Return the number for the next server of a test that has chosen `index` so far."""
        return _FIRST_PORT + (self.skipped + index) % _PORTS

    def take(self, host: Host) -> socket.socket | None:
        """Return a socket that is bound to an address; None if the machine has no such address.

        Raises ``OSError`` if the number is in use.
        """
        if self._process != os.getpid():
            self.close()
        sock = self._reserved.pop(host, None)
        if sock is not None:
            return sock
        sock = _Socket(socket.AF_INET6 if ":" in host[0] else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(host)
        except OSError as error:
            sock.close()
            if error.errno == errno.EADDRINUSE:
                raise
            return None
        return sock

    def give_back(self, host: Host, sock: socket.socket) -> None:
        """Keep a socket that is bound, and does not listen, for the next test."""
        if host in self._reserved:
            sock.close()
        else:
            self._reserved[host] = sock

    def close(self) -> None:
        for sock in self._reserved.values():
            sock.close()
        self._reserved.clear()
        self._process = os.getpid()


NUMBERS = _Numbers()
atexit.register(NUMBERS.close)  # not each run of tests has an end


class RealPorts:
    """The ports that the servers of one test have for the system.

    :param network: the network in memory.
    """

    def __init__(self, network: Any) -> None:
        # Weakly, because the network refers to this: in a cycle, it would wait for the garbage collector.
        self._get_network: Callable[[], Any] = weakref.ref(network)
        self._lock = threading.RLock()
        self._reserved: weakref.WeakKeyDictionary[VirtualSocket, socket.socket] = weakref.WeakKeyDictionary()
        self._open: weakref.WeakKeyDictionary[VirtualSocket, socket.socket] = weakref.WeakKeyDictionary()
        self._known: weakref.WeakSet[VirtualSocket] = weakref.WeakSet()
        #: True if a server may have a port of the system: in most tests, none has.
        self._is_used = False
        self._loop: Any = None
        self._selector: Any = None
        self._thread = 0
        self._process = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._selector = loop, loop._selector  # type: ignore[attr-defined]
        self._thread, self._process = threading.get_ident(), os.getpid()

    def detach(self) -> None:
        for sock in [*self._reserved, *self._open] if self._is_used else ():
            self.close(sock)
        self._loop = self._selector = None

    @property
    def is_here(self) -> bool:
        """True if the test runs in this process, and not in the process that has forked this one."""
        return self._loop is not None and self._process == os.getpid()

    def expose(self, sock: VirtualSocket) -> None:
        """Reserve the port of a server for the system: the test learns the number. Open it, if there is a child."""
        if not self.is_here:
            return
        self._is_used = True
        with self._lock:
            if sock not in self._known:
                group = self._get_network().bound_with(sock)
                self._known.update(group)
                if sock.is_port_chosen and not any(each in self._open for each in group):
                    self._reserve(group)
            if sock.backlog is not None and sock not in self._open and has_children():
                self._try_to_open(sock)

    def _reserve(self, group: Sequence[VirtualSocket]) -> None:
        wanted = group[0].address[1]
        for more in range(_PORTS):
            taken = self._take(group, wanted + more)
            if taken is not None:
                self._reserved.update(taken)
                if more:
                    NUMBERS.skipped += more
                    self._get_network().renumber(group, wanted + more)
                return

    def _take(self, group: Sequence[VirtualSocket], port: int) -> dict[VirtualSocket, socket.socket] | None:
        taken: dict[VirtualSocket, socket.socket] = {}
        try:
            for sock in group:
                real = NUMBERS.take((_local(sock), port))
                if real is not None:
                    taken[sock] = real
        except OSError:
            for sock, real in taken.items():
                NUMBERS.give_back((_local(sock), port), real)
            return None
        return taken

    def open(self, sock: VirtualSocket, port: int) -> None:
        """Let the system accept connections to a server. Raises ``OSError`` if another program has the number.

        :param port: the number for the system, 0 for any.
        """
        if not self.is_here:
            return
        self._is_used = True
        with self._lock:
            if sock in self._open or sock.backlog is None:
                return
            real = self._reserved.pop(sock, None)
            if real is None:
                real = NUMBERS.take((_local(sock), port))
            if real is None:
                return
            real.listen(_BACKLOG)
            real.setblocking(False)
            self._open[sock] = real
            if sock.is_port_chosen:
                NUMBERS.skipped += 1  # what comes late for this server must not reach the one of another test
        if threading.get_ident() == self._thread:
            self._watch(real, sock)
        else:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(self._watch, real, sock, context=contextvars.Context())

    def _try_to_open(self, sock: VirtualSocket) -> None:
        with contextlib.suppress(OSError):  # the number is a program's that has begun before
            self.open(sock, sock.address[1])

    def open_all(self) -> None:
        """Let the system accept connections to all servers of the test, as far as it can."""
        network = self._get_network()
        for sock in () if network is None else network.listeners():
            self._try_to_open(sock)

    def open_for(self, address: Any) -> Any:
        """Open the server that listens in memory at an address, if there is one; return the address to connect to.

        It is another one if another program has the number.
        """
        if not self.is_here or not isinstance(address, tuple) or len(address) < 2:
            return address
        network = self._get_network()
        sock = None if network is None else network.find(address)
        if sock is None:
            return address
        self._try_to_open(sock)
        if sock not in self._open:
            self.open(sock, 0)
        real = self._open.get(sock)
        return address if real is None else (address[0], real.getsockname()[1], *address[2:])

    def collect(self, sock: VirtualSocket) -> None:
        """Accept the connections to a server that the system has by now: the loop may not have looked yet."""
        real = self._open.get(sock) if self._open else None
        if real is not None:
            _collect(real, sock)

    def _watch(self, real: socket.socket, sock: VirtualSocket) -> None:
        if real.fileno() != -1:
            self._loop._add_reader(real.fileno(), _accept, real, weakref.ref(sock))

    def close(self, sock: VirtualSocket) -> None:
        """Release the port of a server: it has been closed."""
        if not self._is_used:
            return
        with self._lock:
            reserved, real = self._reserved.pop(sock, None), self._open.pop(sock, None)
        if reserved is not None:
            NUMBERS.give_back((_local(sock), sock.address[1]), reserved)
        if real is not None:
            if self._selector is not None and threading.get_ident() == self._thread:
                with contextlib.suppress(KeyError, ValueError):  # it was not watched yet
                    self._selector.unregister(real)
            real.close()


def _local(sock: VirtualSocket) -> str:
    host = str(sock.address[0])
    return _LOCAL.get(host, host)


def _accept(real: socket.socket, get_sock: "weakref.ref[VirtualSocket]") -> None:
    """Let the system accept connections to a server that others have made."""
    _collect(real, get_sock())


def _collect(real: socket.socket, sock: VirtualSocket | None) -> None:
    """Put the connections that the system has accepted into the backlog of a socket in memory."""
    for _ in range(_BACKLOG):
        try:
            connection, address = real.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        if sock is None or sock.backlog is None:
            connection.close()
            continue
        connection.setblocking(False)
        sock.backlog.append((connection, address))
        sock.changed()
