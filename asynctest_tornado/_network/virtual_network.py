"""``VirtualNetwork``: the network of a test, in memory."""

import asyncio
import errno
import ipaddress
import itertools
import socket
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from asynctest_tornado._network import hosts_of_test, open_networks, outside
from asynctest_tornado._network.fault_table import FaultTable
from asynctest_tornado._network.host_faults import HostFaults, Link
from asynctest_tornado._network.hosts import ADDRESSES, Site
from asynctest_tornado._network.hosts_of_test import HostsOfTest, TLSOptions
from asynctest_tornado._network.network import Network, say_no_test
from asynctest_tornado._network.pipe import Pipe, error_of
from asynctest_tornado._network.real_ports import NUMBERS, RealPorts
from asynctest_tornado._network.served_host import ServedHost
from asynctest_tornado._network.virtual_socket import Address, VirtualSocket
from asynctest_tornado._util.settings import NETWORK_FACTORY

__unittest = True

#: The ports of clients are counted from here.
_FIRST_CLIENT = 30_001
_CLIENTS = 30_000
#: How the addresses of served names begin, see `hosts`.
_SERVED = ("198.18.", "198.19.")
#: The addresses that stand for all of a machine.
_WILDCARDS = {"0.0.0.0": socket.AF_INET, "::": socket.AF_INET6}
#: The addresses that other names of this machine stand for.
_HOSTS = {"": "0.0.0.0", "localhost": "127.0.0.1"}
#: The names that a socket connects to on this machine, which have no address of their own.
_THIS_MACHINE = frozenset({"localhost", *_WILDCARDS})


