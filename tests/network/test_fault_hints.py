"""Hints for calls of the network and of hosts that cannot be made so."""

import unittest
from collections.abc import Callable
from typing import Any

from tornado.gen import coroutine
from tornado.web import Application

from asynctest_tornado import AsyncTestCase, VirtualNetwork
from tests.support import run_case

URL = "http://payments.example"


class HintTest(unittest.TestCase):
    def report(self, body: Callable[[Any], Any], base: type[AsyncTestCase] = AsyncTestCase) -> str:
        return run_case(type("Sample", (base,), {"network_factory": VirtualNetwork, "test": body})).report

    def test_a_method_that_is_awaited(self) -> None:
        async def serve(self: Any) -> None:
            await self.network.serve(URL, Application())

        async def stop(self: Any) -> None:
            host = self.network.serve(URL, Application())
            await host.stop()

        async def partition(self: Any) -> None:
            self.network.serve(URL, Application())
            await self.network.partition("localhost", "payments.example")

        for body in (serve, stop, partition):
            owner = "host" if body is stop else "network"
            self.assertIn(f"{owner}.{body.__name__}() is no coroutine. Call it without 'await'.", self.report(body))

    def test_a_method_that_is_yielded(self) -> None:
        @coroutine
        def serve(self: Any) -> Any:
            yield self.network.serve(URL, Application())

        self.assertIn("network.serve() is no coroutine. Call it without 'yield'.", self.report(serve))

    def test_an_attribute_that_is_called(self) -> None:
        def body(self: Any) -> None:
            host = self.network.serve(URL, Application())
            host.latency(4)

        self.assertIn("latency is set, and not called: host.latency = 4", self.report(body))

    def test_another_argument(self) -> None:
        def cut(self: Any) -> None:
            self.network.serve(URL, Application()).cut(bytes=4)

        def refuse(self: Any) -> None:
            self.network.serve(URL, Application()).refuse(times=4)

        self.assertIn(
            "The argument of cut() is after, not bytes: cut(after=...), how many bytes arrive before.", self.report(cut)
        )
        self.assertIn(
            "The argument of refuse() is count, not times: refuse(count=...), how many connections.",
            self.report(refuse),
        )

    def test_other_code_gets_no_hint(self) -> None:
        async def body(self: Any) -> None:
            await len("network.serve")  # type: ignore[misc]

        def call(self: Any) -> None:
            latency = 4
            latency(4)  # type: ignore[operator]

        self.assertNotIn("is no coroutine", self.report(body))
        self.assertNotIn("is set", self.report(call))
