"""Server-sent events, read while they arrive."""

import asyncio

from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, VirtualClock


class EventsHandler(RequestHandler):
    """Sends the number of guests once a minute."""

    async def get(self):
        self.set_header("Content-Type", "text/event-stream")
        guests = self.settings["guests"]
        guests.add(self)
        try:
            while True:
                self.write(f"event: guests\ndata: {len(guests)}\n\n")
                await self.flush()
                await asyncio.sleep(60)
        except StreamClosedError:
            pass  # the browser has gone
        finally:
            guests.discard(self)


class EventsTest(AsyncHTTPTestCase):
    clock_factory = VirtualClock  # a minute takes no time

    def get_app(self):
        self.guests = set()
        return Application([("/events", EventsHandler)], guests=self.guests)

    async def test_events(self):
        async with self.stream("/events") as response:
            self.assertEqual(response.headers["Content-Type"], "text/event-stream")
            events = response.aiter_sse()
            first, second = await anext(events), await anext(events)
        self.assertEqual((first.event, first.data, second.data), ("guests", "1", "1"))
        self.assertEqual(self.clock.time(), 60)

    async def test_a_guest_who_leaves(self):
        async with self.stream("/events"):
            self.assertEqual(len(self.guests), 1)
        await self.eventually(lambda: not self.guests)
