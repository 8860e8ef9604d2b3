"""Lets the transports and servers of asyncio use virtual sockets."""

# Tested by tests/network/test_network_loop.py and test_clients.py.

import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any

from tornado.iostream import IOStream

from asynctest_tornado._loop.connections import ConnectingLoop
from asynctest_tornado._network.dialing import bind_virtual, connects_as_usual
from asynctest_tornado._network.open_networks import current
from asynctest_tornado._network.stand_ins import behind, put_behind
from asynctest_tornado._network.virtual_network import VirtualNetwork
from asynctest_tornado._network.virtual_socket import VirtualSocket

__unittest = True

_LOCAL_NAMES = ("localhost", "localhost.localdomain")
_FAMILIES = (socket.AF_INET, socket.AF_INET6)


class NetworkLoop(ConnectingLoop):
    """The methods of the loop of a test with a network in memory."""

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Connect a socket; in memory, if the address is there: then it stands for a virtual socket from now on."""
        network: VirtualNetwork | None = current()
        sock = behind(sock)
        if network is None or isinstance(sock, (VirtualSocket, ssl.SSLSocket)) or sock.family not in _FAMILIES:
            await super().sock_connect(sock, address)
            return
        if not network.reaches(address):
            *_, address = (await self.getaddrinfo(*address[:2], family=sock.family, type=sock.type))[0]
        if network.reaches(address):
            sock = put_behind(sock, network)
        await super().sock_connect(sock, address)

    async def look_up(self, host: Any, port: Any, hints: dict[str, int]) -> Any:
        """Resolve the names of this machine without a thread: the system has them in a file."""
        name = host.decode("latin-1") if isinstance(host, bytes) else host
        if name in _LOCAL_NAMES:
            return socket.getaddrinfo(host, port, **hints)
        return await super().look_up(host, port, hints)

    def connected_stream(self, address: tuple[str, int], max_buffer_size: int | None) -> IOStream | None:
        network: VirtualNetwork | None = current()
        if network is None or not network.connects_at_once(address) or not connects_as_usual():
            return None
        sock: Any = VirtualSocket(network)
        sock.connect_ex(address)
        return IOStream(sock, max_buffer_size=max_buffer_size)

    # These override private methods of asyncio, which make the transports.

    def _make_socket_transport(self, sock: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._make_socket_transport(behind(sock), *args, **kwargs)  # type: ignore[misc]

    def _make_ssl_transport(self, sock: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._make_ssl_transport(behind(sock), *args, **kwargs)  # type: ignore[misc]

    async def create_server(
        self,
        protocol_factory: Callable[[], Any],
        host: Any = None,
        port: Any = None,
        *,
        family: int = socket.AF_UNSPEC,
        sock: Any = None,
        start_serving: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Create a server; in memory, unless it gets a socket."""
        network: VirtualNetwork | None = current()
        if network is None or sock is not None or (host is None and port is None) or host == []:
            return await super().create_server(
                protocol_factory, host, port, family=family, sock=sock, start_serving=start_serving, **kwargs
            )
        hosts = [host] if host is None or isinstance(host, str) else list(host)
        sockets = self._bind_each(network, hosts, port, family, bool(kwargs.get("reuse_port")))
        try:
            first: Any = sockets[0]
            server: Any = await super().create_server(protocol_factory, sock=first, start_serving=False, **kwargs)
        except BaseException:
            for each in sockets:
                each.close()
            raise
        server._sockets.extend(sockets[1:])
        if start_serving:
            await server.start_serving()
        return server

    def _bind_each(
        self, network: VirtualNetwork, hosts: Iterable[str | None], port: Any, family: int, reuse_port: bool
    ) -> list[VirtualSocket]:
        """Return sockets that are bound to each host and family. Raises ``OSError`` as asyncio does."""
        sockets: list[VirtualSocket] = []
        try:
            for host in dict.fromkeys(hosts):
                sockets += bind_virtual(
                    network, int(port or 0), host or None, family, listens=False, reuse_port=reuse_port
                )
        except OSError as error:
            for each in sockets:
                each.close()
            reason = f"error while attempting to bind on address {(host, port)!r}: {str(error.strerror).lower()}"
            raise OSError(error.errno, reason) from None
        return sockets
