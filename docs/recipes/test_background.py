"""Work in the background: a task after the response, and a PeriodicCallback."""

import asyncio

from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, ExpectError, VirtualClock


class OrderHandler(RequestHandler):
    def post(self):
        self.set_status(202)
        IOLoop.current().spawn_callback(self.deliver, self.get_argument("item"))

    async def deliver(self, item):
        await asyncio.sleep(3600)
        self.settings["stock"].remove(item)
        self.settings["delivered"].append(item)


class OrderTest(AsyncHTTPTestCase):
    clock_factory = VirtualClock  # an hour takes no time

    def get_app(self):
        self.stock, self.delivered = ["tea"], []
        restock = PeriodicCallback(lambda: self.stock.append("tea"), 24 * 3600 * 1000)
        restock.start()
        self.addCleanup(restock.stop)
        return Application([("/orders", OrderHandler)], stock=self.stock, delivered=self.delivered)

    async def test_the_delivery_follows(self):
        await self.fetch("/orders", form={"item": "tea"})
        self.assertEqual(self.delivered, [])
        await self.settle()
        self.assertEqual(self.delivered, ["tea"])

    async def test_a_delivery_that_fails(self):
        with ExpectError(ValueError, "not in list"):
            await self.fetch("/orders", form={"item": "milk"})
            await self.settle()

    async def test_new_stock_each_day(self):
        await asyncio.sleep(2 * 24 * 3600 + 1)
        self.assertEqual(self.stock, ["tea", "tea", "tea"])
