"""Whom clients verify: a server of ours, one with a certificate of the user's, and others."""

import asyncio
import importlib.util
import socket
import ssl
import tempfile
import unittest
from collections.abc import Callable
from typing import Any, ClassVar
from unittest import mock

import trustme
from tornado import web, websocket
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.tcpclient import TCPClient

from asynctest_tornado import AsyncHTTPSTestCase, AsyncTestCase, ExpectLog, HTTPTestServer
from asynctest_tornado._tls import bundled_certificate, tls_arguments
from tests.sources.test_request_handlers import setUpModule, tearDownModule
from tests.support import run_body

__all__ = ["setUpModule", "tearDownModule"]


class Handler(web.RequestHandler):
    def get(self) -> None:
        certificate = self.request.get_ssl_certificate()
        assert not isinstance(certificate, bytes)
        self.write({"subject": str((certificate or {}).get("subject"))})


class SocketHandler(websocket.WebSocketHandler):
    async def open(self, *args: str, **kwargs: str) -> None:
        await self.write_message("welcome")


def make_app() -> web.Application:
    return web.Application([("/", Handler), ("/socket", SocketHandler)], log_function=lambda handler: None)


class Authority:
    """An authority, and certificates of its own, as files."""

    def __init__(self, case: unittest.TestCase) -> None:
        folder = tempfile.TemporaryDirectory()
        case.addCleanup(folder.cleanup)
        authority = trustme.CA()
        self.path = f"{folder.name}/authority.pem"
        self.client = f"{folder.name}/client.pem"
        self.server = f"{folder.name}/server.pem"
        authority.cert_pem.write_to_path(self.path)
        authority.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(self.client)
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(self.server)


def watch_connections(case: unittest.TestCase) -> list[ssl.SSLContext]:
    """Return a list of the contexts that clients of Tornado connect with."""
    seen: list[ssl.SSLContext] = []
    connect = TCPClient.connect

    def watched(self: TCPClient, *args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["ssl_options"])
        return connect(self, *args, **kwargs)

    case.enterContext(mock.patch.object(TCPClient, "connect", watched))
    return seen


