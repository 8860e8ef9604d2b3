"""The faults of one network, with its links and partitions, and their report."""

import asyncio
import contextvars
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from asynctest_tornado._errors import contexts
from asynctest_tornado._network.connection import Connection
from asynctest_tornado._network.fault import Fault
from asynctest_tornado._network.faults import Faults
from asynctest_tornado._network.host_faults import HostFaults, Link
from asynctest_tornado._network.random_faults import RandomFaults
from asynctest_tornado._network.virtual_socket import VirtualSocket
from asynctest_tornado._util import spelling

__unittest = True

#: The name of the test and its own application.
LOCALHOST = "localhost"
#: The most faults that a report shows.
_MOST_SHOWN = 10
_HINT = "Set a fault before the request that it is for, or remove it."


class FaultTable:
    """The faults of one network.

    :param faults: the shares of random faults.
    :param seed: decides what is drawn; None for the seed of the test's schedule.
    """

    def __init__(self, faults: Any = 0, seed: int | None = None) -> None:
        self._shares, self._seed = faults, seed
        self.random = RandomFaults(faults, seed or 0)
        #: False from the first fault on that the test sets.
        self.is_calm = not self.random.is_on
        #: True if a fault of the test has reset a connection.
        self.has_reset = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self._watcher: Callable[[Fault, object], object] | None = None
        self._faults: list[Fault] = []
        self._hosts: list[HostFaults] = []
        self._connections: list[Connection] = []
        self._links: dict[frozenset[str], Link] = {}
        #: By one or two names, in the order in which they were set.
        self._partitions: dict[frozenset[str], Fault] = {}
        #: The attempts to connect across a partition: the client, the socket, and the function that connects.
        self._dialling: list[tuple[str, VirtualSocket, Callable[[str], object]]] = []

    @property
    def is_over(self) -> bool:
        return self.loop is None

    def use_seed(self, seed: int) -> None:
        """Draw from the seed of a schedule, unless the network has one of its own."""
        if self._seed is None:
            self.random = RandomFaults(self._shares, seed)

    def time(self) -> float:
        return 0.0 if self.loop is None else self.loop.time()

    def call_at(self, when: float, callback: Callable[[], object]) -> Any:
        if self.loop is None:
            return None
        with contexts.under(()):  # no timer of the test
            return self.loop.call_at(when, callback, context=contextvars.Context())

    def add(self, fault: Fault) -> None:
        if fault.kind != "stop":  # no connection has to look for that one
            self.is_calm = False
        self._faults.append(fault)
        if self._watcher is not None:
            fault.watcher = self._watcher
            self._watcher(fault, None)

    def watch(self, watcher: Callable[[Fault, object], object] | None) -> None:
        """Call a function for each fault that is set, and, with its exchange, for each effect; None for no more."""
        self._watcher = self.random.fault.watcher = watcher

    # Connections.

    def serve(self, host: HostFaults, sock: VirtualSocket) -> None:
        """Let a host have faults.

        :param sock: the socket on which it listens.
        """
        host._table = self
        sock.faults = host
        self._hosts.append(host)

    def connect(
        self,
        sock: VirtualSocket,
        host: HostFaults,
        join: Callable[[Any, Any], object],
        again: Callable[[str], object],
        client: str | None = None,
    ) -> None:
        """Connect a socket to a host, refuse that, or let it wait for the end of a partition.

        :param join: connects it, given the pipe to the server and the one to the client.
        :param again: comes back here, for a client.
        :param client: the name of the client; None for the host that runs the present code.
        """
        client = self._client() if client is None else client
        partition = self.partition_of(client, host._host_name)
        if partition is not None:
            partition.has_met(sock, lambda: f"{host._where}: a connection from {client}, not made")
            self._dialling.append((client, sock, again))
            return
        refusal = self._refusal(client, host)
        if refusal is not None:
            refusal.has_met(sock, lambda: f"{host._where}: a connection from {client}, refused")
            sock.refuse()
            return
        connection = Connection(self, client, host)
        self._connections = [each for each in self._connections if not each.is_over]
        self._connections.append(connection)
        join(*connection.pipes)

    def _refusal(self, client: str, host: HostFaults) -> Fault | None:
        link = self.link_of(client, host._host_name)
        refusal = (None if link is None else link._refusal()) or host._refusal()
        if refusal is None and self.random.refuses():
            refusal = self.random.fault
        return refusal

    def _client(self) -> str:
        """Return the name of the host that runs the present code."""
        chain = contexts.contexts.get()
        for host in reversed(self._hosts):
            if host._own_context is not None and any(each is host._own_context for each in chain):
                return host._host_name
        return LOCALHOST

    def connections_of(self, faults: Faults) -> Sequence[Connection]:
        return [each for each in self._connections if each.is_open and faults in each.scopes()]

    # Links and partitions.

    def link(self, a: Any, b: Any) -> Link:
        names = self._names("link", a, b)
        if names not in self._links:
            self._links[names] = Link(" - ".join(sorted(names)), self)
        return self._links[names]

    def link_of(self, client: str, host: str) -> HostFaults | None:
        return self._links.get(frozenset((client, host))) if self._links else None

    def partition(self, a: Any, b: Any) -> None:
        names = self._names("partition", a, b)
        shown = ", ".join(map(repr, (a,) if b is None else (a, b)))
        fault = Fault(f"partition({shown})", " - ".join(sorted(names)), "partition")
        self._partitions[names] = fault
        self.add(fault)

    def heal(self, a: Any, b: Any) -> None:
        ended = list(self._partitions)
        if a is not None:
            ended = [self._names("heal", a, b)]
            if ended[0] not in self._partitions:
                raise ValueError(
                    f"network.heal() got {', '.join(sorted(ended[0]))}, and there is no such partition. Give the names "
                    "that network.partition() got, or none to end all partitions."
                )
        for names in ended:
            self._partitions.pop(names).is_set = False
        dialling, self._dialling = self._dialling, []
        for client, sock, again in dialling:
            if sock.is_connecting and sock.fileno() != -1:
                again(client)
        self.resume()

    def partition_of(self, client: str, host: str) -> Fault | None:
        if not self._partitions or client == host:
            return None
        for names in (frozenset((client, host)), frozenset((client,)), frozenset((host,))):
            if names in self._partitions:
                return self._partitions[names]
        return None

    def _names(self, method: str, a: Any, b: Any) -> frozenset[str]:
        known = {LOCALHOST, *(host._host_name for host in self._hosts)}
        given = [a] if b is None else [a, b]
        names = [each._host_name if isinstance(each, HostFaults) else each for each in given]
        for name in names:
            if name not in known:
                meant = _meant(name, known)
                hint = f"Did you mean {meant!r}?" if meant else f"The names are {', '.join(map(repr, sorted(known)))}."
                raise ValueError(
                    f"network.{method}() got {name!r}, which is neither a name that the test serves nor 'localhost', "
                    f"the test itself. {hint}"
                )
        if len(set(names)) < len(names):
            raise ValueError(f"network.{method}() got {a!r} twice. Give two names.")
        return frozenset(names)

    def resume(self) -> None:
        for connection in self._connections:
            connection.resume()

    # Reports.

    def deliveries(self) -> Iterator[tuple[Any, str]]:
        """Return the timers of bytes under way, each with a description."""
        for connection in self._connections:
            yield from connection.deliveries()

    def describe(self) -> str | None:
        """Return the note for the report of a failed test, or None if there were no faults."""
        faults = [*self._faults, self.random.fault] if self.random.is_on else self._faults
        found = [lines for lines in (fault.describe() for fault in faults) if lines]
        if not found:
            return None
        hidden = len(found) - _MOST_SHOWN
        lines = [f"  {line}" for entry in found[-_MOST_SHOWN:] for line in entry]
        if hidden > 0:
            lines.insert(0, f"  ... and {hidden} faults before")
        return "\n".join(["Faults of the network:", *lines])

    def take_missing(self) -> AssertionError | None:
        """Return the error for faults that have not come into effect, if there are any, and forget all faults.

        The network may go on for other tests, but hosts, links and partitions belong to one.
        """
        missing = [fault for fault in self._faults if fault.left]
        self._faults.clear()
        self._links.clear()
        self._partitions.clear()
        if not missing:
            return None
        return AssertionError("\n".join([*(fault.complaint() for fault in missing), _HINT]))

    def close(self) -> None:
        """End: nothing arrives any more."""
        for connection in self._connections:
            for pipe in connection.pipes:
                if pipe.timer is not None:
                    pipe.timer.cancel()
                    pipe.timer = None
        self._connections.clear()
        self._dialling.clear()
        self.loop = None


def _meant(name: object, known: set[str]) -> str | None:
    """Return the name that a misspelled one, or a URL, stands for, or None."""
    if not isinstance(name, str):
        return None
    host = urlsplit(name).hostname if "://" in name else None
    return host if host in known else spelling.meant(name, known)
