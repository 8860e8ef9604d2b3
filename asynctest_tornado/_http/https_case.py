"""AsyncHTTPSTestCase: a server that speaks HTTPS."""

# Tested by tests/http/test_http_case.py.

from typing import Any

from asynctest_tornado._http import case_server
from asynctest_tornado._http.http_case import AsyncHTTPTestCase
from asynctest_tornado._tls import bundled_certificate

__unittest = True


@case_server.speaks_https
class AsyncHTTPSTestCase(AsyncHTTPTestCase):
    """An `AsyncHTTPTestCase` whose server speaks HTTPS.

    The client verifies the server's certificate: a test certificate for ``localhost``, ``127.0.0.1`` and ``::1``.
    Other clients can do so with the authority in the file ``ca_certs``. If `get_ssl_options` is overridden to serve
    another certificate, the client does not verify that, as in ``tornado.testing``, but refuses it if it has expired.

    From ``tornado.testing``, whose client never verifies. New in version 0.1.
    """

    #: The path of the certificate that clients have to trust, in PEM format. The key of the server's certificate is
    #: public by design, a part of this package: it is for tests on one machine, and no system should trust it.
    #:
    #: :meta hide-value:
    ca_certs: str = bundled_certificate.AUTHORITY

    def get_httpserver_options(self) -> dict[str, Any] | Any:
        """Return keyword arguments for the server. May be overridden, also by a coroutine function.

        From ``tornado.testing``. New in version 0.1.
        """
        return {"ssl_options": self.get_ssl_options()}

    def get_ssl_options(self) -> dict[str, Any]:
        """Return the ``ssl_options`` of the server. May be overridden.

        To ask clients for a certificate, add ``cert_reqs=ssl.CERT_REQUIRED``, and their authority as ``ca_certs``.

        From ``tornado.testing``. New in version 0.1.
        """
        return AsyncHTTPSTestCase.default_ssl_options()

    @staticmethod
    def default_ssl_options() -> dict[str, Any]:
        """Return the paths of the test certificate and its key, as ``certfile`` and ``keyfile``.

        From ``tornado.testing``. New in version 0.1.
        """
        return bundled_certificate.server_options()

    def get_protocol(self) -> str:
        """Return the scheme of the URLs. From ``tornado.testing``. New in version 0.1."""
        return "https"
