"""ServerSentEvent: parses server-sent events, as browsers do."""

import json
from dataclasses import dataclass
from typing import Any

from asynctest_tornado._http.text_lines import Lines

__unittest = True


@dataclass(frozen=True)
class ServerSentEvent:
    """A server-sent event, as `StreamedResponse.aiter_sse` gives it.

    Two events are equal if all of their fields are, so that a test can compare one with
    ``ServerSentEvent(data="hello")``.

    New in version 0.1.
    """

    #: The type, which is "message" unless the server gives another one.
    event: str = "message"
    #: The data: the lines of the event, joined by line feeds.
    data: str = ""
    #: The last event id. An event without one has the id of the event before it.
    id: str = ""
    #: The reconnection time, in milliseconds, that came with the event, or by itself before it; or None.
    retry: int | None = None

    def json(self) -> Any:
        """Return the data, decoded. Raises ``ValueError`` if it is no JSON. New in version 0.1."""
        try:
            return json.loads(self.data)
        except ValueError as error:
            raise ValueError(
                f"The data of this event is no JSON: {error}. It begins with {self.data[:60]!r}."
            ) from None


class Events:
    """The events of a stream of bytes: https://html.spec.whatwg.org/#parsing-an-event-stream."""

    def __init__(self) -> None:
        # A byte order mark may come first; and bytes that are no UTF-8 are replaced.
        self._lines = Lines("utf-8-sig", "replace")
        self._data: list[str] = []
        self._event = self._id = ""
        self._retry: int | None = None

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Return the events that end in a chunk."""
        found = map(self._take, self._lines.feed(chunk))
        return [event for event in found if event is not None]

    def end(self) -> list[ServerSentEvent]:
        """Return no event: one without the empty line that ends it is dropped."""
        return []

    @property
    def has_unfinished(self) -> bool:
        """True if an event has begun, and the empty line that ends it is still to come."""
        return bool(self._data) or self._lines.has_unfinished

    def _take(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")  # a comment has no name
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self._retry = int(value)
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        event, data, self._event = self._event or "message", self._data, ""
        if not data:
            return None
        self._data, retry, self._retry = [], self._retry, None
        return ServerSentEvent(event, "\n".join(data), self._id, retry)
