"""The faults of all connections to a host, or between two names."""

# Tested by tests/network/test_faults.py.

from collections import deque
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from asynctest_tornado._network.fault import Fault
from asynctest_tornado._network.fault_values import checked_count
from asynctest_tornado._network.faults import Faults, Table

__unittest = True


class HostFaults(Faults):
    """Faults of all connections to a host, or between two names."""

    #: The context of the code that the host sets off, by which its own connections are known.
    _own_context: Any = None
    is_stopped: bool = False

    def __init__(self, where: str, table: Table | None = None) -> None:
        super().__init__(where, table)
        self._refusals: deque[Fault] = deque()
        #: The end of the host, if the test has stopped it.
        self._stopping: Fault | None = None

    @property
    def _host_name(self) -> str:
        return urlsplit(self._where).hostname or self._where

    def _check_open(self, text: str) -> None:
        if self.is_stopped:
            raise RuntimeError(
                f"{self._where}: {text} comes after stop(). Set it before, or serve the host again by network.serve()."
            )

    @property
    def connections(self) -> Sequence[Faults]:
        """The open connections, in the order in which they were made. Each has the same faults, for itself.

        New in version 0.1.
        """
        return self._usable("connections").connections_of(self)

    def refuse(self, count: int | None = None) -> None:
        """Refuse connections: they fail with ``ConnectionRefusedError``. Those that are open stay open.

        :param count: how many of the next connections; None for all, until `accept`.

        Raises ``TypeError`` or ``ValueError`` if it is no such number. If so many do not come, the test fails at its
        end.

        New in version 0.1.
        """
        if count is None:
            self._set("refuse", "refuse()", True)
            return
        text = f"refuse({count!r})"
        if checked_count(self._where, text, count, "connections, or none for all. accept() ends it") == 0:
            raise ValueError(f"{self._where}: {text} refuses nothing. To end refuse(), call accept().")
        table = self._usable(text)
        fault = Fault(text, self._where, "refuse", left=count)
        self._refusals.append(fault)
        table.add(fault)

    def accept(self) -> None:
        """End `refuse`.

        New in version 0.1.
        """
        self._usable("accept()")
        self._end("refuse")
        for fault in self._refusals:
            fault.left = 0
        self._refusals.clear()

    def _record_stop(self) -> None:
        """Record that the test stops the host, and end the connections whose responses are held back."""
        if self._table is None or self._table.is_over:
            return
        self._stopping = fault = Fault("stop()", self._where, "stop")
        self._table.add(fault)
        for connection in self._table.connections_of(self):
            connection.lose_host(fault)
        self._is_hold_over = "hold" in self._lasting
        self._end("hold")

    def _has_refused(self) -> bool:
        """Record a connection that comes after `stop`. Return whether the report of the faults has it."""
        if self._stopping is None:
            return False
        where = self._where
        self._stopping.has_met(object(), lambda: f"{where}: a connection, refused")
        return True

    def _refusal(self) -> Fault | None:
        """Return the fault that refuses the present attempt to connect, or None."""
        if not self._refusals:
            return self._lasting.get("refuse")
        fault = self._refusals[0]
        fault.left -= 1
        if not fault.left:
            self._refusals.popleft()
        return fault


class Link(HostFaults):
    """The connections between two names: the result of ``network.link(a, b)``.

    New in version 0.1.
    """
