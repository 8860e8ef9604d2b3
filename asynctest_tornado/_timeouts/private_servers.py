"""The servers of a test that nothing outside of its loop can connect to.

A file can wake a loop at any time, so a loop with open files is no deadlock. The exception: a test's own servers, and
connections to these, if nothing else can connect. A server counts as private if, and as long as,

- the library has bound its socket, to a port that the system chose;
- the test has not asked for the port or a URL of the server: it could have passed it to another program;
- the loop has watched no other file since: no pipe, no other server's connection, no socket of another program;
- no child process has ended since: it could have left a process of its own behind. If the process ignores SIGCHLD, the
  system does not say whether one has ended.

Then only code of this process can connect, and none runs if there is no other thread, child, handler or alarm. A
connection between two ends of this process is silent if nothing is on its way.
"""

import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from tornado.ioloop import IOLoop

from asynctest_tornado._loop import in_flight
from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._util.real_time import Socket, get_signal_handler

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

__unittest = True


def _ended_children() -> tuple[int, ...] | None:
    """Return figures that change if a child process ends, and its end is noticed; None if they would not."""
    if resource is None:
        return ()
    if get_signal_handler(signal.SIGCHLD) == signal.SIG_IGN:
        return None
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_maxrss, usage.ru_minflt, usage.ru_nvcsw, usage.ru_nivcsw


class PrivateServers:
    """The servers of a test on its loop, and whether anything outside of the loop may know them.

    :param selector: the selector of the loop.
    :param waker: the file descriptor by which other threads wake the loop.
    """

    def __init__(self, selector: Selector, waker: int) -> None:
        self._selector = selector
        self._waker = waker
        self._servers: list[tuple[socket.socket, Any, Callable[[], bool]]] = []
        #: The addresses from which the loop has connected to these servers.
        self._clients: set[Any] = set()
        self._children = _ended_children()
        self._is_known_outside = False
        self._process = os.getpid()
        # Mostly no other file: to go through the map takes as many calls as all the rest of this.
        if not selector.has_no_files():
            for fd in self._connections():
                self.register(fd)

    def add(self, sock: socket.socket, name: Any, is_known: Callable[[], bool]) -> None:
        """Add a server.

        :param sock: the socket that it listens on.
        :param name: its address.
        :param is_known: returns true if the test has asked for its address.
        """
        self._servers.append((sock, name[:2], is_known))

    def register(self, fd: int) -> None:
        """Record a file that the loop begins to watch: does it lead out of this process?"""
        if not self._is_known_outside:
            self._is_known_outside = not self._is_own(fd)

    def _connections(self) -> set[int]:
        files = {key.fd for key in self._selector.get_map().values()}
        return files - {self._waker} - {sock.fileno() for sock, _, _ in self._servers}

    def _is_own(self, fd: int) -> bool:
        own = []
        for server, address, _ in self._servers:
            number = server.fileno()
            if number == fd:
                return True
            if number != -1:
                own.append(address)
        try:
            sock = Socket(socket.AF_INET, socket.SOCK_STREAM, 0, fd)
        except OSError:
            return False
        try:
            peer = sock.getpeername()[:2]
            if peer in own:
                self._clients.add(sock.getsockname()[:2])
                return True
            return peer in self._clients
        except OSError:
            return False  # another listening socket, a connection under way, a file of another kind
        finally:
            sock.detach()

    def may_be_reached(self) -> bool:
        """Return whether other code may connect to the servers."""
        children = _ended_children()
        return (
            self._is_known_outside
            or self._process != os.getpid()
            or any(is_known() for _, _, is_known in self._servers)
            or None in (self._children, children)
            or self._children != children
        )

    def has_bytes_on_their_way(self) -> bool:
        """Return whether one end of a connection may not have got all that the other one has sent.

        The system may acknowledge bytes some time after they have arrived, of which the loop learns nothing.
        """
        return any(map(in_flight.has_unacknowledged, self._connections()))


def serve_privately(sock: socket.socket, name: Any, is_known: Callable[[], bool]) -> None:
    """Record that only code on the current loop can connect to a socket.

    :param sock: the socket of a server, bound, before the loop watches it.
    :param name: its address.
    :param is_known: returns true if other code may know the address of the server.
    """
    loop: Any = IOLoop.current().asyncio_loop  # type: ignore[attr-defined]
    selector, waker = getattr(loop, "_selector", None), getattr(loop, "_ssock", None)
    if not isinstance(selector, Selector) or waker is None:
        return
    servers = of(selector)
    if servers is None:
        servers = PrivateServers(selector, waker.fileno())
        selector.watchers.append(servers)
    servers.add(sock, name, is_known)


def of(selector: Selector) -> PrivateServers | None:
    """Return the private servers on a loop, if there are any."""
    return next((each for each in selector.watchers if isinstance(each, PrivateServers)), None)
