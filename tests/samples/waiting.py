"""An HTTP test that waits for an event, and all that can set it from outside of the event loop."""

import asyncio
import contextlib
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, cast
from unittest import mock

from tornado import gen
from tornado.iostream import IOStream, SSLIOStream
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, HTTPTestServer
from tests.samples.outside import Outside

Stack = contextlib.ExitStack
Release = Callable[[], object]


class Host(RequestHandler):
    def get(self) -> None:
        self.write(self.request.host)


class Wake(RequestHandler):
    def get(self) -> None:
        self.settings["wake"].set()


class Stuck(RequestHandler):
    async def get(self) -> None:
        await asyncio.Event().wait()


class Sleeps(RequestHandler):
    async def get(self) -> None:
        await gen.sleep(60)


class Begun(RequestHandler):
    async def get(self) -> None:
        self.write("begun")
        await self.flush()
        await asyncio.Event().wait()


class Large(RequestHandler):
    """Sends more than a connection takes whose other end does not read."""

    async def get(self) -> None:
        self.write(bytes(8_000_000))
        await self.flush()


class Quiet(WebSocketHandler):
    pass


class WaitsBehindServer(AsyncHTTPTestCase):
    """Waits for an event that something outside of the loop sets, or nothing."""

    # Tornado's own limits, of 20 seconds, are longer.
    async_test_timeout = 15
    prepare: ClassVar[tuple[str, ...]] = ()
    waker: ClassVar[str | None] = None
    outside: ClassVar[Outside]

    def get_app(self) -> Application:
        self.wake = asyncio.Event()
        handlers = [
            ("/host", Host),
            ("/wake", Wake),
            ("/stuck", Stuck),
            ("/sleeps", Sleeps),
            ("/begun", Begun),
            ("/large", Large),
            ("/quiet", Quiet),
        ]
        return Application(handlers, wake=self.wake, log_function=lambda handler: None)

    def wake_from_outside(self) -> None:
        self.io_loop.add_callback(self.wake.set)

    async def test(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for name in self.prepare:
                await PREPARATIONS[name](self, stack)
            with contextlib.ExitStack() as wakers:
                if self.waker is not None:
                    host = (await self.fetch("/host")).body.decode()
                    release = await WAKERS[self.waker](self, wakers, host)
                    wakers.enter_context(once_decided(release))
                await self.wake.wait()


@contextlib.contextmanager
def once_decided(release: Callable[[], object]) -> Iterator[None]:
    """Call a function once the loop has looked twice whether anything can wake it, and was to sleep on."""
    selector = cast(Any, asyncio.get_running_loop())._asynctest_system.selector
    original = selector.users[-1].before_sleep
    looks: list[bool] = []

    def look(timeout: float | None) -> float | None:
        seconds: float | None = original(timeout)
        if timeout is None or timeout > selector.rest():
            looks.append(seconds == timeout)
            is_decided = looks[-1] or len(looks) == 3
            if is_decided and not any(looks[:-1]):
                release()
        return seconds

    with mock.patch.object(selector.users[-1], "before_sleep", look):
        yield


async def fetch(case: WaitsBehindServer, stack: contextlib.AsyncExitStack) -> None:
    await case.fetch("/host")


async def keep_connection(case: WaitsBehindServer, stack: contextlib.AsyncExitStack) -> None:
    """Leave a connection open after its response: the server waits for the next request, for an hour."""
    host, _, port = (await case.fetch("/host")).body.decode().rpartition(":")
    context = ssl.create_default_context(cafile=case.ca_certs) if isinstance(case, AsyncHTTPSTestCase) else None
    stream: Any = IOStream(socket.socket()) if context is None else SSLIOStream(socket.socket(), ssl_options=context)
    stack.callback(stream.close)
    await stream.connect((host, int(port)), server_hostname=host)
    await stream.write(b"GET /host HTTP/1.1\r\nHost: x\r\n\r\n")
    await stream.read_until(b"\r\n\r\n")


async def keep_stream(case: WaitsBehindServer, stack: contextlib.AsyncExitStack) -> None:
    response = await stack.enter_async_context(case.stream("/begun"))
    await anext(aiter(response))


async def keep_websocket(case: WaitsBehindServer, stack: contextlib.AsyncExitStack) -> None:
    await stack.enter_async_context(case.ws_connect("/quiet"))


async def keep_request(case: WaitsBehindServer, stack: contextlib.AsyncExitStack) -> None:
    stack.callback(case.async_fetch("/stuck").cancel)


async def serve_more(case: WaitsBehindServer, stack: contextlib.AsyncExitStack) -> None:
    server = await stack.enter_async_context(HTTPTestServer(Application([("/host", Host)])))
    await server.fetch("/host")


#: Actions of the test before it waits, or while it does.
PREPARATIONS = {
    each.__name__: each for each in (fetch, keep_connection, keep_stream, keep_websocket, keep_request, serve_more)
}


async def thread(case: WaitsBehindServer, stack: Stack, host: str) -> Release:
    go = threading.Event()

    def work() -> None:
        go.wait()
        case.wake_from_outside()

    worker = threading.Thread(target=work)
    worker.start()
    stack.callback(worker.join)
    stack.callback(go.set)
    return go.set


async def executor(case: WaitsBehindServer, stack: Stack, host: str) -> Release:
    go = threading.Event()
    stack.callback(go.set)
    case.io_loop.add_future(case.io_loop.run_in_executor(None, go.wait), lambda future: case.wake.set())
    return go.set


async def signal_handler(case: WaitsBehindServer, stack: Stack, host: str) -> Release:
    before = signal.signal(signal.SIGUSR1, lambda number, frame: case.io_loop.add_callback(case.wake.set))
    stack.callback(signal.signal, signal.SIGUSR1, before)
    return lambda: signal.raise_signal(signal.SIGUSR1)


async def child(case: WaitsBehindServer, stack: Stack, host: str) -> Release:
    """A child process that connects to the address which the test gives it."""
    address, _, port = host.rpartition(":")
    process = stack.enter_context(
        subprocess.Popen([sys.executable, "-c", CONNECT, address, port], stdin=subprocess.PIPE, text=True)
    )
    assert process.stdin is not None
    stack.callback(process.stdin.close)
    return process.stdin.close


CONNECT = """
import socket, sys
sys.stdin.read()
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as request:
    request.sendall(b"GET /wake HTTP/1.0\\r\\n\\r\\n")
    request.recv(1000)
"""


async def child_that_has_ended(case: WaitsBehindServer, stack: Stack, host: str) -> Release:
    """A child process that has given the address to another program, and is gone."""
    code = "import sys; from tests.samples.outside import Outside; o = Outside.__new__(Outside); "
    code += "o.port = int(sys.argv[1]); o.say('call ' + sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(case.outside.port), host], check=True)
    return lambda: case.outside.say("go")


async def child_that_ends_unnoticed(case: WaitsBehindServer, stack: Stack, host: str) -> Release:
    """The same, where the system keeps no account of children."""
    stack.callback(signal.signal, signal.SIGCHLD, signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    return await child_that_has_ended(case, stack, host)


async def interruption(case: WaitsBehindServer, stack: Stack, host: str) -> Release:
    """Ctrl-C, which the program handles."""
    before = signal.signal(signal.SIGINT, lambda number, frame: case.io_loop.add_callback(case.wake.set))
    stack.callback(signal.signal, signal.SIGINT, before)
    return lambda: signal.raise_signal(signal.SIGINT)


async def url_told_outside(case: WaitsBehindServer, stack: Stack, host: str) -> Release:
    """Another program that knows the URL from the test, by a connection that the loop knows nothing of."""
    case.outside.say("call " + case.get_url("/wake").split("/")[2])
    return lambda: case.outside.say("go")


async def connection_that_has_ended(
    case: WaitsBehindServer, stack: contextlib.ExitStack, host: str
) -> Callable[[], object]:
    """Another program that a connection of the loop has led to, which is closed by now."""
    stream = IOStream(socket.socket())
    await stream.connect(("127.0.0.1", case.outside.port))
    await stream.write(f"call {host}\n".encode())
    await stream.read_until(b"ok")
    stream.close()
    return lambda: case.outside.say("go")


async def pipe(case: WaitsBehindServer, stack: Stack, host: str) -> Release:
    """A pipe that the loop reads."""
    reading, writing = socket.socketpair()
    stack.enter_context(reading)
    stack.enter_context(writing)
    case.io_loop.add_handler(reading, lambda fd, events: case.wake.set(), case.io_loop.READ)
    stack.callback(case.io_loop.remove_handler, reading)
    return lambda: writing.send(b"x")


#: Functions that prepare an end of the wait from outside of the loop. Each returns a function that triggers it.
WAKERS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        thread,
        executor,
        signal_handler,
        child,
        child_that_has_ended,
        child_that_ends_unnoticed,
        interruption,
        url_told_outside,
        connection_that_has_ended,
        pipe,
    )
}
