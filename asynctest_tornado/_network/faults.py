"""The faults that a test sets on a host, a link or a connection."""

from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from asynctest_tornado._network import fault_names
from asynctest_tornado._network.fault import Fault
from asynctest_tornado._network.fault_names import CheckedNames
from asynctest_tornado._network.fault_values import checked_count, checked_latency, checked_number
from asynctest_tornado._network.faulty_pipe import CUT, HALF_CLOSE, RESET

__unittest = True

Latency = float | tuple[float, float]


class Table(Protocol):
    """The faults of one network."""

    @property
    def is_over(self) -> bool:
        """True after the end of the test."""

    def add(self, fault: Fault) -> None:
        """Record a fault that the test sets."""

    def connections_of(self, faults: "Faults") -> "Sequence[Any]":
        """Return the open connections of a host or link, or the one connection."""
        ...

    def resume(self) -> None:
        """Let bytes go on whose faults are over."""


class Faults(CheckedNames):
    """Faults of the responses on some connections.

    Seconds are those of the clock of the test, if its time is virtual. With TLS, the handshake has none of these
    faults; if TLS is really spoken, the bytes are the encrypted ones.

    New in version 0.1.
    """

    def __init__(self, where: str, table: Table | None = None) -> None:
        self._where = where
        self._table = table
        #: Faults that last, by their kind.
        self._lasting: dict[str, Fault] = {}
        #: True if the end of the host has ended `hold`.
        self._is_hold_over = False
        #: Faults of the next responses.
        self._next: deque[Fault] = deque()

    def _check_name(self, name: str, value: Any) -> None:
        if name in fault_names.READ_ONLY and self._has(name):
            raise AttributeError(f"{self._where}: {name} cannot be set. {fault_names.READ_ONLY[name]}")
        super()._check_name(name, value)

    def _explain_method(self, name: str, value: Any) -> str:
        return f"{self._where}: {name} is a method. Call {name}() in place of {name} = {value!r}."

    def _explain_set(self, name: str, value: Any) -> str:
        hint = fault_names.question(name, self._names(), f" = {value!r}")
        return f"{self._where}: {name} = {value!r} sets no fault.{hint} {fault_names.listed(type(self))}"

    def _explain_get(self, name: str) -> str:
        hint = fault_names.question(name, self._names())
        return f"{self._where}: {name} is no fault.{hint} {fault_names.listed(type(self))}"

    def _names(self) -> list[str]:
        return [*fault_names.ATTRIBUTES, *fault_names.methods_of(type(self))]

    def _usable(self, text: str) -> Table:
        """Return the table of the network. Raises ``RuntimeError`` if there can be no faults."""
        if self._table is None:
            raise RuntimeError(
                f"{self._where}: {text} is not possible, because this test has real sockets. Set "
                "network_factory = VirtualNetwork on the class of the test."
            )
        if self._table.is_over:
            raise RuntimeError(f"{self._where}: {text} comes after the end of the test. Set it in the test.")
        self._check_open(text)
        return self._table

    def _check_open(self, text: str) -> None:
        """Raise ``RuntimeError`` if there is nothing any more that can have faults."""

    def _set(self, kind: str, text: str, amount: Any) -> None:
        """Set a fault that lasts, in place of another one; end it if the amount is None or 0."""
        table = self._usable(text)
        self._end(kind)
        if amount:
            fault = self._lasting[kind] = Fault(text, self._where, kind, amount)
            table.add(fault)

    def _end(self, kind: str) -> None:
        fault = self._lasting.pop(kind, None)
        if fault is not None:
            fault.is_set = False

    @property
    def latency(self) -> Latency:
        """How long a response is on its way, in seconds, beside the time that the host needs; 0 by default.

        A pair, as in ``(0.1, 2)``, is a range: the latency of each response is drawn from it, by the seed of the
        network. It is the time from the moment in which the host sends bytes up to their arrival. To connect, and the
        way of the request, take no time. Raises ``TypeError`` or ``ValueError`` if it is no such time.

        New in version 0.1.
        """
        fault = self._lasting.get("latency")
        return 0.0 if fault is None else fault.amount

    @latency.setter
    def latency(self, value: Latency) -> None:
        self._set("latency", f"latency = {value!r}", checked_latency(self._where, value))

    @property
    def bandwidth(self) -> float | None:
        """How many bytes pass in a second, each way; None, the default, for no limit.

        Raises ``TypeError`` or ``ValueError`` if it is no number greater than 0.

        New in version 0.1.
        """
        fault = self._lasting.get("bandwidth")
        return None if fault is None else fault.amount

    @bandwidth.setter
    def bandwidth(self, value: float | None) -> None:
        text = f"bandwidth = {value!r}"
        if (
            value is not None
            and checked_number(self._where, text, value, "bytes per second, or None for no limit") <= 0
        ):
            raise ValueError(
                f"{self._where}: {text} lets nothing pass. Set a number greater than 0, or call hold() for a host that "
                "does not answer."
            )
        self._set("bandwidth", text, value)

    def cut(self, after: int | None = 0) -> None:
        """Close the connection in the midst of the next response, in both directions.

        Each call is for one response.

        :param after: how many bytes of the response arrive before, including its headers. The bytes count from the next
            one that the host sends. None: close all open connections now.

        Raises ``TypeError`` or ``ValueError`` if it is no such number; ``RuntimeError`` for None if no connection is
        open. If no response comes, the test fails at its end.

        New in version 0.1.
        """
        self._break(CUT, after)

    def reset(self, after: int | None = 0) -> None:
        """Let the connection fail with ``ConnectionResetError`` in the midst of the next response; see `cut`.

        New in version 0.1.
        """
        self._break(RESET, after)

    def half_close(self, after: int | None = 0) -> None:
        """End the direction from the host in the midst of the next response, and leave the other one open; see `cut`.

        New in version 0.1.
        """
        self._break(HALF_CLOSE, after)

    def _break(self, kind: str, after: int | None) -> None:
        text = f"{kind}(after={after!r})"
        if after is not None:
            checked_count(self._where, text, after, "bytes, or None for now")
        table = self._usable(text)
        if after is None:
            self._break_now(table, kind, text)
            return
        fault = Fault(text, self._where, kind, after, left=1)
        self._next.append(fault)
        table.add(fault)

    def _break_now(self, table: Table, kind: str, text: str) -> None:
        found = table.connections_of(self)
        if not found:
            raise RuntimeError(
                f"{self._where}: {text} is for connections that are open now, and there is none. To break the next "
                f"response, call {kind}(after=0)."
            )
        fault = Fault(text, self._where, kind)
        table.add(fault)
        for connection in found:
            connection.sever(fault)

    def hold(self) -> None:
        """Hold all responses back, until `release`. Requests arrive, and nothing answers.

        New in version 0.1.
        """
        self._set("hold", "hold()", True)

    def release(self) -> None:
        """End `hold`: the responses that were held back arrive.

        Does nothing if ``stop()`` of the host has ended it. Raises ``RuntimeError`` if none are held.

        New in version 0.1.
        """
        if self._is_hold_over:
            return
        table = self._usable("release()")
        if "hold" not in self._lasting:
            raise RuntimeError(f"{self._where}: release() ends a hold(), and there is none. Call hold() before.")
        self._end("hold")
        table.resume()
