"""The direct way to 127.0.0.1 takes each step when ``TCPClient.connect`` takes it, and steps aside for all else."""

import asyncio
import contextlib
import datetime
import socket
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from unittest import mock

from tornado import gen, netutil, tcpclient, tcpserver, web, websocket
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, StreamClosedError

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, AsyncTestCase, bind_unused_port
from asynctest_tornado._loop import direct_connect

HOST = "127.0.0.1"
DIRECT = f"{direct_connect.__name__}._is_usual"


class Server(tcpserver.TCPServer):
    """Records its connections, and answers a line."""

    def __init__(self, note: Callable[[str], object]) -> None:
        super().__init__()
        self.note = note

    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        self.note("accepted")
        await gen.sleep(0)
        self.note("serving")
        with contextlib.suppress(StreamClosedError):
            await stream.write(await stream.read_until(b"\n"))
            self.note("answered")
        stream.close()


class Handler(web.RequestHandler):
    def prepare(self) -> None:
        self.settings["note"]("prepare")

    def get(self) -> None:
        self.settings["note"]("get")

    def on_finish(self) -> None:
        self.settings["note"]("finished")


class Socket(websocket.WebSocketHandler):
    def open(self) -> None:
        self.settings["note"]("open")
        self.write_message("hello")

    def on_close(self) -> None:
        self.settings["note"]("closed")


class Events:
    """Lists events, with the turns of the loop between them; beside them, other calls are ready in each turn."""

    def __init__(self) -> None:
        self.list: list[Any] = []

    def note(self, event: object) -> None:
        self.list.append(event)

    async def of(self, begin: Callable[[], Awaitable[Any]]) -> list[Any]:
        loop = asyncio.get_running_loop()
        self.list = []
        handle = None

        def turn(number: int) -> None:
            nonlocal handle
            self.list.append(number)
            handle = loop.call_soon(turn, number + 1)

        handle = loop.call_soon(turn, 0)
        try:
            self.note(await begin())
        except Exception as error:
            # With its port, which another connection may have, but for the first.
            self.note((type(error), str(error)))
        finally:
            handle.cancel()
        return self.list[:]


class Compared(AsyncTestCase):
    def setUp(self) -> None:
        self.events = Events()
        super().setUp()

    async def check(self, begin: Callable[[], Awaitable[Any]], direct: int = 1) -> list[Any]:
        """Compare the events of both ways; return them.

        :param direct: how many of the connections take the direct way.
        """
        usual = direct_connect._is_usual
        answers: list[bool] = []

        def ask(*args: Any) -> bool:
            answers.append(usual(*args))
            return answers[-1]

        with mock.patch(DIRECT, ask):
            found = await self.events.of(begin)
        await self.settle()
        self.assertEqual(answers.count(True), direct)
        with mock.patch(DIRECT, return_value=False):
            expected = await self.events.of(begin)
        await self.settle()
        self.assertEqual(found, expected)
        return found


