"""Tests rely on the order of events: it is the same as on tornado.testing, turn by turn of the loop."""

import asyncio
import concurrent.futures
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any
from unittest import TestCase, mock

from tornado import tcpclient, web
from tornado.iostream import IOStream

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, VirtualClock
from asynctest_tornado._loop.connections import ConnectingLoop
from tests.support import run_python

SUITE = "tests.samples.turns"


def events_of(*args: str) -> dict[str, str]:
    """Run the suite, and return the events of each test."""
    done = run_python(*args, "-m", "unittest", SUITE)
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


class ComparedTest(TestCase):
    maxDiff = None

    def test_events_come_in_the_turns_in_which_they_do_on_the_original(self) -> None:
        expected = events_of()
        self.assertEqual(len(expected), 20)
        self.assertEqual(events_of("-m", "asynctest_tornado", "--replace"), expected)
        self.assertEqual(expected["HTTPTest.test_left_callback"], "['tearDown', 'late', 'closed', 'cleanup']")


class Answered(concurrent.futures.Future[Any]):
    """Has its result as soon as the loop waits for it, of another thread: of its own, it may take fewer turns."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self._answer = result

    def add_done_callback(self, fn: Callable[[concurrent.futures.Future[Any]], object]) -> None:
        super().add_done_callback(fn)
        if not self.done():
            thread = threading.Thread(target=self.set_result, args=[self._answer])
            thread.start()
            thread.join()


class Inline(concurrent.futures.ThreadPoolExecutor):
    """Calls the functions at once, which takes the least turns that a thread can take."""

    def submit(self, func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        return Answered(func(*args, **kwargs))


class ConnectTest(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/", web.RedirectHandler, {"url": "/"})])

    async def turns_up_to(self, cls: type, method: str, begin: Callable[[], Any]) -> int:
        """Count the turns of the loop up to the call of a method."""
        loop, count = asyncio.get_running_loop(), 0
        called = loop.create_future()
        original = getattr(cls, method)

        def call(*args: Any, **kwargs: Any) -> Any:
            if not called.done():
                called.set_result(count)
            return original(*args, **kwargs)

        def turn() -> None:
            nonlocal count
            count += 1
            if not called.done():
                loop.call_soon(turn)

        with mock.patch.object(cls, method, call):
            loop.call_soon(turn)
            await begin()
        found: int = called.result()
        return found

    async def test_a_connection_takes_as_many_turns_as_with_a_thread(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(Inline())
        ways: list[Callable[[], Any]] = [
            lambda: self.http_client.fetch(self.get_url("/"), follow_redirects=False, raise_error=False),
            lambda: tcpclient.TCPClient().connect("127.0.0.1", self.get_http_port()),
        ]
        for begin in ways:
            found = await self.turns_up_to(IOStream, "connect", begin)
            with mock.patch.object(ConnectingLoop, "getaddrinfo", asyncio.BaseEventLoop.getaddrinfo):
                expected = await self.turns_up_to(IOStream, "connect", begin)
            self.assertEqual(found, expected)
            self.assertGreaterEqual(found, 2)

    async def test_others_act_before_a_connection_is_made(self) -> None:
        sleep = self.enterContext(mock.patch("asynctest_tornado._loop.connections.sleep"))
        await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)
        alone = sleep.call_count
        with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
            await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)
            process.communicate()
        self.assertGreater(sleep.call_count, alone)


class VirtualTest(AsyncTestCase):
    clock_factory = VirtualClock

    async def test_it_takes_no_virtual_time(self) -> None:
        with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
            await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)
            self.assertEqual(self.clock.time(), 0)
            process.communicate()
