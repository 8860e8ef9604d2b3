"""Gives a test its network in memory."""

# Tested by tests/network/test_virtual_network.py.

from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._network import dialing, tls, tls_agreements
from asynctest_tornado._network.network_loop import NetworkLoop
from asynctest_tornado._network.readiness import NetworkSelector
from asynctest_tornado._network.virtual_network import VirtualNetwork

__unittest = True


class Network(Feature):
    """Tests with a network in memory. The option is the `VirtualNetwork`."""

    is_optional = True
    loop_class = NetworkLoop
    patches = (*dialing.patches, *tls.patches)

    def tests_ended(self) -> None:
        tls_agreements.forget()

    def opened(self, harness: Harness) -> None:
        """Raise ``TypeError`` for a loop that cannot have virtual sockets."""
        network: VirtualNetwork = harness.options[self]
        if harness.outer is None:
            harness.trap.data[self] = _attach(harness.loop, network)
            network._attach(harness.loop.loop)

    def closed(self, harness: Harness) -> None:
        selector: NetworkSelector | None = harness.trap.data.get(self)
        if selector is not None:
            network = harness.options[self]
            network._detach()
            if type(selector) is NetworkSelector and selector.network is network:  # else the loop was closed
                selector.detach()


def _attach(loop: LoopOfTest, network: VirtualNetwork) -> NetworkSelector:
    selector = loop.selector
    if type(selector) is not Selector:
        raise TypeError(
            f"A VirtualNetwork cannot carry connections of {loop.loop!r}: it is for the loops of asyncio that have a "
            "selector. Leave out loop_factory, get_new_ioloop() and policies of your own, or network_factory."
        )
    attached: NetworkSelector = selector  # type: ignore[assignment]
    attached.__class__ = NetworkSelector
    attached.attach(network)
    return attached


NETWORK = Network()
