"""Sockets to serve on, which only this machine can reach."""

import ipaddress
import os
import socket

__unittest = True

#: How many connections wait to be accepted; as in Tornado.
_BACKLOG = 128


def bind_unused_port(reuse_port: bool = False, address: str = "127.0.0.1") -> tuple[socket.socket, int]:
    """Bind a listening socket to a port that nobody uses.

    The socket comes back bound, not only its number: a number that is free now may be taken when it is used.

    :param reuse_port: set ``SO_REUSEPORT``, so that other sockets may bind to the same port.
    :param address: the address to bind to, IPv4 or IPv6; by default reachable from this machine alone.
    :return: the socket, which is the caller's to close, and its port.

    Raises ``OSError`` where the address cannot be bound.

    From ``tornado.testing``, where the address is IPv4. New in version 0.1.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.create_server((address, 0), family=family, backlog=_BACKLOG, reuse_port=reuse_port)
    sock.setblocking(False)
    return sock, sock.getsockname()[1]


def bind(address: str, port: int) -> socket.socket:
    """Bind a listening socket to a port of this machine; 0 stands for one that nobody uses.

    Raises ``ValueError`` for an address that others could reach, ``OSError`` where it cannot be bound.
    """
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ValueError(
            f"A test server does not listen on {address!r}: that is not an address of this machine alone. Give "
            "127.0.0.1, ::1 or another loopback address."
        )
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        # That of Tornado does not close the socket which it cannot bind.
        sock = socket.create_server((address, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise OSError(
            error.errno,
            f"A test server cannot listen on port {port} of {address}: {os.strerror(error.errno or 0)}. Give port=0 "
            "for one that nobody uses, or end the program that uses this one",
        ) from error
    sock.setblocking(False)
    return sock


def bind_unix(path: str | os.PathLike[str]) -> socket.socket:
    """Bind a listening Unix-domain socket. Raises ``OSError`` where that is not possible."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(os.fspath(path))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno,
            f"A test server cannot listen on the Unix-domain socket {os.fspath(path)!r}: {error}. Give a short path in "
            "a folder of this test, where there is no file yet",
        ) from error
    sock.setblocking(False)
    return sock
