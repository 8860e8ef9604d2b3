"""Some of the tests once more, as test functions of pytest: ``python -m pytest examples/shop/functions_test.py``."""

import asyncio
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from asynctest_tornado import HTTPTestServer, ServerSentEvent, VirtualClock

from .app import make_app
from .provider import Provider
from .shop import Shop
from .test_shop import NEW_YEAR, PNG, cookies_of, write_settings

Serve = Callable[..., Awaitable[HTTPTestServer]]
Settle = Callable[..., Awaitable[None]]
pytestmark = pytest.mark.gen_test(leaks="fail", fail_on_server_error=True)
in_virtual_time = pytest.mark.gen_test(clock_factory=functools.partial(VirtualClock, dates=True, epoch=NEW_YEAR))


async def open_shop(path: Path, provider: str = "http://127.0.0.1:1") -> Shop:
    """Open a shop with ten bags of tea, and one pot."""
    write_settings(path, provider=provider)
    shop = await Shop.open(path, path.with_name("shop.db"))
    await shop.store.add_product("Tea", 400, 10)
    await shop.store.add_product("Pot", 2500, 1)
    return shop


@pytest.fixture
def provider() -> Provider:
    return Provider(shop="of the shop")


@pytest.fixture
async def shop(serve: Serve, provider: Provider, tmp_path: Path) -> AsyncGenerator[Shop, None]:
    elsewhere = await serve(provider.make_app())
    shop = await open_shop(tmp_path / "shop.toml", elsewhere.url)
    yield shop
    await shop.close()


@pytest.fixture
async def server(serve: Serve, shop: Shop) -> HTTPTestServer:
    return await serve(make_app(shop))


@pytest.fixture
def bob(server: HTTPTestServer) -> HTTPTestServer:
    """The server, for a browser at which Bob is signed in."""
    server.sign_in("user", "bob")
    return server


@pytest.fixture(scope="module")
async def catalogue(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[HTTPTestServer, None]:
    """A server for tests that change nothing."""
    shop = await open_shop(tmp_path_factory.mktemp("catalogue") / "shop.toml")
    yield await serve(make_app(shop))
    await shop.close()


async def stocks(server: HTTPTestServer) -> list[int]:
    return [product["stock"] for product in (await server.fetch("/products")).json()["products"]]


async def put(server: HTTPTestServer, product: int, quantity: int = 1, **arguments: Any) -> Any:
    return await server.fetch("/basket", json={"product": product, "quantity": quantity}, **arguments)


async def test_all_can_see_the_products(catalogue: HTTPTestServer) -> None:
    assert await stocks(catalogue) == [10, 1]


@pytest.mark.parametrize("path", ["/basket", "/orders/1"])
async def test_a_user_has_to_sign_in(catalogue: HTTPTestServer, path: str) -> None:
    response = await catalogue.fetch(path)
    assert response.code in (401, 404)
    assert "error" in response.json()


async def test_sign_in(serve: Serve, shop: Shop, provider: Provider) -> None:
    provider.person = "carol"
    browser = await serve(make_app(shop), send_cookies=True)
    assert (await browser.fetch("/login")).json() == {"basket": []}
    assert "user" in browser.cookies


async def test_upload(server: HTTPTestServer) -> None:
    server.sign_in("user", "anna")
    upload = await server.fetch("/products/1/picture", method="PUT", files={"picture": ("a.png", PNG, "image/png")})
    assert upload.code == 204
    assert (await server.fetch("/products/1/picture")).body == PNG


@pytest.mark.gen_test(schedules=5)
async def test_two_want_the_last_one(bob: HTTPTestServer) -> None:
    answers = await asyncio.gather(put(bob, 2), put(bob, 2, cookies=cookies_of("carol")))
    assert sorted(answer.code for answer in answers) == [200, 409]


@in_virtual_time
async def test_an_abandoned_basket_is_emptied(bob: HTTPTestServer) -> None:
    await put(bob, 1, 3)
    await asyncio.sleep(900)
    assert await stocks(bob) == [7, 1]
    await asyncio.sleep(60)
    assert await stocks(bob) == [10, 1]


async def test_the_invoice_follows(bob: HTTPTestServer, settle: Settle) -> None:
    await put(bob, 1, 2)
    order = (await bob.fetch("/orders", method="POST", body="")).headers["Location"]
    assert (await bob.fetch(order)).json()["invoice"] is None
    await settle()
    assert "2 x Tea" in (await bob.fetch(order)).json()["invoice"]


async def test_each_change_of_the_stock_is_an_event(bob: HTTPTestServer) -> None:
    async with bob.stream("/stock") as response:
        events = response.aiter_sse()
        assert [(await anext(events)).json()["stock"] for _ in range(2)] == [10, 1]
        await put(bob, 1, 3)
        assert await anext(events) == ServerSentEvent("stock", '{"product": 1, "stock": 7}')


async def test_the_websocket_ends_with_the_shop(shop: Shop, server: HTTPTestServer) -> None:
    async with server.ws_connect("/stock/live") as socket:
        shop.feed.publish(None)
        await socket.expect(None)
        assert socket.close_code == 1001


async def test_malformed_settings(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    before = shop.settings
    shop.path.write_text("=")
    shop.reload()
    assert shop.settings is before
    assert "The settings stay as they are" in caplog.text
