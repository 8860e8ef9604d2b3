"""Tests that are functions, for pytest."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
from tornado.escape import json_decode, json_encode
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.web import Application
from tornado.websocket import WebSocketClientConnection, websocket_connect

from asynctest_tornado import VirtualClock
from docs.examples.app import make_app
from docs.examples.cache import Cache


@pytest.fixture
def app() -> Application:
    return make_app()


async def test_order(http_client: AsyncHTTPClient, base_url: str) -> None:
    order = json_encode({"item": "tea"})
    response = await http_client.fetch(f"{base_url}/orders", method="POST", body=order)
    assert json_decode(response.body) == {"item": "tea"}


@pytest.fixture
async def chat(http_server: HTTPServer, http_port: int) -> AsyncGenerator[WebSocketClientConnection, None]:
    socket = await websocket_connect(f"ws://127.0.0.1:{http_port}/chat")
    yield socket
    socket.close()


async def test_echo(chat: WebSocketClientConnection) -> None:
    assert await chat.read_message() == "welcome"
    await chat.write_message("hello")
    assert await chat.read_message() == "hello"


@pytest.mark.gen_test(timeout=10)
def test_generator(https_client: AsyncHTTPClient, base_url: str) -> Generator[Any, Any, None]:
    response = yield https_client.fetch(f"{base_url}/prices?item=tea")
    assert response.code == 200


@pytest.mark.gen_test(clock_factory=VirtualClock)
async def test_an_entry_lives_for_an_hour(clock: VirtualClock) -> None:
    cache = Cache(3600)
    cache.put("tea", "hot")
    await asyncio.sleep(3600.1)
    assert clock.time() == 3600.1
    assert cache.values == {}


@pytest.mark.gen_test(schedules=3)
async def test_who_comes_last() -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    await asyncio.gather(work(1), work(2))
    assert sorted(done) == [1, 2]
