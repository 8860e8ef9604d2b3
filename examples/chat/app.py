"""The room in terms of HTTP and websockets."""

import asyncio
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from .room import Event, NameTaken, NotSaidYet, Room, check_name, check_text
from .wire import DIALECTS, JSON, Dialect, Mistake, read_object

#: Close codes of our own, for mistakes that a user can mend: if a handshake is refused, a browser shows its scripts no
#: reason.
NAME_TAKEN = 4001
NOT_SAID_YET = 4002
#: The protocol's close code for a server that shuts down.
GOING_AWAY = 1001


class Refusal(HTTPError):
    """An answer that names the mistake in the request."""

    def __init__(self, status_code: int, explanation: str) -> None:
        super().__init__(status_code)
        self.explanation = explanation


class RoomHandler(RequestHandler):
    """For all handlers: the room, where to begin, and errors in JSON."""

    def initialize(self, room: Room) -> None:
        self.room = room

    def get_since(self) -> int | None:
        """Return the number in the query, or None if there is no such thing."""
        since = self.get_query_argument("since", None)
        if since is None:
            return None
        try:
            number = int(since)
        except ValueError:
            number = -1
        if number < 0:
            raise Refusal(400, "'since' has to be the number of a message, or 0")
        return number

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        _, error, _ = kwargs.get("exc_info", (None, None, None))
        self.finish({"error": error.explanation if isinstance(error, Refusal) else self._reason})


class MessagesHandler(RoomHandler):
    """``/messages``"""

    def get(self) -> None:
        try:
            messages = self.room.since(self.get_since() or 0)
        except NotSaidYet as error:
            raise Refusal(404, str(error)) from error
        self.finish({"messages": [asdict(message) for message in messages]})

    def post(self) -> None:
        try:
            fields = read_object(self.request.body, "name", "text")
            name, text = check_name(fields["name"]), check_text(fields["text"])
        except ValueError as error:
            raise Refusal(400, str(error)) from error
        if name in self.room.members:
            raise Refusal(409, f"{name} is in the room, and speaks there")
        message = self.room.say(name, text)
        self.set_status(201)
        self.finish(asdict(message))


class ChatHandler(RoomHandler, WebSocketHandler):
    """``/chat``: a member of the room, as long as the connection lasts."""

    def prepare(self) -> None:
        # Before the handshake, which these fail.
        try:
            self.name = check_name(self.get_query_argument("name", None))
        except ValueError as error:
            raise Refusal(400, str(error)) from error
        self.since = self.get_since()
        self.dialect: Dialect = JSON
        self.is_member = False

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        selected = next((name for name in subprotocols if name in DIALECTS), None)
        if selected is not None:
            self.dialect = DIALECTS[selected]
        return selected

    def open(self, *args: str, **kwargs: str) -> None:
        try:
            self.room.enter(self.name, self, self.since)
        except NameTaken as error:
            self.close(NAME_TAKEN, str(error))
        except NotSaidYet as error:
            self.close(NOT_SAID_YET, str(error))
        else:
            self.is_member = True

    def on_message(self, message: str | bytes) -> None:
        if not self.is_member:
            return  # sent before the client knew
        if isinstance(message, bytes):
            self.hear(Mistake("messages are text, and this one is binary"))
            return
        try:
            text = self.dialect.read(message)
        except ValueError as error:
            self.hear(Mistake(str(error)))
        else:
            self.room.say(self.name, text)

    def on_close(self) -> None:
        if self.is_member:
            self.room.leave(self.name)

    def hear(self, event: Event | Mistake) -> None:
        try:
            sent = self.write_message(self.dialect.write(event))
        except WebSocketClosedError:
            return  # on_close() is about to run
        sent.add_done_callback(_check_sent)

    def dismiss(self) -> None:
        self.close(GOING_AWAY, "the chat is closed")


def _check_sent(sent: "asyncio.Future[None]") -> None:
    # Not awaited. It is no error if the client has gone meanwhile.
    with suppress(WebSocketClosedError, asyncio.CancelledError):
        sent.result()


def make_app(room: Room, **settings: Any) -> Application:
    """Make the application.

    :param settings: more arguments for `tornado.web.Application`.
    """
    arguments = {"room": room}
    return Application([(r"/messages", MessagesHandler, arguments), (r"/chat", ChatHandler, arguments)], **settings)
