"""What is on its way to a loop: who is at the other ends of the connections that it watches."""

import os
import socket
import stat
import struct
import sys
import threading
from collections.abc import Iterable
from typing import Any

try:
    import fcntl
    import termios
except ImportError:  # not on Windows
    fcntl = termios = None  # type: ignore[assignment]

__unittest = True

_UNIX = getattr(socket, "AF_UNIX", None)
#: What to ask of the system: how much the other end has not acknowledged, and how much of it was not even sent. The
#: latter is SIOCOUTQNSD of Linux, which Python has no name for; elsewhere, all that is not acknowledged may be meant.
_UNACKNOWLEDGED = getattr(termios, "TIOCOUTQ", None)
_UNSENT = 0x894B if sys.platform == "linux" else _UNACKNOWLEDGED


class Wire:
    """The files that a loop watches, at one moment.

    :param fds: their numbers.
    """

    def __init__(self, fds: Iterable[int]) -> None:
        #: Whether a connection leads to somebody who is not watched by this loop, and may answer at any time.
        self.is_foreign = False
        #: Whether something may have been sent that has not arrived yet.
        self.is_underway = False
        #: Whether something waits to be sent until the other end has acknowledged what came before it.
        self.is_held = False
        sockets = []
        for fd in fds:
            if _is_socket(fd):
                sockets.append(socket.socket(fileno=fd))
            else:
                self.is_foreign = True
        try:
            self._look(sockets)
        finally:
            for sock in sockets:
                sock.detach()

    def _look(self, sockets: list[socket.socket]) -> None:
        local = {_address(sock) for sock in sockets}
        for sock in sockets:
            if _listens(sock):
                continue
            try:
                peer = _comparable(sock.getpeername())
            except OSError:
                self.is_foreign = True  # it is still being connected, or broken
                continue
            if sock.family != _UNIX:  # there, all arrives at once
                self.is_underway = self.is_underway or _counts(sock, _UNACKNOWLEDGED)
                self.is_held = self.is_held or _counts(sock, _UNSENT)
            # Of Unix-domain sockets, those that connect have no address of their own.
            self.is_foreign = self.is_foreign or not (peer in local or (not peer and _address(sock) in local))


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


def _comparable(address: Any) -> Any:
    return address[:2] if isinstance(address, tuple) else address


def _listens(sock: socket.socket) -> bool:
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


def _counts(sock: socket.socket, request: int | None) -> bool:
    """Tell whether the number of bytes that the system tells on request is not 0. If it cannot tell, it may be."""
    if request is None:
        return True
    try:
        return bool(struct.unpack("i", fcntl.ioctl(sock.fileno(), request, bytes(4)))[0])
    except OSError:
        return True


def has_strange_threads(executors: Iterable[Any]) -> bool:
    """Tell whether there are threads besides this one and those of these executors, which work on request only."""
    known = sum(len(getattr(executor, "_threads", ())) for executor in executors)
    return threading.active_count() > 1 + known
