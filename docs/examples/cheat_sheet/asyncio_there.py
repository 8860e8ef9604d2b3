"""Tests for pytest-asyncio: the left column of its table in the page "cheat sheet".

They are run by::

    python -m pytest -c docs/examples/cheat_sheet/asyncio_there.ini docs/examples/cheat_sheet/asyncio_there.py
"""

import asyncio

import pytest
import pytest_asyncio

from docs.examples.test_which_one import double

loops_of_the_module = []


@pytest_asyncio.fixture
async def answer():
    return await double(21)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lock():
    return asyncio.Lock()


async def test_without_a_marker(answer):
    loops_of_the_module.append(asyncio.get_running_loop())
    assert await double(21) == answer


async def test_another_one():
    assert asyncio.get_running_loop() in loops_of_the_module


@pytest.mark.asyncio
async def test_answer(answer):
    assert await double(21) == answer


@pytest.mark.asyncio
async def test_with_a_time_limit():
    async with asyncio.timeout(10):
        assert await double(21) == 42


@pytest.mark.asyncio
async def test_loop():
    asyncio.get_running_loop().call_soon(print)


@pytest.mark.asyncio
async def test_port(unused_tcp_port):
    server = await asyncio.start_server(print, port=unused_tcp_port)
    server.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_lock(lock):
    async with lock:
        assert await double(21) == 42


@pytest.mark.asyncio(loop_scope="class")
class TestClass:
    async def test_one(self):
        type(self).loop = asyncio.get_running_loop()
        assert self.loop not in loops_of_the_module

    async def test_two(self):
        assert asyncio.get_running_loop() is self.loop
