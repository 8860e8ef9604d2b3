"""Sockets to serve on, which only this machine can reach."""

import contextlib
import functools
import ipaddress
import os
import socket
import stat
from collections.abc import Callable
from typing import Any

from asynctest_tornado._network.dialing import bind_virtual
from asynctest_tornado._network.open_networks import current

__unittest = True

#: How many connections wait to be accepted; as in Tornado.
_BACKLOG = 128
#: How many bytes the path of a Unix-domain socket may have: on macOS, on Linux there are four more.
_LONGEST_PATH = 103
#: The greatest port.
_LAST_PORT = 65535


def bind_unused_port(reuse_port: bool = False, address: str = "127.0.0.1") -> tuple[socket.socket, int]:
    """Bind a listening socket to an unused port.

    The socket comes back bound, not only its number: a number that is free now may be taken when it is used.

    :param reuse_port: set ``SO_REUSEPORT``, so that other sockets may bind to the same port.
    :param address: the address to bind to, IPv4 or IPv6; by default reachable from this machine alone.
    :return: the socket, which is the caller's to close, and its port.

    Raises ``OSError`` if the address cannot be bound.

    From ``tornado.testing``, where the address is IPv4. New in version 0.1.
    """
    sock = unused_socket(reuse_port, address)
    return sock, sock.getsockname()[1]


def unused_socket(reuse_port: bool = False, address: str = "127.0.0.1") -> socket.socket:
    """Return a socket as of `bind_unused_port`. In memory, its port is not handed to the test yet."""
    network = current()
    if network is not None:
        virtual: Any = bind_virtual(network, 0, address, reuse_port=reuse_port)[0]
        return virtual  # type: ignore[no-any-return]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.create_server((address, 0), family=family, backlog=_BACKLOG, reuse_port=reuse_port)
    sock.setblocking(False)
    return sock


def bind(address: str, port: int) -> socket.socket:
    """Bind a listening socket to a port of this machine; 0 stands for an unused port.

    Raises ``ValueError`` for an address that other machines could reach, or an invalid port; ``OSError`` if it cannot
    be bound.
    """
    if not isinstance(port, int) or not 0 <= port <= _LAST_PORT:
        raise ValueError(
            f"A test server cannot listen on port {port!r}: give a number from 0 to {_LAST_PORT}; 0 stands for an "
            "unused port."
        )
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ValueError(
            f"A test server does not listen on {address!r}: that is not an address of this machine alone. Give "
            "127.0.0.1, ::1 or another loopback address."
        )
    network = current()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        if network is not None:
            virtual: Any = bind_virtual(network, port, address)[0]
            return virtual  # type: ignore[no-any-return]
        # Not bind_sockets() of Tornado, which leaves a socket open if it cannot bind it.
        sock = socket.create_server((address, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise OSError(
            error.errno,
            f"A test server cannot listen on port {port} of {address}: {os.strerror(error.errno or 0)}. Give port=0 "
            "for an unused port, or end the program that uses this one",
        ) from None  # whose report would show this code
    sock.setblocking(False)
    return sock


def absolute(path: str) -> str:
    """Return the absolute path of a Unix-domain socket, so that ``os.chdir`` does not matter, unless it is too long."""
    found = os.path.abspath(path)
    return found if len(os.fsencode(found)) <= _LONGEST_PATH else path


def bind_unix(path: str | bytes | os.PathLike[str]) -> tuple[socket.socket, Callable[[], None]]:
    """Bind a listening Unix-domain socket; return it, and a function that removes its file.

    :param path: the path, or an abstract name, which begins with a null character and has no file.

    Raises ``OSError`` if that is not possible, ``ValueError`` for an invalid path.
    """
    name = os.fsdecode(path)
    is_file = bool(name) and not name.startswith("\0")
    if is_file and "\0" in name:
        raise ValueError(
            f"{name!r} is no path of a Unix-domain socket: a null character is in the middle of it. Take it out."
        )
    place = os.path.abspath(name) if is_file else name
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(absolute(name) if is_file else name)
        remove = functools.partial(_remove, place, os.lstat(place)) if is_file else _remove_nothing
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno,
            f"A test server cannot listen on the Unix-domain socket {name!r}: {error}. Give a short path in a folder "
            "of this test, where there is no file yet",
        ) from None  # whose report would show this code
    return sock, remove


def _remove(place: str, made: os.stat_result) -> None:
    """Remove the file of a socket, unless another one is there by now."""
    with contextlib.suppress(FileNotFoundError):
        found = os.lstat(place)
        if stat.S_ISSOCK(found.st_mode) and os.path.samestat(found, made):
            os.unlink(place)


def _remove_nothing() -> None:
    """Stand in for a socket without a file."""