class StreamTest(Compared):
    def setUp(self) -> None:
        super().setUp()
        sock, self.port = bind_unused_port()
        self.server = Server(self.events.note)
        self.server.add_socket(sock)
        self.addCleanup(self.server.stop)

    async def asyncTearDown(self) -> None:
        await self.settle()  # the server gets to the end of its connection
        await super().asyncTearDown()

    async def converse(self, port: int, **options: Any) -> None:
        stream = await tcpclient.TCPClient().connect(HOST, port, **options)
        self.events.note("connected")
        await stream.write(b"line\n")
        self.events.note((await stream.read_until(b"\n")).decode())
        stream.close()

    async def test_with_and_without_a_time_limit(self) -> None:
        for options in {}, {"timeout": 60}, {"af": socket.AF_INET, "source_ip": HOST, "max_buffer_size": 100}:
            found = await self.check(lambda options=options: self.converse(self.port, **options))  # type: ignore[misc]
            self.assertIn("line\n", found)

    async def test_several_at_once(self) -> None:
        await self.check(lambda: asyncio.gather(*(self.converse(self.port) for _ in range(5))), direct=5)

    async def test_a_server_that_is_gone(self) -> None:
        self.server.stop()
        for timeout in None, 60:
            found = await self.check(lambda timeout=timeout: self.converse(self.port, timeout=timeout))  # type: ignore[misc]
            error, _ = found[-1]
            self.assertIs(error, StreamClosedError)

    async def test_an_address_that_cannot_be_bound(self) -> None:
        found = await self.check(lambda: self.converse(self.port, source_ip="192.0.2.1"))
        self.assertIs(found[-1][0], OSError)

    async def test_a_client_that_is_cancelled(self) -> None:
        async def begin_and_cancel(turns: int) -> str:
            task = asyncio.ensure_future(self.converse(self.port, timeout=60))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return "cancelled"

        # In each turn up to the connection, which is the eighth.
        for turns in range(1, 8):
            with self.subTest(turns=turns):
                await self.check(lambda turns=turns: begin_and_cancel(turns))  # type: ignore[misc]

    async def test_a_cancelled_client_closes_its_stream(self) -> None:
        made: list[Any] = []
        create = tcpclient.TCPClient._create_stream

        def create_and_note(*args: Any, **kwargs: Any) -> Any:
            made.append(create(*args, **kwargs))
            return made[-1]

        with mock.patch.object(tcpclient.TCPClient, "_create_stream", create_and_note):
            task = asyncio.ensure_future(tcpclient.TCPClient().connect(HOST, self.port))
            while not made:
                await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
        self.assertTrue(made[0][0].closed())

    async def test_a_stream_that_is_closed_before_it_is_connected(self) -> None:
        create = tcpclient.TCPClient._create_stream

        def create_and_close(*args: Any, **kwargs: Any) -> Any:
            stream, connecting = create(*args, **kwargs)
            IOLoop.current().add_callback(stream.close)
            return stream, connecting

        with mock.patch.object(tcpclient.TCPClient, "_create_stream", create_and_close):
            found = await self.check(lambda: self.converse(self.port))
        self.assertIs(found[-1][0], StreamClosedError)

    async def test_replaced_functions_are_called(self) -> None:
        async def resolve(*args: Any) -> Any:
            return [(socket.AF_INET, (HOST, self.port))]

        async def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (HOST, self.port))]

        loop = asyncio.get_running_loop()
        of_system = mock.Mock(wraps=socket.getaddrinfo)
        for target, name, replacement in (
            (netutil.DefaultLoopResolver, "resolve", resolve),
            (loop, "getaddrinfo", getaddrinfo),
            (socket, "getaddrinfo", of_system),
        ):
            with self.subTest(name), mock.patch.object(target, name, mock.Mock(side_effect=replacement)) as called:
                stream = await tcpclient.TCPClient().connect(HOST, self.port)
                stream.close()
                called.assert_called_once()

        def refuse(stream: IOStream, address: Any) -> None:
            stream.close()
            raise OSError("mocked")

        fail = mock.Mock(side_effect=OSError("mocked"))
        for target, name in (tcpclient, "_Connector"), (tcpclient._Connector, "start"):
            with self.subTest(name), mock.patch.object(target, name, fail), self.assertRaisesRegex(OSError, "mocked"):
                await tcpclient.TCPClient().connect(HOST, self.port, timeout=60)
        with mock.patch.object(gen, "with_timeout", wraps=gen.with_timeout) as wait:
            (await tcpclient.TCPClient().connect(HOST, self.port, timeout=60)).close()
        wait.assert_called_once()

        with mock.patch.object(IOStream, "connect", refuse), self.assertRaisesRegex(OSError, "mocked"):
            await tcpclient.TCPClient().connect(HOST, self.port)

    async def test_a_function_that_an_application_has_wrapped_is_called(self) -> None:
        asked: list[Any] = []

        async def connect(self: Any, *args: Any, **options: Any) -> IOStream:
            asked.append(self)
            stream: IOStream = await of_tornado(self, *args, **options)
            return stream

        of_tornado = direct_connect._connect.found
        client = tcpclient.TCPClient()
        with mock.patch.object(direct_connect._connect, "found", connect):
            (await client.connect(HOST, self.port)).close()
        self.assertEqual(asked, [client])

    async def test_other_arguments_take_the_usual_way(self) -> None:
        others: list[tuple[str, int, dict[str, Any]]] = [
            ("localhost", self.port, {}),
            (HOST, self.port, {"timeout": datetime.timedelta(minutes=1)}),
            (HOST, 0, {}),
        ]
        for host, port, options in others:
            with (
                self.subTest(host=host, port=port, options=options),
                mock.patch.object(tcpclient.TCPClient, "_create_stream", side_effect=ConnectionError("begun")),
                mock.patch.object(direct_connect, "_turns_of_resolver") as turns,
                self.assertRaisesRegex(ConnectionError, "begun"),
            ):
                await tcpclient.TCPClient().connect(host, port, **options)
            turns.assert_not_called()

    async def test_others_act_before_a_connection_is_made(self) -> None:
        sleep = self.enterContext(mock.patch("asynctest_tornado._loop.connections.sleep"))
        for timeout in None, 60:
            with self.subTest(timeout=timeout):
                sleep.reset_mock()
                child = [sys.executable, "-c", "import sys; sys.stdin.read()"]
                with subprocess.Popen(child, stdin=subprocess.PIPE) as process:
                    (await tcpclient.TCPClient().connect(HOST, self.port, timeout=timeout)).close()
                    process.communicate()
                sleep.assert_called_once()

    async def test_a_resolver_of_the_user_is_asked(self) -> None:
        resolver = netutil.OverrideResolver(netutil.DefaultLoopResolver(), {HOST: "localhost"})
        with mock.patch.object(netutil.DefaultLoopResolver, "resolve") as resolve:
            resolve.side_effect = ConnectionError("asked")
            with self.assertRaisesRegex(ConnectionError, "asked"):
                await tcpclient.TCPClient(resolver).connect(HOST, self.port)


