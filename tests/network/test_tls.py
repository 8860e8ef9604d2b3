"""TLS in memory, spoken or not: each outcome is compared with that over sockets of the system."""

import asyncio
import contextlib
import functools
import socket
import ssl
import tempfile
import unittest
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, ClassVar
from unittest import mock

import aiohttp
import anyio
import trustme
from tornado.httpclient import AsyncHTTPClient
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from asynctest_tornado import (
    AsyncHTTPSTestCase,
    AsyncTestCase,
    ExpectLog,
    VirtualClock,
    VirtualNetwork,
    bind_unused_port,
)
from asynctest_tornado._network import tls_agreements
from asynctest_tornado._network.host_certificates import certificate_context
from asynctest_tornado._network.tls_socket import VirtualTLSSocket
from asynctest_tornado._network.virtual_socket import VirtualSocket
from tests.network import hosts
from tests.support import run_case

SpokenNetwork = functools.partial(VirtualNetwork, tls=True)
Factory = Callable[[], VirtualNetwork]
NETWORKS: dict[str, Factory | None] = {"memory": VirtualNetwork, "memory, spoken": SpokenNetwork, "system": None}
AUTHORITY = trustme.CA()


def server_context(*names: str, **options: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert(*(names or ("localhost",)), **options).configure_cert(context)
    return context


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def client_context_without_names() -> ssl.SSLContext:
    context = client_context()
    context.check_hostname = False
    return context


class Server(TCPServer):
    """Echoes one line, and records what it sees of its client."""

    def __init__(self, ssl_options: Any) -> None:
        super().__init__(ssl_options=ssl_options)
        self.facts: list[object] = []
        self.done = asyncio.Event()

    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        try:
            if isinstance(stream, SSLIOStream):
                await stream.wait_for_handshake()
                self.facts += facts_of(stream)
            await stream.write(await stream.read_until(b"\n"))
        except OSError as error:
            self.facts.append(repr(getattr(error, "real_error", error)))
        finally:
            stream.close()
            self.done.set()


def facts_of(stream: SSLIOStream) -> list[object]:
    sock = stream.socket
    cipher = sock.cipher()
    certificate = sock.getpeercert() or {}
    return [
        sock.version(),
        cipher and cipher[0],
        sock.selected_alpn_protocol(),
        certificate.get("subjectAltName"),
        bool(sock.getpeercert(binary_form=True)),
        sock.server_side,
        sock.server_hostname,
        isinstance(sock, ssl.SSLSocket),
        sock.pending(),
    ]


async def talk(
    server: Any, client: Any, server_hostname: str | None = "localhost", line: bytes = b"hello\n"
) -> list[object]:
    """Return the facts that a client and a server have about a connection.

    :param server: the ``ssl_options`` of the server, None if it speaks no TLS.
    :param client: these of the client, or "default".
    """
    facts: list[object] = []
    echo = Server(server)
    echo.listen(0, "127.0.0.1")
    port = next(iter(echo._sockets.values())).getsockname()[1]
    sock = socket.socket()
    options = {} if client == "default" else {"ssl_options": client}
    stream = IOStream(sock) if client is None else SSLIOStream(sock, **options)
    with ExpectLog("tornado", "SSL Error", required=False), contextlib.closing(stream):
        try:
            if isinstance(stream, SSLIOStream):
                await stream.connect(("127.0.0.1", port), server_hostname=server_hostname)
                facts += facts_of(stream)
            else:
                await stream.connect(("127.0.0.1", port))
            await stream.write(line)
            facts.append(len(await stream.read_until_close()))
        except OSError as error:
            error = getattr(error, "real_error", None) or error
            facts += [repr(error), getattr(error, "verify_code", None)]
        facts.append(repr(stream.error))
        stream.close()
        await echo.done.wait()
    echo.stop()
    return facts + echo.facts


Scenario = Callable[[], Awaitable[list[object]]]


class LikeTheSystemTest(unittest.TestCase):
    """Each conversation has the same outcome in memory, spoken or not, and over sockets of the system."""

    maxDiff = None

    def outcomes(self, scenario: Scenario) -> list[object]:
        outcomes = {}
        for name, factory in NETWORKS.items():

            class Sample(AsyncTestCase):
                network_factory = factory

                async def test(self, name: str = name) -> None:
                    outcomes[name] = await scenario()

            with self.subTest(name=name):
                self.assertEqual(run_case(Sample).report, "", name)
        expected = outcomes["system"]
        for name, outcome in outcomes.items():
            self.assertEqual(outcome, expected, name)
        return expected

    def check(self, expected: str, *args: Any, **kwargs: Any) -> None:
        text = repr(self.outcomes(lambda: talk(*args, **kwargs)))
        self.assertIn(expected, text)

    def test_a_client_that_trusts(self) -> None:
        self.check("'TLSv1.3'", server_context(), client_context())

    def test_more_bytes_than_a_record(self) -> None:
        line = bytes(300_000) + b"\n"
        self.check("300001", server_context(), client_context(), line=line)

    def test_an_older_version(self) -> None:
        client = client_context()
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        self.check("'TLSv1.2'", server_context(), client)

    def test_versions_that_do_not_meet(self) -> None:
        client, server = client_context(), server_context()
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        server.minimum_version = ssl.TLSVersion.TLSv1_3
        self.check("TLSV1_ALERT_PROTOCOL_VERSION", server, client)

    def test_a_client_that_cannot_begin(self) -> None:
        client = client_context()
        client.minimum_version, client.maximum_version = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2
        self.check("NO_PROTOCOLS_AVAILABLE", server_context(), client)

    def test_protocols_of_the_application(self) -> None:
        client, server = client_context(), server_context()
        client.set_alpn_protocols(["b", "a"])
        server.set_alpn_protocols(["a", "c"])
        self.check("'a'", server, client)

    def test_a_client_that_does_not_trust(self) -> None:
        self.check("unable to get local issuer certificate", server_context(), ssl.create_default_context())

    def test_a_client_that_does_not_verify(self) -> None:
        self.check("'TLSv1.3'", server_context(), {"cert_reqs": ssl.CERT_NONE})

    def test_another_name(self) -> None:
        self.check("Hostname mismatch", server_context("other.example"), client_context())
        self.check("IP address mismatch", server_context(), client_context(), "127.0.0.1")

    def test_a_name_that_is_not_checked(self) -> None:
        client = client_context()
        client.check_hostname = False
        self.check("'other.example'", server_context("other.example"), client)

    def test_a_certificate_that_has_expired(self) -> None:
        server = server_context(not_before=datetime(2000, 1, 1), not_after=datetime(2001, 1, 1))
        self.check("certificate has expired", server, client_context())

    def test_a_server_without_a_certificate(self) -> None:
        self.check("NO_SHARED_CIPHER", ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), client_context())

    def test_the_certificate_of_a_client(self) -> None:
        server, client = server_context(), client_context()
        server.verify_mode = ssl.CERT_REQUIRED
        AUTHORITY.configure_trust(server)
        self.check("PEER_DID_NOT_RETURN_A_CERTIFICATE", server, client)
        AUTHORITY.issue_cert("client.example").configure_cert(client)
        self.check("'client.example'", server, client)

    def test_a_context_that_changes(self) -> None:
        server, client = server_context(), client_context()
        self.check("'localhost'", server, client)
        AUTHORITY.issue_cert("other.example").configure_cert(server)
        self.check("Hostname mismatch", server, client)
        client.check_hostname = False
        self.check("'other.example'", server, client)

    def test_a_server_with_certificates_by_name(self) -> None:
        names: list[object] = []
        server, client = server_context(), client_context()
        other = server_context("other.example")

        def choose(sock: Any, name: str | None, context: ssl.SSLContext) -> None:
            names.append(name)
            sock.context = other

        server.sni_callback = choose
        self.check("'other.example'", server, client, "other.example")
        self.check("'other.example'", server, client, "other.example")
        self.assertEqual(names, ["other.example"] * 6)

    def test_a_client_that_speaks_no_tls(self) -> None:
        for line in b"GET / HTTP/1.1\r\n\r\n", b"\n", b"hello\n", b"\x16\x03\n", b"\x16\x03\1\0\1\n":
            with self.subTest(line=line):
                self.outcomes(lambda line=line: closing_talk(line))  # type: ignore[misc]

    def test_a_server_that_speaks_no_tls(self) -> None:
        self.check("SSL", None, client_context())

    def test_a_stream_that_begins_tls_later(self) -> None:
        async def scenario() -> list[object]:
            facts: list[object] = []

            class StartTls(TCPServer):
                async def handle_stream(self, stream: IOStream, address: Any) -> None:
                    await stream.read_until(b"STARTTLS\n")
                    await stream.write(b"go on\n")
                    secure = await stream.start_tls(True, server_context())
                    facts.extend(facts_of(secure))
                    await secure.write(await secure.read_until(b"\n"))
                    secure.close()

            server = StartTls()
            server.listen(0, "127.0.0.1")
            stream = IOStream(socket.socket())
            await stream.connect(("127.0.0.1", next(iter(server._sockets.values())).getsockname()[1]))
            await stream.write(b"STARTTLS\n")
            await stream.read_until(b"\n")
            secure = await stream.start_tls(False, client_context(), "localhost")
            facts += facts_of(secure)
            await secure.write(b"hello\n")
            facts.append(await secure.read_until_close())
            server.stop()
            return facts

        self.assertIn("b'hello\\n'", repr(self.outcomes(scenario)))

    def test_clients_and_servers_of_asyncio(self) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()

        async def with_asyncio(server_is_asyncio: bool, client_is_asyncio: bool) -> list[object]:
            server: Any
            if server_is_asyncio:
                server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context())
                port = server.sockets[0].getsockname()[1]
            else:
                server = Server(server_context())
                server.listen(0, "127.0.0.1")
                port = next(iter(server._sockets.values())).getsockname()[1]
            context = client_context()
            if client_is_asyncio:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port, ssl=context, server_hostname="localhost"
                )
                writer.write(b"hello\n")
                answer = await reader.read()
                writer.close()
                await writer.wait_closed()
            else:
                stream = SSLIOStream(socket.socket(), ssl_options=context)
                await stream.connect(("127.0.0.1", port), server_hostname="localhost")
                await stream.write(b"hello\n")
                answer = await stream.read_until_close()
            if server_is_asyncio:
                server.close()
            else:
                server.stop()
            return [answer]

        for ends in (True, True), (True, False), (False, True):
            with self.subTest(ends=ends):
                self.assertEqual(self.outcomes(lambda ends=ends: with_asyncio(*ends)), [b"hello\n"])  # type: ignore[misc]

    def test_asyncio_begins_tls_later(self) -> None:
        async def scenario() -> list[object]:
            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readline()
                writer.write(b"go on\n")
                await writer.start_tls(server_context())
                writer.write(await reader.readline())
                await writer.drain()
                writer.close()

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            stream = IOStream(socket.socket())
            await stream.connect(("127.0.0.1", port))
            await stream.write(b"STARTTLS\n")
            await stream.read_until(b"\n")
            secure = await stream.start_tls(False, client_context(), "localhost")
            await secure.write(b"hello\n")
            answer = await secure.read_until_close()
            server.close()
            return [answer]

        self.assertEqual(self.outcomes(scenario), [b"hello\n"])


