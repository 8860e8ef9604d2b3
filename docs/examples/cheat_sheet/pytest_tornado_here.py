"""Tests for this library: the right column of the table of pytest-tornado in the page "cheat sheet".

They are run by::

    python -m pytest --async-test-timeout=30 docs/examples/cheat_sheet/pytest_tornado_here.py
"""

import pytest

from docs.examples.app import make_app
from docs.examples.test_which_one import double


@pytest.fixture
def app():
    return make_app()


@pytest.mark.gen_test
async def test_coroutine():
    assert await double(21) == 42


@pytest.mark.gen_test(timeout=10)
def test_generator(io_loop):
    answer = yield double(21)
    assert answer == 42


async def test_unchanged(http_client, base_url):
    response = await http_client.fetch(f"{base_url}/prices?item=tea")
    assert response.code == 200


async def test_price(serve, app):
    server = await serve(app)
    response = await server.fetch("/prices?item=tea")
    assert response.json() == {"price": 3}


async def test_no_order(serve, app):
    server = await serve(app)
    response = await server.fetch("/orders")
    assert response.code == 404


async def test_secure_price(serve, app):
    server = await serve(app, https=True)
    assert (await server.fetch("/prices?item=tea")).code == 200


def test_synchronous(io_loop, http_server, http_port):
    assert io_loop.run_sync(lambda: double(21)) == 42
