"""A payment provider for tests, and to try the checkout by hand: it charges all cards, except "expired"."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.options import define, options, parse_command_line
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler


class PaymentsStub(Application):
    """The provider. It charges once for each ``Idempotency-Key``, and sends an event for each charge and refund."""

    def __init__(self, **settings: Any) -> None:
        super().__init__([("/charge", ChargeHandler), ("/events", EventsHandler)], **settings)
        #: The answers to charges, by their keys.
        self.answers: dict[str, dict[str, object]] = {}
        self.events: list[dict[str, object]] = []
        self.listeners: set[EventsHandler] = set()

    def charge(self, key: str, order: str, card: str) -> dict[str, object]:
        if key not in self.answers:
            if card == "expired":
                self.answers[key] = {"declined": "the card has expired"}
            else:
                self.answers[key] = {"charge": f"ch_{len(self.answers) + 1}"}
                self.publish(order=order, status="paid", **self.answers[key])
        return self.answers[key]

    def publish(self, **event: object) -> None:
        """Send an event, now or when the checkout asks for the events that it has missed."""
        self.events.append({"id": len(self.events) + 1, **event})
        for listener in self.listeners:
            listener.send_new()


class ChargeHandler(RequestHandler):
    application: PaymentsStub

    def post(self) -> None:
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            raise HTTPError(400)
        fields = json.loads(self.request.body)
        self.write(self.application.charge(key, fields["order"], fields["card"]))


class EventsHandler(WebSocketHandler):
    """Sends the events after the one that the client has seen last."""

    application: PaymentsStub

    def open(self, *args: str, **kwargs: str) -> None:
        self.sent = int(self.get_argument("after"))
        self.application.listeners.add(self)
        self.send_new()

    def send_new(self) -> None:
        with suppress(WebSocketClosedError):  # then the client asks for them later
            for event in self.application.events[self.sent :]:
                self.write_message(event)
        self.sent = len(self.application.events)

    def on_close(self) -> None:
        self.application.listeners.discard(self)


async def main() -> None:
    sockets = bind_sockets(options.port, "127.0.0.1")
    HTTPServer(PaymentsStub()).add_sockets(sockets)
    print(f"Listening on http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    define("port", default=8889, help="port to listen on; 0 for an unused one")
    parse_command_line()
    asyncio.run(main())
