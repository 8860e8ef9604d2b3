"""Tests for this library: the right column of the table of pytest-asyncio in the page "cheat sheet".

They are run by::

    python -m pytest -c docs/examples/cheat_sheet/asyncio_here.ini docs/examples/cheat_sheet/asyncio_here.py
"""

import asyncio

import pytest

from docs.examples.test_which_one import double

loops_of_the_module = []


@pytest.fixture
async def answer():
    return await double(21)


@pytest.fixture(scope="module")
async def lock():
    return asyncio.Lock()


async def test_without_a_marker(answer):
    loops_of_the_module.append(asyncio.get_running_loop())
    assert await double(21) == answer


async def test_another_one():
    assert asyncio.get_running_loop() in loops_of_the_module


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
        assert self.loop not in loops_of_the_module

    async def test_two(self):
        assert asyncio.get_running_loop() is self.loop
