"""An unused port to serve on."""

import socket

from tornado import netutil

__unittest = True


def bind_unused_port(reuse_port: bool = False, address: str = "127.0.0.1") -> tuple[socket.socket, int]:
    """Bind a listening socket to a port that nobody uses.

    The socket comes back bound, not only its number: a number that is free now may be taken when it is used.

    :param reuse_port: set ``SO_REUSEPORT``, so that other sockets may bind to the same port.
    :param address: the IPv4 address to bind to; by default reachable from this machine alone.
    :return: the socket, which is the caller's to close, and its port.

    Raises ``OSError`` where the address cannot be bound.

    From ``tornado.testing``. New in version 0.1.
    """
    sock = netutil.bind_sockets(0, address, family=socket.AF_INET, reuse_port=reuse_port)[0]
    return sock, sock.getsockname()[1]