class Case(AsyncHTTPSTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    def setUp(self) -> None:
        self.authority = Authority(self)
        super().setUp()
        self.contexts = watch_connections(self)

    def assert_verified(self, fetch: Callable[[], HTTPResponse], has_name: bool = True) -> None:
        self.assertEqual(fetch().code, 200)
        context = self.contexts.pop()
        self.assertEqual((context.verify_mode, context.check_hostname), (ssl.CERT_REQUIRED, has_name))


class OwnCertificateTest(Case):
    """A server with the certificate of this library is verified."""

    def test_whatever_else_a_request_asks_for(self) -> None:
        client = {"client_cert": self.authority.client}
        arguments: tuple[dict[str, Any], ...] = (
            {},
            {"validate_cert": True},
            client,
            {**client, "client_key": self.authority.client},
            {**client, "validate_cert": True},
            {"client_key": self.authority.client},
            {"ca_certs": self.ca_certs},
            {"ca_certs": self.ca_certs, "validate_cert": True},
            {"ca_certs": self.authority.path},
        )
        for each in arguments:
            for fetch in self.fetch, self.fetch_by_client:
                with self.subTest(arguments=each, fetch=fetch):
                    self.assert_verified(lambda fetch=fetch, each=each: fetch("/", **each))  # type: ignore[misc]

    def fetch_by_client(self, path: str, **arguments: Any) -> HTTPResponse:
        return self.run_sync(self.http_client.fetch, self.get_url(path), **arguments)

    def test_unless_the_request_says_whom_to_trust(self) -> None:
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.fetch("/", validate_cert=True, ca_certs=self.authority.path)
        self.assertEqual(self.fetch("/", validate_cert=False).code, 200)
        self.assertEqual(self.contexts.pop().verify_mode, ssl.CERT_NONE)
        own = ssl.create_default_context(cafile=self.ca_certs)
        self.assertEqual(self.fetch("/", ssl_options=own).code, 200)
        self.assertIs(self.contexts.pop(), own)

    def test_under_another_name_but_for_that(self) -> None:
        resolver: Any = Resolver({"test.example": "127.0.0.1"})
        self.enterContext(mock.patch.object(self.http_client, "tcp_client", TCPClient(resolver=resolver)))
        url = f"https://test.example:{self.get_http_port()}/"
        self.assert_verified(lambda: self.fetch(url), has_name=False)

    def test_in_a_context_too(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(bundled_certificate.CERTIFICATE, bundled_certificate.KEY)
        self.http_server.ssl_options = context
        self.assert_verified(lambda: self.fetch("/"))
        # Up to TLS 1.2, the certificate of the client comes in the middle.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.authority.path)
        self.assert_verified(lambda: self.fetch("/", client_cert=self.authority.client))
        context.load_cert_chain(self.authority.server)
        self.assertEqual(self.fetch("/", client_cert=self.authority.client).code, 200)
        self.assertEqual(self.contexts.pop().verify_mode, ssl.CERT_NONE)

    def test_by_a_method_that_a_test_has_patched(self) -> None:
        def answer(client: AsyncHTTPClient, request: HTTPRequest, callback: Callable[[HTTPResponse], None]) -> None:
            callback(HTTPResponse(request, 299))

        with mock.patch.object(type(self.http_client), "fetch_impl", answer):
            self.assertEqual(self.fetch("/").code, 299)

    async def test_by_websockets(self) -> None:
        for arguments in {}, {"client_cert": self.authority.client}, {"validate_cert": True}:
            async with self.ws_connect("/socket", **arguments) as socket:
                self.assertEqual(await socket.read_message(), "welcome")
            self.assertEqual(self.contexts.pop().verify_mode, ssl.CERT_REQUIRED)

    def test_strangers_are_not_as_with_tornado(self) -> None:
        def fetch_from(options: dict[str, Any]) -> Any:
            async def fetch() -> int:
                async with HTTPTestServer(make_app(), ssl_options=options) as other:
                    return (await self.async_fetch(other.get_url("/"))).code

            return fetch

        self.assertEqual(self.run_sync(fetch_from({"certfile": self.authority.server})), 200)
        self.assertEqual(self.contexts.pop().verify_mode, ssl.CERT_NONE)


class Resolver:
    """Resolves names that this machine does not have."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    async def resolve(self, host: str, port: int, family: int = 0) -> Any:
        return [(2, (self._names[host], port))]

    def close(self) -> None: ...


class UnixSocketTest(Case):
    """A suite that listens on a Unix-domain socket."""

    def get_http_socket(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(f"{self.enterContext(tempfile.TemporaryDirectory())}/socket")
        sock.listen()
        sock.setblocking(False)
        return sock

    def test_it_is_verified(self) -> None:
        several: tuple[dict[str, Any], ...] = ({}, {"client_cert": self.authority.client}, {"validate_cert": True})
        for arguments in several:
            self.assert_verified(lambda arguments=arguments: self.fetch("/", **arguments))  # type: ignore[misc]


class MutualTest(Case):
    """The server of ours asks for certificates."""

    def get_ssl_options(self) -> dict[str, Any]:
        return {**self.default_ssl_options(), "cert_reqs": ssl.CERT_REQUIRED, "ca_certs": self.authority.path}

    def test_fetch_gives_one(self) -> None:
        pair: dict[str, Any] = {"client_cert": self.authority.client, "client_key": self.authority.client}
        for arguments in pair, {**pair, "validate_cert": True, "ca_certs": self.ca_certs}:
            self.assert_verified(lambda arguments=arguments: self.fetch("/", **arguments))  # type: ignore[misc]
            self.assertIn("trustme", self.fetch("/", **arguments).json()["subject"])

    async def test_a_websocket_gives_one(self) -> None:
        async with self.ws_connect("/socket", client_cert=self.authority.client) as socket:
            self.assertEqual(await socket.read_message(), "welcome")

    def test_without_one_the_server_refuses(self) -> None:
        with ExpectLog("tornado.general", "SSL Error.*DID_NOT_RETURN_A_CERTIFICATE"):
            for connect in lambda: self.fetch("/"), lambda: self.run_sync(self.ws_connect, "/socket"):
                with self.assertRaises((OSError, HTTPClientError)) as caught:
                    connect()
                self.assertIn("asks clients for a certificate. Give client_cert=", "".join(caught.exception.__notes__))


class CertificateOfTheUserTest(Case):
    """Nothing says whom to trust, but the request."""

    def get_ssl_options(self) -> dict[str, Any]:
        return {"certfile": self.authority.server}

    def test_it_is_not_verified(self) -> None:
        several: tuple[dict[str, Any], ...] = ({}, {"client_cert": self.authority.client})
        for arguments in several:
            self.assertEqual(self.fetch("/", **arguments).code, 200)
            self.assertEqual(self.contexts.pop().verify_mode, ssl.CERT_NONE)

    def test_unless_the_request_says_so(self) -> None:
        url = f"https://localhost:{self.get_http_port()}/"
        self.assert_verified(lambda: self.fetch(url, validate_cert=True, ca_certs=self.authority.path))
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.fetch(url, validate_cert=True)


class ServerOutsideOfCasesTest(unittest.IsolatedAsyncioTestCase):
    """The client of `HTTPTestServer` verifies all others as well."""

    def setUp(self) -> None:
        self.contexts = watch_connections(self)

    def assert_verified(self) -> None:
        context = self.contexts.pop()
        self.assertEqual((context.verify_mode, context.check_hostname), (ssl.CERT_REQUIRED, True))

    async def test_over_a_unix_domain_socket(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with HTTPTestServer(make_app(), https=True, unix_socket=f"{folder}/socket") as server:
                self.assertEqual((await server.fetch("/")).code, 200)
                self.assert_verified()
                self.assertEqual((await server.http_client.fetch(server.get_url("/"), validate_cert=True)).code, 200)
                self.assert_verified()
                async with server.ws_connect("/socket") as socket:
                    self.assertEqual(await socket.read_message(), "welcome")
                self.assert_verified()

    async def test_at_an_address_that_the_certificate_does_not_name(self) -> None:
        async with HTTPTestServer(make_app(), https=True, address="127.0.0.2") as server:
            self.assertEqual((await server.fetch("/")).code, 200)
            self.assertEqual(self.contexts.pop().verify_mode, ssl.CERT_REQUIRED)

    async def test_strangers_are_verified(self) -> None:
        options = {"certfile": Authority(self).server}
        async with (
            HTTPTestServer(make_app(), https=True) as server,
            HTTPTestServer(make_app(), ssl_options=options) as stranger,
        ):
            with self.assertRaises(ssl.SSLCertVerificationError):
                await server.fetch(stranger.get_url("/"))
            with self.assertRaises(ssl.SSLCertVerificationError):
                await server.http_client.fetch(stranger.get_url("/"))
            with self.assertRaises(ssl.SSLCertVerificationError):
                await server.ws_connect("wss" + stranger.get_url("/socket").removeprefix("https"))
            self.assertEqual((await server.fetch(stranger.get_url("/"), validate_cert=False)).code, 200)
            self.assertEqual((await stranger.fetch("/")).code, 200)

    async def test_another_server_of_ours_is_trusted(self) -> None:
        async with HTTPTestServer(make_app(), https=True) as one, HTTPTestServer(make_app(), https=True) as other:
            self.assertEqual((await one.fetch(other.get_url("/"))).code, 200)
            self.assert_verified()
            async with one.ws_connect("wss" + other.get_url("/socket").removeprefix("https")) as socket:
                self.assertEqual(await socket.read_message(), "welcome")
            self.assert_verified()

    async def test_also_by_a_client_with_a_certificate(self) -> None:
        authority = Authority(self)
        options = {**AsyncHTTPSTestCase.default_ssl_options(), "cert_reqs": ssl.CERT_REQUIRED}
        options["ca_certs"] = authority.path
        stranger = HTTPTestServer(make_app(), ssl_options={"certfile": authority.server})
        async with (
            HTTPTestServer(make_app(), https=True) as one,
            HTTPTestServer(make_app(), ssl_options=options) as other,
            stranger,
        ):
            response = await one.fetch(other.get_url("/"), client_cert=authority.client)
            self.assertIn("trustme", response.json()["subject"])
            self.assert_verified()
            with self.assertRaises(ssl.SSLCertVerificationError):
                await one.fetch(stranger.get_url("/"), client_cert=authority.client)

    async def test_a_request_may_say_whom_to_trust(self) -> None:
        authority = Authority(self)
        async with HTTPTestServer(make_app(), ssl_options={"certfile": authority.server}) as server:
            url = f"https://localhost:{server.port}/"
            self.assertEqual((await server.fetch(url, ca_certs=authority.path)).code, 200)
            self.assert_verified()


class ClientWithoutContexts(AsyncHTTPClient):
    """A client of another make, which like curl's takes the authorities to trust from files."""

    told: ClassVar[list[tuple[Any, ...]]] = []

    def fetch_impl(self, request: HTTPRequest, callback: Callable[[HTTPResponse], None]) -> None:
        self.told.append((request.validate_cert, request.ca_certs, request.client_cert, request.ssl_options))
        asyncio.get_running_loop().call_soon(callback, HTTPResponse(request, 200, HTTPHeaders()))


class PlaceOfOurs(tls_arguments.Place):
    @property
    def ssl_options(self) -> dict[str, Any]:
        return bundled_certificate.server_options()

    def may_be_own(self, url: str) -> bool:
        return ":1234" in url


class ClientOfAnotherMakeTest(unittest.TestCase):
    def told(self, trusts_strangers: bool, url: str, **arguments: Any) -> tuple[Any, ...]:
        async def test(case: AsyncTestCase) -> None:
            place = PlaceOfOurs()
            verifier = tls_arguments.Verifier(place, trusts_strangers)
            client = tls_arguments.make_client(verifier, trusts_strangers)
            case.addCleanup(client.close)
            await client.fetch(url, **arguments)

        before = AsyncHTTPClient.configured_class()
        AsyncHTTPClient.configure(ClientWithoutContexts)
        try:
            result = run_body(AsyncTestCase, test)
        finally:
            AsyncHTTPClient.configure(before)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        return ClientWithoutContexts.told.pop()

    def test_it_verifies_our_server(self) -> None:
        url = "https://localhost:1234/"
        for trusts in False, True:
            for arguments in {}, {"validate_cert": True}:
                self.assertEqual(self.told(trusts, url, **arguments), (True, bundled_certificate.AUTHORITY, None, None))
            self.assertEqual(
                self.told(trusts, url, client_cert="own"), (True, bundled_certificate.AUTHORITY, "own", None)
            )
            self.assertEqual(self.told(trusts, url, validate_cert=False)[0], False)

    def test_it_verifies_strangers_where_it_should(self) -> None:
        self.assertEqual(self.told(True, "https://localhost:5/")[:2], (False, None))
        is_verified, authorities, *_ = self.told(False, "https://localhost:5/")
        self.assertTrue(is_verified)
        self.assertNotEqual(authorities, bundled_certificate.AUTHORITY)
        self.assertEqual(self.told(False, "https://localhost:5/", ca_certs="own")[:2], (True, "own"))


@unittest.skipUnless(importlib.util.find_spec("pycurl"), "pycurl is not installed")
class CurlTest(AsyncHTTPSTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    def get_http_client(self) -> AsyncHTTPClient:
        before = AsyncHTTPClient.configured_class()
        AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient")
        self.addCleanup(AsyncHTTPClient.configure, before)
        return super().get_http_client()

    def test_it_verifies_our_server(self) -> None:
        for arguments in {}, {"validate_cert": True}, {"ca_certs": self.ca_certs, "validate_cert": True}:
            self.assertEqual(self.fetch("/", **arguments).code, 200)
        with self.assertRaisesRegex(HTTPClientError, "SSL"):
            self.fetch("/", ca_certs=Authority(self).path, validate_cert=True)

    def test_strangers_are_not_as_with_tornado(self) -> None:
        options = {"certfile": Authority(self).server}

        async def fetch() -> int:
            async with HTTPTestServer(make_app(), ssl_options=options) as other:
                return (await self.async_fetch(other.get_url("/"))).code

        self.assertEqual(self.run_sync(fetch), 200)
