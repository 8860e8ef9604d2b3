"""Some of the tests once more, as test functions: ``python -m pytest examples/checkout/functions_test.py``."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest

from asynctest_tornado import HTTPTestServer, ServedHost, VirtualClock, VirtualNetwork

from .app import make_app
from .checkout import Checkout
from .payments_stub import PaymentsStub
from .test_checkout import ORDER, PROVIDER

pytestmark = pytest.mark.gen_test(
    clock_factory=VirtualClock, network_factory=VirtualNetwork, leaks="fail", fail_on_server_error=True
)


@pytest.fixture
def stub() -> PaymentsStub:
    return PaymentsStub()


@pytest.fixture
def payments(network: VirtualNetwork, stub: PaymentsStub) -> ServedHost:
    """The provider, under its name on the network of the test."""
    return network.serve(PROVIDER, stub)


@pytest.fixture
async def shop(
    serve: Callable[..., Awaitable[HTTPTestServer]], payments: ServedHost
) -> AsyncGenerator[HTTPTestServer, None]:
    """The checkout, as its customers see it."""
    checkout = Checkout(PROVIDER)
    yield await serve(make_app(checkout))
    checkout.payments.close()


async def order(shop: HTTPTestServer) -> Any:
    return await shop.fetch("/checkout", json=ORDER)


async def test_a_card_is_charged(shop: HTTPTestServer, payments: ServedHost) -> None:
    assert (await order(shop)).code == 201
    assert [request.path for request in payments.requests] == ["/charge"]


async def test_a_slow_provider_is_a_504(shop: HTTPTestServer, payments: ServedHost) -> None:
    payments.latency = 40  # seconds of virtual time
    assert (await order(shop)).code == 504


@pytest.mark.parametrize("fault", ["cut", "reset", "half_close"])
async def test_a_response_that_is_lost_is_asked_for_again(
    shop: HTTPTestServer, payments: ServedHost, stub: PaymentsStub, fault: str
) -> None:
    getattr(payments, fault)(after=100)  # bytes of the next response
    assert (await order(shop)).json()["charge"] == "ch_1"
    assert (len(payments.requests), len(stub.answers)) == (2, 1)


async def test_a_customer_clicks_twice(shop: HTTPTestServer, payments: ServedHost) -> None:
    payments.hold()
    clicks = asyncio.gather(order(shop), order(shop))
    await asyncio.sleep(10)
    payments.release()
    assert [answer.json()["charge"] for answer in await clicks] == ["ch_1", "ch_1"]
    assert len(payments.requests) == 1


async def test_the_provider_cannot_be_reached(
    shop: HTTPTestServer, payments: ServedHost, network: VirtualNetwork
) -> None:
    network.partition("localhost", "payments.example")
    assert (await order(shop)).code == 504
    network.heal()
    assert (await order(shop)).code == 201
