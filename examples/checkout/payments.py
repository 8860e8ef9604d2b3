"""The payment provider, as its client sees it: charges, which are tried again, and a feed of events."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import closing
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.websocket import WebSocketClientConnection, websocket_connect

from .breaker import CircuitBreaker

#: The seconds that a charge may take, with all attempts.
LIMIT = 15
#: The seconds before the second and the third attempt.
PAUSES = (1, 4)
#: The seconds before the feed is opened again, the first time and at most.
SHORTEST_PAUSE, LONGEST_PAUSE = 1, 60
#: The seconds between two pings of the feed, and until each has its answer.
PING_INTERVAL, PING_TIMEOUT = 20, 10


class Declined(Exception):
    """The provider does not charge the card."""


class Unconfirmed(Exception):
    """The provider has not answered; it may have charged the card."""


class TooSlow(Unconfirmed):
    """The provider has not answered in time."""


class Payments:
    """The provider at a URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = AsyncHTTPClient(force_instance=True)
        self.breaker = CircuitBreaker(Unconfirmed)
        #: The ID of the last event.
        self.last_event = 0

    def close(self) -> None:
        self.client.close()

    async def charge(self, key: str, **fields: object) -> str:
        """Charge a card, once for each key, however often this is called. Return the ID of the charge.

        Raises `Declined`, `Unconfirmed` or `CircuitOpen`.
        """
        with self.breaker.call():
            answer = await self._post("/charge", json.dumps(fields), key)
        if "declined" in answer:
            raise Declined(answer["declined"])
        return str(answer["charge"])

    async def _post(self, path: str, body: str, key: str) -> Any:
        """Send a request, and again if it gets no response. Return the JSON of the response."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        loop = asyncio.get_running_loop()
        end = loop.time() + LIMIT
        pauses = list(PAUSES)
        while True:
            request = HTTPRequest(self.url + path, "POST", headers, body)
            request.connect_timeout = request.request_timeout = end - loop.time()
            try:
                return json.loads((await self.client.fetch(request)).body)
            except HTTPTimeoutError as error:
                raise TooSlow(f"no answer in {LIMIT} seconds") from error
            except (OSError, HTTPError) as error:
                if isinstance(error, HTTPError) and error.code < 500:
                    raise  # it would be the same again
                if not pauses or loop.time() + pauses[0] >= end:
                    raise Unconfirmed(f"no answer, at the last attempt: {error}") from error
                await asyncio.sleep(pauses.pop(0))

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """Return the events of the provider, for ever, each of them once. If the feed is lost, it is opened again."""
        pause = SHORTEST_PAUSE
        while True:
            url = f"{self.url.replace('http', 'ws', 1)}/events?after={self.last_event}"
            try:
                socket = await self._open_feed(url)
            except (OSError, HTTPError):
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = SHORTEST_PAUSE
            with closing(socket):
                while (message := await socket.read_message()) is not None:
                    event = json.loads(message)
                    self.last_event = event["id"]
                    yield event

    async def _open_feed(self, url: str) -> WebSocketClientConnection:
        """Open the feed. If the caller is cancelled meanwhile, the feed is closed as soon as it is open."""

        def close(opened: asyncio.Future[WebSocketClientConnection]) -> None:
            if opened.exception() is None:
                opened.result().close()

        opening = asyncio.ensure_future(websocket_connect(url, ping_interval=PING_INTERVAL, ping_timeout=PING_TIMEOUT))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(close)
            raise
