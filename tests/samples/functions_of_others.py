"""Test functions for several plugins of pytest, each on a loop of its own."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from tornado.ioloop import IOLoop


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest_asyncio.fixture
async def of_asyncio() -> AsyncGenerator[Any, None]:
    yield asyncio.get_running_loop()


@pytest.fixture
async def of_whoever_asks() -> Any:
    return asyncio.get_running_loop()


def is_ours() -> bool:
    return hasattr(asyncio.get_running_loop(), "_asynctest")


@pytest.mark.asyncio
async def test_asyncio(of_asyncio: Any) -> None:
    assert asyncio.get_running_loop() is of_asyncio
    assert not is_ours()


@pytest.mark.anyio
async def test_anyio(of_whoever_asks: Any) -> None:
    assert asyncio.get_running_loop() is of_whoever_asks
    assert not is_ours()


async def test_ours(io_loop: IOLoop, of_whoever_asks: Any) -> None:
    assert asyncio.get_running_loop() is of_whoever_asks
    assert is_ours()


def test_synchronous(io_loop: IOLoop, of_whoever_asks: Any) -> None:
    assert io_loop.asyncio_loop is of_whoever_asks  # type: ignore[attr-defined]


async def test_of_nobody() -> None:
    assert is_ours()
