"""An application that streams: prices as server-sent events, and orders as lines of JSON."""

import asyncio
import json

from tornado.web import Application, RequestHandler

#: The handlers whose clients listen.
LISTENING = set()


class TickerHandler(RequestHandler):
    """Sends a price each minute."""

    async def get(self):
        LISTENING.add(self)
        self.set_header("Content-Type", "text/event-stream")
        price = 3
        while True:
            self.write(f"event: price\ndata: {json.dumps({'tea': price})}\n\n")
            await self.flush()
            await asyncio.sleep(60)
            price += 1

    def on_connection_close(self):
        LISTENING.discard(self)


class OrdersHandler(RequestHandler):
    """Sends all orders, one a line."""

    async def get(self):
        for item in "tea", "milk":
            self.write(json.dumps({"item": item}) + "\n")
            await self.flush()


def make_app():
    return Application([("/ticker", TickerHandler), ("/orders", OrdersHandler)], log_function=lambda handler: None)
