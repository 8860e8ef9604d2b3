"""Lets the transports and servers of asyncio use virtual sockets."""

# Tested by tests/network/test_virtual_network.py.

import socket
import weakref
from collections.abc import Callable
from typing import Any

from tornado.iostream import IOStream

from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._network.dialing import bind_virtual
from asynctest_tornado._network.virtual_network import current
from asynctest_tornado._network.virtual_socket import VirtualSocket

__unittest = True

#: By the sockets that were connected in memory: the virtual sockets in their place.
_in_place: "weakref.WeakKeyDictionary[socket.socket, VirtualSocket]" = weakref.WeakKeyDictionary()


class NetworkLoop(WatchedLoop):
    """The methods of the loop of a test with a network in memory."""

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Connect a socket; in memory, if the address is there: then a virtual socket takes its place."""
        network = current()
        if network is None or isinstance(sock, VirtualSocket) or not network.reaches(address):
            await super().sock_connect(sock, address)
            return
        virtual = VirtualSocket(network, sock.family)
        await super().sock_connect(virtual, address)  # type: ignore[arg-type]
        _in_place[sock] = virtual

    def connected_stream(self, address: tuple[str, int], max_buffer_size: int | None) -> IOStream | None:
        network = current()
        if network is None or not network.connects_at_once(address):
            return None
        sock: Any = VirtualSocket(network)
        sock.connect_ex(address)
        return IOStream(sock, max_buffer_size=max_buffer_size)

    # These override private methods of asyncio, which make the transports.

    def _make_socket_transport(self, sock: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._make_socket_transport(_replaced(sock), *args, **kwargs)  # type: ignore[misc]

    def _make_ssl_transport(self, sock: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._make_ssl_transport(_replaced(sock), *args, **kwargs)  # type: ignore[misc]

    async def create_server(
        self, protocol_factory: Callable[[], Any], host: Any = None, port: Any = None, **kwargs: Any
    ) -> Any:
        network = current()
        is_one = host is None or isinstance(host, str)
        if network is None or port is None or not is_one or kwargs.get("sock") is not None:
            return await super().create_server(protocol_factory, host, port, **kwargs)
        family = kwargs.pop("family", socket.AF_UNSPEC)
        first, *others = bind_virtual(network, port, host or None, family)
        for other in others:
            other.close()
        return await super().create_server(protocol_factory, sock=first, **kwargs)  # type: ignore[call-overload]


def _replaced(sock: Any) -> Any:
    virtual = None if isinstance(sock, VirtualSocket) else _in_place.pop(sock, None)
    if virtual is None:
        return sock
    sock.close()
    return virtual
