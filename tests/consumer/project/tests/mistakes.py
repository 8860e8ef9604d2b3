"""Mistakes that type checkers have to find: to them, a comment that ignores no error is an error itself."""

from collections.abc import AsyncGenerator, Generator
from typing import Any

from orders.app import make_app, price

from asynctest_tornado import (
    AsyncHTTPTestCase,
    AsyncTestCase,
    ExpectError,
    HTTPTestServer,
    gen_test,
    setup_with_context_manager,
)


class Mistakes(AsyncHTTPTestCase):
    def get_app(self) -> str:  # type: ignore[override]
        return "/"

    @gen_test
    async def coroutine(self, number: int = 1) -> str:
        return str(number)

    @gen_test(timeout=5)
    def generator(self, number: int) -> Generator[Any, Any, None]:
        yield self.fetch("/", body="", methods="POST")  # type: ignore[call-arg]

    @gen_test  # type: ignore[arg-type]
    async def neither(self) -> AsyncGenerator[int]:
        yield 1

    def of_gen_test(self) -> None:
        gen_test(timeout="5")  # type: ignore[call-overload]
        self.coroutine("1")  # type: ignore[arg-type]
        self.coroutine(count=1)  # type: ignore[call-arg]
        self.generator()  # type: ignore[call-arg]
        number: int = self.coroutine()  # type: ignore[assignment]
        print(number)

    def of_run_sync(self) -> None:
        self.run_sync(price)  # type: ignore[call-overload]
        self.run_sync(price, 1)  # type: ignore[call-overload]
        self.run_sync(price, item="tea", count=2)  # type: ignore[call-overload]
        self.run_sync(len, "tea")  # type: ignore[call-overload]
        self.run_sync(42)  # type: ignore[call-overload]
        text: str = self.run_sync(price, "tea")  # type: ignore[assignment]
        print(text)

    def of_fetch(self) -> None:
        self.fetch("/", timeout=5)  # type: ignore[call-arg]
        self.fetch("/", method=5)  # type: ignore[arg-type]
        print(self.fetch("/").text)  # type: ignore[attr-defined]
        self.fetch("/", cookies="a=1")  # type: ignore[arg-type]
        self.sign_in("user", 1)  # type: ignore[arg-type]
        self.cookies["a"] = 1  # type: ignore[assignment]

    async def of_fetch_in_a_coroutine(self) -> None:
        print((await self.fetch("/")).text)  # type: ignore[attr-defined]
        print(self.async_fetch("/").code)  # type: ignore[attr-defined]
        await (await self.fetch("/"))  # type: ignore[misc]
        async with HTTPTestServer(make_app()) as server:
            print(server.fetch("/").code)  # type: ignore[attr-defined]

    async def of_websockets(self) -> None:
        self.ws_connect("/").read_message()  # type: ignore[attr-defined]
        async with self.ws_connect("/") as line:
            (await line.read_message()).upper()  # type: ignore[union-attr]

    async def of_streams(self) -> None:
        await self.stream("/")  # type: ignore[misc]
        with self.stream("/"):  # type: ignore[attr-defined]
            pass
        async with self.stream("/") as response:
            print(response.body)  # type: ignore[attr-defined]
            for _ in response:  # type: ignore[attr-defined]
                pass


class OtherMistakes(AsyncTestCase):
    async_test_timeout = "5"  # type: ignore[assignment]
    leaks = 1  # type: ignore[assignment]

    def of_others(self) -> None:
        self.wait(timeout="5")  # type: ignore[arg-type]
        self.fetch("/")  # type: ignore[attr-defined]
        ExpectError("boom")  # type: ignore[arg-type]
        setup_with_context_manager(self, 42)  # type: ignore[arg-type]
