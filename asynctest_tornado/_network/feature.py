"""Gives a test its network in memory."""

# Tested by tests/network/test_virtual_network.py.

import types
from typing import Any

from tornado.simple_httpclient import SimpleAsyncHTTPClient

from asynctest_tornado._clock.feature import VIRTUAL_TIME
from asynctest_tornado._errors import notes
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._network import dialing, hosts_of_test, network, outside, socket_options, tls, tls_agreements
from asynctest_tornado._network.connection import UNDER_WAY
from asynctest_tornado._network.network_loop import NetworkLoop
from asynctest_tornado._network.readiness import NetworkSelector
from asynctest_tornado._network.virtual_network import VirtualNetwork
from asynctest_tornado._util import names
from asynctest_tornado._util.tracebacks import MACHINERY, owner_of

__unittest = True

#: The key in ``trap.data`` for the error that has a note about the faults: it may pass several phases.
_DESCRIBED: Any = object()
#: The key for the network itself.
_NETWORK: Any = object()


class Network(Feature):
    """Tests with a network in memory. The option is the `VirtualNetwork`."""

    is_optional = True
    loop_class = NetworkLoop
    patches = (*dialing.patches, *tls.patches)

    def tests_ended(self) -> None:
        tls_agreements.forget()
        outside.end()

    def opened(self, harness: Harness) -> None:
        """Raise ``TypeError`` for a loop that cannot have virtual sockets."""
        virtual: VirtualNetwork = harness.options[self]
        hosts_of_test.add_to(harness, virtual)
        harness.trap.data[_NETWORK] = virtual
        if harness.outer is None:
            harness.trap.data[self] = _attach(harness.loop, virtual)
            virtual._attach(harness.loop.loop)

    def trapped(self, trap: Trap, error: BaseException) -> bool:
        """Consume a reset of the test's own that no code can catch.

        If the body of a response breaks off by a reset, Tornado's client logs the error, and lets the request time out.
        """
        return isinstance(error, ConnectionResetError) and self._has_reset(trap) and _is_of_client(error.__traceback__)

    def _has_reset(self, trap: Trap) -> bool:
        virtual: VirtualNetwork | None = trap.data.get(_NETWORK)
        return virtual is not None and virtual._faults.has_reset

    def notes(self, harness: Harness, error: BaseException) -> None:
        reason = socket_options.explain(error)
        if reason is not None:
            notes.add(error, reason, harness.trap, once=True)
        text = harness.options[self]._faults.describe()
        if text is not None and UNDER_WAY in text and VIRTUAL_TIME not in harness.options:
            text += "\n  It takes real time: set clock_factory = VirtualClock, or a shorter latency."
        if text is not None and harness.trap.data.get(_DESCRIBED) is not error:
            harness.trap.data[_DESCRIBED] = error
            notes.add(error, text, harness.trap)

    def verdict(self, harness: Harness, error: BaseException | None) -> BaseException | None:
        """Return the error for faults that have not come into effect, if the test has not failed otherwise."""
        missing: AssertionError | None = harness.options[self]._faults.take_missing()
        return missing if error is None and harness.trap.failure is None else error

    def was_skipped(self, trap: Trap) -> None:
        """Expect no faults any more: the test was skipped before they could come into effect."""
        network: VirtualNetwork | None = trap.data.get(_NETWORK)
        if network is not None:
            network._faults.take_missing()

    def closed(self, harness: Harness) -> None:
        selector: NetworkSelector | None = harness.trap.data.get(self)
        if selector is not None:
            virtual = harness.options[self]
            virtual._detach()
            if type(selector) is NetworkSelector and selector.network is virtual:  # else the loop was closed
                selector.detach()


def _is_of_client(tb: types.TracebackType | None) -> bool:
    """Return whether an error has passed Tornado's HTTP client, and no code of the user."""
    found = False
    while tb is not None:
        if owner_of(tb.tb_frame) not in MACHINERY:
            return False
        found = found or tb.tb_frame.f_globals.get("__name__") == SimpleAsyncHTTPClient.__module__
        tb = tb.tb_next
    return found


def _attach(loop: LoopOfTest, virtual: VirtualNetwork) -> NetworkSelector:
    selector = loop.selector
    if type(selector) is not Selector:
        raise TypeError(
            f"A VirtualNetwork cannot carry connections of {names.class_of_loop(loop.loop)}: it is for the loops of "
            "asyncio that have a selector. Leave out loop_factory, get_new_ioloop() and policies of your own, or "
            "network_factory."
        )
    attached: NetworkSelector = selector  # type: ignore[assignment]
    attached.__class__ = NetworkSelector
    attached.attach(virtual, virtual._faults.deliveries)
    return attached


NETWORK = Network()


def network_of(harness: Harness) -> VirtualNetwork:
    """Return the network of a test. On real sockets, it is a `RealNetwork`, which refuses all other methods."""
    chosen: Any = harness.options.get(NETWORK) or network.real_network_of(harness)
    found: VirtualNetwork = chosen
    return found
