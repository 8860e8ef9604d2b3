"""Test functions for pytest that serve applications by ``serve``. Tests run them; discovery does not find them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tornado import web, websocket
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from asynctest_tornado import HTTPTestServer

Serve = Callable[..., Any]


class Page(web.RequestHandler):
    def get(self) -> None:
        self.set_cookie("seen", "yes")
        self.write({"cookie": self.get_cookie("seen")})

    def post(self) -> None:
        self.write(self.request.body)


class Broken(web.RequestHandler):
    def get(self) -> None:
        raise KeyError("tea")


class Slow(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(3600)


class Ticker(web.RequestHandler):
    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.write("data: tea\n\n")
        await self.flush()
        await asyncio.Event().wait()


class Finished(web.RequestHandler):
    def get(self) -> None:
        self.write("hello")

    def on_finish(self) -> None:
        raise ValueError("planted")


class Echo(websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(message)


def make_app() -> web.Application:
    return web.Application(
        [
            ("/", Page),
            ("/broken", Broken),
            ("/slow", Slow),
            ("/finished", Finished),
            ("/echo", Echo),
            ("/ticker", Ticker),
        ]
    )


@pytest.fixture
async def own(serve: Serve) -> AsyncGenerator[HTTPTestServer, None]:
    server: HTTPTestServer = await serve(make_app())
    yield server
    assert (await server.fetch("/")).code == 200  # it is closed later


@pytest.fixture(scope="session")
async def server(serve: Serve) -> AsyncGenerator[HTTPTestServer, None]:
    server = await serve(make_app())
    yield server
    assert (await server.fetch("/")).code == 200


@pytest.fixture(scope="module", params=["http", "https"])
async def each(serve: Serve, request: pytest.FixtureRequest) -> HTTPTestServer:
    server: HTTPTestServer = await serve(make_app(), https=request.param == "https")
    return server


async def test_several(serve: Serve, tmp_path: Path) -> None:
    servers = [await serve(make_app()), await serve(make_app(), https=True)]
    servers.append(await serve(make_app(), unix_socket=tmp_path / "socket"))
    assert len({server.port for server in servers}) == 3
    for server in servers:
        assert (await server.fetch("/", method="POST", json=[1])).json() == [1]
        async with server.ws_connect("/echo") as socket:
            await socket.write_message("hello")
            assert await socket.read_message() == "hello"


async def make_app_later() -> web.Application:
    await asyncio.sleep(0)
    return make_app()


async def test_cookies(serve: Serve) -> None:
    server = await serve(make_app_later(), send_cookies=True)
    for expected in None, "yes":
        assert (await server.fetch("/")).json() == {"cookie": expected}


async def test_second_name(asynctest_tornado_serve: Serve) -> None:
    assert (await (await asynctest_tornado_serve(make_app())).fetch("/")).code == 200


def test_synchronous(request: pytest.FixtureRequest, io_loop: IOLoop) -> None:
    serve = request.getfixturevalue("serve")
    server = io_loop.run_sync(lambda: serve(make_app()))
    assert io_loop.run_sync(lambda: server.fetch("/")).code == 200


class TestClass:
    servers: ClassVar[list[HTTPTestServer]] = []

    @pytest.fixture(scope="class")
    async def of_class(self, server: HTTPTestServer, serve: Serve) -> HTTPTestServer:
        another: HTTPTestServer = await serve(make_app())
        return another

    async def test_first(self, of_class: HTTPTestServer, server: HTTPTestServer) -> None:
        self.servers.append(of_class)
        assert of_class is not server

    async def test_second(self, of_class: HTTPTestServer) -> None:
        assert self.servers == [of_class]
        assert (await of_class.fetch("/")).code == 200


async def test_handler_of_session_1(server: HTTPTestServer) -> None:
    assert (await server.fetch("/broken")).code == 200


async def test_handler_of_session_2(server: HTTPTestServer) -> None:
    assert server.errors == []
    await server.fetch("/finished")
    await asyncio.sleep(3600)


async def test_handler_of_session_3(server: HTTPTestServer) -> None:
    assert (await server.fetch("/")).code == 200
    with pytest.raises(AssertionError):
        assert server.errors


async def test_each(each: HTTPTestServer) -> None:
    assert (await each.fetch("/")).code == 200


@pytest.fixture
def chosen(request: pytest.FixtureRequest) -> HTTPTestServer:
    server: HTTPTestServer = request.getfixturevalue("server")
    return server


async def test_wrong_loop(chosen: HTTPTestServer, io_loop: IOLoop) -> None:
    await chosen.fetch("/")


@pytest.mark.gen_test(loop_scope="session")
async def test_right_loop(chosen: HTTPTestServer) -> None:
    assert (await chosen.fetch("/")).code == 200


@pytest.mark.gen_test(leaks="fail")
async def test_leak(server: HTTPTestServer) -> None:
    asyncio.get_running_loop().call_later(3600, print)


@pytest.fixture
async def begun(own: HTTPTestServer) -> Any:
    return asyncio.ensure_future(own.fetch("/slow"))


@pytest.mark.gen_test(leaks="fail")
async def test_request_that_nothing_awaits(begun: Any, own: HTTPTestServer) -> None:
    task = asyncio.ensure_future(own.fetch("/slow"))
    assert not task.done()


@pytest.fixture
async def consumer() -> AsyncGenerator[None, None]:
    task = asyncio.ensure_future(asyncio.sleep(3600))
    yield
    task.cancel()


@pytest.mark.gen_test(leaks="fail")
async def test_task_of_a_fixture(consumer: None, serve: Serve) -> None:
    server = await serve(make_app())
    assert (await server.fetch("/")).code == 200
    assert repr(server) == f"<HTTPTestServer {server.url}>" == f"<HTTPTestServer http://127.0.0.1:{server.port}>"


async def test_deadlock(server: HTTPTestServer) -> None:
    await asyncio.Event().wait()


async def test_stream(each: HTTPTestServer) -> None:
    async with each.stream("/ticker") as response:
        assert (await anext(response.aiter_sse())).data == "tea"


async def test_stream_that_stops(serve: Serve) -> None:
    server = await serve(make_app(), https=True)
    async with server.stream("/ticker") as response:
        async for event in response.aiter_sse():
            assert event.data == "tea"


async def test_no_application(serve: Serve) -> None:
    await serve(None)


async def test_unused_port(unused_port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", unused_port)
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", unused_port)
    server.close()
    await server.wait_closed()


async def test_entered(serve: Serve) -> None:
    async with serve(make_app()) as server, serve(make_app(), https=True) as other:
        assert (await server.fetch("/")).code == (await other.fetch("/")).code == 200
        url = server.url
    assert (await (await serve(make_app())).fetch("/")).code == 200
    with pytest.raises(ConnectionRefusedError):
        await AsyncHTTPClient().fetch(url)


async def test_begun_together(serve: Serve) -> None:
    one, other = await asyncio.gather(serve(make_app()), asyncio.create_task(serve(make_app())))
    assert one.port != other.port


async def test_not_awaited(serve: Any) -> None:
    await serve(make_app()).fetch("/")


async def test_dropped(serve: Serve) -> None:
    serve(make_app())


async def test_port_in_use(serve: Serve, http_port: int) -> None:
    await serve(make_app(), port=http_port)


@pytest.mark.asyncio
async def test_of_another(serve: Serve) -> None:
    await serve(make_app())
