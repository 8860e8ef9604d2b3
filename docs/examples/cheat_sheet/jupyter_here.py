"""Tests for this library: the right column of the table of pytest-jupyter in the page "cheat sheet".

They are run by::

    python -m pytest docs/examples/cheat_sheet/jupyter_here.py
"""

import json

from docs.examples.app import make_app
from docs.examples.pytest_beside.jupyter_conftest import jp_asyncio_loop  # noqa: F401
from docs.examples.test_which_one import double

pytest_plugins = ["pytest_jupyter.jupyter_server"]


async def test_coroutine():
    assert await double(21) == 42


async def test_loop(asynctest_tornado_io_loop):
    asynctest_tornado_io_loop.add_callback(print)


async def test_status(jp_fetch):
    response = await jp_fetch("api", "status")
    assert json.loads(response.body)["kernels"] == 0


async def test_price(serve):
    server = await serve(make_app())
    response = await server.fetch("/prices?item=tea")
    assert response.json() == {"price": 3}
