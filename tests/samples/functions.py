"""Test functions for pytest, many of which fail on purpose. Tests run them; discovery does not find them."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Awaitable, Generator
from typing import Any

import hypothesis
import hypothesis.strategies
import pytest
from tornado import web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from asynctest_tornado import ExceptionStackContext, ExpectError, VirtualClock
from tests.limits import limit_clock

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="")


class Page(web.RequestHandler):
    def get(self) -> None:
        self.write("hello")


class Broken(web.RequestHandler):
    def get(self) -> None:
        raise KeyError("tea")


@pytest.fixture
def app() -> web.Application:
    return web.Application([("/", Page), ("/broken", Broken)])


@pytest.fixture
async def number() -> int:
    variable.set("set up")
    await asyncio.sleep(0)
    return 42


@pytest.fixture
async def resource() -> AsyncGenerator[str, None]:
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, int)  # waits for a future, unlike asyncio.sleep(0)
    yield "resource"
    await asyncio.sleep(0)
    assert loop is asyncio.get_running_loop()
    assert variable.get() == "tested"


@pytest.fixture
async def setting() -> AsyncGenerator[None, None]:
    token = variable.set("set")
    yield
    variable.reset(token)
    assert variable.get() == "outer"


@pytest.fixture
def outer() -> Generator[None, None, None]:
    token = variable.set("outer")
    yield
    assert variable.get() == "outer"
    variable.reset(token)


@pytest.fixture
async def handled() -> AsyncGenerator[list[BaseException], None]:
    errors: list[BaseException] = []
    with ExceptionStackContext(lambda cls, error, tb: bool(errors.append(error)) or True):  # type: ignore[func-returns-value]
        yield errors


@pytest.fixture
async def worker() -> AsyncGenerator[None, None]:
    task = asyncio.ensure_future(asyncio.sleep(3600))
    yield
    task.cancel()


@pytest.fixture
async def broken() -> AsyncGenerator[None, None]:
    yield
    raise ValueError("planted")


@pytest.fixture
async def unbounded() -> AsyncGenerator[None, None]:
    yield
    yield


@pytest.fixture
async def empty() -> AsyncGenerator[None, None]:
    if False:
        yield


@pytest.fixture(scope="module")
async def wide() -> None:
    pass


@pytest.fixture
def stopped_limits() -> Generator[None, None, None]:
    with limit_clock.stopped():
        yield


@pytest.fixture
async def stuck(stopped_limits: None) -> AsyncGenerator[None, None]:
    limit_clock.advance()
    await asyncio.sleep(3600)
    yield
    await asyncio.sleep(0)


def boom() -> None:
    raise ValueError("planted")


async def test_fetch(http_client: AsyncHTTPClient, base_url: str, http_server: HTTPServer, http_port: int) -> None:
    response = await http_client.fetch(f"{base_url}/")
    assert response.body == b"hello"
    assert base_url == f"http://127.0.0.1:{http_port}"


async def test_https(https_client: AsyncHTTPClient, base_url: str) -> None:
    response = await https_client.fetch(f"{base_url}/")
    assert response.body == b"hello"


@pytest.mark.gen_test
def test_generator(http_client: AsyncHTTPClient, base_url: str) -> Generator[Awaitable[Any], Any, None]:
    response = yield http_client.fetch(f"{base_url}/")
    assert response.body == b"hello"


@pytest.mark.gen_test(timeout=10)
async def test_marked() -> None:
    await asyncio.sleep(0)


async def test_fixtures(io_loop: IOLoop, number: int, resource: str) -> None:
    assert io_loop.asyncio_loop is asyncio.get_running_loop()  # type: ignore[attr-defined]
    assert (number, resource, variable.get()) == (42, "resource", "set up")
    variable.set("tested")


def test_variables_end_with_their_test(io_loop: IOLoop) -> None:
    assert variable.get() == ""


async def test_resets(outer: None, setting: None, io_loop: IOLoop) -> None:
    assert variable.get() == "set"


def test_resets_synchronously(outer: None, setting: None, io_loop: IOLoop) -> None:
    assert variable.get() == "set"


async def test_handler_of_a_fixture(handled: list[BaseException], io_loop: IOLoop) -> None:
    io_loop.add_callback(boom)
    while not handled:
        await asyncio.sleep(0)


def test_fixture_on_the_way(io_loop: IOLoop, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue("number") == 42


def test_synchronous(io_loop: IOLoop, number: int) -> None:
    io_loop.run_sync(lambda: asyncio.sleep(0))
    assert number == 42


async def test_worker(worker: None, http_client: AsyncHTTPClient, base_url: str) -> None:
    await http_client.fetch(f"{base_url}/")


class TestMethods:
    @pytest.fixture
    async def itself(self) -> "TestMethods":
        return self

    async def test_method(self, itself: "TestMethods", io_loop: IOLoop) -> None:
        assert itself is self


@hypothesis.given(hypothesis.strategies.integers())
@hypothesis.settings(max_examples=5)
@pytest.mark.gen_test
async def test_property(integer: int) -> None:
    await asyncio.sleep(0)
    assert integer == int(str(integer))


@pytest.mark.gen_test(clock_factory=VirtualClock)
async def test_clock(clock: VirtualClock) -> None:
    await asyncio.sleep(3600)
    assert clock.time() == 3600


@pytest.mark.gen_test(clock_factory=VirtualClock)
async def test_clock_that_nothing_awaits(clock: VirtualClock) -> None:
    clock.advance(9)


async def test_no_clock(clock: VirtualClock) -> None:
    pass


async def test_skips(io_loop: IOLoop) -> None:
    held = asyncio.sleep(0)
    pytest.skip("for a reason")
    await held


@pytest.mark.xfail(strict=True)
async def test_expected(io_loop: IOLoop) -> None:
    io_loop.add_callback(boom)
    await asyncio.sleep(3600)


async def test_expects(io_loop: IOLoop) -> None:
    with ExpectError(ValueError, "planted"):
        io_loop.add_callback(boom)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_callback(io_loop: IOLoop) -> None:
    io_loop.add_callback(boom)
    await asyncio.sleep(3600)


def test_synchronous_callback(io_loop: IOLoop) -> None:
    io_loop.add_callback(boom)
    io_loop.run_sync(lambda: asyncio.sleep(3600))


async def test_task_that_is_not_awaited(io_loop: IOLoop) -> None:
    async def fail() -> None:
        boom()

    task = asyncio.ensure_future(fail())
    while not task.done():
        await asyncio.sleep(0)


async def test_server(http_client: AsyncHTTPClient, base_url: str) -> None:
    await http_client.fetch(f"{base_url}/broken")


@pytest.mark.gen_test(fail_on_server_error=True)
async def test_strict(http_client: AsyncHTTPClient, base_url: str) -> None:
    await http_client.fetch(f"{base_url}/broken", raise_error=False)


@pytest.mark.gen_test(timeout=0.1)
async def test_timeout(stopped_limits: None) -> None:
    limit_clock.advance()
    await asyncio.sleep(3600)


async def test_deadlock(io_loop: IOLoop) -> None:
    await asyncio.get_running_loop().create_future()


async def test_broken_fixture(broken: None, io_loop: IOLoop) -> None:
    pass


async def test_empty_fixture(empty: None, io_loop: IOLoop) -> None:
    pass


async def test_unbounded_fixture(unbounded: None, io_loop: IOLoop) -> None:
    pass


@pytest.mark.gen_test(timeout=0.1)
async def test_stuck_fixture(stuck: None) -> None:
    pass


async def test_wide_fixture(wide: None, io_loop: IOLoop) -> None:
    pass


async def test_wide_fixture_again(wide: None, io_loop: IOLoop) -> None:
    pass


async def test_fixture_that_is_asked_for_in_a_coroutine(request: pytest.FixtureRequest, io_loop: IOLoop) -> None:
    request.getfixturevalue("unbounded")


async def test_leak(io_loop: IOLoop) -> None:
    io_loop.call_later(3600, boom)


async def test_settle(settle: Any, eventually: Any, io_loop: IOLoop) -> None:
    seen: list[int] = []
    io_loop.call_later(0.01, seen.append, 1)
    await settle()
    assert seen == [1]
    io_loop.call_later(0.01, seen.append, 2)
    assert await eventually(lambda: seen[1:]) == [2]


def test_settle_in_a_function(settle: Any, io_loop: IOLoop) -> None:
    seen: list[int] = []
    io_loop.call_later(0.01, seen.append, 1)
    io_loop.run_sync(settle)
    assert seen == [1]


async def test_eventually_fails(eventually: Any) -> None:
    await eventually(lambda: 1 + 1 == 3, timeout=0.05, message="no mail")


@pytest.mark.gen_test(settle_at_end=True)
def test_settle_at_end(io_loop: IOLoop) -> None:
    io_loop.call_later(0.01, boom)


@pytest.mark.gen_test(settle_at_end=0.05)
async def test_settle_at_end_takes_too_long(io_loop: IOLoop) -> None:
    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    io_loop.add_callback(spin)


@pytest.mark.gen_test(settle_at_end=True, leaks="ignore")
def test_no_settle_after_a_skip(io_loop: IOLoop) -> None:
    io_loop.call_later(0.01, boom)
    pytest.skip("for a reason")


@pytest.mark.gen_test(settle_at_end="yes")
def test_settle_at_end_wrong(io_loop: IOLoop) -> None:
    pass


@pytest.mark.gen_test(leaks="fail")
async def test_leak_fails(io_loop: IOLoop) -> None:
    io_loop.call_later(3600, boom)


@pytest.mark.gen_test(leaks="fail", allowed_leaks=("boom",))
async def test_leak_is_allowed(io_loop: IOLoop) -> None:
    io_loop.call_later(3600, boom)


async def test_leak_of_a_failure(io_loop: IOLoop) -> None:
    io_loop.call_later(3600, boom)
    raise AssertionError("on its own")


@pytest.mark.gen_test(schedules=3)
async def test_orders() -> None:
    reached: list[int] = []

    async def reach(number: int) -> None:
        await asyncio.sleep(0)
        reached.append(number)

    await asyncio.gather(reach(0), reach(1))


@pytest.mark.gen_test(schedules=2)
@pytest.mark.parametrize("value", ["a", "b"])
async def test_orders_of_each(value: str) -> None:
    assert value == "a"


@pytest.mark.gen_test(0.1)
async def test_bad_marker() -> None:
    pass


@pytest.mark.gen_test(timeout=-1)
async def test_bad_timeout() -> None:
    pass


class _Thread:
    """A thread that fails when it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.thread: threading.Thread | None = None

    def run(self) -> None:
        self.go.wait()
        boom()


left = _Thread()


def test_closes_its_loop(io_loop: IOLoop) -> None:
    io_loop.close()


class TestAppOfACoroutine:
    @pytest.fixture
    def app(self) -> Any:
        async def make() -> web.Application:
            await asyncio.sleep(0)
            return web.Application([("/", Page)])

        return make()

    async def test_it_is_awaited(self, http_client: AsyncHTTPClient, base_url: str) -> None:
        assert (await http_client.fetch(f"{base_url}/")).code == 200


class TestAsyncApp:
    @pytest.fixture
    async def app(self) -> web.Application:
        await asyncio.sleep(0)
        return web.Application([("/", Page)])

    async def test_it_is_awaited(self, http_client: AsyncHTTPClient, base_url: str) -> None:
        assert (await http_client.fetch(f"{base_url}/")).code == 200


@pytest.mark.gen_test(leaks="ignore")
def test_late_1() -> None:
    left.thread = threading.Thread(target=left.run)
    left.thread.start()


def test_late_2(io_loop: IOLoop) -> None:
    left.go.set()
    if left.thread is not None:
        left.thread.join()