class LimitTest(AsyncTestCase):
    async def test_a_stream_of_the_test_that_is_never_connected(self) -> None:
        sock, port = bind_unused_port()
        one, other = socket.socketpair()
        made = IOStream(one), asyncio.Future[IOStream]()
        with contextlib.closing(sock), other, mock.patch.object(tcpclient.TCPClient, "_create_stream") as create:
            create.return_value = made
            with self.assertRaises(TimeoutError):
                await tcpclient.TCPClient().connect(HOST, port, timeout=0.01)

    async def test_a_limit_that_is_over_before_the_connection_begins(self) -> None:
        sock, port = bind_unused_port()
        with contextlib.closing(sock), mock.patch.object(tcpclient.TCPClient, "_create_stream") as create:
            task = asyncio.ensure_future(tcpclient.TCPClient().connect(HOST, port, timeout=1000))
            await asyncio.sleep(0)
            later = self.io_loop.time() + 2000
            with mock.patch.object(self.io_loop, "time", return_value=later), self.assertRaises(TimeoutError):
                await task
        create.assert_not_called()

    async def test_a_connection_that_the_system_does_not_make_at_once(self) -> None:
        with socket.socket() as sock, contextlib.ExitStack() as stack:
            sock.bind((HOST, 0))
            sock.listen(0)
            for _ in range(3):  # its queue is full
                client = stack.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(sock.getsockname())
            with self.assertRaises(TimeoutError):
                await tcpclient.TCPClient().connect(HOST, sock.getsockname()[1], timeout=0.01)


class FetchTest(Compared, AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/", Handler), ("/socket", Socket)], note=self.events.note)

    async def test_fetch(self) -> None:
        async def fetch() -> int:
            return (await self.http_client.fetch(self.get_url("/"))).code

        found = await self.check(fetch)
        self.assertEqual([event for event in found if not isinstance(event, int)], ["prepare", "get", "finished"])

    async def test_websocket(self) -> None:
        async def converse() -> None:
            connection = await websocket.websocket_connect(self.get_url("/socket").replace("http", "ws"))
            self.events.note("connected")
            self.events.note(await connection.read_message())
            connection.close()
            self.events.note(await connection.read_message())

        found = await self.check(converse)
        self.assertIn("hello", found)


class SecureFetchTest(Compared, AsyncHTTPSTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/", Handler)], note=self.events.note)

    async def test_fetch(self) -> None:
        async def fetch() -> list[Any]:
            response = await self.fetch("/")
            return [response.code, *(event for event in self.events.list if isinstance(event, str))]

        # The turns of a handshake depend on the system.
        usual = direct_connect._is_usual
        with mock.patch(DIRECT, side_effect=usual) as asked:
            found = await fetch()
        self.assertTrue(asked.called)
        self.assertEqual(found, [200, "prepare", "get", "finished"])

    async def test_a_server_that_the_client_does_not_trust(self) -> None:
        client = AsyncHTTPClient(force_instance=True)
        with contextlib.closing(client), self.assertRaises(ssl.SSLError):
            await client.fetch(self.get_url("/"), ssl_options=ssl.create_default_context())
