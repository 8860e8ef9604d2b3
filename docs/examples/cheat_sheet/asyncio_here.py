"""Tests for this library: the right column of the table of pytest-asyncio in the page "cheat sheet".

They are run by::

    python -m pytest docs/examples/cheat_sheet/asyncio_here.py
"""

import asyncio

import pytest

from docs.examples.test_which_one import double


@pytest.fixture
async def answer():
    return await double(21)


@pytest.fixture(scope="module")
async def lock():
    return asyncio.Lock()


@pytest.mark.gen_test
async def test_answer(answer):
    assert await double(21) == answer


@pytest.mark.gen_test(timeout=10)
async def test_with_a_time_limit():
    assert await double(21) == 42


async def test_loop(io_loop):
    io_loop.add_callback(print)


@pytest.mark.gen_test
async def test_port(unused_port):
    server = await asyncio.start_server(print, port=unused_port)
    server.close()


@pytest.mark.gen_test
async def test_lock(lock):
    async with lock:
        assert await double(21) == 42


@pytest.mark.gen_test(loop_scope="class")
class TestClass:
    async def test_one(self):
        type(self).loop = asyncio.get_running_loop()

    async def test_two(self):
        assert asyncio.get_running_loop() is self.loop
