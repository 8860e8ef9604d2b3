"""The tests: a browser, an OAuth provider, a database file and child processes, all of them real."""

import asyncio
import contextlib
import functools
import json
import os
import signal
import sqlite3
import tempfile
import unittest
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application, create_signed_value
from tornado.websocket import websocket_connect

from asynctest_tornado import (
    AsyncHTTPTestCase,
    AsyncTestCase,
    ExpectError,
    HTTPTestServer,
    ServerSentEvent,
    VirtualClock,
    bind_unused_port,
)

from . import invoice
from .app import make_app
from .provider import Provider
from .refusal import Refusal
from .server import serve
from .shop import Shop
from .store import MIGRATIONS, Store

SECRET = "of the cookies"
NEW_YEAR = datetime(2030, 1, 1, tzinfo=UTC)
DAY = 86400
PNG = b"\x89PNG\r\n\x1a\n and so on"


def write_settings(path: Path, **changes: Any) -> None:
    settings = {
        "cookie_secret": SECRET,
        "provider": "http://127.0.0.1:1",
        "client_id": "shop",
        "client_secret": "of the shop",
        "managers": ["anna"],
        **changes,
    }
    # JSON's strings, numbers and lists are TOML's, too.
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()), encoding="utf-8")


def cookies_of(name: str) -> dict[str, bytes]:
    """Return the cookies of a user who is signed in, for tests with several users."""
    return {"user": create_signed_value(SECRET, "user", name)}


class ShopTestCase(AsyncHTTPTestCase):
    """A shop with ten bags of tea, and one pot."""

    leaks = "fail"
    # No request, however wrong, may end in an internal error, unless the test expects it.
    fail_on_server_error = True
    settings: Mapping[str, Any] = {}
    #: The user who is signed in.
    user: str | None = None

    async def get_app(self) -> Application:
        self.provider = Provider(shop="of the shop")
        self.elsewhere = await self.enterAsyncContext(HTTPTestServer(self.provider.make_app()))
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory()), "shop.toml")
        write_settings(self.path, provider=self.elsewhere.url, **self.settings)
        self.database = self.path.with_name("shop.db")
        self.shop = await Shop.open(self.path, self.database)
        self.addAsyncCleanup(self.shop.close)
        self.tea = await self.shop.store.add_product("Tea", 400, 10)
        self.pot = await self.shop.store.add_product("Pot", 2500, 1)
        return make_app(self.shop)

    async def asyncSetUp(self) -> None:
        if self.user is not None:
            self.sign_in("user", self.user)

    async def put(self, product: int, quantity: int = 1, **arguments: Any) -> Any:
        """Put a product into a basket."""
        return await self.fetch("/basket", json={"product": product, "quantity": quantity}, **arguments)

    async def stocks(self) -> list[int]:
        return [product["stock"] for product in (await self.fetch("/products")).json()["products"]]

    def assert_refused(self, response: Any, code: int, words: str) -> None:
        self.assertStatus(response, code)
        self.assertIn(words, response.json()["error"])


class ProductsTest(ShopTestCase):
    async def test_all_can_see_the_products(self) -> None:
        response = await self.fetch("/products")
        self.assertEqual(
            response.json(),
            {
                "products": [
                    {"id": self.tea, "name": "Tea", "cents": 400, "stock": 10},
                    {"id": self.pot, "name": "Pot", "cents": 2500, "stock": 1},
                ]
            },
        )

    async def test_a_manager_adds_a_product(self) -> None:
        cup = {"name": "Cup", "cents": 500, "stock": 6}
        self.sign_in("user", "anna")
        response = await self.fetch("/products", json=cup)
        self.assertStatus(response, 201)
        listed = (await self.fetch("/products")).json()["products"]
        self.assertEqual(listed[-1], {"id": response.json()["id"], **cup})

    async def test_a_name_is_given_once(self) -> None:
        tea = {"name": "Tea", "cents": 500, "stock": 6}
        self.sign_in("user", "anna")
        response = await self.fetch("/products", json=tea)
        self.assert_refused(response, 409, "there is a product 'Tea' already")
        self.assertEqual(len(await self.stocks()), 2)

    async def test_a_customer_adds_none(self) -> None:
        self.sign_in("user", "bob")
        response = await self.fetch("/products", json={})
        self.assert_refused(response, 403, "bob is no manager")

    async def test_an_unknown_path(self) -> None:
        response = await self.fetch("/prodcuts")
        self.assertEqual((response.code, response.json()), (404, {"error": "Not Found"}))


