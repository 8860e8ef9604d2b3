"""The checkout in terms of HTTP and JSON."""

import json
import math
from typing import Any

from tornado.web import Application, HTTPError, RequestHandler

from .breaker import CircuitOpen
from .checkout import Checkout, Conflict
from .payments import Declined, TooSlow, Unconfirmed

#: The answer to each kind of trouble.
CODES = ((Conflict, 409), (Declined, 402), (TooSlow, 504), (Unconfirmed, 502), (CircuitOpen, 503))


class JSONHandler(RequestHandler):
    """For all handlers: JSON, and errors in JSON."""

    def initialize(self, checkout: Checkout) -> None:
        self.checkout = checkout

    def fields(self, **types: type) -> list[Any]:
        """Return the fields of the JSON object in the body."""
        try:
            fields = json.loads(self.request.body)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            raise HTTPError(400, reason="The body has to be an object of JSON")
        for name, kind in types.items():
            if type(fields.get(name)) is not kind:
                raise HTTPError(400, reason=f"The field {name!r} has to be of the type {kind.__name__}")
        return [fields[name] for name in types]

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish({"error": self._reason})


class CheckoutHandler(JSONHandler):
    async def post(self) -> None:
        number, cents, card = self.fields(order=str, cents=int, card=str)
        if cents <= 0:
            raise HTTPError(400, reason="The field 'cents' has to be greater than 0")
        try:
            order = await self.checkout.pay(number, cents, card)
        except (Conflict, Declined, Unconfirmed, CircuitOpen) as error:
            if isinstance(error, CircuitOpen):
                self.set_header("Retry-After", math.ceil(error.seconds))
            self.set_status(next(code for kind, code in CODES if isinstance(error, kind)))
            self.write({"error": str(error)})
        else:
            self.set_status(201)
            self.write(order.as_json())


class OrderHandler(JSONHandler):
    def get(self, number: str) -> None:
        order = self.checkout.orders.get(number)
        if order is None:
            raise HTTPError(404, reason=f"There is no order {number}")
        self.write(order.as_json())


def make_app(checkout: Checkout, **settings: Any) -> Application:
    arguments = {"checkout": checkout}
    handlers = [(r"/checkout", CheckoutHandler, arguments), (r"/orders/([\w-]+)", OrderHandler, arguments)]
    return Application(handlers, **settings)
