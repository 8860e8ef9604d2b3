"""Tests for pytest-jupyter: the left column of its table in the page "cheat sheet".

They are run by::

    python -m pytest -p no:asynctest_tornado docs/examples/cheat_sheet/jupyter_there.py
"""

import json

import pytest

from docs.examples.app import make_app
from docs.examples.test_which_one import double

pytest_plugins = ["pytest_jupyter.jupyter_server"]


async def test_coroutine():
    assert await double(21) == 42


async def test_loop(jp_asyncio_loop, io_loop):
    jp_asyncio_loop.call_soon(print)
    io_loop.add_callback(print)


async def test_status(jp_fetch):
    response = await jp_fetch("api", "status")
    assert json.loads(response.body)["kernels"] == 0


class TestOfAnApplication:
    @pytest.fixture
    def jp_web_app(self):
        return make_app()

    async def test_price(self, http_server_client):
        response = await http_server_client.fetch("/prices?item=tea")
        assert json.loads(response.body) == {"price": 3}
