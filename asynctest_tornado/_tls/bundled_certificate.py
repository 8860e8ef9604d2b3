"""The test certificate: who serves it, who trusts it.

An authority signed it whose key was destroyed; ``certificate/make.sh`` made both. It is valid for
``localhost``, ``127.0.0.1`` and ``::1``, from the year 1970 to the year 2125. Its own key is public by design.
"""

import functools
import ssl
from pathlib import Path
from typing import Any

from tornado import tcpserver
from tornado.netutil import ssl_options_to_context

from asynctest_tornado._tls import certificate_check

__unittest = True

_FOLDER = Path(__file__).with_name("certificate")

#: The authority that a client has to trust.
AUTHORITY = str(_FOLDER / "authority.crt")
CERTIFICATE = str(_FOLDER / "server.crt")
KEY = str(_FOLDER / "server.key")

#: The hosts that the certificate is for.
HOSTS = ("localhost", "127.0.0.1", "::1")


def server_options() -> dict[str, Any]:
    """Return ``ssl_options`` for an HTTP server."""
    return {"certfile": CERTIFICATE, "keyfile": KEY}


def is_ours(options: certificate_check.Options) -> bool:
    """Return whether a server with these ``ssl_options`` presents the certificate of this module."""
    if isinstance(options, dict):
        return options.get("certfile") == CERTIFICATE
    return certificate_check.is_signed_by(options, AUTHORITY)


@functools.cache
def read_certificate_once() -> None:
    """Let Tornado's servers read our certificate once.

    Without that, they read the certificate and its key for each connection: half a millisecond. The server keeps its
    ``ssl_options``, and a change of them counts for the next connection.
    """
    module: Any = tcpserver
    original: Any = getattr(module, "ssl_wrap_socket", None)
    if original is None:
        return  # renamed: the certificate is read each time

    @functools.wraps(original)
    def ssl_wrap_socket(socket: Any, ssl_options: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("server_side") and isinstance(ssl_options, dict) and ssl_options == server_options():
            ssl_options = _server_context()
        return original(socket, ssl_options, *args, **kwargs)

    module.ssl_wrap_socket = ssl_wrap_socket


@functools.cache
def _server_context() -> ssl.SSLContext:
    context = ssl_options_to_context(server_options(), server_side=True)
    # Tests resume no session, and two tickets for each connection cost 5 % of the handshake.
    context.num_tickets = 0
    return context


@functools.cache
def client_context() -> ssl.SSLContext:
    """Return the context of a client that trusts the test certificate."""
    return ssl.create_default_context(cafile=AUTHORITY)


@functools.cache
def any_host_context() -> ssl.SSLContext:
    """Return the context of a client that trusts the test certificate, by any name of the host."""
    context = ssl.create_default_context(cafile=AUTHORITY)
    context.check_hostname = False
    return context


@functools.cache
def public_context() -> ssl.SSLContext:
    """Return the context of a client that trusts the authorities of the system, and the test certificate."""
    return make_public_context()


def make_public_context() -> ssl.SSLContext:
    """Return a new one of these."""
    context = ssl.create_default_context()
    context.load_verify_locations(AUTHORITY)
    return context


def trusting_context() -> ssl.SSLContext:
    """Return a new context for a client that verifies nothing.

    Tornado makes one for each request, too, but loads the CA certificates of the system for it: 18 milliseconds.
    """
    context = ssl.create_default_context(cafile=AUTHORITY)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