async def closing_talk(line: bytes) -> list[object]:
    """Send a line without TLS to a server that speaks TLS, and end the stream."""
    echo = Server(server_context())
    echo.listen(0, "127.0.0.1")
    stream = IOStream(socket.socket())
    await stream.connect(("127.0.0.1", next(iter(echo._sockets.values())).getsockname()[1]))
    with ExpectLog("tornado", "SSL Error", required=False):
        await stream.write(line)
        stream.socket.shutdown(socket.SHUT_WR)
        await echo.done.wait()
    echo.stop()
    stream.close()
    return echo.facts


class Hello(RequestHandler):
    def get(self) -> None:
        certificate = self.request.get_ssl_certificate()
        subject = certificate["subject"] if isinstance(certificate, dict) and certificate else None
        self.write({"protocol": self.request.protocol, "client": subject})

    def post(self) -> None:
        self.write(str(len(self.request.body)))


class Echo(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message)


class HttpsTest(AsyncHTTPSTestCase):
    network_factory: ClassVar[Factory | None] = VirtualNetwork
    leaks = "fail"

    def get_app(self) -> Application:
        return Application([("/", Hello), ("/echo", Echo)])

    async def test_websocket(self) -> None:
        async with self.ws_connect("/echo") as websocket:
            await websocket.write_message("a")
            self.assertEqual(await websocket.read_message(), "a")

    def test_fetch(self) -> None:
        for _ in range(3):
            self.assertEqual(self.fetch("/").json(), {"protocol": "https", "client": None})

    def test_a_large_body(self) -> None:
        self.assertEqual(self.fetch("/", method="POST", body=bytes(3_000_000)).body, b"3000000")

    async def test_clients_that_trust_or_do_not(self) -> None:
        client, url = AsyncHTTPClient(), self.get_url("/")
        self.assertEqual((await client.fetch(url, ca_certs=self.ca_certs)).code, 200)
        self.assertEqual((await client.fetch(url, validate_cert=False)).code, 200)
        with ExpectLog("tornado.general", "SSL Error"), self.assertRaises(ssl.SSLCertVerificationError) as caught:
            await client.fetch(url)
        self.assertEqual(caught.exception.verify_code, 20)

    async def test_clients_of_others(self) -> None:
        context = ssl.create_default_context(cafile=self.ca_certs)
        async with await anyio.connect_tcp(
            "localhost", self.get_http_port(), ssl_context=context, tls_standard_compatible=False
        ) as stream:
            await stream.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b"https", await stream.receive())  # httpx uses this
        async with aiohttp.ClientSession() as session, session.get(self.get_url("/"), ssl=context) as response:
            self.assertEqual((await response.json())["protocol"], "https")

    async def test_http_to_https(self) -> None:
        with ExpectLog("tornado.general", "SSL Error"), self.assertRaises((StreamClosedError, ConnectionResetError)):
            await AsyncHTTPClient().fetch(self.get_url("/").replace("https", "http"))


