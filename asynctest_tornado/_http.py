"""AsyncHTTPTestCase and AsyncHTTPSTestCase: a server, a client, a URL."""

import functools
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.web import Application

from asynctest_tornado import _ports, _timeouts, _tls
from asynctest_tornado._case import AsyncTestCase, harness_of

__unittest = True


class AsyncHTTPTestCase(AsyncTestCase):
    """A test case that starts an HTTP server, on an unused port of 127.0.0.1, for each test.

    Subclasses override `get_app`::

        class TestHello(AsyncHTTPTestCase):
            def get_app(self):
                return make_app()

            def test_homepage(self):
                response = self.fetch("/")
                self.assertEqual(response.code, 200)

            async def test_homepage_in_a_coroutine(self):
                response = await self.http_client.fetch(self.get_url("/"))
                self.assertEqual(response.body, b"Hello, world")

    ``self.http_server`` and ``self.http_client`` are there from ``setUp`` on.

    From ``tornado.testing``. New in version 0.1.
    """

    http_client: AsyncHTTPClient
    http_server: HTTPServer
    _app: Any

    def setUp(self) -> None:
        """Make the loop, the client, the application and the server."""
        super().setUp()
        resources = harness_of(self).resources
        sock, self._asynctest_port = _ports.bind_unused_port()
        resources.callback(sock.close)
        self.http_client = self.get_http_client()
        resources.callback(self.http_client.close)
        harness_of(self).clients.append(self.http_client)
        self._app = self.get_app()
        if self._app is None:
            raise TypeError(
                f"get_app() of {type(self).__qualname__} returned None. Return the tornado.web.Application to test, "
                "or another callback of HTTPServer."
            )
        self.http_server = self.get_http_server()
        self.http_server.add_sockets([sock])
        resources.pop_all()
        resources.callback(self._asynctest_close_http)

    def tearDown(self) -> None:
        """Close the server and its connections, the client, and the loop."""
        harness_of(self).close_resources()
        del self.http_server
        del self._app
        super().tearDown()

    def _asynctest_close_http(self) -> None:
        self.http_server.stop()
        limit = _timeouts.limit(None, self.async_test_timeout)
        harness_of(self).run(self.http_server.close_all_connections, limit)
        self.http_client.close()

    def get_http_client(self) -> AsyncHTTPClient:
        """Return the client. May be overridden."""
        return AsyncHTTPClient()

    def get_http_server(self) -> HTTPServer:
        """Return the server for ``self._app``, which need not listen yet. May be overridden."""
        return HTTPServer(self._app, **self.get_httpserver_options())

    def get_app(self) -> Application:
        """Return the application to test, or another callback of ``HTTPServer``. Has to be overridden."""
        raise NotImplementedError(
            f"{type(self).__qualname__} does not say what to serve. Override get_app() to return the "
            "tornado.web.Application to test."
        )

    def fetch(self, path: str, raise_error: bool = False, **kwargs: Any) -> HTTPResponse:
        """Fetch a URL of the server, and return the response; not for use in coroutines.

        :param path: the path and query, which `get_url` makes a URL of; or a full ``http://`` or ``https://`` URL.
        :param raise_error: raise `tornado.httpclient.HTTPError` for a response whose code is not of the 2xx kind.

        All other arguments are handed to ``AsyncHTTPClient.fetch``: ``method``, ``body``, ``headers`` and so on.

        Raises ``TimeoutError`` after the time that is set as for `wait`, the error of a callback or task meanwhile,
        and what the client raises.

        From ``tornado.testing``. New in version 0.1.
        """
        url = path if path.lower().startswith(("http://", "https://")) else self.get_url(path)
        fetch = functools.partial(self.http_client.fetch, url, raise_error=raise_error, **kwargs)
        response: HTTPResponse = harness_of(self).run(fetch, _timeouts.limit(None, self.async_test_timeout))
        return response

    def get_httpserver_options(self) -> dict[str, Any]:
        """Return keyword arguments for the server. May be overridden."""
        return {}

    def get_http_port(self) -> int:
        """Return the port of the server, another one in each test."""
        return self._asynctest_port

    def get_protocol(self) -> str:
        """Return the scheme of the URLs."""
        return "http"

    def get_url(self, path: str) -> str:
        """Return the absolute URL of a path on the server."""
        return f"{self.get_protocol()}://127.0.0.1:{self.get_http_port()}{path}"


class AsyncHTTPSTestCase(AsyncHTTPTestCase):
    """An `AsyncHTTPTestCase` whose server speaks HTTPS.

    The client verifies the server's certificate: a test certificate for ``localhost`` and ``127.0.0.1``. Where
    `get_ssl_options` is overridden to serve another one, the client does not verify it, as in ``tornado.testing``.

    From ``tornado.testing``, whose client never verifies. New in version 0.1.
    """

    def get_http_client(self) -> AsyncHTTPClient:
        """Return a client that trusts the certificate of the server. May be overridden."""
        return AsyncHTTPClient(force_instance=True, defaults=_tls.client_options(self.get_ssl_options()))

    def get_httpserver_options(self) -> dict[str, Any]:
        """Return keyword arguments for the server. May be overridden."""
        return {"ssl_options": self.get_ssl_options()}

    def get_ssl_options(self) -> dict[str, Any]:
        """Return the ``ssl_options`` of the server. May be overridden."""
        return AsyncHTTPSTestCase.default_ssl_options()

    @staticmethod
    def default_ssl_options() -> dict[str, Any]:
        """Return the paths of the test certificate and its key, as ``certfile`` and ``keyfile``."""
        return _tls.server_options()

    def get_protocol(self) -> str:
        """Return the scheme of the URLs."""
        return "https"
