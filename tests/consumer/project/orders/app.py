"""The application."""

import asyncio

from tornado.escape import json_decode
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

PRICES = {"tea": 3}


async def price(item: str, number: int = 1) -> int:
    """Ask the shop. Raises ``KeyError`` for an item that it does not have."""
    await asyncio.sleep(0)
    return PRICES[item] * number


class Orders(RequestHandler):
    async def get(self) -> None:
        self.write({"price": await price(self.get_query_argument("item"))})

    def post(self) -> None:
        item = json_decode(self.request.body)["item"]
        if item not in PRICES:
            raise HTTPError(404)
        self.set_status(201)
        self.write({"item": item})


class Line(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message({"price": await price(str(message))})


def make_app() -> Application:
    return Application([("/orders", Orders), ("/line", Line)])