class PictureTest(ShopTestCase):
    user = "anna"

    async def upload(self, **files: Any) -> Any:
        return await self.fetch(f"/products/{self.tea}/picture", method="PUT", files=files)

    async def test_upload(self) -> None:
        response = await self.upload(picture=("tea.png", PNG, "image/png"))
        self.assertStatus(response, 204)
        shown = await self.fetch(f"/products/{self.tea}/picture")
        self.assertEqual((shown.headers["Content-Type"], shown.body), ("image/png", PNG))

    async def test_a_second_picture_replaces_the_first(self) -> None:
        await self.upload(picture=("tea.png", PNG, "image/png"))
        await self.upload(picture=("tea.jpg", b"\xff\xd8", "image/jpeg"))
        shown = await self.fetch(f"/products/{self.tea}/picture")
        self.assertEqual((shown.headers["Content-Type"], shown.body), ("image/jpeg", b"\xff\xd8"))

    async def test_refused(self) -> None:
        write_settings(self.path, largest_picture=len(PNG) - 1)
        self.shop.reload()
        for code, words, files in (
            (400, "one file", {}),
            (400, "one file", {"picture": [("a.png", PNG), ("b.png", PNG)]}),
            (415, "text/html", {"picture": ("tea.html", "<script>", "text/html")}),
            (413, f"at most {len(PNG) - 1} bytes", {"picture": ("tea.png", PNG, "image/png")}),
        ):
            with self.subTest(words=words):
                self.assert_refused(await self.upload(**files), code, words)
        self.assert_refused(await self.fetch(f"/products/{self.tea}/picture"), 404, "has no picture")


class BasketTest(ShopTestCase):
    user = "bob"

    async def test_a_basket_is_filled(self) -> None:
        await self.put(self.tea, 2)
        await self.put(self.tea, 1)
        response = await self.put(self.pot)
        self.assertEqual(
            response.json(),
            {
                "basket": [
                    {"product": self.tea, "name": "Tea", "quantity": 3, "cents": 400},
                    {"product": self.pot, "name": "Pot", "quantity": 1, "cents": 2500},
                ]
            },
        )
        self.assertEqual(await self.stocks(), [7, 0])

    async def test_malformed(self) -> None:
        for body, words in (
            ("tea", "not JSON"),
            ("[" * 100_000, "not JSON"),
            ("[]", "an object"),
            ("{}", "'product'"),
            ('{"product": true, "quantity": 1}', "'product'"),
            ('{"product": 1, "quantity": "1"}', "'quantity'"),
            ('{"product": 1, "quantity": -1}', "1 at least"),
        ):
            with self.subTest(body=body[:40]):
                response = await self.fetch("/basket", method="POST", body=body)
                self.assert_refused(response, 400, words)
        self.assertEqual(await self.stocks(), [10, 1])

    async def test_an_unknown_product(self) -> None:
        self.assert_refused(await self.put(99), 404, "there is no product 99")

    async def test_more_than_there_is(self) -> None:
        self.assert_refused(await self.put(self.tea, 11), 409, "only 10")
        self.assertEqual(await self.stocks(), [10, 1])

    async def test_two_want_the_last_one(self) -> None:
        answers = await asyncio.gather(self.put(self.pot), self.put(self.pot, cookies=cookies_of("carol")))
        self.assertEqual(sorted(answer.code for answer in answers), [200, 409])
        self.assertEqual(await self.stocks(), [10, 0])


