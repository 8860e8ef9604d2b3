"""A connection to a host, and the faults that its responses meet."""

# Tested by tests/network/test_faults.py.

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from asynctest_tornado._network.fault import Fault
from asynctest_tornado._network.faults import Faults
from asynctest_tornado._network.faulty_pipe import CUT, HALF_CLOSE, RESET, SILENCE, FaultyPipe
from asynctest_tornado._network.host_faults import HostFaults
from asynctest_tornado._network.random_faults import RandomFaults

__unittest = True

_REQUEST = re.compile(rb"([A-Z]{3,20}) (\S{1,2000}) HTTP/1\.[01]\r\n")
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,15})\r\n", re.IGNORECASE)
_ENDED_BY = {"hold": "release()", "partition": "heal()"}
#: The end of the line about a response that has not arrived.
UNDER_WAY = ", still under way"
#: The longest path of a request that a report shows.
_LONGEST_PATH = 80
_ENDS = {
    CUT: "cut",
    RESET: "reset",
    HALF_CLOSE: "the end of the host's direction",
    SILENCE: "nothing more",
    "stop": "the end of the host",
}


class Exchange:
    """A request and its response.

    :param name: the request, or only the host, if the bytes are no HTTP that can be read.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        #: How many bytes of the response the host has sent, and how many have arrived.
        self.sent = 0
        self.passed = 0
        #: True if the rest is lost.
        self.is_broken = False
        #: The size of the response by its headers.
        self.declared = 0
        #: The latency that was drawn, by its fault.
        self.drawn: dict[Fault, float] = {}
        #: The latency of a random fault.
        self.delay = 0.0

    def has_passed(self, size: int) -> None:
        self.passed += size

    def describe(self, what: str) -> str:
        return f"{self.name}: {what}"

    def progress(self) -> str:
        total = f"{max(self.sent, self.declared):,}"
        return f"{total} bytes" if self.passed >= self.sent else f"{self.passed:,} of {total} bytes"


class Network(Protocol):
    """The faults of one network, as a connection needs them."""

    is_calm: bool
    has_reset: bool
    random: RandomFaults

    @property
    def is_over(self) -> bool: ...
    def add(self, fault: Fault) -> None: ...
    def connections_of(self, faults: Faults) -> Any: ...
    def resume(self) -> None: ...
    def link_of(self, client: str, host: str) -> HostFaults | None:
        """Return the faults of a link, if the test has asked for it."""
        ...

    def partition_of(self, client: str, host: str) -> Fault | None:
        """Return the partition that lies between two names, if there is one."""
        ...

    def time(self) -> float: ...
    def call_at(self, when: float, callback: Callable[[], object]) -> Any: ...


class Connection(Faults):
    """One connection to a host.

    New in version 0.1.
    """

    #: Those of the network.
    time: Callable[[], float]
    call_at: Callable[[float, Callable[[], object]], Any]

    def __init__(self, network: Network, client: str, host: HostFaults) -> None:
        super().__init__(f"a connection to {host._where}", network)
        self._network = network
        self._client = client
        self._host = host
        self._url = host._where
        self._exchange = Exchange(self._url)
        #: The fault of the present response, what it does, and how many bytes come before it.
        self._claimed: tuple[Fault, str, int] | None = None
        self.time = network.time
        self.call_at = network.call_at
        self._to_server, self._to_client = FaultyPipe(self, False), FaultyPipe(self, True)
        self._to_server.other, self._to_client.other = self._to_client, self._to_server

    @property
    def pipes(self) -> tuple[FaultyPipe, FaultyPipe]:
        """The direction to the server, and the one to the client."""
        return self._to_server, self._to_client

    @property
    def is_open(self) -> bool:
        """True if the client can get more bytes."""
        return not (self._to_client.has_ended or self._to_client.is_abandoned)

    @property
    def is_over(self) -> bool:
        """True if no bytes are under way either."""
        return not (self.is_open or self._to_server.underway)

    @property
    def is_calm(self) -> bool:
        return self._network.is_calm

    def scopes(self) -> Iterator[Faults]:
        """Return the objects whose faults the connection has, the nearest first."""
        yield self
        link = self._network.link_of(self._client, self._host._host_name)
        if link is not None:
            yield link
        yield self._host

    def _lasting_of(self, kind: str) -> Fault | None:
        return next((scope._lasting[kind] for scope in self.scopes() if kind in scope._lasting), None)

    def passed(self) -> Callable[[int], object]:
        return self._exchange.has_passed

    def lose(self, size: int) -> None:
        self._exchange.sent += size

    def hear(self, data: memoryview) -> None:
        exchange = self._exchange
        found = _REQUEST.match(data)
        if found is not None:
            method, path = found[1].decode(), found[2].decode("latin-1")
            if len(path) > _LONGEST_PATH:
                path = f"{path[:_LONGEST_PATH]}..."
            self._begin(Exchange(f"{method} {self._url}{path}" if path.startswith("/") else f"{method} {path}"))
        elif exchange.sent:
            self._exchange = Exchange(exchange.name)
        if not self.is_calm:
            exchange = self._exchange
            fault = self._network.partition_of(self._client, self._host._host_name)
            if fault is not None:
                fault.has_met(exchange, lambda: exchange.describe("the request, held back until heal()"))

    def _begin(self, exchange: Exchange) -> None:
        """Begin another request: a fault that the response before was too short for does not come any more."""
        self._claimed = None
        self._exchange = exchange

    def answer(self, data: bytes) -> tuple[bytes, str | None]:
        exchange = self._exchange
        self._claim(exchange, data)
        before = exchange.sent
        exchange.sent += len(data)
        self._meet_lasting(exchange)
        if self._claimed is None:
            return data, None
        fault, kind, left = self._claimed
        if len(data) < left:
            fault.missed = f"the response to {exchange.name} had {exchange.sent:,} bytes"
            self._claimed = fault, kind, left - len(data)
            return data, None
        self._claimed = None
        self._network.has_reset = self._network.has_reset or kind == RESET
        fault.left = 0
        exchange.is_broken = True
        arriving = before + left
        fault.has_met(exchange, lambda: _broken(exchange, arriving, kind))
        return data[:left], kind

    def _claim(self, exchange: Exchange, data: bytes) -> None:
        if exchange.sent == 0:
            head, length = data.find(b"\r\n\r\n"), _CONTENT_LENGTH.search(data)
            if head >= 0 and length is not None and length.start() < head:
                exchange.declared = head + 4 + int(length[1])
        if self._claimed is not None:
            return
        waiting = next((scope._next for scope in self.scopes() if scope._next), None)
        if waiting is not None:
            fault = waiting.popleft()
            self._claimed = fault, fault.kind, fault.amount
            return
        drawn = self._network.random.of_response(len(data)) if exchange.sent == 0 else None
        if drawn is not None:
            self._draw(exchange, *drawn)

    def _draw(self, exchange: Exchange, fault: Fault, kind: str, amount: float) -> None:
        if kind == "latency":
            exchange.delay = amount
            fault.has_met(exchange, lambda: _late(exchange, amount))
        else:
            self._claimed = fault, kind, int(amount)

    def _meet_lasting(self, exchange: Exchange) -> None:
        fault = self._lasting_of("latency")
        if fault is not None:
            seconds = self._latency(fault)
            fault.has_met(exchange, lambda: _late(exchange, seconds))
        fault = self._lasting_of("bandwidth")
        if fault is not None:
            fault.has_met(exchange, lambda: exchange.describe(f"{exchange.progress()} of the response"))
        for fault in (self._lasting_of("hold"), self._network.partition_of(self._client, self._host._host_name)):
            if fault is not None:
                fault.has_met(exchange, functools.partial(_held, exchange, fault.kind))

    def pace(self, is_response: bool) -> tuple[float, float | None]:
        if self.is_calm:
            return 0.0, None
        limit = self._lasting_of("bandwidth")
        rate = None if limit is None else limit.amount
        if not is_response:
            return 0.0, rate
        fault = self._lasting_of("latency")
        return self._exchange.delay + (0.0 if fault is None else self._latency(fault)), rate

    def _latency(self, fault: Fault) -> float:
        if not isinstance(fault.amount, tuple):
            return float(fault.amount)
        drawn = self._exchange.drawn
        if fault not in drawn:
            drawn[fault] = self._network.random.between(*fault.amount)
        return drawn[fault]

    def is_stuck(self, is_response: bool) -> bool:
        if self._network.partition_of(self._client, self._host._host_name) is not None:
            return True
        return is_response and self._lasting_of("hold") is not None

    def sever(self, fault: Fault) -> None:
        """End the connection now."""
        exchange, arrived = self._exchange, self._exchange.passed
        self._network.has_reset = self._network.has_reset or fault.kind == RESET
        fault.has_met(self, lambda: _broken(exchange, arrived, fault.kind))
        exchange.is_broken = True
        self._to_client.sever(fault.kind)
        if fault.kind != HALF_CLOSE:
            self._to_server.sever(fault.kind)

    def lose_host(self, fault: Fault) -> None:
        """Learn that the host is stopped. If its responses are held back, the connection ends now."""
        is_parted = self._network.partition_of(self._client, self._host._host_name) is not None
        if self._lasting_of("hold") is not None and not is_parted:
            self.sever(fault)
        else:
            fault.has_met(self, lambda: f"{self._url}: an open connection from {self._client}, closed")

    def resume(self) -> None:
        for pipe in self.pipes:
            pipe.resume()

    def deliveries(self) -> Iterator[tuple[Any, str]]:
        """Return the timers of bytes under way, each with a description."""
        for pipe, what in zip(self.pipes, ("the request", "the response"), strict=True):
            if pipe.timer is not None and not self.is_stuck(pipe is self._to_client):
                size = f"{pipe.underway:,} bytes of {what}"
                yield pipe.timer, self._exchange.describe(f"{size}, under way")


def _broken(exchange: Exchange, arriving: int, kind: str) -> str:
    total = max(exchange.sent, exchange.declared)
    if not total:
        return exchange.describe(_ENDS[kind])
    return exchange.describe(f"{arriving:,} of {total:,} bytes of the response, then {_ENDS[kind]}")


def _late(exchange: Exchange, seconds: float) -> str:
    left = "" if exchange.is_broken or exchange.passed >= exchange.sent else UNDER_WAY
    return exchange.describe(f"{exchange.progress()} of the response, {seconds:.6g} s late{left}")


def _held(exchange: Exchange, kind: str) -> str:
    if exchange.passed >= exchange.sent:
        return exchange.describe("the response, held back for a while")
    return exchange.describe(
        f"{max(exchange.sent, exchange.declared):,} bytes of the response, held back until {_ENDED_BY[kind]}"
    )
