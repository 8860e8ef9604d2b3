"""The certificates of hosts that a test serves by https."""

# Tested by tests/network/test_tls.py.

import contextlib
import ssl
from collections.abc import Iterable
from typing import Literal, Protocol, get_args

from asynctest_tornado._tls import issued_certificates

__unittest = True

Certificate = Literal["trusted", "untrusted", "expired"]


class Trusting(Protocol):
    """A network, as certificates see it."""

    trusted_hosts: set[str]


def certificate_context(
    network: Trusting,
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
    network.trusted_hosts.add(ascii_name(host))
    in_certificate = tuple(certificate_names) or (host,)
    return issued_certificates.server_context(
        in_certificate, is_known=certificate != "untrusted", is_expired=certificate == "expired"
    )


def ascii_name(host: str | bytes) -> str:
    """Return a name as it is on the wire, in lower case; one that is no name as it is."""
    if isinstance(host, bytes):
        return host.decode("ascii", "replace").lower()
    if not host.isascii():
        with contextlib.suppress(UnicodeError):
            return host.encode("idna").decode()
    return host.lower()