class TimeTest(ShopTestCase):
    """What time does, which is virtual: the dates of the database and of cookies are, too."""

    user = "bob"
    clock_factory = functools.partial(VirtualClock, dates=True, epoch=NEW_YEAR)

    async def test_an_abandoned_basket_is_emptied(self) -> None:
        await self.put(self.tea, 3)
        await asyncio.sleep(900)
        self.assertEqual(await self.stocks(), [7, 1])
        await asyncio.sleep(60)
        self.assertEqual(await self.stocks(), [10, 1])
        self.assertEqual((await self.fetch("/basket")).json(), {"basket": []})

    async def test_a_basket_in_use_stays(self) -> None:
        await self.put(self.tea)
        await asyncio.sleep(600)
        await self.put(self.pot)
        await asyncio.sleep(600)
        self.assertEqual(await self.stocks(), [9, 0])

    async def test_another_basket_stays(self) -> None:
        await self.put(self.tea)
        await asyncio.sleep(600)
        await self.put(self.tea, cookies=cookies_of("carol"))
        await asyncio.sleep(600)
        self.assertEqual(await self.stocks(), [9, 1])

    async def test_who_watches_sees_it_come_back(self) -> None:
        async with self.ws_connect("/stock/live") as socket:
            await socket.write_message({"watch": [self.pot]})
            await self.put(self.pot)
            for stock in 1, 0, 1:
                await socket.expect({"product": self.pot, "stock": stock})
        self.assertEqual(self.clock.time(), 960)


class SignedInTimeTest(ShopTestCase):
    user = "bob"
    clock_factory = functools.partial(VirtualClock, dates=True, epoch=NEW_YEAR)
    settings: Mapping[str, Any] = {"sweep_seconds": 10 * DAY}

    async def test_who_is_signed_in_stays_so_for_a_month(self) -> None:
        await asyncio.sleep(30 * DAY)
        self.assertStatus(await self.fetch("/basket"), 200)
        await asyncio.sleep(2 * DAY)
        self.assert_refused(await self.fetch("/basket"), 401, "sign in first")


class OrderTest(ShopTestCase):
    user = "bob"
    clock_factory = functools.partial(VirtualClock, dates=True, epoch=NEW_YEAR)

    async def order(self) -> str:
        """Order a pot, and return the URL of the order."""
        await self.put(self.pot)
        response = await self.fetch("/orders", method="POST", body="")
        self.assertStatus(response, 201)
        return response.headers["Location"]

    async def invoice_of(self, path: str) -> str | None:
        text: str | None = (await self.fetch(path)).json()["invoice"]
        return text

    async def test_an_order_empties_the_basket(self) -> None:
        path = await self.order()
        order = (await self.fetch(path)).json()
        self.assertEqual(order["lines"], [{"name": "Pot", "quantity": 1, "cents": 2500}])
        basket = await self.fetch("/basket")
        self.assertEqual(basket.json(), {"basket": []})
        self.assertEqual(await self.stocks(), [10, 0])

    async def test_the_invoice_follows(self) -> None:
        path = await self.order()
        self.assertIsNone(await self.invoice_of(path))
        await self.settle()
        rows = "1 x Pot                           25.00\nTotal                             25.00\n"
        self.assertEqual(await self.invoice_of(path), f"Invoice 1 for bob, 2030-01-01\n\n{rows}")

    async def test_a_failed_invoice_is_written_by_the_next_program(self) -> None:
        printer = self.path.with_name("printer.py")
        printer.write_text("raise SystemExit('no ink')")
        with mock.patch.object(invoice, "__file__", str(printer)), ExpectError(invoice.NotRendered, "no ink"):
            path = await self.order()
            await self.settle()
        self.assertIsNone(await self.invoice_of(path))
        again = await Shop.open(self.path, self.database)
        self.addAsyncCleanup(again.close)
        await self.settle()
        self.assertIn("1 x Pot", await self.invoice_of(path) or "")

    async def test_an_order_of_nothing(self) -> None:
        response = await self.fetch("/orders", method="POST", body="")
        self.assert_refused(response, 409, "the basket is empty")

    async def test_an_order_is_private(self) -> None:
        path = await self.order()
        self.assert_refused(await self.fetch(path, cookies=cookies_of("carol")), 404, "there is no order")


