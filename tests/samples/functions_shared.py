"""Test functions for pytest that share loops, and many of which fail on purpose. Discovery does not find them."""

import asyncio
import contextvars
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

import pytest
from tornado.ioloop import IOLoop

from asynctest_tornado import VirtualClock

Loop = asyncio.AbstractEventLoop
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="")


def boom() -> None:
    raise ValueError("planted")


@pytest.fixture(scope="session")
async def loop_of_session() -> AsyncGenerator[Loop, None]:
    loop = asyncio.get_running_loop()
    variable.set("of the session")
    loop.call_later(3600, boom)
    yield loop
    assert asyncio.get_running_loop() is loop
    raise LookupError("the end of the session")


@pytest.fixture(scope="module")
async def loop_of_module() -> Loop:
    return asyncio.get_running_loop()


@pytest.fixture(scope="module")
async def of_no_argument() -> Loop:
    return asyncio.get_running_loop()


@pytest.fixture(scope="module")
async def soon(loop_of_session: Loop) -> AsyncGenerator[list[str], None]:
    wanted: list[str] = []

    def poll() -> None:
        if wanted:
            boom()
        loop_of_session.call_soon(poll)

    loop_of_session.call_soon(poll)
    yield wanted
    wanted.append("the end")


@pytest.fixture(scope="module")
async def broken(loop_of_session: Loop) -> None:
    raise OSError("broken")


@pytest.fixture(scope="module")
def synchronous(loop_of_session: Loop) -> Loop:
    return loop_of_session


@pytest.fixture(scope="module")
def of_narrow_loop(io_loop: IOLoop) -> None:
    """It cannot be set up: its loop would end with the first test."""


@pytest.mark.gen_test
async def test_session(loop_of_session: Loop, io_loop: IOLoop) -> None:
    assert asyncio.get_running_loop() is loop_of_session
    assert io_loop is IOLoop.current()
    assert variable.get() == "of the session"
    variable.set("of the test")


@pytest.mark.gen_test
async def test_module_on_the_same_loop(loop_of_module: Loop, synchronous: Loop) -> None:
    assert asyncio.get_running_loop() is loop_of_module is synchronous
    assert variable.get() == "of the session"


@pytest.mark.gen_test
async def test_alone() -> None:
    assert variable.get() == ""


def test_without_a_coroutine(loop_of_session: Loop, io_loop: IOLoop) -> None:
    async def get() -> Loop:
        return asyncio.get_running_loop()

    assert io_loop.run_sync(get) is loop_of_session


@pytest.mark.gen_test
async def test_callback(loop_of_session: Loop) -> None:
    loop_of_session.call_soon(boom)
    await asyncio.sleep(3600)


@pytest.mark.gen_test
async def test_begun_before(soon: list[str]) -> None:
    soon.append("now")
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.gen_test
async def test_after(soon: list[str]) -> None:
    assert soon


@pytest.mark.gen_test
async def test_broken_1(broken: None) -> None:
    """Never runs."""


@pytest.mark.gen_test
async def test_broken_2(broken: None) -> None:
    """Never runs."""


@pytest.mark.gen_test
async def test_leak(loop_of_session: Loop) -> None:
    loop_of_session.call_later(3600, boom)


@pytest.mark.gen_test
def test_asks_for_a_wider_one(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("of_no_argument")


@pytest.fixture
def asked_for(request: pytest.FixtureRequest, io_loop: IOLoop) -> Loop:
    loop: Loop = request.getfixturevalue("of_no_argument")
    return loop


@pytest.mark.gen_test(loop_scope="session")
async def test_asks_for_one_on_its_loop(asked_for: Loop) -> None:
    assert asked_for is asyncio.get_running_loop()


def test_narrow(of_narrow_loop: None) -> None:
    """Never runs."""


@pytest.mark.gen_test(loop_scope="galaxy")
async def test_wrong_scope() -> None:
    """Never runs."""


@pytest.mark.gen_test(clock_factory=VirtualClock)
async def test_clock_on_a_real_loop(loop_of_session: Loop) -> None:
    """Never runs."""


@pytest.mark.gen_test
async def test_closes(loop_of_session: Loop) -> None:
    IOLoop.current().close()


@pytest.mark.gen_test(loop_scope="class")
class TestClass:
    loops: ClassVar[list[Any]] = []

    async def test_first(self) -> None:
        self.loops.append(asyncio.get_running_loop())

    async def test_second(self, io_loop: IOLoop) -> None:
        assert self.loops == [asyncio.get_running_loop()]


@pytest.mark.gen_test(loop_scope="class", clock_factory=VirtualClock)
class TestVirtual:
    async def test_sleep(self) -> None:
        await asyncio.sleep(3600)

    async def test_time_goes_on(self, clock: VirtualClock) -> None:
        assert clock.time() == 3600
