"""Tests for this library: the right column of the table of pytest-tornasync in the page "cheat sheet".

They are run by::

    python -m pytest -c docs/examples/cheat_sheet/tornasync_here.ini docs/examples/cheat_sheet/tornasync_here.py
"""

import pytest

from docs.examples.app import make_app
from docs.examples.test_which_one import double


@pytest.fixture
def app():
    return make_app()


@pytest.fixture
async def server(serve, app):
    return await serve(app)


async def test_coroutine():
    assert await double(21) == 42


@pytest.mark.gen_test(timeout=10)
async def test_with_a_time_limit():
    assert await double(21) == 42


async def test_price(server):
    response = await server.fetch("/prices?item=tea")
    assert response.code == 200


async def test_no_order(server):
    response = await server.fetch("/orders")
    assert response.code == 404


async def test_port(io_loop, http_server, http_port, http_client):
    response = await http_client.fetch(f"http://localhost:{http_port}/prices?item=tea")
    assert response.code == 200
