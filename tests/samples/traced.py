"""Tests with a trace. Most of them fail on purpose."""

import asyncio
import threading
from typing import Any

from tornado import gen, web, websocket

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, VirtualClock, VirtualNetwork

COUNT = 20


class Traced(AsyncTestCase):
    trace: str | None = "failures"


class Race(Traced):
    async def register(self, user: str) -> None:
        if user not in self.owners:
            await asyncio.sleep(0)
            self.owners.append("<owner> & 'user'")

    async def test(self) -> None:
        self.owners: list[str] = []
        await asyncio.gather(self.register("first"), self.register("second"))
        self.assertEqual(len(self.owners), 1, "</style><script>alert(1)</script>")


class OrderedRace(Race):
    schedules = 3

    async def test(self) -> None:
        await super().test()


class Passing(Traced):
    async def test(self) -> None:
        await asyncio.sleep(0)


class AllTraced(Passing):
    trace = "all"


class Untraced(Race):
    trace = "off"


class Wrong(Race):
    trace = "failure"


class ByEnvironment(Race):
    trace = None


class Timers(Traced):
    clock_factory = VirtualClock

    @gen.coroutine
    def old(self) -> Any:
        yield gen.sleep(60)
        yield gen.moment

    async def test(self) -> None:
        await asyncio.sleep(3600)
        self.io_loop.call_later(1, self.fail_later)
        await self.old()
        await asyncio.sleep(5)

    def fail_later(self) -> None:
        raise ValueError("too late")


class LostTask(Traced):
    async def break_down(self) -> None:
        raise ValueError("lost")

    async def test(self) -> None:
        self.task = asyncio.ensure_future(self.break_down())
        await asyncio.sleep(0)


class Worker(Traced):
    """Fails of the error of one of many tasks, each of which has raised one of its kind before."""

    async def work(self, number: int) -> None:
        for _ in range(3):
            try:
                await self.fail_once(number)
            except LookupError:
                await asyncio.sleep(0)
        if number == 5:
            await self.fail_once(number)

    async def fail_once(self, number: int) -> None:
        raise LookupError(f"worker {number}")

    async def test(self) -> None:
        await asyncio.gather(*(asyncio.create_task(self.catch(number)) for number in range(10)))
        await asyncio.gather(*(self.work(number) for number in range(30)))

    async def catch(self, number: int) -> None:
        try:
            await asyncio.create_task(self.fail_once(number))
        except LookupError:
            return


class FromThread(Traced):
    async def test(self) -> None:
        done = asyncio.Event()

        def set_done() -> None:
            asyncio.get_running_loop()
            done.set()

        threading.Thread(target=lambda: self.io_loop.add_callback(set_done), name="the helper").start()
        await done.wait()
        self.fail("after the thread")


class SetUp(Traced):
    async def asyncSetUp(self) -> None:
        await asyncio.sleep(0)
        raise LookupError("no database")

    async def test(self) -> None:
        pass


class Subtests(Traced):
    async def test(self) -> None:
        for number in (1, 2):
            with self.subTest(number=number):
                await asyncio.sleep(0)
                self.assertEqual(number, 3)


class Twice(Traced):
    async def test(self) -> None:
        await asyncio.sleep(0)
        self.fail("first")

    def tearDown(self) -> None:
        super().tearDown()
        raise ValueError("second")


class Many(Traced):
    async def go_on(self, name: int) -> None:
        for _ in range(COUNT):
            await asyncio.sleep(0)

    async def test(self) -> None:
        await asyncio.gather(*(self.go_on(number) for number in range(COUNT)))
        self.fail("at the end")


class Waits(Traced):
    clock_factory = VirtualClock

    async def note(self, number: int) -> None:
        pass

    async def test(self) -> None:
        await asyncio.gather(*map(self.note, range(COUNT)))
        for _ in range(84):
            await asyncio.sleep(0)  # a comment
        self.fail("at the end")


class RealWaits(Waits):
    clock_factory = None  # type: ignore[assignment]


class LongLine(Traced):
    async def wait_with_a_name_that_leaves_little_room_for_its_line(self, first: str, second: str) -> None:
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0), asyncio.sleep(0), asyncio.sleep(0), asyncio.sleep(0))
        raise LookupError

    async def test(self) -> None:
        await asyncio.create_task(self.wait_with_a_name_that_leaves_little_room_for_its_line("long", "longer"))


class EarlyError(Many):
    async def fail_early(self) -> None:
        raise LookupError("early")

    async def test(self) -> None:
        task = asyncio.create_task(self.fail_early())
        await asyncio.gather(*(self.go_on(number) for number in range(COUNT)))
        await task


class Greeting(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(2)
        self.write("hello")


class Echo(websocket.WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message[::-1])


class Web(AsyncHTTPTestCase):
    trace = "failures"
    clock_factory = VirtualClock
    network_factory = VirtualNetwork

    def get_app(self) -> web.Application:
        return web.Application([("/", Greeting), ("/echo", Echo)])

    async def test(self) -> None:
        host = self.network.serve("http://away.test", self.get_app())
        host.latency = 0.5
        await self.async_fetch("http://away.test/?<1>")
        async with self.ws_connect("/echo") as socket:
            await socket.write_message("abc")
            await socket.expect("abc")


class TwoRequests(Web):
    async def test(self) -> None:
        await asyncio.gather(self.async_fetch("/"), self.async_fetch("/"))
        self.fail("after both")


class RealWeb(Web):
    clock_factory = network_factory = None  # type: ignore[assignment]

    async def test(self) -> None:
        async with self.ws_connect("/echo", compression_options={}) as socket:
            await socket.write_message("abc")
            await socket.expect("abc")


class SharedLoop(Traced):
    loop_scope = "class"

    async def test_1(self) -> None:
        await asyncio.sleep(0)
        self.fail("the first")

    async def test_2(self) -> None:
        await asyncio.sleep(0)
        self.fail("the second")