class LoginTest(ShopTestCase):
    send_cookies = True

    async def test_sign_in(self) -> None:
        self.provider.person = "carol"
        response = await self.fetch("/login")
        self.assertEqual(response.effective_url, self.get_url("/basket"))
        self.assertEqual(response.json(), {"basket": []})

    async def test_sign_out(self) -> None:
        await self.fetch("/login")
        self.assertStatus(await self.fetch("/logout", method="POST", body=""), 204)
        self.assert_refused(await self.fetch("/basket"), 401, "sign in first")

    async def test_a_forged_cookie(self) -> None:
        forged = create_signed_value("another secret", "user", "anna")
        response = await self.fetch("/basket", cookies={"user": forged})
        self.assert_refused(response, 401, "sign in first")

    async def test_an_answer_to_no_question(self) -> None:
        """Another page sends the browser here, with a code that the provider has given to the attacker."""
        self.provider.codes["attack"] = "mallory"
        self.assert_refused(await self.fetch("/login/done?code=attack&state=1"), 403, "begin at /login")
        self.assertEqual(self.provider.tokens, {})

    async def test_a_provider_that_refuses(self) -> None:
        self.provider.clients.clear()
        self.assert_refused(await self.fetch("/login"), 403, "does not know you")

    async def test_a_provider_with_trouble(self) -> None:
        self.sign_in("state", "1")
        self.elsewhere.http_server.stop()
        with ExpectError(Refusal, "502"):
            response = await self.fetch("/login/done?code=1&state=1")
        self.assert_refused(response, 502, "the provider has trouble")


class LiveTest(ShopTestCase):
    """The websocket at ``/stock/live``."""

    user = "bob"

    async def test_a_watched_product(self) -> None:
        async with self.ws_connect("/stock/live") as socket:
            await socket.write_message({"watch": [self.tea]})
            await socket.expect({"product": self.tea, "stock": 10})
            await self.put(self.pot)
            await self.put(self.tea, 3)
            await socket.expect({"product": self.tea, "stock": 7})

    async def test_malformed(self) -> None:
        async with self.ws_connect("/stock/live") as socket:
            for message in "tea", "[]", "{}", '{"watch": 1}', '{"watch": [[]]}', "[" * 100_000:
                with self.subTest(message=message[:40]):
                    await socket.write_message(message)
                    await socket.expect({"error": "a message has to be like {'watch': [1, 2]}"})

    async def test_the_end_of_the_shop(self) -> None:
        async with self.ws_connect("/stock/live") as socket:
            self.shop.feed.publish(None)
            await socket.expect(None)
            self.assertEqual((socket.close_code, socket.close_reason), (1001, "the shop closes"))

    async def test_a_client_that_leaves(self) -> None:
        async with self.ws_connect("/stock/live") as socket:
            await socket.write_message({"watch": [self.tea]})
            await socket.expect({"product": self.tea, "stock": 10})
            self.assertEqual(len(self.shop.feed.listeners), 1)
        await self.eventually(lambda: not self.shop.feed.listeners)


class EventsTest(ShopTestCase):
    """The server-sent events of ``/stock``."""

    user = "bob"

    async def test_all_products_and_each_change(self) -> None:
        async with self.stream("/stock") as response:
            self.assertEqual(response.headers["Content-Type"], "text/event-stream")
            events = response.aiter_sse()
            self.assertEqual((await anext(events)).json(), {"product": self.tea, "stock": 10})
            self.assertEqual((await anext(events)).json(), {"product": self.pot, "stock": 1})
            await self.put(self.tea, 3)
            self.assertEqual(await anext(events), ServerSentEvent("stock", '{"product": 1, "stock": 7}'))

    async def test_a_new_product(self) -> None:
        async with self.stream("/stock") as response:
            cup = {"name": "Cup", "cents": 500, "stock": 6}
            number = (await self.fetch("/products", json=cup, cookies=cookies_of("anna"))).json()["id"]
            async for event in response.aiter_sse():
                if event.json() == {"product": number, "stock": 6}:
                    break

    async def test_the_end_of_the_shop(self) -> None:
        async with self.stream("/stock") as response:
            self.shop.feed.publish(None)
            self.assertEqual(len([event async for event in response.aiter_sse()]), 2)

    async def test_a_client_that_leaves(self) -> None:
        async with self.stream("/stock"):
            self.assertEqual(len(self.shop.feed.listeners), 1)
        await self.eventually(lambda: not self.shop.feed.listeners)


