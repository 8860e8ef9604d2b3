"""Explains errors of clients that mistake an HTTPS server of a test."""

# Tested by tests/http/test_response.py.

import ssl
import weakref

from asynctest_tornado._tls import bundled_certificate, certificate_check

__unittest = True


class Server:
    """The facts about an HTTPS server that the explanation needs."""

    @property
    def ssl_options(self) -> certificate_check.Options | None:
        """The options of the server, or None if they are not known, or if it is closed."""
        raise NotImplementedError

    def may_be_own(self, url: str) -> bool:
        """Return whether a URL leads to the server, by any name."""
        raise NotImplementedError


#: The HTTPS servers of tests.
servers: "weakref.WeakSet[Server]" = weakref.WeakSet()


def hint(error: BaseException, url: str) -> str | None:
    """Return how to mend the error of a request, if it is for one of the servers and the client is mistaken."""
    for server in servers:
        options = server.ssl_options
        if options is not None and server.may_be_own(url):
            if url.lower().startswith("http:"):
                return f"The server speaks HTTPS: the URL is https{url[4:]}."
            if isinstance(error, ssl.SSLCertVerificationError) and bundled_certificate.is_ours(options):
                return (
                    "The server has the test certificate, which this client does not know. Give the request "
                    "ca_certs=AsyncHTTPSTestCase.ca_certs, or use the client or fetch() of the test."
                )
    return None
