"""The outbox: emails that wait for a while before they are sent, so that sending can be undone."""

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum

from tornado.ioloop import IOLoop

from .mail import NotDelivered

logger = logging.getLogger(__name__)


class State(StrEnum):
    """Where a message is on its way. Users get to see the values."""

    SENDING_SOON = "sending soon"
    DRAFT = "draft"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(eq=False)
class Message:
    """An email in the outbox."""

    email: EmailMessage
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: State = State.DRAFT
    #: Why it could not be sent.
    error: str | None = None
    #: Set while nothing is going to happen to the message by itself.
    settled: asyncio.Event = field(default_factory=asyncio.Event)


class WrongState(Exception):
    """A message is in a state in which it cannot be sent, or not be undone."""


class Outbox:
    """Messages and the timers that they wait for.

    They are in memory; an outbox that has to survive a restart would have them in a database.

    :param deliver: called in a thread, to send an email. Raises `NotDelivered`.
    :param delay: how long each message waits, in seconds.
    """

    def __init__(self, deliver: Callable[[EmailMessage], None], delay: float = 10) -> None:
        self.deliver = deliver
        self.delay = delay
        self.messages: dict[str, Message] = {}
        #: The timer of each message that is to be sent soon, by the id of the message.
        self.timers: dict[str, object] = {}

    def submit(self, email: EmailMessage) -> Message:
        """Take an email, to send it after the delay."""
        message = Message(email)
        self.messages[message.id] = message
        self.send_soon(message)
        return message

    def send_soon(self, message: Message) -> None:
        """Send a draft, or a message that could not be sent before, after the delay.

        Raises `WrongState` for any other message.
        """
        if message.state not in (State.DRAFT, State.FAILED):
            raise WrongState(f"there is nothing to send: the message is in the state {message.state.value!r}")
        message.state = State.SENDING_SOON
        message.error = None
        message.settled.clear()
        self.timers[message.id] = IOLoop.current().call_later(self.delay, self._begin, message)

    def undo(self, message: Message) -> None:
        """Make a draft of a message that is to be sent soon. A draft stays one.

        Raises `WrongState` if it is too late.
        """
        if message.state is State.DRAFT:
            return
        if message.state is not State.SENDING_SOON:
            raise WrongState(f"it is too late to undo: the message is in the state {message.state.value!r}")
        IOLoop.current().remove_timeout(self.timers.pop(message.id))
        message.state = State.DRAFT
        message.settled.set()

    async def close(self) -> None:
        """Send all messages at once that would be sent soon, and wait until nothing is on its way any more.

        For the end of the program: no message that was accepted is lost.
        """
        for message in self.messages.values():
            if message.state is State.SENDING_SOON:
                IOLoop.current().remove_timeout(self.timers[message.id])
                self._begin(message)
        for message in self.messages.values():
            await message.settled.wait()

    def _begin(self, message: Message) -> None:
        # Not part of the coroutine, which starts a turn of the loop later: undo() could come in between, and make a
        # draft of a message that is about to be sent.
        del self.timers[message.id]
        message.state = State.SENDING
        IOLoop.current().add_callback(self._send, message)

    async def _send(self, message: Message) -> None:
        try:
            await IOLoop.current().run_in_executor(None, self.deliver, message.email)
        except NotDelivered as reason:
            message.state, message.error = State.FAILED, str(reason)
            logger.error("Message %s was not sent: %s", message.id, reason)
        except Exception:
            message.state, message.error = State.FAILED, "internal error"
            raise  # to the loop, which logs it with its traceback
        else:
            message.state = State.SENT
        finally:
            message.settled.set()
