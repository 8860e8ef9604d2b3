"""The shop: all that happens by itself, and not for a request."""

import asyncio
import logging
import time
from pathlib import Path

from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.locks import Condition

from . import invoice, settings
from .feed import Feed
from .store import Store

logger = logging.getLogger(__name__)


class Shop:
    """The shop, open. Make it by `open`."""

    def __init__(self, path: Path, present: settings.Settings, store: Store) -> None:
        self.path = path
        self.settings = present
        self.store = store
        self.feed = Feed()
        #: The requests that have no answer yet.
        self.requests: set[object] = set()
        self._answered = Condition()
        self._billing = asyncio.Lock()
        self._sweeper = PeriodicCallback(self.sweep, present.sweep_seconds * 1000)

    @classmethod
    async def open(cls, path: Path, database: Path | str = ":memory:") -> "Shop":
        """Open the shop whose settings and database are in these files.

        Raises ``OSError``, or ``ValueError`` if the settings are malformed.
        """
        present = settings.read(path)
        shop = cls(path, present, await Store.open(database))
        shop._sweeper.start()
        # The program may have ended too early for these.
        for order in await shop.store.orders_without_invoice():
            shop.bill_soon(order)
        return shop

    async def close(self) -> None:
        """End the feed, let requests end, write the invoices that are missing, and close the database."""
        self._sweeper.stop()
        self.feed.publish(None)
        while self.requests:
            await self._answered.wait()
        try:
            for order in await self.store.orders_without_invoice():
                await self.bill(order)
        finally:
            await self.store.close()

    def begin(self, request: object) -> None:
        """Record a request, which `close` waits for."""
        self.requests.add(request)

    def end(self, request: object) -> None:
        self.requests.discard(request)
        self._answered.notify_all()

    def reload(self) -> None:
        """Read the settings again; keep the present ones if the file is malformed."""
        try:
            self.settings = settings.read(self.path)
        except (OSError, ValueError) as error:
            logger.error("The settings stay as they are: %s", error)
        else:
            logger.info("The settings are read again.")

    async def sweep(self) -> None:
        """Empty the baskets that were abandoned."""
        for change in await self.store.release_before(time.time() - self.settings.basket_seconds):
            self.feed.publish(change)

    def bill_soon(self, number: int) -> None:
        IOLoop.current().spawn_callback(self.bill, number)

    async def bill(self, number: int) -> None:
        """Write the invoice of an order, one after the other, unless it has one."""
        async with self._billing:
            order = await self.store.find_order(number)
            if order["invoice"] is None:
                await self.store.put_invoice(number, await invoice.render(order))
