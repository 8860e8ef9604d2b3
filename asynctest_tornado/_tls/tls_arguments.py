"""TLS arguments of requests: whom a client trusts, and its own certificate."""

import functools
import ssl
import weakref
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from asynctest_tornado._tls import bundled_certificate, certificate_check, https_servers

__unittest = True

#: The arguments of a request for the authorities to trust, and for the certificate of the client.
ARGUMENTS = ("ssl_options", "validate_cert", "ca_certs", "client_key", "client_cert")


class Place:
    """The facts about a server that a client has to know."""

    @property
    def ssl_options(self) -> certificate_check.Options | None:
        """The options of the server, or None if they are not known."""
        raise NotImplementedError

    def may_be_own(self, url: str) -> bool:
        """Return whether a URL leads to the server, by any name: a resolver of the test may have its own."""
        raise NotImplementedError


class Verifier:
    """Chooses the TLS arguments for requests to a server, and to others.

    :param place: the server.
    :param trusts_strangers: True if other servers are not verified by default, as with ``tornado.testing``.
    """

    def __init__(self, place: Place, trusts_strangers: bool) -> None:
        # Weak: otherwise the client would keep the server and its application until the next garbage collection.
        self._place = weakref.ref(place)
        self._trusts_strangers = trusts_strangers

    def arguments(self, request: HTTPRequest, has_contexts: bool = True) -> dict[str, Any]:
        """Return the arguments that a request needs besides its own.

        :param has_contexts: True if the client takes ``ssl_options``; curl does not.

        Raises ``ValueError`` for a certificate that clients would refuse because of its dates.
        """
        if request.ssl_options is not None or request.validate_cert is False:
            return {}
        place = self._place()
        if place is None or not place.may_be_own(request.url):
            return {} if self._trusts_strangers else _for_strangers(request, has_contexts)
        options = place.ssl_options
        if options is None or not bundled_certificate.is_ours(options):
            return self._for_own_certificate(request, options, has_contexts)
        if request.ca_certs is not None and (request.validate_cert or not self._trusts_strangers):
            return {}  # the request names the authorities to trust
        if not has_contexts:
            return {"validate_cert": True, "ca_certs": bundled_certificate.AUTHORITY}
        return {"ssl_options": _with_certificates(request)}

    def explain(self, error: OSError | HTTPClientError, url: str) -> None:
        """Add a note to the error of a request without a certificate, if the server asks for one."""
        place = self._place()
        options = None if place is None or not place.may_be_own(url) else place.ssl_options
        asks = options.get("cert_reqs") if isinstance(options, dict) else getattr(options, "verify_mode", None)
        has_failed = isinstance(error, OSError) or error.code == 599
        if asks == ssl.CERT_REQUIRED and has_failed and not isinstance(error, ssl.SSLCertVerificationError):
            error.add_note("The server asks clients for a certificate. Give client_cert=, and client_key=.")

    def _for_own_certificate(
        self, request: HTTPRequest, options: certificate_check.Options | None, has_contexts: bool
    ) -> dict[str, Any]:
        """Return the arguments for a server with a certificate of the user, whose authority is not known."""
        if request.validate_cert or request.ca_certs is not None:
            return {}
        if not has_contexts:
            return {"validate_cert": False}
        if options is not None:
            certificate_check.check_date(options)
        context = bundled_certificate.trusting_context()
        _load_client_certificate(context, request)
        return {"ssl_options": context}


def _for_strangers(request: HTTPRequest, has_contexts: bool) -> dict[str, Any]:
    if request.ca_certs is not None:
        return {}
    if has_contexts:
        if request.client_cert is None:
            return {"ssl_options": bundled_certificate.public_context()}
        context = bundled_certificate.make_public_context()
        _load_client_certificate(context, request)
        return {"ssl_options": context}
    # A handle of curl cannot go back to its default after it had another authority.
    return {"validate_cert": True, "ca_certs": ssl.get_default_verify_paths().cafile}


def _with_certificates(request: HTTPRequest) -> ssl.SSLContext:
    """Return a context that verifies our certificate, with the certificates of the request."""
    is_named = urlsplit(request.url).hostname in bundled_certificate.HOSTS
    if request.client_cert is None and request.ca_certs is None:
        return bundled_certificate.client_context() if is_named else bundled_certificate.any_host_context()
    context = ssl.create_default_context(cafile=bundled_certificate.AUTHORITY)
    context.check_hostname = is_named
    if request.ca_certs is not None:
        context.load_verify_locations(request.ca_certs)
    _load_client_certificate(context, request)
    return context


def _load_client_certificate(context: ssl.SSLContext, request: HTTPRequest) -> None:
    if request.client_cert is not None:
        context.load_cert_chain(request.client_cert, request.client_key)


def _explain(url: str, callback: Callable[[HTTPResponse], None], response: HTTPResponse) -> None:
    """Add a note to the error of a request that has no response, if its server speaks HTTPS."""
    text = None if response.error is None or response.code != 599 else https_servers.hint(response.error, url)
    if response.error is not None and text is not None and text not in getattr(response.error, "__notes__", ()):
        response.error.add_note(text)
    callback(response)


def make_client(verifier: Verifier, trusts_strangers: bool, resolver: Any = None) -> AsyncHTTPClient:
    """Return a client for a server, and for any others.

    It verifies the server if that has our certificate. The authority of another certificate is not known.
    """
    defaults = {"validate_cert": not trusts_strangers}
    client = AsyncHTTPClient(force_instance=True, defaults=defaults)
    has_contexts = isinstance(client, SimpleAsyncHTTPClient)
    if isinstance(client, SimpleAsyncHTTPClient) and resolver is not None:
        client.tcp_client.resolver = resolver
    reference = weakref.ref(client)

    def fetch_verified(request: HTTPRequest, callback: Callable[[HTTPResponse], None]) -> None:
        client = reference()
        assert client is not None, "It calls this as its own method."
        given: HTTPRequest = request.request  # type: ignore[attr-defined]  # the proxy adds the defaults
        is_secure = given.url.lower().startswith("https:")
        arguments = verifier.arguments(given, has_contexts) if is_secure else None
        if arguments:
            request.defaults = {**client.defaults, **arguments}  # type: ignore[attr-defined]
        if not is_secure:
            callback = functools.partial(_explain, given.url, callback)
        type(client).fetch_impl(client, request, callback)  # a test may patch it

    client.fetch_impl = fetch_verified  # type: ignore[method-assign]
    return client