class SpokenHttpsTest(HttpsTest):
    network_factory = staticmethod(SpokenNetwork)


class ClientCertificateTest(AsyncHTTPSTestCase):
    network_factory = VirtualNetwork

    def get_app(self) -> Application:
        return Application([("/", Hello)])

    def get_ssl_options(self) -> dict[str, Any]:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.paths: dict[str, Any] = {"client_cert": f"{folder}/client.crt", "client_key": f"{folder}/client.key"}
        certificate = AUTHORITY.issue_cert("client.example", common_name="client")
        certificate.cert_chain_pems[0].write_to_path(self.paths["client_cert"])
        certificate.private_key_pem.write_to_path(self.paths["client_key"])
        AUTHORITY.cert_pem.write_to_path(f"{folder}/ca.crt")
        return {**self.default_ssl_options(), "cert_reqs": ssl.CERT_REQUIRED, "ca_certs": f"{folder}/ca.crt"}

    def test_the_certificate_of_the_client(self) -> None:
        self.assertIn(["commonName", "client"], self.fetch("/", **self.paths).json()["client"][-1])

    def test_without_one(self) -> None:
        with ExpectLog("tornado.general", "SSL Error"), self.assertRaises(OSError) as caught:
            self.fetch("/", raise_error=True)
        self.assertIn("The server asks clients for a certificate", str(caught.exception.__notes__))


