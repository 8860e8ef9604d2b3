"""Lets clients trust the hosts of a test, as they trust public ones."""

# Tested by tests/network/test_tls.py.

import functools
import ssl
from typing import Any

from asynctest_tornado._network import hosts_of_test
from asynctest_tornado._network.host_certificates import Trusting, ascii_name
from asynctest_tornado._network.open_networks import current
from asynctest_tornado._tls import issued_certificates
from asynctest_tornado._util.patching import Patch
from asynctest_tornado._util.real_time import get_running_loop

__unittest = True

#: A client with fewer authorities than this has its own, and no bundle of the public ones.
_BUNDLE = 20


def trusts(context: ssl.SSLContext, server_hostname: str | bytes | None) -> bool:
    """Return whether a client with a context trusts the certificate of a host, as it trusts public authorities.

    A client that has only authorities of its own does not, nor does one without any.
    """
    network = current() or _real_network()
    if server_hostname is None or network is None or ascii_name(server_hostname) not in network.trusted_hosts:
        return False
    own = context.cert_store_stats()["x509_ca"]
    return own >= _BUNDLE or own >= _public_authorities()


def _real_network() -> Trusting | None:
    """Return the network of the test whose loop runs, on real sockets, if it serves hosts."""
    try:
        hosts = hosts_of_test.of_loop(get_running_loop())
    except RuntimeError:
        return None
    return None if hosts is None else hosts.backend


@functools.cache
def _public_authorities() -> int:
    """Return how many authorities a default context lists: none, if the system has them in a folder."""
    return ssl.create_default_context().cert_store_stats()["x509_ca"]


def _wrap_bio(
    self: ssl.SSLContext,
    incoming: Any,
    outgoing: Any,
    server_side: bool = False,
    server_hostname: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    wrapped = patch.found(self, incoming, outgoing, server_side, server_hostname, *args, **kwargs)
    if patch.is_active and not server_side and trusts(self, server_hostname):
        # This exchanges the authorities, and the certificate of the client; all else was copied from the first context.
        wrapped.context = issued_certificates.trusting_context()
    return wrapped


patch = Patch(ssl.SSLContext, "wrap_bio", _wrap_bio)
