"""TLS for virtual sockets, and clients that trust served hosts."""

import contextlib
import ssl
from typing import Any, Literal, get_args

from asynctest_tornado._network import tls_agreements
from asynctest_tornado._network.tls_socket import VirtualTLSSocket
from asynctest_tornado._network.virtual_network import VirtualNetwork, current
from asynctest_tornado._network.virtual_socket import VirtualSocket
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
    certificate_names: tuple[str, ...] = (),
) -> ssl.SSLContext:
    """Return the context of a server for a host, with a certificate that is made for it.

    :param network: the network whose clients connect to the host.
    :param host: its name.
    :param certificate: "untrusted" if clients do not know its authority, "expired" if its time is over.
    :param certificate_names: the names in the certificate, if it is not for the host.

    Raises ``ValueError`` for another certificate, or a name that cannot be in one.
    """
    if certificate not in get_args(Certificate):
        names = ", ".join(map(repr, get_args(Certificate)))
        raise ValueError(f"certificate cannot be {certificate!r}. It is one of {names}.")
    if certificate == "untrusted":
        network.trusted_hosts.discard(_ascii(host))
    else:
        network.trusted_hosts.add(_ascii(host))
    return issued_certificates.server_context(tuple(certificate_names) or (host,), certificate == "expired")


def _ascii(host: str | bytes) -> str:
    """Return a name as it is on the wire, in lower case; one that is no name as it is."""
    if isinstance(host, bytes):
        return host.decode("ascii", "replace").lower()
    if not host.isascii():
        with contextlib.suppress(UnicodeError):
            return host.encode("idna").decode()
    return host.lower()


def _trust(context: ssl.SSLContext, server_hostname: str | bytes | None) -> bool:
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
    wrapped = _bio.found(self, incoming, outgoing, server_side, server_hostname, *args, **kwargs)
    if _bio.is_active and not server_side and _trust(self, server_hostname):
        # This exchanges the authorities, and the certificate of the client; all else was copied from the first context.
        wrapped.context = issued_certificates.trusting_context()
    return wrapped


def _counting(name: str) -> Patch:
    def change(self: ssl.SSLContext, *args: Any, **kwargs: Any) -> Any:
        tls_agreements.changed(self)
        return patch.found(self, *args, **kwargs)

    patch = Patch(ssl.SSLContext, name, change)
    return patch


def _wrap_socket(self: ssl.SSLContext, sock: Any, server_side: bool = False, *args: Any, **kwargs: Any) -> Any:
    if isinstance(sock, VirtualSocket):
        return _wrap_virtual(self, sock, server_side, *args, **kwargs)
    wrapped = _socket.found(self, sock, server_side, *args, **kwargs)
    # A connected socket that does not block: its handshake has not begun.
    if _socket.is_active and not server_side and wrapped.gettimeout() == 0 and _trust(self, wrapped.server_hostname):
        with contextlib.suppress(AttributeError):  # it is not connected yet
            wrapped.context = issued_certificates.trusting_context()
    return wrapped


def _wrap_virtual(
    context: ssl.SSLContext,
    sock: VirtualSocket,
    server_side: bool,
    do_handshake_on_connect: bool = True,
    suppress_ragged_eofs: bool = True,
    server_hostname: str | None = None,
    session: ssl.SSLSession | None = None,
) -> VirtualTLSSocket:
    if do_handshake_on_connect and sock.peer is not None:
        raise ValueError(
            f"{sock!r} does not block, so that it cannot shake hands at once. Give do_handshake_on_connect=False."
        )
    return VirtualTLSSocket(sock, context, server_side, server_hostname, suppress_ragged_eofs)


_bio = Patch(ssl.SSLContext, "wrap_bio", _wrap_bio)
_socket = Patch(ssl.SSLContext, "wrap_socket", _wrap_socket)
patches = [_bio, _socket, *map(_counting, tls_agreements.CHANGES)]
