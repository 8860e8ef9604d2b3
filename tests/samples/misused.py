"""Tests that misuse the loop, a port or a coroutine. Their reports, in ``tests/gallery``, say how to mend it."""

import asyncio
import urllib.request

from tornado import web

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ExpectError, bind_unused_port


class AddressIsTaken(AsyncTestCase):
    def test(self) -> None:
        sock, port = bind_unused_port()
        self.addCleanup(sock.close)
        web.Application().listen(port, "127.0.0.1")


class CoroutineIsCompared(AsyncTestCase):
    async def test(self) -> None:
        answer = self.compute()
        self.assertEqual(answer, 42)

    async def compute(self) -> int:
        return 42


class LoopOfAsyncioIsClosed(AsyncTestCase):
    async def test(self) -> None:
        asyncio.get_running_loop().close()


class CallsForAddCallback(AsyncTestCase):
    def test(self) -> None:
        self.io_loop.add_callback(self.connect())  # type: ignore[arg-type]

    async def connect(self) -> None: ...


class AsyncSetUpIsNoCoroutine(AsyncTestCase):
    def asyncSetUp(self) -> None:  # type: ignore[override]
        self.answer = 42

    async def test(self) -> None:
        self.assertEqual(self.answer, 42)


class ErrorOfAnotherClassIsExpected(AsyncTestCase):
    async def test(self) -> None:
        with ExpectError(KeyError):
            self.io_loop.add_callback(fail)
            await asyncio.Event().wait()


def fail() -> None:
    raise ValueError("planted")


class AssertRaisesForACallback(AsyncTestCase):
    async def test(self) -> None:
        with self.assertRaises(ValueError):
            self.io_loop.add_callback(fail)
            await asyncio.Event().wait()


class ClientBlocksTheServer(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application(log_function=lambda handler: None)

    async def test(self) -> None:
        urllib.request.urlopen(self.get_url("/"), timeout=0.01)
