"""The shop in terms of HTTP, JSON and websockets."""

import json
import secrets
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from tornado.auth import OAuth2Mixin
from tornado.httpclient import HTTPClientError
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError, RequestHandler, url
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from .feed import Change, Changes
from .refusal import Refusal
from .shop import Shop

PICTURES = ("image/jpeg", "image/png")


class ShopHandler(RequestHandler):
    """For all handlers: who is signed in, JSON, and errors in JSON."""

    def initialize(self, shop: Shop) -> None:
        self.shop = shop

    def prepare(self) -> None:
        self.shop.begin(self)

    def on_finish(self) -> None:
        self.shop.end(self)

    def get_current_user(self) -> str | None:
        cookie = self.get_signed_cookie("user")
        return None if cookie is None else cookie.decode()

    def user(self) -> str:
        if self.current_user is None:
            raise Refusal(401, "sign in first, at /login")
        return str(self.current_user)

    def manager(self) -> str:
        if self.user() not in self.shop.settings.managers:
            raise Refusal(403, f"{self.user()} is no manager")
        return self.user()

    def fields(self, **types: type) -> list[Any]:
        """Return the fields of the JSON object in the body."""
        try:
            fields = json.loads(self.request.body)
        except (ValueError, RecursionError) as error:
            raise Refusal(400, f"the body is not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise Refusal(400, "the body has to be an object")
        for name, kind in types.items():
            if type(fields.get(name)) is not kind:
                raise Refusal(400, f"{name!r} has to be of the type {kind.__name__}")
        return [fields[name] for name in types]

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        _, error, _ = kwargs.get("exc_info", (None, None, None))
        self.finish({"error": error.explanation if isinstance(error, Refusal) else self._reason})


class ProductsHandler(ShopHandler):
    """``/products``"""

    async def get(self) -> None:
        self.write({"products": await self.shop.store.products()})

    async def post(self) -> None:
        self.manager()
        name, cents, stock = self.fields(name=str, cents=int, stock=int)
        if not name or cents < 0 or stock < 0:
            raise Refusal(400, "a product has a name, and neither its price nor its stock is negative")
        number = await self.shop.store.add_product(name, cents, stock)
        self.shop.feed.publish(Change(number, stock))
        self.set_status(201)
        self.write({"id": number})


class PictureHandler(ShopHandler):
    """``/products/ID/picture``"""

    async def get(self, product: str) -> None:
        picture = await self.shop.store.picture(int(product))
        self.set_header("Content-Type", picture["type"])
        self.write(picture["content"])

    async def put(self, product: str) -> None:
        self.manager()
        files = self.request.files.get("picture", [])
        if len(files) != 1:
            raise Refusal(400, "upload one file, as the field 'picture' of a form")
        [file] = files
        if file.content_type not in PICTURES:
            raise Refusal(415, f"a picture is one of {', '.join(PICTURES)}, and not {file.content_type}")
        if len(file.body) > self.shop.settings.largest_picture:
            raise Refusal(413, f"a picture has at most {self.shop.settings.largest_picture} bytes")
        await self.shop.store.put_picture(int(product), file.content_type, file.body)
        self.set_status(204)


class BasketHandler(ShopHandler):
    """``/basket``"""

    async def get(self) -> None:
        self.write({"basket": await self.shop.store.basket(self.user())})

    async def post(self) -> None:
        user = self.user()
        product, quantity = self.fields(product=int, quantity=int)
        if quantity < 1:
            raise Refusal(400, "'quantity' has to be 1 at least")
        self.shop.feed.publish(await self.shop.store.reserve(user, product, quantity))
        await self.get()


class OrdersHandler(ShopHandler):
    """``/orders``"""

    async def post(self) -> None:
        number = await self.shop.store.order(self.user())
        self.set_status(201)
        self.set_header("Location", self.reverse_url("order", number))
        await self.finish({"id": number})
        # The customer does not wait for it.
        self.shop.bill_soon(number)


class OrderHandler(ShopHandler):
    """``/orders/ID``"""

    async def get(self, number: str) -> None:
        order = await self.shop.store.find_order(int(number))
        if order.pop("user") != self.user():
            raise Refusal(404, f"there is no order {number}")
        self.write(order)


class LoginHandler(ShopHandler, OAuth2Mixin):
    """``/login``: to the OAuth provider, and back to ``/login/done``."""

    def get(self) -> None:
        state = secrets.token_urlsafe()
        self.set_signed_cookie("state", state, expires_days=None, httponly=True, samesite="Lax")
        settings = self.shop.settings
        self._OAUTH_AUTHORIZE_URL = f"{settings.provider}/authorize"
        self.authorize_redirect(self.back(), settings.client_id, extra_params={"state": state}, response_type="code")

    def back(self) -> str:
        return f"{self.request.protocol}://{self.request.host}{self.reverse_url('signed in')}"


class SignedInHandler(LoginHandler):
    """``/login/done``: the provider has sent the user back, with a code for the shop."""

    async def get(self) -> None:  # type: ignore[override]
        state = self.get_signed_cookie("state")
        if state is None or not secrets.compare_digest(state, self.get_query_argument("state").encode()):
            raise Refusal(403, "this is no answer to a question of ours; begin at /login")
        self.clear_cookie("state")
        name = await self.ask_provider(self.get_query_argument("code"))
        self.set_signed_cookie("user", name, httponly=True, samesite="Lax")
        self.redirect(self.reverse_url("basket"))

    async def ask_provider(self, code: str) -> str:
        """Return the name of the user."""
        settings = self.shop.settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back(),
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        }
        client = self.get_auth_http_client()
        try:
            response = await client.fetch(f"{settings.provider}/token", method="POST", body=urlencode(form))
            token = json.loads(response.body)["access_token"]
            user = await self.oauth2_request(f"{settings.provider}/user", access_token=token)
        except HTTPClientError as error:
            if error.code in (400, 401):
                raise Refusal(403, "the provider does not know you") from error
            raise Refusal(502, f"the provider has trouble: {error}") from error
        except OSError as error:
            raise Refusal(502, f"the provider has trouble: {error}") from error
        return str(user["name"])


