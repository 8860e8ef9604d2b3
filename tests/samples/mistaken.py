"""Tests with a typical mistake each. Their reports, in ``tests/gallery``, say how to mend it."""

import asyncio
import logging
from typing import Any

from tornado import web, websocket

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ExpectError, ExpectLog, VirtualClock


class Hello(web.RequestHandler):
    def get(self) -> None:
        self.write("hello")


class _Served(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/hello", Hello)], log_function=lambda handler: None)


class FetchWithoutAwait(_Served):
    async def test(self) -> None:
        response: Any = self.fetch("/hello")
        self.assertEqual(response.code, 200)


class FetchInGetApp(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        self.fetch("/hello")
        return web.Application()

    def test(self) -> None: ...


class GetAppBeforeAsyncSetUp(AsyncHTTPTestCase):
    async def asyncSetUp(self) -> None:
        self.database = await asyncio.sleep(0, "database")

    def get_app(self) -> web.Application:
        return web.Application(database=self.database)

    def test(self) -> None: ...


class LoopIsClosed(AsyncTestCase):
    def test(self) -> None:
        self.io_loop.close()


class LoopIsClosedInACoroutine(AsyncTestCase):
    async def test(self) -> None:
        self.io_loop.close()


class StopsTwice(AsyncTestCase):
    def test(self) -> None:
        def done() -> None:
            self.stop(1)
            self.stop(2)

        self.io_loop.add_callback(done)
        self.assertEqual(self.wait(), 1)


class StopsBefore(AsyncTestCase):
    def test(self) -> None:
        self.stop(4)
        self.io_loop.add_callback(self.stop, 5)
        self.assertEqual(self.wait(), 5)


class LogIsNotExpected(AsyncTestCase):
    def test(self) -> None:
        logger = logging.getLogger("tests.mistaken")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        with ExpectLog(logger, "bad thing"):
            logger.warning("a bad thing")


class ErrorIsRaisedInTheBlock(AsyncTestCase):
    async def test(self) -> None:
        with ExpectError(ValueError):
            await self.fail_later()

    async def fail_later(self) -> None:
        raise ValueError("planted")


class CallsForRunSync(AsyncTestCase):
    def test(self) -> None:
        self.io_loop.run_sync(self.connect())  # type: ignore[arg-type]

    async def connect(self) -> None: ...


class CallsForRunSyncInACoroutine(AsyncTestCase):
    async def test(self) -> None:
        self.io_loop.run_sync(self.connect())  # type: ignore[arg-type]

    async def connect(self) -> None: ...


class RunsInACoroutine(AsyncTestCase):
    async def test(self) -> None:
        self.run_sync(self.connect, 1)

    async def connect(self, number: int) -> None: ...


class WaitsInACoroutine(AsyncTestCase):
    async def test(self) -> None:
        self.wait()


class Echo(websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(message)


class Silent(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.Event().wait()


class _Open(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/echo", Echo), ("/silent", Silent)], log_function=lambda handler: None)


class WebSocketWithoutAwait(_Open):
    async def test(self) -> None:
        self.ws_connect("/echo")


class WebSocketOfAnotherOrigin(_Open):
    async def test(self) -> None:
        async with self.ws_connect("/echo", headers={"Origin": "http://evil"}):
            pass


class WebSocketStaysSilent(_Open):
    async def test(self) -> None:
        async with self.ws_connect("/echo") as socket:
            await socket.read_message()


class ClientGivesUp(_Open):
    clock_factory = VirtualClock

    async def test(self) -> None:
        await self.http_client.fetch(self.get_url("/silent"), request_timeout=1)


class Prices(web.RequestHandler):
    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        for price in range(3, 3 + int(self.get_argument("number", "1000"))):
            self.write(f'data: {{"tea": {price}}}\n\n')
            await self.flush()
            await asyncio.sleep(60)
        await asyncio.Event().wait()


class _Streams(AsyncHTTPTestCase):
    clock_factory = VirtualClock

    def get_app(self) -> web.Application:
        return web.Application([("/prices", Prices)], log_function=lambda handler: None)


class StreamOfOtherPrices(_Streams):
    async def test(self) -> None:
        async with self.stream("/prices") as response:
            async for event in response.aiter_sse():
                self.assertLess(event.json()["tea"], 5)


class StreamStops(_Streams):
    async def test(self) -> None:
        async with self.stream("/prices?number=1") as response:
            async for _ in response.aiter_sse():
                pass


class StreamWithoutBlock(_Streams):
    async def test(self) -> None:
        response = await self.stream("/prices")  # type: ignore[misc]
        self.assertEqual(response.code, 200)
