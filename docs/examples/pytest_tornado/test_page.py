"""A module of tests as they are written for pytest-tornado. The plugin of asynctest_tornado has the same fixtures."""

import pytest

from docs.examples.app import make_app


@pytest.fixture
def app():
    return make_app()


@pytest.mark.gen_test
async def test_price(http_client, base_url):
    response = await http_client.fetch(f"{base_url}/prices?item=tea")
    assert response.code == 200