class VirtualNetwork(Network):
    """A network in memory, for one test: set ``network_factory = VirtualNetwork``.

    Connections of the test's loop go through memory, under Tornado's and asyncio's own streams, clients and servers.
    The system is not asked, so that a test is faster, a deadlock is one at once, and a run can be repeated exactly.

    :param tls: True to speak TLS in memory. If it is False, the handshake checks names and certificates, and then the
        bytes are sent as they are.
    :param faults: the share of responses that get a random fault, and of connections that are refused, from 0 to 1; or
        a dictionary of the shares by kind: ``"refuse"``, ``"cut"``, ``"reset"``, ``"half_close"``, ``"latency"`` of up
        to a minute, ``"silence"``. They are faults of hosts that the test serves by `serve`.
    :param seed: decides the random faults, and each latency that is a range. None for the seed of the test's schedule,
        or 0 without one.

    Raises ``TypeError`` or ``ValueError`` for other shares or seeds.

    New in version 0.1.
    """

    #: True if TLS is spoken in memory: the argument of that name.
    tls: bool
    trusted_hosts: set[str]

    def __init__(self, *, tls: bool = False, faults: float | Mapping[str, float] = 0, seed: int | None = None) -> None:
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            raise TypeError(f"VirtualNetwork got seed={seed!r}, which is no whole number. Give one, or leave it out.")
        # Not by `__setattr__`, which looks whether there are such names.
        vars(self).update(tls=tls, trusted_hosts=set())
        self._faults = FaultTable(faults, seed)
        self._listening: dict[tuple[str, int], VirtualSocket] = {}
        self._clients = itertools.count()
        self._chosen = itertools.count()
        self._bound: weakref.WeakSet[VirtualSocket] = weakref.WeakSet()
        self._real_ports = RealPorts(self)
        #: The loop of the test, while that is open.
        self._loop: asyncio.AbstractEventLoop | None = None

    #: Connections to other hosts do not leave the test, unless it allows them.
    _is_closed = True

    def _hosts_of_test(self, method: str) -> HostsOfTest:
        found = hosts_of_test.of_loop(self._loop)
        return say_no_test(method) if found is None else found

    def partition(self, a: str | HostFaults, b: str | HostFaults | None = None) -> None:
        """Part hosts from each other: all that they send waits until `heal`, attempts to connect as well.

        ::

            self.network.partition("localhost", "payments.example")

        :param a: the name of a host that the test serves, or the host; ``"localhost"`` is the test itself, with its own
            application. An application that a host serves has the name of the host when it connects to others.
        :param b: the other one; None for all others.

        Raises ``ValueError`` for a name that the test does not serve.

        New in version 0.1.
        """
        self._faults.partition(a, b)

    def heal(self, a: str | HostFaults | None = None, b: str | HostFaults | None = None) -> None:
        """End the `partition` of these names, or each one without names: all that has waited arrives.

        Raises ``ValueError`` if there is no partition of these names.

        New in version 0.1.
        """
        self._faults.heal(a, b)

    def link(self, a: str | HostFaults, b: str | HostFaults) -> Link:
        """Return the link between two hosts, whose faults are those of the connections between them; see `partition`.

        New in version 0.1.
        """
        return self._faults.link(a, b)

    # The hosts of a test ask these.

    def _open_host(self, host: ServedHost, site: Site, address: str, tls: TLSOptions) -> VirtualSocket:
        sock = VirtualSocket(self, socket.AF_INET6 if ":" in address else socket.AF_INET)
        sock.bind((address, site.port) if ":" not in address else (address, site.port, 0, 0))
        sock.listen()
        sock.speaks_tls = tls.is_spoken
        self._faults.serve(host, sock)
        return sock

    def _reached(self, host: ServedHost, address: Any, family: int) -> Any:
        return address

    # The sockets call these.

    def bind(self, sock: VirtualSocket, address: Address) -> Address:
        host, port, *rest = address
        host = _HOSTS.get(str(host), str(host))
        self._bound.add(sock)
        if not port:
            port = self._choose_port()
            sock.is_port_chosen = True
        else:
            self._check_free(sock, host, port)
        return (host, port, *rest)

    def _choose_port(self) -> int:
        taken = {port for _, port in self._listening}
        return next(port for port in map(NUMBERS.number, self._chosen) if port not in taken)

    def listen(self, sock: VirtualSocket) -> None:
        host, port = sock.address[:2]
        self._check_free(sock, host, port)
        self._listening.setdefault((host, port), sock)

    def _check_free(self, sock: VirtualSocket, host: str, port: int) -> None:
        """Raise ``OSError`` if a socket listens at an address, or at one that includes it, or is included by it."""
        for (other, its_port), taken in self._listening.items():
            if its_port != port or (taken.shares_port and sock.shares_port):
                continue
            if other == host or _is_all_and_one(host, other) or _is_all_and_one(other, host):
                raise error_of(errno.EADDRINUSE)

    def stop_listening(self, sock: VirtualSocket) -> None:
        for key in [key for key, each in self._listening.items() if each is sock]:
            del self._listening[key]
            # Of the sockets that share a port, one gets all connections: the first that is open.
            for each in self._bound if sock.shares_port else ():
                if each.shares_port and each is not sock and each.backlog is not None and each.address[:2] == key:
                    self._listening.setdefault(key, each)
        self._real_ports.close(sock)

    def collect(self, sock: VirtualSocket) -> None:
        self._real_ports.collect(sock)

    def expose(self, sock: VirtualSocket) -> None:
        self._real_ports.expose(sock)

    def connect(self, sock: VirtualSocket, address: Address) -> None:
        address = _resolved(address)
        listener = self.find(address)
        if listener is None or listener.backlog is None:
            sock.refuse()
            return
        if listener.faults is None:
            self._join(sock, listener, address, Pipe(), Pipe())
            return
        self._connect_to_host(sock, listener, address)

    def _connect_to_host(
        self, sock: VirtualSocket, listener: VirtualSocket, address: Address, client: str | None = None
    ) -> None:
        self._faults.connect(
            sock,
            listener.faults,
            lambda to_server, to_client: self._join(sock, listener, address, to_server, to_client),
            lambda client: self._connect_to_host(sock, listener, address, client),
            client,
        )

    def _join(
        self, sock: VirtualSocket, listener: VirtualSocket, address: Address, to_server: Pipe, to_client: Pipe
    ) -> None:
        if listener.backlog is None:  # it was closed while the connection waited
            sock.refuse()
            return
        host, port = address[:2]
        own = sock.address if sock.address[1] else (_client_of(host), self._client_port(), *sock.address[2:])
        other = VirtualSocket(self, sock.family)
        other.join(to_server, to_client, (host, port, *sock.address[2:]), own)
        other.speaks_tls = self.tls or listener.speaks_tls
        sock.join(to_client, to_server, own, address)
        listener.backlog.append(other)
        listener.changed()

    def _client_port(self) -> int:
        return _FIRST_CLIENT + next(self._clients) % _CLIENTS

    # `RealPorts` asks these.

    def listeners(self) -> list[VirtualSocket]:
        return list(dict.fromkeys(self._listening.values()))

    def bound_with(self, sock: VirtualSocket) -> list[VirtualSocket]:
        """Return the sockets that share a port which the network has chosen, or this socket alone."""
        if not sock.is_port_chosen:
            return [sock]
        port = sock.address[1]
        return [each for each in self._bound if each.is_port_chosen and each.peer is None and each.address[1] == port]

    def renumber(self, sockets: Iterable[VirtualSocket], port: int) -> None:
        """Give sockets another port. They keep the present one, too, which the test may have seen."""
        for sock in sockets:
            host, _, *rest = sock.address
            sock.address = (host, port, *rest)
            if sock.backlog is not None:
                self._listening[host, port] = sock

    # The loop asks these.

    def find(self, address: Address) -> VirtualSocket | None:
        """Return the socket that listens at an address, or None."""
        host, port = _resolved(address)[:2]
        found = self._find_exactly(host, port)
        if found is None and _is_of_machine(host):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            found = next(
                (self._listening.get((any_host, port)) for any_host, of in _WILDCARDS.items() if of == family), None
            )
        return found

    def connects_at_once(self, address: Address) -> bool:
        """Return whether a socket is connected as soon as it begins to connect to an address."""
        listener = self.find(address)
        return listener is not None and (listener.faults is None or self._faults.is_calm)

    def _find_exactly(self, host: str, port: int) -> VirtualSocket | None:
        return self._listening.get((host, port))

    def reaches(self, address: Any) -> bool:
        """Return whether connections to an address go through memory, and not through the system."""
        return isinstance(address, tuple) and (self.find(address) is not None or _is_served(address[0]))

    def _attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = self._faults.loop = loop
        open_networks.add(self)
        self._real_ports.attach(loop)
        outside.attach(self._real_ports)

    def _detach(self) -> None:
        self._loop = None
        open_networks.remove(self)
        outside.detach(self._real_ports)
        self._real_ports.detach()
        self._listening.clear()
        self._faults.close()


