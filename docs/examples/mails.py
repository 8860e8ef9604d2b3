"""An application that answers an order first, and sends a mail after the response."""

import asyncio

from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler


class Order(RequestHandler):
    def initialize(self, outbox):
        self.outbox = outbox

    def post(self):
        self.set_status(202)
        IOLoop.current().spawn_callback(self.send_mail, self.get_argument("item"))

    async def send_mail(self, item):
        await asyncio.sleep(0.05)  # the mail server takes its time
        self.outbox.append(f"Your {item} is on its way")


def make_app(outbox):
    return Application([("/orders", Order, {"outbox": outbox})])