class UnspokenTest(AsyncTestCase):
    network_factory = VirtualNetwork

    async def pair(self, server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[SSLIOStream, SSLIOStream]:
        accepted: asyncio.Future[SSLIOStream] = asyncio.Future()

        class Accepting(TCPServer):
            def handle_stream(self, stream: Any, address: Any) -> None:
                accepted.set_result(stream)

        echo = Accepting(ssl_options=server)
        echo.listen(0, "127.0.0.1")
        stream = SSLIOStream(socket.socket(), ssl_options=client)
        self.addCleanup(stream.close)
        address = next(iter(echo._sockets.values())).getsockname()
        await stream.connect(address, server_hostname="localhost")
        self.addCleanup((await accepted).close)
        echo.stop()
        return stream, await accepted

    async def test_the_bytes_are_sent_as_they_are(self) -> None:
        client, server = await self.pair(server_context(), client_context())
        await client.write(b"hello")
        self.assertIsInstance(server.socket, VirtualTLSSocket)
        self.assertIn(b"hello", bytes(server.socket.incoming.data))  # type: ignore[attr-defined]
        self.assertEqual(await server.read_bytes(5), b"hello")

    async def test_a_socket_that_other_code_has_wrapped(self) -> None:
        sock, port = bind_unused_port()
        context = server_context()
        connecting = TCPClient().connect("127.0.0.1", port, ssl_options=client_context_without_names())
        client = asyncio.ensure_future(connecting)
        while not sock.backlog:  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        connection, _ = sock.accept()
        with self.assertRaisesRegex(ValueError, "does not block"):
            context.wrap_socket(connection, server_side=True)
        server = SSLIOStream(context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False))
        await server.wait_for_handshake()
        await server.write(b"hello")
        self.assertEqual(await (await client).read_bytes(5), b"hello")
        for each in sock, server, await client:
            each.close()

    async def test_two_contexts_shake_hands_once(self) -> None:
        server, client = server_context(), client_context()
        tls_agreements.forget()
        for _ in range(3):
            await self.pair(server, client)
        self.assertEqual(tls_agreements._agree.cache_info()[:2], (2, 1))

    async def test_a_socket_that_is_dropped_in_its_handshake_is_closed(self) -> None:
        listener, _ = bind_unused_port()
        for context in server_context(), client_context():
            other = VirtualSocket(self.network)
            other.connect_ex(listener.getsockname())
            end, _ = listener.accept()
            is_server = context.protocol is ssl.PROTOCOL_TLS_SERVER
            wrapped = context.wrap_socket(
                end,
                server_side=is_server,
                server_hostname=None if is_server else "localhost",
                do_handshake_on_connect=False,
            )
            with self.assertRaises(ssl.SSLWantReadError):
                wrapped.do_handshake()
            del end, wrapped
            self.assertEqual(bool(other.recv(9999)), not is_server)
            self.assertEqual(other.recv(9999), b"")
        listener.close()

    async def test_it_cannot_be_ended(self) -> None:
        client, _ = await self.pair(server_context(), client_context())
        with self.assertRaisesRegex(NotImplementedError, "tls=True"):
            client.socket.unwrap()

    async def test_a_server_may_speak_it(self) -> None:
        self.network.tls = True
        client, server = await self.pair(server_context(), client_context())
        await client.write(b"hello")
        self.assertNotIn(b"hello", bytes(server.socket.incoming.data))  # type: ignore[attr-defined]
        self.assertEqual(await server.read_bytes(5), b"hello")


