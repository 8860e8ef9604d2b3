"""The application that the examples test: orders, a chat, and mistakes."""

from tornado.escape import json_decode, to_unicode
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

PRICES = {"tea": 3}

#: The members of the chat.
PRESENT = set()


class OrdersHandler(RequestHandler):
    """Takes orders, and shows the order of the visitor."""

    def post(self):
        item = json_decode(self.request.body)["item"]
        self.set_cookie("item", item)
        self.set_status(201)
        self.write({"item": item})

    def get(self):
        item = self.get_cookie("item")
        if item is None:
            raise HTTPError(404)
        self.write({"item": item})


class AccountHandler(RequestHandler):
    """Shows the account of the user who has signed in."""

    def get(self):
        user = self.get_signed_cookie("user")
        if user is None:
            raise HTTPError(403)
        self.write({"user": to_unicode(user)})


class PricesHandler(RequestHandler):
    """Has a price for tea."""

    def get(self):
        self.write({"price": PRICES[self.get_argument("item")]})


class ChatHandler(WebSocketHandler):
    """Greets new members, repeats their messages, knows prices, and lists the members."""

    def select_subprotocol(self, subprotocols):
        return "v2" if "v2" in subprotocols else None

    def open(self, *args, **kwargs):
        PRESENT.add(self)
        self.write_message("welcome")

    def on_message(self, message):
        text = to_unicode(message)
        if text == "/bye":
            self.close(1000, "see you")
        elif text.startswith("/price "):
            self.write_message(str(PRICES[text.removeprefix("/price ")]))
        else:
            self.write_message(text)

    def on_close(self):
        PRESENT.discard(self)


def make_app(**settings):
    handlers = [
        *(("/orders", OrdersHandler), ("/prices", PricesHandler)),
        *(("/account", AccountHandler), ("/chat", ChatHandler)),
    ]
    return Application(handlers, log_function=lambda handler: None, **settings)
