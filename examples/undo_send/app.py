"""The outbox in terms of HTTP and JSON."""

import json
from typing import Any

from tornado.web import Application, HTTPError, RequestHandler, url

from .mail import compose
from .outbox import Message, Outbox, WrongState


class Refusal(HTTPError):
    """An answer that names the mistake in the request."""

    def __init__(self, status_code: int, explanation: str) -> None:
        super().__init__(status_code)
        self.explanation = explanation


class OutboxHandler(RequestHandler):
    """For all handlers: how to find and show a message, and errors in JSON."""

    def initialize(self, outbox: Outbox) -> None:
        self.outbox = outbox

    def find(self, message_id: str) -> Message:
        try:
            return self.outbox.messages[message_id]
        except KeyError:
            raise Refusal(404, f"there is no message {message_id}") from None

    def show(self, message: Message) -> None:
        email = message.email
        self.finish(
            {
                "id": message.id,
                "state": message.state,
                "error": message.error,
                "from": email["From"],
                "to": email["To"],
                "subject": email["Subject"],
                "body": email.get_content(),
            }
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        _, error, _ = kwargs.get("exc_info", (None, None, None))
        self.finish({"error": error.explanation if isinstance(error, Refusal) else self._reason})


class MessagesHandler(OutboxHandler):
    """``/messages``"""

    def post(self) -> None:
        try:
            fields = json.loads(self.request.body)
        except ValueError as error:
            raise Refusal(400, f"the body of the request is not JSON: {error}") from error
        try:
            email = compose(fields)
        except ValueError as error:
            raise Refusal(400, str(error)) from error
        message = self.outbox.submit(email)
        self.set_status(202)
        self.set_header("Location", self.reverse_url("message", message.id))
        self.show(message)


class MessageHandler(OutboxHandler):
    """``/messages/ID``"""

    def get(self, message_id: str) -> None:
        self.show(self.find(message_id))

    def delete(self, message_id: str) -> None:
        message = self.find(message_id)
        try:
            self.outbox.undo(message)
        except WrongState as error:
            raise Refusal(409, str(error)) from error
        self.show(message)


class SendHandler(OutboxHandler):
    """``/messages/ID/send``"""

    def post(self, message_id: str) -> None:
        message = self.find(message_id)
        try:
            self.outbox.send_soon(message)
        except WrongState as error:
            raise Refusal(409, str(error)) from error
        self.set_status(202)
        self.show(message)


def make_app(outbox: Outbox, **settings: Any) -> Application:
    """Make the application.

    :param settings: more arguments for `tornado.web.Application`.
    """
    arguments = {"outbox": outbox}
    return Application(
        [
            url(r"/messages", MessagesHandler, arguments),
            url(r"/messages/(\w+)", MessageHandler, arguments, name="message"),
            url(r"/messages/(\w+)/send", SendHandler, arguments),
        ],
        **settings,
    )
