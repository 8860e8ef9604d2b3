"""Lets Tornado's streams and servers use virtual sockets."""

# Tested by tests/network/test_virtual_network.py.

import socket
from typing import Any

from tornado import netutil, tcpserver
from tornado.iostream import IOStream

from asynctest_tornado._network import named_hosts
from asynctest_tornado._network.open_networks import current
from asynctest_tornado._network.stand_ins import put_behind
from asynctest_tornado._network.virtual_network import VirtualNetwork
from asynctest_tornado._network.virtual_socket import VirtualSocket
from asynctest_tornado._util.patching import Patch

__unittest = True


def _connect(self: Any, address: Any, *args: Any, **kwargs: Any) -> Any:
    """Connect a stream; in memory, if the address is there. Its own socket stands for a virtual one then."""
    if _stream_connect.is_active:
        address, failed = named_hosts.dial(self, address)
        if failed is not None:
            return failed
    if _stream_connect.is_active and type(self.socket) is socket.socket:
        network: VirtualNetwork | None = current()
        if network is not None and network.reaches(address):
            _move(self, network)
    return _stream_connect.found(self, address, *args, **kwargs)


def _move(stream: Any, network: VirtualNetwork) -> None:
    """Give a stream a virtual socket. With a close callback, the loop watches its own one already."""
    state, stream._state = stream._state, None
    if state is not None:
        stream.io_loop.remove_handler(stream.socket)
    stream.socket = put_behind(stream.socket, network)
    if state is not None:
        stream._add_io_state(state)


def connects_as_usual() -> bool:
    """Return true if no mock is in the place of the function that connects a stream."""
    return _stream_connect.is_on_top and _stream_connect.found is _connect_of_tornado


def _bind(
    port: int,
    address: str | None = None,
    family: int = socket.AF_UNSPEC,
    backlog: int = 128,
    flags: int | None = None,
    reuse_port: bool = False,
) -> Any:
    network = current() if _bind_sockets.is_active else None
    if network is None:
        return _bind_sockets.found(port, address, family, backlog, flags, reuse_port)
    return bind_virtual(network, port, address, family, reuse_port=reuse_port)


def bind_virtual(
    network: VirtualNetwork,
    port: int,
    address: str | None = None,
    family: int = socket.AF_UNSPEC,
    listens: bool = True,
    reuse_port: bool = False,
) -> list[VirtualSocket]:
    """Return sockets that listen at an address, as ``bind_sockets`` of Tornado does: one for each family."""
    hosts: dict[int, str] = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}
    if address == "localhost":
        hosts = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
    elif address:
        hosts = _own_addresses(address, family)
    sockets = []
    for each, host in hosts.items():
        if family in (socket.AF_UNSPEC, each):
            sock = VirtualSocket(network, each)
            sock.shares_port = reuse_port
            sock.bind((host, port) if each == socket.AF_INET else (host, port, 0, 0))
            port = sock.address[1]
            if listens:
                sock.listen()
            sockets.append(sock)
            sock.is_port_chosen = sockets[0].is_port_chosen
    return sockets


def _own_addresses(address: str, family: int) -> dict[int, str]:
    """Return the addresses of this machine that a name stands for, by family. Raises ``OSError`` if it is of another.

    The system knows: it can bind a socket there.
    """
    found: dict[int, str] = {}
    if address in _LOOPBACK and family in (socket.AF_UNSPEC, _LOOPBACK[address]):
        return {_LOOPBACK[address]: address}
    for each, kind, _, _, (host, _, *rest) in socket.getaddrinfo(address, None, family, socket.SOCK_STREAM):
        with socket.socket(each, kind) as sock:
            sock.bind((host, 0, *rest))
        found[each] = str(host)
    return found


_LOOPBACK = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}
_connect_of_tornado = IOStream.connect
_stream_connect = Patch(IOStream, "connect", _connect)
_bind_sockets = Patch(netutil, "bind_sockets", _bind)
patches = [_stream_connect, _bind_sockets, Patch(tcpserver, "bind_sockets", _bind)]
