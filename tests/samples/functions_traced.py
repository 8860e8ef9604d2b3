"""Test functions of pytest with a trace, which fail on purpose."""

import asyncio
from pathlib import Path
from typing import Any

import pytest


async def go_on() -> None:
    await asyncio.sleep(0)


@pytest.mark.gen_test
async def test_plain() -> None:
    await asyncio.create_task(go_on())
    raise LookupError("<plain>")


@pytest.mark.gen_test(trace="off")
async def test_off() -> None:
    await go_on()
    raise LookupError


@pytest.mark.gen_test(schedules=2)
async def test_orders() -> None:
    await asyncio.gather(go_on(), go_on())
    raise LookupError


@pytest.mark.gen_test(trace="failures", clock_factory=None)
@pytest.mark.parametrize("path", ["a/b", "a:b"])
async def test_in_folder_of_run(path: str) -> None:
    await go_on()
    raise LookupError


def test_fixture(io_loop: Any) -> None:
    io_loop.run_sync(go_on)
    raise LookupError


@pytest.mark.gen_test(trace=Path("folder_of_marker"))
async def test_folder() -> None:
    await go_on()
    raise LookupError