class CertificateTest(AsyncTestCase):
    """Certificates for hosts, which clients trust as they trust those of public authorities."""

    network_factory: ClassVar[Factory | None] = VirtualNetwork

    async def talk(self, ssl_options: Any = None, name: str = "payments.example", **options: Any) -> list[object]:
        context = certificate_context(self.network, "payments.example", **options)
        return await talk(context, ssl_options or ssl.create_default_context(), name)

    async def test_it_is_trusted(self) -> None:
        self.assertIn((("DNS", "payments.example"),), await self.talk())
        self.assertIn((("DNS", "payments.example"),), await self.talk(name="PAYMENTS.example"))

    async def test_a_name_with_other_letters(self) -> None:
        context = certificate_context(self.network, "Bücher.example")
        for name in "bücher.example", "xn--bcher-kva.example":
            self.assertIn("TLSv1.3", await talk(context, "default", name))

    async def test_a_client_of_asyncio(self) -> None:
        context = certificate_context(self.network, "payments.example")
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=True, server_hostname="payments.example")
        self.assertEqual(await reader.read(), b"")
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    async def test_the_client_of_an_application(self) -> None:
        self.assertIn((("DNS", "payments.example"),), await self.talk("default"))

    async def test_it_is_refused(self) -> None:
        for certificate, code in ("untrusted", 20), ("expired", 10):
            self.assertIn(code, await self.talk(certificate=certificate))
            client = ssl.create_default_context()
            client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
            self.assertIn("TLSv1.3", await self.talk(client, certificate=certificate))

    async def test_its_names(self) -> None:
        self.assertIn(62, await self.talk(certificate_names=("*.other.example", "127.0.0.1")))
        self.assertIn("TLSv1.3", await self.talk(certificate_names=("other.example", "payments.example")))
        self.assertIn("TLSv1.3", await self.talk(certificate_names=("PAYMENTS.example",)))

    async def test_a_client_with_an_authority_of_its_own_does_not_trust_it(self) -> None:
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with mock.patch("asynctest_tornado._network.trust._public_authorities", return_value=2):
            self.assertIn(20, await self.talk(client))
            AUTHORITY.configure_trust(client)
            self.assertIn(20, await self.talk(client))
        with mock.patch("asynctest_tornado._network.trust._public_authorities", return_value=0):
            self.assertIn("TLSv1.3", await self.talk(client))

    async def test_an_unknown_one(self) -> None:
        with self.assertRaisesRegex(ValueError, "certificate cannot be 'selfsigned'. It is one of 'trusted', 'untr"):
            certificate_context(self.network, "payments.example", "selfsigned")  # type: ignore[arg-type]
        with self.assertRaisesRegex(TypeError, r"cannot be 'a.example'. Give a list: \['a.example'\]."):
            certificate_context(self.network, "payments.example", certificate_names="a.example")

    async def test_sockets_of_the_system(self) -> None:
        server, client = socket.socketpair()
        context = certificate_context(self.network, "payments.example")
        one = IOStream(server).start_tls(True, context)
        other = IOStream(client).start_tls(False, ssl.create_default_context(), "payments.example")
        for stream in await one, await other:
            self.assertIsInstance(stream.socket, ssl.SSLSocket)
            stream.close()


