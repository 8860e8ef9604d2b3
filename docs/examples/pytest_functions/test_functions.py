"""Tests that are functions, for pytest."""

import asyncio

import pytest
from tornado.escape import json_decode, json_encode
from tornado.websocket import websocket_connect

from asynctest_tornado import VirtualClock
from docs.examples.app import make_app
from docs.examples.cache import Cache


@pytest.fixture
def app():
    return make_app()


async def test_order(http_client, base_url):
    order = json_encode({"item": "tea"})
    response = await http_client.fetch(f"{base_url}/orders", method="POST", body=order)
    assert json_decode(response.body) == {"item": "tea"}


@pytest.fixture
async def chat(http_server, http_port):
    socket = await websocket_connect(f"ws://127.0.0.1:{http_port}/chat")
    yield socket
    socket.close()


async def test_echo(chat):
    assert await chat.read_message() == "welcome"
    await chat.write_message("hello")
    assert await chat.read_message() == "hello"


@pytest.mark.gen_test(timeout=10)
def test_generator(https_client, base_url):
    response = yield https_client.fetch(f"{base_url}/prices?item=tea")
    assert response.code == 200


@pytest.mark.gen_test(clock_factory=VirtualClock)
async def test_an_entry_lives_for_an_hour(clock):
    cache = Cache(3600)
    cache.put("tea", "hot")
    await asyncio.sleep(3600.1)
    assert clock.time() == 3600.1
    assert cache.values == {}


@pytest.mark.gen_test(schedules=3)
async def test_who_comes_last():
    done = []

    async def work(number):
        await asyncio.sleep(0)
        done.append(number)

    await asyncio.gather(work(1), work(2))
    assert sorted(done) == [1, 2]
