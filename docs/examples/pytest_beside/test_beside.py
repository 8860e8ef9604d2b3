"""Beside another plugin for pytest, which has a fixture of the same name."""

import pytest

from docs.examples.app import make_app


@pytest.fixture
def http_client():
    """Stand for the fixture of another plugin."""
    return "a client of another kind"


@pytest.fixture
def asynctest_tornado_app():
    return make_app()


async def test_both(http_client, asynctest_tornado_http_client, asynctest_tornado_base_url):
    assert http_client == "a client of another kind"
    response = await asynctest_tornado_http_client.fetch(f"{asynctest_tornado_base_url}/prices?item=tea")
    assert response.code == 200
