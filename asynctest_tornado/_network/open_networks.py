"""The networks in memory of the tests that run, and the one of the running code."""

# Tested by tests/network/test_virtual_network.py.

import asyncio
import threading
import weakref
from typing import Any

__unittest = True

#: Each `VirtualNetwork` with its thread, the innermost last. Weakly: a test that is run by debug(), and fails, does not
#: end.
_open: list[tuple[int, weakref.ref[Any]]] = []


def add(network: object) -> None:
    """Record the network of a test that begins in this thread."""
    _open.append((threading.get_ident(), weakref.ref(network)))


def remove(network: object) -> None:
    """Record the end of its test."""
    _open[:] = [each for each in _open if each[1]() not in (network, None)]


def current() -> Any:
    """Return the `VirtualNetwork` of the test that runs in this thread, or None."""
    if not _open:
        return None
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        thread, get_network = _open[-1]
        network = get_network()
        is_open = network is not None and network._loop is not None and not network._loop.is_closed()
        return network if is_open and thread == threading.get_ident() else None
    found = (get_network() for _, get_network in _open)
    return next((network for network in found if network is not None and network._loop is running), None)
