"""Lets clients trust the hosts of a test, as they trust public ones."""

# Tested by tests/network/test_tls.py.

import contextlib
import ssl
from collections.abc import Iterable
from typing import Any, Literal, get_args

from asynctest_tornado._network.virtual_network import VirtualNetwork, current
from asynctest_tornado._tls import issued_certificates
from asynctest_tornado._util.patching import Patch

__unittest = True

Certificate = Literal["trusted", "untrusted", "expired"]
#: A client with fewer authorities than this has its own, and no bundle of the public ones.
_BUNDLE = 20


def certificate_context(
    network: VirtualNetwork,
    host: str,
    certificate: Certificate = "trusted",
    certificate_names: Iterable[str] = (),
) -> ssl.SSLContext:
    """Return the context of a server for a host, with a certificate that is made for it.

    :param network: the network whose clients connect to the host.
    :param host: its name.
    :param certificate: "untrusted" if clients do not know its authority, "expired" if its time is over.
    :param certificate_names: the names in the certificate, if it is not for the host.

    Raises ``ValueError`` for another certificate, or a name that cannot be in one, and ``TypeError`` for one name in
    place of a list.
    """
    if certificate not in get_args(Certificate):
        names = ", ".join(map(repr, get_args(Certificate)))
        raise ValueError(f"certificate cannot be {certificate!r}. It is one of {names}.")
    if isinstance(certificate_names, str):
        raise TypeError(f"certificate_names cannot be {certificate_names!r}. Give a list: [{certificate_names!r}].")
    network.trusted_hosts.add(_ascii(host))
    in_certificate = tuple(certificate_names) or (host,)
    return issued_certificates.server_context(
        in_certificate, is_known=certificate != "untrusted", is_expired=certificate == "expired"
    )


def _ascii(host: str | bytes) -> str:
    """Return a name as it is on the wire, in lower case; one that is no name as it is."""
    if isinstance(host, bytes):
        return host.decode("ascii", "replace").lower()
    if not host.isascii():
        with contextlib.suppress(UnicodeError):
            return host.encode("idna").decode()
    return host.lower()


def trusts(context: ssl.SSLContext, server_hostname: str | bytes | None) -> bool:
    """Return whether a client with a context trusts the certificate of a host, as it trusts public authorities.

    A client that has only authorities of its own does not.
    """
    network = current()
    if server_hostname is None or network is None or _ascii(server_hostname) not in network.trusted_hosts:
        return False
    own = context.cert_store_stats()["x509_ca"]
    return not own or own >= _BUNDLE or own >= _public_authorities()


def _public_authorities() -> int:
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