class StoreTest(AsyncTestCase):
    leaks = "fail"

    async def open(self) -> Store:
        store = await Store.open(self.path)
        self.addAsyncCleanup(store.close)
        return store

    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory()), "shop.db")

    async def test_an_older_database(self) -> None:
        """A database of each earlier version keeps its products, and can do all that a new one can."""
        for version in range(1, len(MIGRATIONS)):
            with self.subTest(version=version):
                self.path = self.path.with_name(f"version-{version}.db")
                with contextlib.closing(sqlite3.connect(self.path)) as old:
                    old.executescript(f"{''.join(MIGRATIONS[:version])} PRAGMA user_version = {version};")
                    old.executescript("INSERT INTO products VALUES (5, 'Tea', 400, 10);")
                store = await self.open()
                await store.reserve("bob", 5, 2)
                order = await store.find_order(await store.order("bob"))
                self.assertEqual(order["lines"], [{"name": "Tea", "quantity": 2, "cents": 400}])
                await store.put_picture(5, "image/png", PNG)

    async def test_a_database_stays(self) -> None:
        store = await Store.open(self.path)
        tea = await store.add_product("Tea", 400, 10)
        await store.close()
        again = await self.open()
        self.assertEqual(await again.products(), [{"id": tea, "name": "Tea", "cents": 400, "stock": 10}])

    async def test_an_order_that_fails_leaves_nothing(self) -> None:
        store = await self.open()
        with self.assertRaises(Refusal):
            await store.order("bob")
        self.assertEqual(await store.orders_without_invoice(), [])


class ServerTest(AsyncTestCase):
    """The process, and its signals."""

    leaks = "fail"

    async def asyncSetUp(self) -> None:
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory()), "shop.toml")
        write_settings(self.path)
        self.database = self.path.with_name("shop.db")
        self.shop = await Shop.open(self.path, self.database)
        self.tea = await self.shop.store.add_product("Tea", 400, 10)
        sock, self.port = bind_unused_port()
        self.serving = asyncio.create_task(serve(self.shop, [sock]))
        self.client = AsyncHTTPClient()
        await self.client.fetch(f"http://127.0.0.1:{self.port}/products")

    async def asyncTearDown(self) -> None:
        if not self.serving.done():
            os.kill(os.getpid(), signal.SIGTERM)
            await self.serving

    @unittest.skipUnless(hasattr(signal, "SIGHUP"), "Windows has no such signal")
    async def test_reload(self) -> None:
        write_settings(self.path, managers=["bob", "carol"])
        with self.logs.at_level("INFO", "examples.shop"):
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0)
        self.assertEqual(self.logs.filter("examples.shop").messages, ["The settings are read again."])
        self.assertEqual(self.shop.settings.managers, ["bob", "carol"])

    @unittest.skipUnless(hasattr(signal, "SIGHUP"), "Windows has no such signal")
    async def test_reload_of_malformed_settings(self) -> None:
        before = self.shop.settings
        for text in "=", "colour = 1", "":
            self.path.write_text(text)
            with self.subTest(text):
                self.logs.clear()
                os.kill(os.getpid(), signal.SIGHUP)
                await asyncio.sleep(0)
                [message] = self.logs.messages
                self.assertIn("The settings stay as they are", message)
        self.assertIs(self.shop.settings, before)

    async def test_a_request_has_its_answer(self) -> None:
        """The process ends when the requests that it has begun have their answers."""
        goes_on = asyncio.Event()

        async def products() -> list[object]:
            await goes_on.wait()
            return []

        with mock.patch.object(self.shop.store, "products", products):
            url = f"http://127.0.0.1:{self.port}/products"
            request = asyncio.ensure_future(self.client.fetch(url, request_timeout=0))
            await self.eventually(lambda: self.shop.requests)
            os.kill(os.getpid(), signal.SIGTERM)
            await self.settle()
            goes_on.set()
            self.assertEqual((await request).code, 200)
        await self.serving

    async def test_termination(self) -> None:
        """Orders get their invoices before the process ends."""
        await self.shop.store.reserve("bob", self.tea, 1)
        number = await self.shop.store.order("bob")
        os.kill(os.getpid(), signal.SIGTERM)
        await self.serving
        store = await Store.open(self.database)
        self.addAsyncCleanup(store.close)
        self.assertIn("1 x Tea", (await store.find_order(number))["invoice"])

    async def test_termination_with_clients(self) -> None:
        with contextlib.closing(await websocket_connect(f"ws://127.0.0.1:{self.port}/stock/live")) as socket:
            os.kill(os.getpid(), signal.SIGTERM)
            self.assertIsNone(await socket.read_message())
            self.assertEqual(socket.close_code, 1001)
        await self.serving


if __name__ == "__main__":
    unittest.main()
