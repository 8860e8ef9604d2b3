"""A suite for tornado.testing that prints in which turns of the loop its events take place."""

import asyncio
import os
import threading
from collections.abc import Callable, Generator
from typing import Any, ClassVar

from tornado import gen, iostream, locks, testing, web, websocket
from tornado.httpclient import HTTPRequest


class Numbered(testing.AsyncTestCase):
    """Its tests keep a list of events, in which there is a number for each turn of the loop."""

    lists: ClassVar[dict[str, list[Any]]] = {}

    def setUp(self) -> None:
        self.events: list[Any] = []
        self.lists[self.id().partition(".turns.")[2]] = self.events
        super().setUp()
        self.addCleanup(self.note("cleanup"))

    def tearDown(self) -> None:
        self.events.append("tearDown")
        super().tearDown()
        self.events.append("closed")

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        while cls.lists:
            print(*cls.lists.popitem())

    def note(self, event: str) -> Callable[[], None]:
        return lambda: self.events.append(event)

    def count_turns(self, limit: int = 30) -> None:
        loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]

        def turn(number: int) -> None:
            self.events.append(number)
            if number < limit:
                loop.call_soon(turn, number + 1)

        loop.call_soon(turn, 0)


class GenTest(Numbered):
    @testing.gen_test
    async def test_at_once(self) -> None:
        self.count_turns()

    @testing.gen_test
    async def test_native(self) -> None:
        self.count_turns()
        await asyncio.sleep(0)
        self.events.append("end")

    @testing.gen_test
    def test_generator(self) -> Generator[Any, Any, None]:
        self.count_turns()
        for thing in None, gen.moment, gen.sleep(0), [gen.moment, gen.sleep(0)], asyncio.sleep(0):
            yield thing
            self.events.append("yielded")

    @testing.gen_test
    def test_plain(self) -> Any:
        self.count_turns()

    @testing.gen_test
    async def test_others(self) -> None:
        self.count_turns()
        task = asyncio.ensure_future(asyncio.sleep(0))
        task.add_done_callback(lambda task: self.events.append("done"))
        await asyncio.wait_for(asyncio.shield(task), 60)
        condition = locks.Condition()
        self.io_loop.add_callback(condition.notify)
        await condition.wait()
        self.events.append("end")

    @testing.gen_test
    async def test_timers(self) -> None:
        self.count_turns()
        self.io_loop.call_later(0, self.note("timer of Tornado"))
        asyncio.get_running_loop().call_later(0, self.note("timer"))
        asyncio.get_running_loop().call_soon(self.note("soon"))
        for _ in range(3):
            await asyncio.sleep(0)
        self.events.append("end")

    @testing.gen_test
    async def test_files(self) -> None:
        self.count_turns(60)
        reading, writing = map(iostream.PipeIOStream, os.pipe())
        await writing.write(b"x")
        self.events.append(await reading.read_bytes(1))
        writing.close()
        try:
            await reading.read_bytes(1)
        except iostream.StreamClosedError:
            self.events.append("end of file")


class WaitTest(Numbered):
    def test_wait(self) -> None:
        self.count_turns()
        for _ in range(2):
            self.io_loop.add_callback(self.stop)
            self.io_loop.add_callback(self.note("after stop"))
            self.wait()
            self.events.append("end")

    def test_condition(self) -> None:
        self.count_turns()
        left = [1, 2, 3]

        def callback() -> None:
            self.events.append(left.pop())
            self.stop()
            self.io_loop.add_callback(callback)

        self.io_loop.add_callback(callback)
        self.wait(condition=lambda: not left)

    def test_stopped_before(self) -> None:
        self.count_turns()
        self.stop()
        self.wait()

    def test_run_sync(self) -> None:
        async def work() -> None:
            self.events.append("begin")
            await asyncio.sleep(0)
            self.events.append("end")

        self.count_turns()
        for func in work, lambda: None, work:
            self.io_loop.run_sync(func)
            self.events.append("next")

    def test_threads(self) -> None:
        def work() -> None:
            for number in range(3):
                self.io_loop.add_callback(self.note(f"of thread {number}"))

        self.io_loop.add_callback(self.note("before"))
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        self.io_loop.add_callback(self.note("after"))
        self.io_loop.add_callback(self.stop)
        self.count_turns()
        self.wait()

    def test_left_callback(self) -> None:
        self.io_loop.add_callback(self.note("late"))

    def test_left_tasks(self) -> None:
        async def work() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                self.events.append("cancelled")
                await asyncio.sleep(0)
                self.events.append("end")

        self.count_turns(60)
        self.tasks = [asyncio.ensure_future(work(), loop=self.io_loop.asyncio_loop) for _ in range(2)]  # type: ignore[attr-defined]
        self.io_loop.add_callback(self.stop)
        self.wait()


class Handler(web.RequestHandler):
    def get(self) -> None:
        self.settings["events"].append("get")

    def on_finish(self) -> None:
        self.settings["events"].append("finished")


class Socket(websocket.WebSocketHandler):
    def open(self) -> None:
        self.settings["events"].append("open")

    def on_close(self) -> None:
        self.settings["events"].append("close")


class HTTPTest(Numbered, testing.AsyncHTTPTestCase):
    """The thread that looks up an address takes its time on tornado.testing: these do not count while one does."""

    def get_app(self) -> web.Application:
        return web.Application([("/", Handler), ("/socket", Socket)], events=self.events)

    def test_nothing(self) -> None:
        self.count_turns()

    def test_left_callback(self) -> None:
        self.io_loop.add_callback(self.note("late"))

    def test_fetch(self) -> None:
        self.fetch("/")
        self.events.append("end")
        self.count_turns()

    @testing.gen_test
    async def test_fetch_in_coroutine(self) -> None:
        await self.http_client.fetch(self.get_url("/"))
        self.events.append("end")
        self.count_turns()

    @testing.gen_test
    async def test_websocket_closed_and_opened(self) -> None:
        url = self.get_url("/socket").replace("http", "ws")
        for _ in range(3):
            connection = await websocket.websocket_connect(HTTPRequest(url))
            self.events.append("connected")
            connection.close()
            self.events.append(await connection.read_message())

    @testing.gen_test
    async def test_left_connection(self) -> None:
        self.count_turns(60)
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self.get_http_port())
        self.writer.write(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        self.events.append(await reader.readline())


del Numbered
