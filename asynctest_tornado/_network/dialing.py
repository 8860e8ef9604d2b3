"""Lets Tornado's streams and servers use virtual sockets."""

# Tested by tests/network/test_virtual_network.py.

import socket
from typing import Any

from tornado import netutil, tcpserver
from tornado.iostream import IOStream

from asynctest_tornado._network import named_hosts
from asynctest_tornado._network.stand_ins import virtual_twin
from asynctest_tornado._network.virtual_network import VirtualNetwork, current
from asynctest_tornado._network.virtual_socket import VirtualSocket
from asynctest_tornado._util.patching import Patch

__unittest = True


def _connect(self: Any, address: Any, *args: Any, **kwargs: Any) -> Any:
    """Connect a stream; in memory, if the address is there. Its own socket is closed then."""
    if _stream_connect.is_active:
        address, failed = named_hosts.dial(self, address)
        if failed is not None:
            return failed
    if _stream_connect.is_active and type(self.socket) is socket.socket:
        network = current()
        if network is not None and network.reaches(address):
            with self.socket as replaced:
                virtual = virtual_twin(replaced, network)
            self.socket = virtual
    return _stream_connect.found(self, address, *args, **kwargs)


def _bind(
    port: int,
    address: str | None = None,
    family: int = socket.AF_UNSPEC,
    *args: Any,
    **kwargs: Any,
) -> Any:
    network = current() if _bind_sockets.is_active else None
    if network is None:
        return _bind_sockets.found(port, address, family, *args, **kwargs)
    return bind_virtual(network, port, address, family)


def bind_virtual(
    network: VirtualNetwork,
    port: int,
    address: str | None = None,
    family: int = socket.AF_UNSPEC,
    listens: bool = True,
) -> list[VirtualSocket]:
    """Return sockets that listen at an address, as ``bind_sockets`` of Tornado does: one for each family."""
    hosts = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}
    if address == "localhost":
        hosts = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
    elif address:
        hosts = {socket.AF_INET6 if ":" in address else socket.AF_INET: address}
    sockets = []
    for each, host in hosts.items():
        if family in (socket.AF_UNSPEC, each):
            sock = VirtualSocket(network, each)
            sock.bind((host, port) if each == socket.AF_INET else (host, port, 0, 0))
            port = sock.address[1]
            if listens:
                sock.listen()
            sockets.append(sock)
            sock.is_port_chosen = sockets[0].is_port_chosen
    return sockets


_stream_connect = Patch(IOStream, "connect", _connect)
_bind_sockets = Patch(netutil, "bind_sockets", _bind)
patches = [_stream_connect, _bind_sockets, Patch(tcpserver, "bind_sockets", _bind)]
