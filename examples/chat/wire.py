"""Events and texts on the wire: as JSON or as lines."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from .room import Event, Joined, Left, Message, Welcome, check_text


@dataclass(frozen=True)
class Mistake:
    """The reason why a message of a client is malformed. Only that client hears it."""

    error: str


def read_object(data: str | bytes, *names: str) -> dict[str, Any]:
    """Return the fields of an object in JSON. Raises ``ValueError`` unless it has these fields, and no other."""
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is not JSON: {error}") from error
    if not isinstance(fields, dict) or fields.keys() != set(names):
        raise ValueError(f"this has to be an object with {' and '.join(map(repr, names))}, and nothing else")
    return fields


def read_json(data: str) -> str:
    """Return the text of a message in JSON. Raises ``ValueError`` if the message is malformed."""
    return check_text(read_object(data, "text")["text"])


def write_json(event: Event | Mistake) -> str:
    """Return the event as JSON."""
    return json.dumps({"type": type(event).__name__.lower(), **asdict(event)})


def write_line(event: Event | Mistake) -> str:
    """Return the event as a line of text."""
    match event:
        case Welcome(members, last):
            return f"* {', '.join(members)}; {last} messages so far"
        case Message(number, name, text):
            return f"{number} {name}: {text}"
        case Joined(name):
            return f"* {name} comes"
        case Left(name):
            return f"* {name} goes"
        case Mistake(error):
            return f"! {error}"


@dataclass(frozen=True)
class Dialect:
    """How a client and the application understand each other.

    :param read: returns the text of a client's message. Raises ``ValueError`` if the message is malformed.
    """

    read: Callable[[str], str]
    write: Callable[[Event | Mistake], str]


JSON = Dialect(read_json, write_json)
LINES = Dialect(check_text, write_line)
#: The dialects, by the name of their subprotocol.
DIALECTS = {"chat.json": JSON, "chat.lines": LINES}
