"""Test functions of pytest that use most of the library."""

import asyncio
from typing import Any

import pytest
from tornado.web import Application

from tests.samples.untouched import APPLICATION


@pytest.fixture
def app() -> Application:
    return APPLICATION


@pytest.mark.asynctest_tornado
async def test_coroutine() -> None:
    await asyncio.sleep(0.001)


async def test_served(http_client: Any, base_url: str) -> None:
    assert (await http_client.fetch(base_url)).body == b"hello"
