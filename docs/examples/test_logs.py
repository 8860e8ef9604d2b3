"""Assertions about logs."""

from asynctest_tornado import AsyncTestCase
from docs.examples.orders import order


class OrderTest(AsyncTestCase):
    def test_a_warning(self):
        order("milk")
        self.assertEqual(self.logs.filter("shop", level="WARNING").messages, ["low on milk"])

    async def test_the_level(self):
        with self.logs.at_level("INFO", "shop"):
            await self.io_loop.run_in_executor(None, order, "bread")
        self.assertEqual(self.logs.messages, ["an order of bread"])
