"""Tests for pytest-tornado: the left column of its table in the page "cheat sheet".

They are run by::

    python -m pytest -p no:asynctest_tornado --async-test-timeout=30 docs/examples/cheat_sheet/pytest_tornado_there.py
"""

from importlib.resources import files

import pytest
from tornado.escape import json_decode
from tornado.httpclient import HTTPClientError

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


@pytest.mark.gen_test
async def test_price(http_client, base_url):
    response = await http_client.fetch(f"{base_url}/prices?item=tea")
    assert json_decode(response.body) == {"price": 3}


@pytest.fixture
def ssl_options():
    folder = files("asynctest_tornado._tls.certificate")
    return {"certfile": str(folder / "server.crt"), "keyfile": str(folder / "server.key")}


@pytest.mark.gen_test
async def test_secure_price(https_client, base_url):
    response = await https_client.fetch(f"{base_url}/prices?item=tea", validate_cert=False)
    assert response.code == 200


@pytest.mark.gen_test
async def test_no_order(http_client, base_url):
    with pytest.raises(HTTPClientError):
        await http_client.fetch(f"{base_url}/orders")


def test_synchronous(io_loop, http_server, http_port):
    assert io_loop.run_sync(lambda: double(21)) == 42
