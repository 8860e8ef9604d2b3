"""Races: each of these tests passes in the order of asyncio, and works by luck."""

import asyncio
import unittest
from typing import Any

from tornado import gen, locks
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, VirtualClock, gen_test


class LostUpdate(AsyncTestCase):
    """Both read the balance before either has written it, if the second one is quick."""

    async def test(self) -> None:
        balance = 100

        async def read() -> int:
            seen = balance
            await asyncio.sleep(0)  # the answer is on its way
            return seen

        async def withdraw(amount: int) -> None:
            nonlocal balance
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
    """A task that finds the name free takes it; another task may have done so meanwhile."""

    async def test(self) -> None:
        owners: dict[str, str] = {}
        requests: asyncio.Queue[str] = asyncio.Queue()

        async def register(user: str) -> None:
            name = await requests.get()
            if name not in owners:
                await asyncio.sleep(0)  # write to the log
                owners[name] = user

        async def ask() -> None:
            requests.put_nowait("jesse")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            requests.put_nowait("jesse")

        await asyncio.gather(register("first"), register("second"), ask())
        self.assertEqual(owners, {"jesse": "first"})


class UseBeforeSetUp(AsyncTestCase):
    """The bug of the article: setUp does not wait for its coroutine."""

    def setUp(self) -> None:
        super().setUp()
        self.io_loop.add_callback(self.setup_coro)

    async def setup_coro(self) -> None:
        await asyncio.sleep(0)
        self.document = {"_id": 1}

    async def test(self) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.assertEqual(self.document, {"_id": 1})


class UseBeforeSetUpOfTornado(AsyncTestCase):
    """The same, as it was written in 2015."""

    def setUp(self) -> None:
        super().setUp()
        self.setup_coro()

    @gen.coroutine
    def setup_coro(self) -> Any:
        yield gen.moment
        self.document = {"_id": 1}

    @gen_test
    def test(self) -> Any:
        yield gen.moment
        self.assertEqual(self.document, {"_id": 1})


class DoubleClose(AsyncTestCase):
    """Two tasks close the connection; the second one expects to see that it is closed."""

    async def test(self) -> None:
        closed = 0
        is_open = True

        async def close() -> None:
            nonlocal closed, is_open
            if is_open:
                await goodbye()
                closed += 1
                is_open = False

        async def goodbye() -> None:
            await asyncio.sleep(0)

        async def on_error() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await close()

        await asyncio.gather(close(), on_error())
        self.assertEqual(closed, 1)


class MissedEvent(AsyncTestCase):
    """Who waits for a notification has to be there before it comes."""

    clock_factory = VirtualClock

    async def test(self) -> None:
        condition = locks.Condition()

        async def wait() -> None:
            await asyncio.sleep(0)
            self.assertTrue(await condition.wait(self.io_loop.time() + 10))

        async def notify() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            condition.notify()

        await asyncio.gather(wait(), notify())


class UnlockedCounter(AsyncTestCase):
    """A counter that is read, and written a turn later."""

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
    """The first request is answered first, mostly."""

    class Number(RequestHandler):
        async def get(self, number: str) -> None:
            await asyncio.sleep(0)
            self.write(number)

    def get_app(self) -> Application:
        return Application([(r"/(\d)", self.Number)])

    async def test(self) -> None:
        answers: list[bytes] = []

        async def ask(path: str) -> None:
            answers.append((await self.async_fetch(path)).body)

        await asyncio.gather(ask("/1"), ask("/2"), ask("/3"))
        self.assertEqual(answers, [b"1", b"2", b"3"])


class FarBehind(AsyncTestCase):
    """One task has to fall behind another one by eight steps."""

    async def test(self) -> None:
        log: list[str] = []

        async def prepare() -> None:
            await asyncio.sleep(0)
            log.append("ready")

        async def use() -> None:
            for _ in range(8):
                await asyncio.sleep(0)
            log.append("use")

        async def noise() -> None:
            for _ in range(6):
                await asyncio.sleep(0)

        await asyncio.gather(prepare(), use(), noise(), noise(), noise())
        self.assertEqual(log, ["ready", "use"])


class EndInReverse(AsyncTestCase):
    """It fails only if four tasks end in the opposite order."""

    async def test(self) -> None:
        log: list[int] = []

        async def work(number: int) -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            log.append(number)

        await asyncio.gather(*map(work, range(4)))
        self.assertNotEqual(log, [3, 2, 1, 0])


if __name__ == "__main__":
    unittest.main()
