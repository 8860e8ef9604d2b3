"""What is on its way to a loop: who is at the other ends of the connections that it watches."""

import concurrent.futures.thread
import os
import socket
import stat
import struct
import threading
from collections.abc import Iterable
from typing import Any

try:
    import fcntl
    import termios
except ImportError:  # not on Windows
    fcntl = termios = None  # type: ignore[assignment]

__unittest = True


class Wire:
    """The files that a loop watches, at one moment.

    :param fds: their numbers.
    """

    def __init__(self, fds: Iterable[int]) -> None:
        #: Whether a connection leads to somebody who is not watched by this loop, and may answer at any time.
        self.is_foreign = False
        #: Whether something may have been sent that has not arrived yet.
        self.is_underway = False
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
            self.is_underway = self.is_underway or _has_unacknowledged(sock)
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


def _has_unacknowledged(sock: socket.socket) -> bool:
    """Tell whether the other end may not have got all that was sent. Who cannot tell says yes."""
    if fcntl is None:
        return True
    try:
        return bool(struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0])
    except OSError:
        return True


def has_strange_threads() -> bool:
    """Tell whether there are threads besides this one and those of executors, which work on request only."""
    workers = getattr(concurrent.futures.thread, "_threads_queues", {})
    others = threading.active_count() - 1
    return others > 0 and others > sum(thread.is_alive() for thread in list(workers))
