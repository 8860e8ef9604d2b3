"""Test functions for pytest."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
from orders.app import make_app
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from asynctest_tornado import VirtualClock


@pytest.fixture
def app() -> Application:
    return make_app()


@pytest.fixture
async def order(http_client: AsyncHTTPClient, base_url: str) -> AsyncGenerator[bytes]:
    response = await http_client.fetch(f"{base_url}/orders", method="POST", body='{"item": "tea"}')
    yield response.body
    await asyncio.sleep(0)


async def test_order(order: bytes) -> None:
    assert order == b'{"item": "tea"}'


async def test_secure(https_client: AsyncHTTPClient, base_url: str) -> None:
    response = await https_client.fetch(f"{base_url}/orders?item=tea")
    assert response.body == b'{"price": 3}'


def test_synchronous(io_loop: IOLoop) -> None:
    assert not io_loop.asyncio_loop.is_running()  # type: ignore[attr-defined]


@pytest.mark.gen_test(clock_factory=VirtualClock)
def test_generator(clock: VirtualClock) -> Generator[Any, Any, None]:
    yield asyncio.sleep(3600)
    assert clock.time() == 3600
