"""Puts TLS on virtual sockets."""

import contextlib
import ssl
from typing import Any

from asynctest_tornado._network import tls_agreements, trust
from asynctest_tornado._network.tls_socket import VirtualTLSSocket
from asynctest_tornado._network.virtual_socket import VirtualSocket
from asynctest_tornado._tls import issued_certificates
from asynctest_tornado._util.patching import Patch

__unittest = True


def _wrap_socket(self: ssl.SSLContext, sock: Any, server_side: bool = False, *args: Any, **kwargs: Any) -> Any:
    if isinstance(sock, VirtualSocket):
        return _wrap_virtual(self, sock, server_side, *args, **kwargs)
    wrapped = _socket.found(self, sock, server_side, *args, **kwargs)
    # A connected socket that does not block: its handshake has not begun.
    is_new = _socket.is_active and not server_side and wrapped.gettimeout() == 0
    if is_new and trust.trusts(self, wrapped.server_hostname):
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


def _counting(name: str) -> Patch:
    def change(self: ssl.SSLContext, *args: Any, **kwargs: Any) -> Any:
        tls_agreements.changed(self)
        return patch.found(self, *args, **kwargs)

    patch = Patch(ssl.SSLContext, name, change)
    return patch


_socket = Patch(ssl.SSLContext, "wrap_socket", _wrap_socket)
patches = [_socket, trust.patch, *map(_counting, tls_agreements.CHANGES)]