def _is_all_and_one(host: str, other: str) -> bool:
    """Return whether an address stands for all addresses of this machine, and another one is of these."""
    return host in _WILDCARDS and ((":" in host) == (":" in other)) and not _is_served(other)


def _resolved(address: Address) -> Address:
    """Return the numeric address of one machine, as the system does when a socket connects."""
    if address[0] not in _THIS_MACHINE:
        return address
    return ("::1" if len(address) > 2 else "127.0.0.1", *address[1:])


def _client_of(host: str) -> str:
    """Return the address of a client that connects to a host."""
    return "198.18.0.1" if _is_served(host) else host


def _is_of_machine(host: str) -> bool:
    return host.startswith("127.") or host in ("::1", *_WILDCARDS)


def _is_served(host: str) -> bool:
    if not str(host).startswith(_SERVED):
        return False  # mostly; to parse an address takes long
    try:
        return ipaddress.ip_address(host) in ADDRESSES
    except ValueError:
        return False


def make_network(
    factory: Callable[[], VirtualNetwork], where: str = NETWORK_FACTORY.by_attribute, seed: int | None = None
) -> VirtualNetwork:
    """Call a ``network_factory``. Raises ``TypeError`` if it makes no network.

    :param where: the place that sets it.
    :param seed: the seed of the test's schedule, if it has one.
    """
    network: VirtualNetwork = NETWORK_FACTORY.made(factory, where, VirtualNetwork)
    if seed is not None:
        network._faults.use_seed(seed)
    return network
