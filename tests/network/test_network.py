"""The network of a test: clients of all kinds find its hosts, and nothing else changes."""

# Also tests asynctest_tornado/_network/named_hosts.py.

import asyncio
import contextlib
import socket
import ssl
import unittest
from typing import Any
from unittest import mock

import aiohttp
import anyio
from tornado import netutil, web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import OverrideResolver, Resolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.tcpclient import TCPClient
from tornado.websocket import WebSocketHandler, websocket_connect

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ServedHost, VirtualClock, VirtualNetwork
from asynctest_tornado._loop.connections import ConnectingLoop
from asynctest_tornado._network import hosts_of_test
from tests.support import open_files, run_body, run_case


class Hello(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(float(self.get_query_argument("seconds", "0")))
        self.write(self.request.host)


def make_stub() -> web.Application:
    return web.Application([("/", Hello)], log_function=lambda handler: None)


class Chat(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message)


class Checkout(web.RequestHandler):
    async def get(self) -> None:
        response = await AsyncHTTPClient().fetch("http://payments.example/")
        self.write(response.body)


async def serve_line(stream: IOStream, address: Any) -> None:
    await stream.write(await stream.read_until(b"\n"))
    stream.close()


class ApplicationTest(AsyncHTTPTestCase):
    """The application under test finds the hosts, wherever the test serves them."""

    leaks = "fail"
    payments: ServedHost

    def get_app(self) -> web.Application:
        return web.Application([("/checkout", Checkout)], log_function=lambda handler: None)

    async def test_served_in_the_test(self) -> None:
        self.payments = self.network.serve("http://payments.example", make_stub())
        self.assertEqual((await self.fetch("/checkout")).body, b"payments.example")
        self.assertEqual([request.path for request in self.payments.requests], ["/"])

    def test_served_in_a_synchronous_test(self) -> None:
        self.network.serve("http://payments.example", make_stub())
        self.assertEqual(self.fetch("/checkout").body, b"payments.example")

    async def test_other_names_resolve_as_ever(self) -> None:
        self.network.serve("http://payments.example", make_stub())
        port = self.get_http_port()
        response = await AsyncHTTPClient().fetch(f"http://localhost:{port}/checkout")
        self.assertEqual(response.code, 200)
        with mock.patch.object(socket, "getaddrinfo", side_effect=socket.gaierror(-2, "unknown")) as look_up:
            with self.assertRaises(socket.gaierror):
                await AsyncHTTPClient().fetch("http://other.example/")
            self.assertEqual(look_up.call_args.args[0], "other.example")


class ApplicationInMemoryTest(ApplicationTest):
    network_factory = VirtualNetwork

    async def test_other_names_resolve_as_ever(self) -> None:
        """They do not, in memory: see `UnknownHostsTest`."""


class MisspelledNameTest(AsyncTestCase):
    def test_the_report_names_the_hosts(self) -> None:
        async def body(self: Any) -> None:
            with mock.patch.object(ConnectingLoop, "look_up", side_effect=socket.gaierror(-2, "not known")):
                await AsyncHTTPClient().fetch("http://paymnets.example/")

        def set_up(self: Any) -> None:
            AsyncTestCase.setUp(self)
            self.network.serve("http://payments.example", make_stub())

        case = type("Misspells", (AsyncTestCase,), {"test": body, "setUp": set_up})
        self.assertIn(
            "paymnets.example:80 is no host of this test, which serves http://payments.example. Did you mean "
            "payments.example? Serve it by network.serve(), as in network.serve('http://paymnets.example', app).\n",
            run_case(case).report,
        )
        self.assertNotIn("is no host", run_body(AsyncTestCase, body).report)


class SharedLoopTest(AsyncTestCase):
    """A host belongs to its test, also if the tests of a class share their loop."""

    loop_scope = "class"

    async def serve(self) -> None:
        self.network.serve("http://payments.example", make_stub())
        response = await AsyncHTTPClient().fetch("http://payments.example/")
        self.assertEqual(response.body, b"payments.example")

    test_first = test_second = serve


class SharedLoopInMemoryTest(SharedLoopTest):
    network_factory = VirtualNetwork


class ClientsTest(AsyncTestCase):
    leaks = "fail"

    def setUp(self) -> None:
        super().setUp()
        self.network.serve("http://payments.example", make_stub())
        self.network.serve("tcp://cache.example:6379", serve_line)

    async def test_any_client_of_tornado(self) -> None:
        mapped = SimpleAsyncHTTPClient(force_instance=True, hostname_mapping={"pay": "payments.example"})
        resolving = SimpleAsyncHTTPClient(
            force_instance=True, resolver=OverrideResolver(resolver=Resolver(), mapping={})
        )
        for client, name in ((mapped, "pay"), (resolving, "payments.example")):
            response = await client.fetch(f"http://{name}/")
            self.assertEqual(response.body.decode(), name)
            client.close()

    async def test_resolvers_that_do_not_ask_the_loop(self) -> None:
        for cls in (netutil.DefaultExecutorResolver, netutil.BlockingResolver):
            for name, expected in (("Payments.Example", ("198.18.0.2", 80)), ("127.0.0.1", ("127.0.0.1", 80))):
                found = await cls().resolve(name, 80)
                self.assertEqual([tuple(address) for _, address in found], [expected])

    async def test_streams(self) -> None:
        stream = await TCPClient().connect("cache.example", 6379)
        await stream.write(b"1\n")
        self.assertEqual(await stream.read_until_close(), b"1\n")
        direct = IOStream(socket.socket())
        await direct.connect(("cache.example", 6379))
        await direct.write(b"2\n")
        self.assertEqual(await direct.read_until_close(), b"2\n")

    async def test_connections_of_asyncio(self) -> None:
        reader, writer = await asyncio.open_connection("cache.example", 6379)
        writer.write(b"1\n")
        self.assertEqual(await reader.read(), b"1\n")
        writer.close()
        await writer.wait_closed()

    async def test_sockets_that_a_client_makes_by_itself(self) -> None:
        loop = asyncio.get_running_loop()
        ((family, kind, proto, _, address),) = await loop.getaddrinfo(
            "cache.example", "6379", type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        with socket.socket(family, kind, proto) as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
            await loop.sock_sendall(sock, b"1\n")
            self.assertEqual(await loop.sock_recv(sock, 9), b"1\n")

    async def test_names_have_addresses_of_ipv4(self) -> None:
        loop = asyncio.get_running_loop()
        with self.assertRaises(socket.gaierror):
            await loop.getaddrinfo("cache.example", 6379, family=socket.AF_INET6)

    async def test_numeric_addresses(self) -> None:
        for name in ("10.0.0.7", "[2001:db8::7]"):
            self.network.serve(f"http://{name}:8080", make_stub())
            response = await AsyncHTTPClient().fetch(f"http://{name}:8080/")
            self.assertEqual(response.body.decode(), f"{name}:8080")

    async def test_a_port_without_a_host_refuses(self) -> None:
        with self.assertRaisesRegex(ConnectionRefusedError, "nothing at port 81"):
            await asyncio.open_connection("payments.example", 81)
        with self.assertRaisesRegex(ConnectionRefusedError, "nothing at port 81"):
            await AsyncHTTPClient().fetch("http://payments.example:81/")
        stream = IOStream(socket.socket())
        with self.assertRaises(StreamClosedError):
            await stream.connect(("payments.example", 81))
        self.assertTrue(stream.closed())

    async def test_a_stopped_host_refuses(self) -> None:
        self.network.serve("tcp://queue.example:5672", serve_line).stop()
        with self.assertRaisesRegex(ConnectionRefusedError, r"queue.example:5672 .* stop\(\) of the host was called"):
            await asyncio.open_connection("queue.example", 5672)

    async def test_a_secure_host(self) -> None:
        for is_spoken in (False, True):
            host = self.network.serve(f"https://{is_spoken}.example", make_stub(), tls=is_spoken)
            response = await AsyncHTTPClient().fetch(f"https://{is_spoken}.example/")
            self.assertEqual(response.code, 200)
            self.assertEqual([request.protocol for request in host.requests], ["https"])

    async def test_a_secure_websocket(self) -> None:
        self.network.serve("wss://chat.example", web.Application([("/", Chat)], log_function=lambda handler: None))
        socket = await websocket_connect("wss://chat.example/")
        await socket.write_message("hello")
        self.assertEqual(await socket.read_message(), "hello")
        socket.close()
        self.assertIsNone(await socket.read_message())

    async def test_a_secure_host_for_asyncio(self) -> None:
        self.network.serve("https://secure.example", make_stub())
        reader, writer = await asyncio.open_connection("secure.example", 443, ssl=ssl.create_default_context())
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        self.assertTrue((await reader.read()).startswith(b"HTTP/1.1 200 OK"))
        writer.close()
        await writer.wait_closed()

    async def test_the_client_of_aiohttp(self) -> None:
        self.network.serve("https://secure.example", make_stub())
        async with aiohttp.ClientSession() as session:
            for url in ("http://payments.example/", "https://secure.example/"):
                async with session.get(url) as response:
                    self.assertEqual((response.status, f"//{await response.text()}/"), (200, url.partition(":")[2]))

    async def test_connections_of_anyio(self) -> None:
        self.network.serve("https://secure.example", make_stub())
        plain = await anyio.connect_tcp("payments.example", 80)
        secure = await anyio.connect_tcp("secure.example", 443, tls=True, tls_standard_compatible=False)
        for stream in (plain, secure):
            await stream.send(b"GET / HTTP/1.0\r\n\r\n")
            self.assertTrue((await stream.receive()).startswith(b"HTTP/1.1 200 OK"))
            await stream.aclose()

    async def test_the_certificate_of_a_host_is_checked(self) -> None:
        self.network.serve("https://old.example", make_stub(), certificate="expired")
        self.network.serve("https://own.example", make_stub(), certificate="untrusted")
        self.network.serve("https://other.example", make_stub(), certificate_names=["another.example"])
        for name, reason in (("old", "expired"), ("own", "unable to get local issuer"), ("other", "Hostname mismatch")):
            with self.assertLogs("tornado.general"), self.assertRaisesRegex(ssl.SSLError, reason):
                await AsyncHTTPClient().fetch(f"https://{name}.example/")
        with self.assertRaisesRegex(ValueError, "certificate cannot be 'good'"):
            self.network.serve("https://bad.example", make_stub(), certificate="good")  # type: ignore[arg-type]

    async def test_only_a_secure_host_has_a_certificate(self) -> None:
        with self.assertRaisesRegex(ValueError, "with arguments about TLS, .* Write 'https://x.example', or leave tls"):
            self.network.serve("http://x.example", make_stub(), certificate="expired")

    async def test_a_name_of_a_network_in_memory_says_so(self) -> None:
        with self.assertRaisesRegex(AttributeError, "network.tls is not there: .* Set network_factory = Virt"):
            print(self.network.tls)

    async def test_what_is_allowed_is_checked(self) -> None:
        self.network.allow("db.internal:5432")
        with self.assertRaises(ValueError):
            self.network.allow("http://db.internal")


class ClientsInMemoryTest(ClientsTest):
    network_factory = VirtualNetwork

    async def test_a_name_of_a_network_in_memory_says_so(self) -> None:
        with self.assertRaisesRegex(AttributeError, "'VirtualNetwork' object has no attribute 'nothing'"):
            print(self.network.nothing)  # type: ignore[attr-defined]


class UnknownHostsTest(AsyncTestCase):
    """In memory, no connection leaves a test that serves hosts, unless the test allows it."""

    network_factory = VirtualNetwork

    def setUp(self) -> None:
        super().setUp()
        self.network.serve("http://payments.example", make_stub())

    async def test_an_unknown_name_is_an_error_at_once_that_says_how_to_serve_it(self) -> None:
        message = (
            "other.example:80 is no host of this test, which serves http://payments.example. Serve it by "
            r"network.serve\(\), as in network.serve\('http://other.example', app\), or let connections to it out by "
            r"network.allow\('other.example:80'\)"
        )
        with self.assertRaisesRegex(socket.gaierror, message):
            await AsyncHTTPClient().fetch("http://other.example/")
        with self.assertRaisesRegex(socket.gaierror, message):
            await asyncio.open_connection("other.example", 80)
        with self.assertRaisesRegex(socket.gaierror, message):
            await netutil.BlockingResolver().resolve("other.example", 80)

    async def test_the_error_advises_the_scheme_of_the_port(self) -> None:
        with self.assertRaisesRegex(socket.gaierror, r"network.serve\('https://other.example', app\)"):
            await AsyncHTTPClient().fetch("https://other.example/")
        with self.assertRaisesRegex(socket.gaierror, r"network.serve\('http://other.example:8080', app\)"):
            await AsyncHTTPClient().fetch("http://other.example:8080/")

    async def test_so_is_a_numeric_address(self) -> None:
        message = r"10.0.0.7:80 is no host of this test, .* network.allow\('10.0.0.7:80'\)"
        with self.assertRaisesRegex(socket.gaierror, message):
            await AsyncHTTPClient().fetch("http://10.0.0.7/")
        with self.assertRaisesRegex(socket.gaierror, message):
            await asyncio.open_connection("10.0.0.7", 80)
        with self.assertRaisesRegex(socket.gaierror, r"'http://\[2001:db8::7\]'.*allow\('\[2001:db8::7\]:80'\)"):
            await asyncio.open_connection("2001:db8::7", 80)

    async def test_an_allowed_name_is_looked_up(self) -> None:
        self.network.allow("other.example:80")
        with mock.patch.object(ConnectingLoop, "look_up", side_effect=socket.gaierror(-2, "none")) as look_up:
            with self.assertRaisesRegex(socket.gaierror, "none"):
                await asyncio.open_connection("other.example", 80)
            self.assertEqual(look_up.call_args.args[0], "other.example")
            with self.assertRaisesRegex(socket.gaierror, "other.example:81 is no host"):
                await netutil.BlockingResolver().resolve("other.example", 81)

    async def test_this_computer_is_known(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port = sock.getsockname()[1]
            for name in ("127.0.0.1", "localhost"):
                _, writer = await asyncio.open_connection(name, port, family=socket.AF_INET)
                writer.close()
                await writer.wait_closed()

    def test_the_report_of_the_test_has_it(self) -> None:
        class Hides(AsyncTestCase):
            network_factory = VirtualNetwork

            async def test(self) -> None:
                self.network.serve("http://payments.example", make_stub())
                with contextlib.suppress(OSError):
                    await AsyncHTTPClient().fetch("http://other.example/")
                self.fail("own")

            async def test_shown(self) -> None:
                self.network.serve("http://payments.example", make_stub())
                await AsyncHTTPClient().fetch("http://other.example/")

        for method in ("test", "test_shown"):
            self.assertEqual(run_case(Hides, method).report.count("other.example:80 is no host of this test"), 1)

    def test_the_report_has_a_port_that_is_not_served(self) -> None:
        url = "http://payments.example"

        async def hides(self: Any) -> None:
            self.network.serve(url, make_stub())
            with contextlib.suppress(OSError):
                await AsyncHTTPClient().fetch("https://payments.example/")
            with contextlib.suppress(OSError):
                await AsyncHTTPClient().fetch("http://payments.example:81/")
            self.fail("own")

        async def shows(self: Any) -> None:
            self.network.serve(url, make_stub())
            await AsyncHTTPClient().fetch("https://payments.example/")

        for factory in (VirtualNetwork, None):
            base = type("Base", (AsyncTestCase,), {"network_factory": factory})
            report = run_body(base, hides).report
            why = f"refuses the connection: the test serves {url}, and nothing at port"
            self.assertIn(
                f"payments.example:443 {why} 443. Serve it by network.serve() as well, or was https meant in "
                "network.serve()?\n",
                report,
            )
            self.assertIn(f"payments.example:81 {why} 81. Serve it by network.serve() as well.\n", report)
            self.assertEqual(run_body(base, shows).report.count("payments.example:443 refuses the connection"), 1)

    def test_the_report_of_a_test_that_serves_no_host_says_so(self) -> None:
        async def body(self: Any) -> None:
            with mock.patch.object(ConnectingLoop, "look_up", side_effect=socket.gaierror(-2, "not known")):
                await AsyncHTTPClient().fetch("http://payments.example/")

        base = type("Base", (AsyncTestCase,), {"network_factory": VirtualNetwork})
        report = run_body(base, body).report
        self.assertIn(
            "payments.example:80 is no host of this test, which serves no host. Serve it by network.serve(), as in "
            "network.serve('http://payments.example', app).\n",
            report,
        )

    def test_a_network_without_a_test_serves_nothing(self) -> None:
        with self.assertRaisesRegex(RuntimeError, r"network.serve\(\) was called, and no test runs on this network"):
            VirtualNetwork().serve("http://payments.example", make_stub())


class TimeTest(AsyncTestCase):
    clock_factory = VirtualClock

    async def test_a_slow_host_takes_virtual_time(self) -> None:
        self.network.serve("http://payments.example", make_stub())
        response = await AsyncHTTPClient().fetch("http://payments.example/?seconds=15")
        self.assertEqual((response.code, self.clock.time()), (200, 15))
        with self.assertRaisesRegex(HTTPClientError, "Timeout"):
            await AsyncHTTPClient().fetch("http://payments.example/?seconds=40")
        self.assertEqual(self.clock.time(), 35)


class TimeInMemoryTest(TimeTest):
    network_factory = VirtualNetwork


class EndTest(unittest.TestCase):
    def test_nothing_is_left_after_the_test(self) -> None:
        async def serve(self: Any) -> None:
            self.network.serve("http://payments.example", make_stub())
            self.pending = asyncio.ensure_future(AsyncHTTPClient().fetch("http://payments.example/?seconds=60"))
            await asyncio.sleep(0)

        before = open_files()
        for base in (AsyncTestCase, type("Ignores", (AsyncTestCase,), {"leaks": "ignore"})):
            run_body(base, serve)
            self.assertEqual(open_files(), before)

    def test_a_test_that_does_not_ask_has_no_network(self) -> None:
        found: list[object] = []

        async def body(self: Any) -> None:
            found.append(hosts_of_test.known(self._asynctest.harness.trap))
            found.append(self.network)
            found.append(hosts_of_test.known(self._asynctest.harness.trap))

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])
        self.assertIsNone(found[0])
        known: Any = found[2]
        self.assertIs(found[1], known.backend)

    def test_serving_after_the_end_is_an_error(self) -> None:
        kept: list[Any] = []

        def body(self: Any) -> None:
            kept.append(self.network)

        run_body(AsyncTestCase, body)
        with self.assertRaisesRegex(RuntimeError, "comes after the end of the test. Call it in the test."):
            kept[0].serve("http://payments.example", make_stub())

    def test_a_suite_may_have_a_network_of_its_own(self) -> None:
        class Own(AsyncTestCase):
            def setUp(self) -> None:
                super().setUp()
                self.network: Any = "own"

            def test(self) -> None:
                self.assertEqual(self.network, "own")

        self.assertEqual(run_case(Own).verdicts, ["addSuccess"])

    def test_cleanups_may_use_a_host(self) -> None:
        class Cleans(AsyncTestCase):
            async def test(self) -> None:
                self.network.serve("http://payments.example", make_stub())
                self.addAsyncCleanup(self.use)

            async def use(self) -> None:
                response = await AsyncHTTPClient().fetch("http://payments.example/")
                self.assertEqual(response.code, 200)

        result = run_case(Cleans)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
