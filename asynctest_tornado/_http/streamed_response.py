"""StreamedResponse: a response that is read while it arrives."""

# Tested by tests/http/test_streaming.py.

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError

from asynctest_tornado._errors import notes
from asynctest_tornado._http.arrivals import Arrivals
from asynctest_tornado._http.body_readers import Chunks, Items, Reading
from asynctest_tornado._http.server_sent_events import Events, ServerSentEvent
from asynctest_tornado._http.text_lines import Lines
from asynctest_tornado._util import coroutines
from asynctest_tornado._util.real_time import turn

__unittest = True

_T = TypeVar("_T")

#: Turns of the loop until all that has arrived was read, in any order of callbacks.
_TURNS = 50
_EVENT_STREAM = "text/event-stream"


class Place(Protocol):
    """The facts about a server that the client has to know."""

    def describe(self) -> str:
        """Return the tasks, timers and requests of the server, as text."""

    def failure_of(self, request: HTTPRequest) -> BaseException | None:
        """Return the error of the handler of a request, if no test and no response has reported it."""


class StreamedResponse:
    """A response as `AsyncHTTPTestCase.stream` gives it: the status and the headers are there, the body arrives.

    ``async for chunk in response`` gives the bytes, as they arrive.

    New in version 0.1.
    """

    #: The status code.
    code: int
    #: The reason phrase.
    reason: str
    #: The headers.
    headers: HTTPHeaders
    #: The request, as the test has made it.
    request: HTTPRequest
    #: The URL of the response, after redirects.
    effective_url: str

    def __init__(
        self, request: HTTPRequest, hop: HTTPRequest, arrivals: Arrivals, place: Place, limit: float | None
    ) -> None:
        self.request = request
        self.effective_url = hop.url
        self._hop = hop
        self._name = f"the response to {hop.method} {hop.url}"
        self._place = place
        self._limit = limit
        self._arrivals = arrivals
        self._items: Items[Any] | None = None
        self._is_left = False

    async def _begin(self) -> None:
        """Wait for the headers. Raises the errors of Tornado's client, or ``TimeoutError``."""
        arrivals = self._arrivals
        await self._within(arrivals.until_begun)
        if arrivals.status is None:
            assert arrivals.error is not None, "Only an error ends a response before its headers."
            raise arrivals.error
        self.code, self.reason, self.headers = arrivals.status.code, arrivals.status.reason, arrivals.headers

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._check_reader("async for")
        return Chunks(self._get)

    def aiter_lines(self) -> AsyncIterator[str]:
        """Give the lines of the body, without their line ends, each as soon as it has ended::

            async for line in response.aiter_lines():
                item = json.loads(line)

        A line ends with LF, CR or both. The text is decoded by the charset of the ``Content-Type``, or as UTF-8.
        Another call goes on where the one before has stopped.

        Raises ``UnicodeDecodeError`` for bytes that are wrong, besides the errors of all reading: see `read`.

        As in httpx. New in version 0.1.
        """
        self._check_reader("aiter_lines")
        charset = re.search(r'charset\s*=\s*"?([^\s";]+)', self.headers.get("Content-Type", ""), re.IGNORECASE)
        return self._read_as("aiter_lines", lambda: Lines(charset[1] if charset else "utf-8"))

    def aiter_sse(self) -> AsyncIterator[ServerSentEvent]:
        """Give the server-sent events of the body, each as soon as it has ended::

            async for event in response.aiter_sse():
                self.assertEqual((event.event, event.json()), ("price", {"tea": 3}))

        They are parsed as browsers do. An event without the empty line that ends it is dropped, as there. Another call
        goes on where the one before has stopped: ``await anext(response.aiter_sse())`` gives the next one.

        Raises ``ValueError`` if the response is no event stream, by its ``Content-Type``, besides the errors of all
        reading: see `read`.

        As in httpx-sse. New in version 0.1.
        """
        self._check_reader("aiter_sse")
        kind = self.headers.get("Content-Type", "")
        if kind.partition(";")[0].strip().lower() != _EVENT_STREAM:
            raise ValueError(
                f"{self._name[0].upper()}{self._name[1:]} is no event stream: its status is {self.code}, and its "
                f"Content-Type is {kind!r} instead of {_EVENT_STREAM!r}. Read it by 'await response.read()', or set "
                "the header in the handler."
            )
        return self._read_as("aiter_sse", Events)

    async def read(self) -> bytes:
        """Wait for the end of the response, and return the rest of its body.

        Raises `tornado.simple_httpclient.HTTPStreamClosedError` if the response ends too early; ``TimeoutError`` if
        nothing arrives within the ``read_timeout``; ``RuntimeError`` if the block of ``stream`` has ended.

        New in version 0.1.
        """
        self._check_reader("read")
        chunks = []
        while (chunk := await self._get()) is not None:
            chunks.append(chunk)
        return b"".join(chunks)

    def raise_for_status(self) -> "StreamedResponse":
        """Raise `tornado.httpclient.HTTPClientError` if the status is 400 or more; return this response otherwise.

        As in httpx. New in version 0.1.
        """
        if self.code >= 400:
            raise HTTPClientError(self.code, f"{self.reason}, the answer to {self._hop.method} {self.effective_url}")
        return self

    def _check_reader(self, name: str) -> None:
        """Raise ``RuntimeError`` if the body is read in another way, which has taken a part of it."""
        if self._items is not None and self._items.name != name:
            raise RuntimeError(
                f"The body of this response is read by {self._items.name}(), which may have the beginning of a line or "
                f"event. Go on with {self._items.name}()."
            )

    def _read_as(self, name: str, make: Callable[[], Reading[_T]]) -> "Items[_T]":
        if self._items is None:
            self._items = Items(name, self._get, make())
        return self._items

    async def _get(self) -> bytes | None:
        """Return the next chunk, or None at the end. Raises the errors of `read`."""
        if self._is_left:
            raise RuntimeError(
                "The 'async with' block of this response has ended, and has closed it. Read it inside of the block."
            )
        chunk = await self._within(self._arrivals.get)
        if chunk is None:
            self._check_end()
        return chunk

    def _check_end(self) -> None:
        error, cause = self._arrivals.error, self._place.failure_of(self._hop)
        if error is None and cause is None:
            return
        progress = f"after {self._arrivals.progress()}"
        if error is None:
            message = f"The handler has failed in the middle of {self._name}, {progress}."
        elif isinstance(error, HTTPTimeoutError):
            raise HTTPTimeoutError(f"{error} for {self._name} (request_timeout), {progress}")
        elif isinstance(error, HTTPStreamClosedError | StreamClosedError | OSError):
            message = f"{self._name[0].upper()}{self._name[1:]} ended too early: {progress}{self._missing()}."
            cause = cause or (None if isinstance(error, HTTPStreamClosedError) else error)
        else:
            raise error  # of a body_producer, for example
        raise HTTPStreamClosedError(message) from cause

    def _missing(self) -> str:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return ", and without the chunk that ends it"
        length = self.headers.get("Content-Length")
        return f", where its Content-Length is {length}" if length else ""

    async def _within(self, wait: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Wait for a part of the response, for a limited time."""
        named = coroutines.waiting_for(self._name, wait())
        if not self._limit:
            return await named
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limit):
                return await named
        for _ in range(_TURNS):
            if self._arrivals.is_ready or (self._arrivals.status and not hasattr(self, "code")):
                return await wait()
            await turn()
        error = TimeoutError(
            f"Nothing more came of {self._name} within {self._limit:g} seconds (read_timeout), "
            f"{'after ' + self._arrivals.progress() if self._arrivals.status else 'and no headers before'}"
        )
        notes.add(error, self._place.describe())
        raise error

    def _leave(self) -> None:
        """Record that the block has ended."""
        self._is_left = True

    def _describe(self) -> str:
        """Return the parts that have arrived, as text for a report."""
        text = f"This has arrived of {self._name}:\n{self._arrivals.describe()}"
        if self._items is not None and self._items.reading.has_unfinished:
            is_event = isinstance(self._items.reading, Events)
            text += f"\n  The last {'event' if is_event else 'line'} has no end{', an empty line' if is_event else ''}."
        return text

    def __repr__(self) -> str:
        return f"<StreamedResponse {self._hop.method} {self.effective_url}: {self._arrivals.summary()}>"

    if not TYPE_CHECKING:

        def __iter__(self) -> NoReturn:
            raise TypeError("A streamed response arrives in parts: write 'async for chunk in response'.")

        def __getattr__(self, name: str) -> NoReturn:
            hint = _OTHER_NAMES.get(name)
            raise AttributeError(f"A streamed response has no {name!r}.{f' Write {hint}.' if hint else ''}")


_REST = "'await response.read()' for the rest of the body"
_CHUNKS = "'async for chunk in response'"
_LINES = "'async for line in response.aiter_lines()'"
_EVENTS = "'async for event in response.aiter_sse()'"
_JSON = "'json.loads(await response.read())'"
#: Names that others have for the same.
_OTHER_NAMES = {
    **dict.fromkeys(("aread", "body", "buffer", "content", "text"), _REST),
    **dict.fromkeys(("aiter_bytes", "iter_bytes", "iter_chunked", "iter_content"), _CHUNKS),
    **dict.fromkeys(("iter_lines", "lines"), _LINES),
    **dict.fromkeys(("events", "iter_sse", "sse"), _EVENTS),
    "json": _JSON,
    "status_code": "'response.code'",
    "status": "'response.code'",
}
