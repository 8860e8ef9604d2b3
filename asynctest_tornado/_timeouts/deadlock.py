"""Detect deadlocks behind a test's own servers, to which nothing else can connect.

A loop that waits, and whose only files are the listening sockets of a test's own servers and the connections to these,
sleeps for ever if nothing else can connect. The rule errs on the side of doubt. A server counts as private as long as

- the library has bound its socket, to a port that the system chose;
- the test has not asked for the port or a URL of the server: it could have passed it to another program;
- the loop has watched no other file since: no pipe, no other server's connection, no socket of another program;
- no child process has ended since: it could have left a process of its own behind.

Then only code of this process can connect, and none runs: the caller has made sure that there is no other thread, child
process, signal handler or alarm. A connection between two ends of this process is silent if nothing is on its way.

Timers of Tornado's HTTP client and server (a request that times out after 20 seconds, for example) do not count if the
test's own time limit ends before.
"""

import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

from asynctest_tornado._loop import in_flight
from asynctest_tornado._util import names
from asynctest_tornado._util.real_time import Socket

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

__unittest = True

#: The modules whose timers end requests and connections.
_OF_CONNECTIONS = (
    "tornado.curl_httpclient",
    "tornado.http1connection",
    "tornado.simple_httpclient",
    "tornado.tcpclient",
)


def _ended_children() -> tuple[int, ...]:
    """Return figures that change if a child process ends, and its end is noticed."""
    if resource is None:
        return ()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_maxrss, usage.ru_minflt, usage.ru_nvcsw, usage.ru_nivcsw


class PrivateServers:
    """The servers of a test on its loop, and whether anything outside of the loop may know them.

    :param files: the file descriptors that the loop watches by now, but the one that wakes it.
    """

    def __init__(self, files: Iterable[int]) -> None:
        self._servers: list[tuple[socket.socket, Any, Callable[[], bool]]] = []
        #: The addresses from which the loop has connected to these servers.
        self._clients: set[Any] = set()
        self._children = _ended_children()
        self._is_known_outside = False
        self._process = os.getpid()
        for fd in files:
            self.register(fd)

    def add(self, sock: socket.socket, is_known: Callable[[], bool]) -> None:
        """Add a server.

        :param sock: the socket that it listens on.
        :param is_known: returns true if the test has asked for its address.
        """
        self._servers.append((sock, sock.getsockname()[:2], is_known))

    def register(self, fd: int) -> None:
        """Learn of a file that the loop begins to watch: does it lead out of this process?"""
        if not self._is_known_outside:
            self._is_known_outside = not self._is_own(fd)

    def _listening(self) -> set[int]:
        return {sock.fileno() for sock, _, _ in self._servers}

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

    def may_be_reached(self, files: Iterable[int]) -> bool:
        """Return whether something may connect, or send what has not arrived yet.

        :param files: the file descriptors that the loop watches.
        """
        return (
            self._is_known_outside
            or self._process != os.getpid()
            or any(is_known() for _, _, is_known in self._servers)
            or self._children != _ended_children()
            or any(in_flight.has_unacknowledged(fd) for fd in files if fd not in self._listening())
        )


def is_of_connection(timer: Any) -> bool:
    """Return whether a timer of the loop is one that Tornado sets for a request or connection."""
    func = names.function_of_callback(*names.call_of(timer))
    return getattr(func, "__module__", None) in _OF_CONNECTIONS
