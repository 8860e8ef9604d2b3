"""Looks for bytes and connections that are on their way to a loop."""

# Tested by tests/clock/test_virtual_clock.py.

import os
import socket
import stat
import struct
import sys
from collections.abc import Iterable
from typing import Any

from asynctest_tornado._util.real_time import Socket, listdir

try:
    import fcntl
    import termios
except ImportError:  # not on Windows
    fcntl = termios = None  # type: ignore[assignment]

__unittest = True

#: Linux's number for the state of a connection under way.
_SYN_SENT = 2
_UNIX = getattr(socket, "AF_UNIX", None)
#: Questions to the system: how many bytes has the other end not acknowledged, and how many of them were not even sent?
#: The latter is SIOCOUTQNSD of Linux, which Python has no name for; elsewhere, all unacknowledged bytes count.
_UNACKNOWLEDGED = getattr(termios, "TIOCOUTQ", None)
_UNSENT = 0x894B if sys.platform == "linux" else _UNACKNOWLEDGED


class Wire:
    """The files that a loop watches, at one moment.

    :param files: their numbers, and whether the loop waits until they can be read.
    :param known: the addresses of all sockets that the loop has watched so far; the present addresses are added.
    """

    def __init__(self, files: Iterable[tuple[int, bool]], known: set[Any]) -> None:
        #: True if a connection leads out of the test: the other end may answer at any time.
        self.is_foreign = False
        #: True if bytes may be on their way.
        self.is_underway = False
        #: True if the system holds back bytes, or a connection, that are sure to arrive.
        self.is_held = False
        self._known = known
        sockets = []
        for fd, is_read in files:
            if _is_socket(fd):
                sockets.append((Socket(fileno=fd), is_read))
            else:
                self.is_foreign = True
        try:
            self._look(sockets)
        finally:
            for sock, _ in sockets:
                sock.detach()

    def _look(self, sockets: list[tuple[socket.socket, bool]]) -> None:
        connected = []
        for sock, is_read in sockets:
            address = _address(sock)
            self._known.add(address)
            if not _listens(sock):
                connected.append((sock, address, _peer(sock), is_read))
        peers = {peer for _, _, peer, _ in connected if peer}
        reading = {(address, peer) for _, address, peer, is_read in connected if is_read}
        for sock, address, peer, _ in connected:
            if peer is None:
                self._look_at_unconnected(sock)
            elif sock.family == _UNIX:
                # The end that has connected has no address: it is the test's own if it leads back to this end.
                is_own = peer in self._known if peer else address in peers
                self.is_foreign = self.is_foreign or not is_own
            else:
                self.is_foreign = self.is_foreign or peer not in self._known
                self.is_underway = self.is_underway or _counts(sock.fileno(), _UNACKNOWLEDGED)
                # If the other end does not read, the system may hold the bytes back for ever.
                self.is_held = self.is_held or ((peer, address) in reading and _counts(sock.fileno(), _UNSENT))

    def _look_at_unconnected(self, sock: socket.socket) -> None:
        if _is_connecting(sock) and _is_loopback(_address(sock)):
            self.is_held = True
        else:
            self.is_foreign = True


def own_addresses() -> set[Any]:
    """Return the addresses of all sockets of this process; none where the system does not list its files."""
    try:
        numbers = [int(name) for name in listdir("/dev/fd") if name.isdigit()]
    except OSError:
        return set()
    sockets = [Socket(fileno=fd) for fd in numbers if _is_socket(fd)]
    try:
        return {_address(sock) for sock in sockets}
    finally:
        for sock in sockets:
            sock.detach()


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False  # closed, and still watched


def _address(sock: socket.socket) -> Any:
    try:
        return _comparable(sock.getsockname())
    except OSError:
        return None


def _peer(sock: socket.socket) -> Any:
    try:
        return _comparable(sock.getpeername())
    except OSError:
        return None


def _is_connecting(sock: socket.socket) -> bool:
    """Return whether a connection is under way: neither made nor refused. Known on Linux only."""
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _SYN_SENT
    except (AttributeError, OSError):
        return False


def _is_loopback(address: Any) -> bool:
    return isinstance(address, tuple) and (address[0].startswith("127.") or address[0] == "::1")


def _comparable(address: Any) -> Any:
    return address[:2] if isinstance(address, tuple) else address


def _listens(sock: socket.socket) -> bool:
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


def has_unacknowledged(fd: int) -> bool:
    """Return whether the other end of a connection may not have received everything that this end has sent."""
    return _counts(fd, _UNACKNOWLEDGED)


def _counts(fd: int, request: int | None) -> bool:
    """Return whether a number of bytes that the system is asked for may be other than 0."""
    if request is None:
        return True
    try:
        return bool(struct.unpack("i", fcntl.ioctl(fd, request, bytes(4)))[0])
    except OSError:
        return True
