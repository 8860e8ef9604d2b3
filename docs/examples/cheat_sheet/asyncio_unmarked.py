"""Tests without markers, on one loop: by settings of pytest-asyncio or of this library.

They are run by::

    python -m pytest -c docs/examples/cheat_sheet/asyncio_there.ini docs/examples/cheat_sheet/asyncio_unmarked.py
    python -m pytest -c docs/examples/cheat_sheet/asyncio_here.ini docs/examples/cheat_sheet/asyncio_unmarked.py
"""

import asyncio

import pytest

from docs.examples.test_which_one import double

loops = []


@pytest.fixture
async def answer():
    return await double(21)


async def test_answer(answer):
    loops.append(asyncio.get_running_loop())
    assert await double(21) == answer


async def test_loop():
    assert asyncio.get_running_loop() in loops
