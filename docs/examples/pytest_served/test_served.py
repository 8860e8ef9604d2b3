"""Test functions for pytest that begin their servers by ``serve``."""

import asyncio

import pytest

from asynctest_tornado import VirtualClock
from docs.examples.app import make_app


async def test_order(serve):
    server = await serve(make_app())
    response = await server.fetch("/orders", method="POST", json={"item": "tea"})
    assert response.json() == {"item": "tea"}


async def test_several_servers(serve, tmp_path):
    shop = await serve(make_app(), https=True)
    other = await serve(make_app(), unix_socket=tmp_path / "shop.sock")
    for server in shop, other:
        async with server.ws_connect("/chat") as socket:
            assert await socket.read_message() == "welcome"


@pytest.fixture
async def shop(serve):
    server = await serve(make_app())
    yield server
    assert server.errors == []


async def test_prices(shop):
    response = await shop.fetch("/prices", params={"item": "tea"})
    assert response.code == 200


@pytest.fixture(scope="session")
async def server(serve):
    return await serve(make_app())


@pytest.fixture(scope="module")
async def client(server):
    await server.fetch("/orders", method="POST", json={"item": "tea"})
    return server


async def test_one(client):
    assert (await client.fetch("/prices", params={"item": "tea"})).code == 200


async def test_another_on_the_same_loop(server):
    async with server.ws_connect("/chat") as socket:
        assert await socket.read_message() == "welcome"


@pytest.mark.gen_test(loop_scope="class", clock_factory=VirtualClock)
class TestDay:
    async def test_morning(self):
        await asyncio.sleep(12 * 3600)

    async def test_afternoon(self, clock):
        assert clock.time() == 12 * 3600


async def test_refused(unused_port):
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", unused_port)
