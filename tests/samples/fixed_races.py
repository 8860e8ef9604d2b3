"""The tests of `races`, mended: each of them passes in all orders."""

import asyncio
import unittest
from typing import Any

from tornado import gen, locks
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, VirtualClock, VirtualNetwork, gen_test


class LostUpdate(AsyncTestCase):
    """A lock is held from reading to writing."""

    async def test(self) -> None:
        balance = 100
        lock = asyncio.Lock()

        async def read() -> int:
            seen = balance
            await asyncio.sleep(0)  # the answer is on its way
            return seen

        async def withdraw(amount: int) -> None:
            nonlocal balance
            async with lock:
                rest = await read() - amount
                balance = rest

        async def audit() -> None:
            for _ in range(3):
                await asyncio.sleep(0)

        await withdraw(10)
        first = asyncio.ensure_future(withdraw(20))
        await audit()
        second = asyncio.ensure_future(withdraw(30))
        await asyncio.gather(first, second)
        self.assertEqual(balance, 40)


class CheckThenAct(AsyncTestCase):
    """The name is taken at once, and the log is written later."""

    async def test(self) -> None:
        owners: dict[str, str] = {}
        requests: asyncio.Queue[str] = asyncio.Queue()

        async def register(user: str) -> None:
            name = await requests.get()
            if name not in owners:
                owners[name] = user
                await asyncio.sleep(0)  # write to the log

        async def ask() -> None:
            requests.put_nowait("jesse")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            requests.put_nowait("jesse")

        await asyncio.gather(register("first"), register("second"), ask())
        self.assertEqual(list(owners), ["jesse"])


class UseBeforeSetUp(AsyncTestCase):
    """The coroutine is awaited."""

    async def asyncSetUp(self) -> None:
        await asyncio.sleep(0)
        self.document = {"_id": 1}

    async def test(self) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.assertEqual(self.document, {"_id": 1})


class UseBeforeSetUpOfTornado(AsyncTestCase):
    """The same, for a coroutine of Tornado."""

    def setUp(self) -> None:
        super().setUp()
        self.run_sync(self.setup_coro)

    @gen.coroutine
    def setup_coro(self) -> Any:
        yield gen.moment
        self.document = {"_id": 1}

    @gen_test
    def test(self) -> Any:
        yield gen.moment
        self.assertEqual(self.document, {"_id": 1})


class DoubleClose(AsyncTestCase):
    """The connection counts as closed before the first ``await``."""

    async def test(self) -> None:
        closed = 0
        is_open = True

        async def close() -> None:
            nonlocal closed, is_open
            if is_open:
                is_open = False
                await goodbye()
                closed += 1

        async def goodbye() -> None:
            await asyncio.sleep(0)

        async def on_error() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await close()

        await asyncio.gather(close(), on_error())
        self.assertEqual(closed, 1)


class MissedEvent(AsyncTestCase):
    """An event stays set for those who come late."""

    clock_factory = VirtualClock

    async def test(self) -> None:
        event = locks.Event()

        async def wait() -> None:
            await asyncio.sleep(0)
            await event.wait(self.io_loop.time() + 10)

        async def notify() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            event.set()

        await asyncio.gather(wait(), notify())


class UnlockedCounter(AsyncTestCase):
    """The lock is held until the counter is written."""

    async def test(self) -> None:
        count = 0
        turn = asyncio.Semaphore(1)

        async def increment() -> None:
            nonlocal count
            async with turn:
                seen = count
                await asyncio.sleep(0)
                count = seen + 1

        first = asyncio.ensure_future(increment())
        for _ in range(3):
            await asyncio.sleep(0)
        await asyncio.gather(first, increment())
        self.assertEqual(count, 2)


class OutOfOrderResponses(AsyncHTTPTestCase):
    """The answers are put in the order of the requests."""

    clock_factory = VirtualClock
    network_factory = VirtualNetwork

    class Number(RequestHandler):
        async def get(self, number: str) -> None:
            await asyncio.sleep(0)
            self.write(number)

    def get_app(self) -> Application:
        return Application([(r"/(\d)", self.Number)])

    async def test(self) -> None:
        async def ask(path: str) -> bytes:
            return (await self.async_fetch(path)).body

        answers = await asyncio.gather(ask("/1"), ask("/2"), ask("/3"))
        self.assertEqual(answers, [b"1", b"2", b"3"])


class FarBehind(AsyncTestCase):
    """The task that uses waits for the task that prepares."""

    async def test(self) -> None:
        log: list[str] = []
        is_ready = asyncio.Event()

        async def prepare() -> None:
            await asyncio.sleep(0)
            log.append("ready")
            is_ready.set()

        async def use() -> None:
            for _ in range(8):
                await asyncio.sleep(0)
            await is_ready.wait()
            log.append("use")

        async def noise() -> None:
            for _ in range(6):
                await asyncio.sleep(0)

        await asyncio.gather(prepare(), use(), noise(), noise(), noise())
        self.assertEqual(log, ["ready", "use"])


class EndInReverse(AsyncTestCase):
    """The test expects no order."""

    async def test(self) -> None:
        log: list[int] = []

        async def work(number: int) -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            log.append(number)

        await asyncio.gather(*map(work, range(4)))
        self.assertEqual(sorted(log), [0, 1, 2, 3])


if __name__ == "__main__":
    unittest.main()
