"""Tests for pytest-tornasync: the left column of its table in the page "cheat sheet".

They are run by::

    python -m pytest -p no:asynctest_tornado docs/examples/cheat_sheet/tornasync_there.py
"""

import pytest
from tornado.httpclient import HTTPClientError

from docs.examples.app import make_app
from docs.examples.test_which_one import double


@pytest.fixture
def app():
    return make_app()


async def test_coroutine():
    assert await double(21) == 42


@pytest.mark.timeout(seconds=10)
async def test_with_a_time_limit():
    assert await double(21) == 42


async def test_price(http_server_client):
    response = await http_server_client.fetch("/prices?item=tea")
    assert response.code == 200


async def test_no_order(http_server_client):
    with pytest.raises(HTTPClientError):
        await http_server_client.fetch("/orders")


async def test_port(io_loop, http_server, http_server_port, http_client):
    response = await http_client.fetch(f"http://localhost:{http_server_port[1]}/prices?item=tea")
    assert response.code == 200
