"""Orders, and the events of the provider that change them."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from .payments import Declined, Payments, Unconfirmed


class Conflict(Exception):
    """The order was paid, or is being paid, with another amount."""


@dataclass
class Order:
    """An order. Its status is "new", "paid", "declined", "unconfirmed" or "refunded"."""

    number: str
    cents: int
    status: str = "new"
    charge: str | None = None
    #: Each card that is declined is followed by another one, which is another charge for the provider.
    declined: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_open(self) -> bool:
        """True if it is not certain that the order was paid."""
        return self.status in ("new", "declined", "unconfirmed")

    def as_json(self) -> dict[str, object]:
        return {"order": self.number, "cents": self.cents, "status": self.status, "charge": self.charge}


class Checkout:
    """All orders.

    :param payments: the URL of the provider.
    """

    def __init__(self, payments: str) -> None:
        self.payments = Payments(payments)
        self.orders: dict[str, Order] = {}

    async def pay(self, number: str, cents: int, card: str) -> Order:
        """Let the customer pay, once, however often the customer asks.

        Raises `Conflict`, and the errors of `Payments.charge`.
        """
        order = self.orders.setdefault(number, Order(number, cents))
        if order.cents != cents:
            raise Conflict(f"order {number} is one of {order.cents} cents")
        async with order.turn:
            if order.is_open:
                await self._charge(order, card)
        return order

    async def _charge(self, order: Order, card: str) -> None:
        key = f"{order.number}/{order.declined}"
        try:
            charge = await self.payments.charge(key, order=order.number, cents=order.cents, card=card)
        except Declined:
            order.status = "declined"
            order.declined += 1
            raise
        except Unconfirmed:
            if order.is_open:  # no event has come meanwhile
                order.status = "unconfirmed"
                raise
        else:
            if order.is_open:
                order.status, order.charge = "paid", charge

    async def follow(self) -> None:
        """Follow the events of the provider, for ever."""
        async with aclosing(self.payments.events()) as events:
            async for event in events:
                order = self.orders.get(event["order"])
                if order is not None:  # else it is of another shop
                    order.status, order.charge = event["status"], event["charge"]
