"""Tests with a typical mistake about faults of hosts. Their reports, in ``tests/gallery``, say how to mend it."""

from typing import Any

from tornado.httpclient import AsyncHTTPClient

from asynctest_tornado import AsyncTestCase, VirtualClock, VirtualNetwork
from tests.samples.mistaken_http import make_app


class _Served(AsyncTestCase):
    clock_factory = VirtualClock
    network_factory = VirtualNetwork

    def setUp(self) -> None:
        super().setUp()
        self.payments = self.network.serve("https://payments.example", make_app())

    async def pay(self) -> None:
        await AsyncHTTPClient().fetch("https://payments.example/hello", request_timeout=0)


class CutComesTooLate(_Served):
    async def test(self) -> None:
        await self.pay()
        self.payments.cut(after=100)


class HoldWithoutRelease(_Served):
    async def test(self) -> None:
        self.payments.hold()
        await self.pay()


class LatencyMisspelled(_Served):
    async def test(self) -> None:
        payments: Any = self.payments
        payments.latancy = 40
        await self.pay()


class PartitionOfAURL(_Served):
    async def test(self) -> None:
        self.network.partition("https://payments.example")


class FaultOfAStoppedHost(_Served):
    async def test(self) -> None:
        self.payments.stop()
        self.payments.refuse()
        await self.pay()