class LogoutHandler(ShopHandler):
    """``/logout``"""

    def post(self) -> None:
        self.clear_cookie("user")
        self.set_status(204)


class StockEventsHandler(ShopHandler):
    """``/stock``: the stock of all products, and each change, as server-sent events."""

    changes: Changes | None = None

    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        with self.shop.feed.listen() as self.changes:
            for product in await self.shop.store.products():
                self.send(Change(product["id"], product["stock"]))
            try:
                await self.flush()
                while (change := await self.changes.get()) is not None:
                    self.send(change)
                    await self.flush()
            except StreamClosedError:
                return  # the client has left

    def send(self, change: Change) -> None:
        self.write(f"event: stock\ndata: {json.dumps(asdict(change))}\n\n")

    def on_connection_close(self) -> None:
        if self.changes is not None:
            self.changes.put_nowait(None)


class StockSocketHandler(WebSocketHandler):
    """``/stock/live``: changes of the products that the client watches, by a websocket."""

    changes: Changes | None = None

    def initialize(self, shop: Shop) -> None:
        self.shop = shop
        self.watched: set[int] = set()

    def open(self, *args: str, **kwargs: str) -> None:
        IOLoop.current().spawn_callback(self.send_changes)

    async def send_changes(self) -> None:
        with self.shop.feed.listen() as self.changes:
            while (change := await self.changes.get()) is not None:
                if change.product in self.watched:
                    try:
                        await self.write_message(asdict(change))
                    except WebSocketClosedError:
                        return
        self.close(1001, "the shop closes")

    async def on_message(self, message: str | bytes) -> None:
        try:
            self.watched = set(json.loads(message)["watch"])
        except (ValueError, RecursionError, KeyError, TypeError):
            await self.write_message({"error": "a message has to be like {'watch': [1, 2]}"})
            return
        for product in await self.shop.store.products():
            if product["id"] in self.watched:
                await self.write_message(asdict(Change(product["id"], product["stock"])))

    def on_close(self) -> None:
        if self.changes is not None:
            self.changes.put_nowait(None)


class UnknownHandler(ShopHandler):
    """All other paths."""

    def prepare(self) -> None:
        raise HTTPError(404)


def make_app(shop: Shop, **settings: Any) -> Application:
    """Make the application.

    :param settings: more arguments for `tornado.web.Application`.
    """
    arguments = {"shop": shop}
    return Application(
        [
            url(r"/products", ProductsHandler, arguments),
            url(r"/products/(\d+)/picture", PictureHandler, arguments),
            url(r"/basket", BasketHandler, arguments, name="basket"),
            url(r"/orders", OrdersHandler, arguments),
            url(r"/orders/(\d+)", OrderHandler, arguments, name="order"),
            url(r"/login", LoginHandler, arguments),
            url(r"/login/done", SignedInHandler, arguments, name="signed in"),
            url(r"/logout", LogoutHandler, arguments),
            url(r"/stock", StockEventsHandler, arguments),
            url(r"/stock/live", StockSocketHandler, arguments),
        ],
        cookie_secret=shop.settings.cookie_secret,
        default_handler_class=UnknownHandler,
        default_handler_args=arguments,
        **settings,
    )