class SpokenCertificateTest(CertificateTest):
    network_factory = staticmethod(SpokenNetwork)


class Greeter(TCPServer):
    """Speaks first."""

    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        await stream.write(b"welcome\n")
        stream.close()


class FaultsTest(AsyncTestCase):
    """Faults are for the bytes after the handshake: tests/network/test_faults.py has those of HTTPS."""

    network_factory: ClassVar[Factory | None] = VirtualNetwork
    clock_factory = VirtualClock

    async def test_the_first_bytes_of_a_server(self) -> None:
        context = certificate_context(self.network, "mail.example")
        hosts.serve(self, Greeter(ssl_options=context), 465).latency = 5
        stream = SSLIOStream(socket.socket())
        await stream.connect((hosts.ADDRESS, 465), server_hostname="mail.example")
        self.assertEqual(self.clock.time(), 0)
        self.assertEqual(await stream.read_until_close(), b"welcome\n")
        self.assertEqual(self.clock.time(), 5)

    async def test_a_client_of_asyncio(self) -> None:
        context = certificate_context(self.network, "mail.example")
        hosts.serve(self, Greeter(ssl_options=context), 465).latency = 5
        reader, writer = await asyncio.open_connection(hosts.ADDRESS, 465, ssl=True, server_hostname="mail.example")
        self.assertEqual((self.clock.time(), await reader.read(), self.clock.time()), (0, b"welcome\n", 5))
        writer.close()
        await writer.wait_closed()


class SpokenFaultsTest(FaultsTest):
    network_factory = staticmethod(SpokenNetwork)
