"""Test functions with pytest's own subtests, which go wrong on purpose. Tests run them."""

import asyncio
import threading
from collections.abc import Generator

import pytest
from tornado.ioloop import IOLoop

from tests.limits import limit_clock


@pytest.fixture
def stopped_limits() -> Generator[None, None, None]:
    with limit_clock.stopped():
        yield


def boom() -> None:
    raise ValueError("planted")


async def stand_still() -> None:
    await asyncio.get_running_loop().create_future()


@pytest.mark.gen_test(timeout=0.1)
async def test_timeout(stopped_limits: None, subtests: pytest.Subtests) -> None:
    for name in "first", "second", "third":
        with subtests.test(name):
            limit_clock.advance()
            await asyncio.sleep(3600)


@pytest.mark.gen_test(timeout=0.1)
async def test_timeout_below(stopped_limits: None, subtests: pytest.Subtests) -> None:
    async def wait(name: str) -> None:
        with subtests.test(name):
            if name == "second":
                limit_clock.advance()
            await asyncio.sleep(3600)

    await asyncio.gather(wait("first"), wait("second"))
    raise AssertionError("The test goes on.")


@pytest.mark.gen_test
async def test_deadlock(subtests: pytest.Subtests) -> None:
    for name in "first", "second":
        with subtests.test(name):
            await stand_still()


@pytest.mark.gen_test(timeout=0.1)
async def test_failure_at_the_timeout(stopped_limits: None, subtests: pytest.Subtests) -> None:
    with subtests.test("first"):
        try:
            limit_clock.advance()
            await asyncio.sleep(3600)
        finally:
            raise KeyError("in the end")
    with subtests.test("second"):
        limit_clock.advance()
        await asyncio.sleep(3600)


@pytest.mark.gen_test(timeout=0.1)
async def test_blocked(stopped_limits: None, subtests: pytest.Subtests) -> None:
    for name in "first", "second":
        with subtests.test(name):
            limit_clock.advance()
            threading.Event().wait(3600)


async def test_callback(io_loop: IOLoop, subtests: pytest.Subtests) -> None:
    for name in "first", "second":
        with subtests.test(name):
            io_loop.add_callback(boom)
            await asyncio.sleep(3600)
    with subtests.test("third"):
        await asyncio.sleep(0)


def test_synchronous(io_loop: IOLoop, subtests: pytest.Subtests) -> None:
    with subtests.test("first"):
        io_loop.add_callback(boom)
        io_loop.run_sync(lambda: asyncio.sleep(3600))
    with subtests.test("second"):
        io_loop.run_sync(lambda: asyncio.sleep(0))


async def test_cancellation(io_loop: IOLoop, subtests: pytest.Subtests) -> None:
    async def wait() -> None:
        with subtests.test("first"):
            await stand_still()
        raise AssertionError("The cancellation is lost.")

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.gen_test(leaks="fail")
async def test_leak_of_a_failure(io_loop: IOLoop, subtests: pytest.Subtests) -> None:
    io_loop.call_later(3600, boom)
    with subtests.test("first"):
        raise KeyError("tea")
    with subtests.test("second"):
        pytest.skip("for a reason")


async def test_passes(io_loop: IOLoop, subtests: pytest.Subtests) -> None:
    for name in "first", "second":
        with subtests.test(name):
            await asyncio.sleep(0)
