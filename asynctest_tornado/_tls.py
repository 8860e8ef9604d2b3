"""The certificate that HTTPS tests serve and trust.

An authority signed it whose key nobody has any more; ``certificate/make.sh`` made both. It is valid for
``localhost``, ``127.0.0.1`` and ``::1`` until the year 2126.
"""

import functools
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.netutil import ssl_options_to_context
from tornado.simple_httpclient import SimpleAsyncHTTPClient

__unittest = True

_FOLDER = Path(__file__).with_name("certificate")

#: What a client has to trust.
AUTHORITY = str(_FOLDER / "authority.crt")
CERTIFICATE = str(_FOLDER / "server.crt")
KEY = str(_FOLDER / "server.key")

Options = dict[str, Any] | ssl.SSLContext


def server_options() -> dict[str, Any]:
    """Return ``ssl_options`` for an HTTP server."""
    return {"certfile": CERTIFICATE, "keyfile": KEY}


def shared(options: Any) -> Any:
    """Return a context that all servers share, for the options of this module; any others as they are.

    Tornado would read the certificate anew for each connection, and the key: half a millisecond.
    """
    return _server_context() if options == server_options() else options


@functools.cache
def _server_context() -> ssl.SSLContext:
    context = ssl_options_to_context(server_options(), server_side=True)
    # Nobody resumes a session of a test, and two tickets for each cost 5 % of the handshake.
    context.num_tickets = 0
    return context


@functools.cache
def client_context() -> ssl.SSLContext:
    """Return the context of a client that trusts the test certificate."""
    return ssl.create_default_context(cafile=AUTHORITY)


def trusting_context() -> ssl.SSLContext:
    """Return a new context for a client that trusts anybody.

    As Tornado makes one for each request; but that reads all authorities of the system for it: 18 milliseconds.
    """
    context = ssl.create_default_context(cafile=AUTHORITY)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _is_ours(options: Options) -> bool:
    return options is _server_context() or options == server_options()


def context_for(options: Options) -> ssl.SSLContext:
    """Return the context of a client for the server with these ``ssl_options``.

    Raises ``ValueError`` for a certificate that clients would refuse for its date.
    """
    if _is_ours(options):
        return client_context()
    check_date(options)
    return trusting_context()


#: How the caller of a client can say whom to trust.
_ARGUMENTS = ("ssl_options", "validate_cert", "ca_certs", "client_key", "client_cert")


def make_client(port: int, get_options: Callable[[], Options], resolver: Any = None) -> AsyncHTTPClient:
    """Return a client for the server on this port of the machine, and for any others.

    It verifies the server if that has our certificate. Of any other one, it cannot know whom to trust.

    :param get_options: returns the ``ssl_options`` of the server.
    """
    client = AsyncHTTPClient(force_instance=True, defaults={"validate_cert": False})
    if not isinstance(client, SimpleAsyncHTTPClient):
        if _is_ours(get_options()):
            client.defaults.update(validate_cert=True, ca_certs=AUTHORITY)
        return client
    if resolver is not None:
        client.tcp_client.resolver = resolver
    fetch_impl = client.fetch_impl

    def fetch_in_context(request: HTTPRequest, callback: Callable[[HTTPResponse], None]) -> None:
        given: HTTPRequest = request.request  # type: ignore[attr-defined]  # of the proxy that adds the defaults
        if all(getattr(given, name) is None for name in _ARGUMENTS) and urlsplit(given.url).port == port:
            context = context_for(get_options())
            request.defaults = {**client.defaults, "ssl_options": context}  # type: ignore[attr-defined]
        fetch_impl(request, callback)

    client.fetch_impl = fetch_in_context  # type: ignore[method-assign]
    return client


#: OpenSSL's numbers.
_REASONS = {9: "is not valid yet", 10: "has expired"}


def check_date(options: Options) -> None:
    """Raise ``ValueError`` for the certificate of a server whose time is over, or has not come yet.

    :param options: its ``ssl_options``.
    """
    reason = _REASONS.get(_verify_code(options))
    if reason is not None:
        name = repr(options.get("certfile")) if isinstance(options, dict) else f"in {options!r}"
        raise ValueError(
            f"The certificate {name} of the server {reason}: clients will refuse it. Renew it, leave get_ssl_options() "
            "alone to serve a certificate that does not expire, or fetch with validate_cert=False."
        )


def _verify_code(options: Options) -> int:
    """Return what OpenSSL says of the certificate to a client that trusts its issuer, whoever that is: 0 is good."""
    server = ssl_options_to_context(options, server_side=True)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    certificate = _shake_hands(client, server).getpeercert(binary_form=True)
    if certificate is None:
        return 0
    client.load_verify_locations(cadata=certificate)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.verify_mode = ssl.CERT_REQUIRED
    try:
        _shake_hands(client, server)
    except ssl.SSLCertVerificationError as error:
        return error.verify_code
    return 0


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> ssl.SSLObject:
    """Connect the two in memory."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    left = [one, other]
    while left:
        side = left.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            left.append(side)
    return one
