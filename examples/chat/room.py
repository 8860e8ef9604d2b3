"""The room: its members and their messages."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

NAME = re.compile(r"\w[\w-]{0,19}")
#: Characters in a message, at most.
LONGEST = 1000


@dataclass(frozen=True)
class Welcome:
    """The first event for a member: the names of all members, and the number of the last message so far."""

    members: Sequence[str]
    last: int


@dataclass(frozen=True)
class Message:
    """Something that was said. Messages are numbered from 1 on."""

    number: int
    name: str
    text: str


@dataclass(frozen=True)
class Joined:
    """A member has entered the room."""

    name: str


@dataclass(frozen=True)
class Left:
    """A member has left the room."""

    name: str


Event = Welcome | Message | Joined | Left


class Member(Protocol):
    """The methods of a member that the room calls."""

    def hear(self, event: Event) -> None:
        """Take an event of the room. Neither raises, nor enters or leaves."""

    def dismiss(self) -> None:
        """Leave soon: the room closes."""


class NameTaken(Exception):
    """There is a member of that name."""


class NotSaidYet(Exception):
    """A client names a message that the room does not have."""


def check_name(name: object) -> str:
    """Return a name. Raises ``ValueError`` for anything else."""
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise ValueError("a name has to be 1 to 20 letters, digits, '_' or '-', and does not begin with '-'")
    return name


def check_text(text: object) -> str:
    """Return the text of a message. Raises ``ValueError`` for anything else."""
    if not isinstance(text, str) or not text.strip() or text.splitlines() != [text]:
        raise ValueError("'text' has to be a line of text")
    if len(text) > LONGEST:
        raise ValueError(f"'text' has to be {LONGEST} characters at most, not {len(text)}")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("'text' has half of a surrogate pair in it")
    return text


class Room:
    """Members, and all their messages.

    They are in memory; a room that has to survive a restart would have them in a database.
    """

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.messages: list[Message] = []
        #: Set while there are no members.
        self.empty = asyncio.Event()
        self.empty.set()

    def since(self, number: int) -> list[Message]:
        """Return all messages after the message of that number; 0 stands for the beginning.

        Raises `NotSaidYet` if there is no such message.
        """
        if number > len(self.messages):
            raise NotSaidYet(f"there is no message {number}, the last one is {len(self.messages)}")
        return self.messages[number:]

    def enter(self, name: str, member: Member, since: int | None = None) -> None:
        """Let a member in.

        :param since: the number of the last message that the member has heard. It hears all later ones first.

        Raises `NameTaken`, or `NotSaidYet`, and then nothing has changed.
        """
        if name in self.members:
            raise NameTaken(f"there is a member called {name}")
        missed = [] if since is None else self.since(since)
        self.announce(Joined(name))
        self.members[name] = member
        self.empty.clear()
        # Without an await in between, or a message could be lost between the missed ones and the next.
        member.hear(Welcome(tuple(self.members), len(self.messages)))
        for message in missed:
            member.hear(message)

    def leave(self, name: str) -> None:
        """Let a member go."""
        del self.members[name]
        if not self.members:
            self.empty.set()
        self.announce(Left(name))

    def say(self, name: str, text: str) -> Message:
        """Let all members hear a message, its author as well."""
        message = Message(len(self.messages) + 1, name, text)
        self.messages.append(message)
        self.announce(message)
        return message

    def announce(self, event: Event) -> None:
        """Let all members hear an event."""
        for member in self.members.values():
            member.hear(event)

    async def close(self) -> None:
        """Send all members away, and wait until they are gone. For the end of the program."""
        for member in self.members.values():
            member.dismiss()
        await self.empty.wait()
