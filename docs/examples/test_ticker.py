"""Responses that are read while they arrive."""

import json

from asynctest_tornado import AsyncHTTPTestCase, ServerSentEvent, VirtualClock
from docs.examples.ticker import LISTENING, make_app


class TickerTest(AsyncHTTPTestCase):
    clock_factory = VirtualClock  # the minute between two prices is not spent

    def get_app(self):
        return make_app()

    async def test_prices(self):
        async with self.stream("/ticker") as response:
            self.assertEqual(response.code, 200)
            events = response.aiter_sse()
            self.assertEqual(await anext(events), ServerSentEvent("price", '{"tea": 3}'))
            async for event in events:
                if event.json()["tea"] == 100:
                    break
        self.assertEqual(LISTENING, set())  # on_connection_close has run

    async def test_orders(self):
        async with self.stream("/orders") as response:
            orders = [json.loads(line) async for line in response.aiter_lines()]
        self.assertEqual(orders, [{"item": "tea"}, {"item": "milk"}])
