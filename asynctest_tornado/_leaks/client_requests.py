"""Requests of HTTP clients: the test they belong to, the line that made them."""

import asyncio
import functools
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from asynctest_tornado._errors import contexts
from asynctest_tornado._leaks.recording_loop import lines_of_futures
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._util import origins
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True


class Request(NamedTuple):
    """A request, as far as it is known by the future of its response."""

    client: Callable[[], AsyncHTTPClient | None]
    client_name: str
    name: str


_requests: WeakNotes[Request] = WeakNotes()


def of(future: object) -> Request | None:
    """Return the request that a future belongs to, or None."""
    return _requests.of(future, None)


def watch() -> None:
    """Record the futures of requests that are made from now on."""
    original = AsyncHTTPClient.fetch
    if hasattr(original, "_asynctest_original"):
        return

    @functools.wraps(original)
    def fetch(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        future = original(self, request, *args, **kwargs)
        origin = origins.find(origins.CLIENTS)
        if origin is not origins.LIBRARY and isinstance(future, asyncio.Future):
            _record(future, self, request, kwargs, origin)
        return future

    fetch._asynctest_original = original  # type: ignore[attr-defined]
    AsyncHTTPClient.fetch = fetch  # type: ignore[method-assign]


def _record(
    future: "asyncio.Future[Any]", client: Any, request: Any, kwargs: dict[str, Any], origin: origins.Origin
) -> None:
    loop = future.get_loop()
    if not isinstance(loop, WatchedLoop) or future.done():
        return
    WatchedLoop.record_future(loop, future, contexts.contexts.get())
    lines_of_futures(loop._asynctest.trap).note(future, origin)
    if isinstance(request, HTTPRequest):
        name = f"{request.method} {request.url}"
    else:
        name = f"{kwargs.get('method', 'GET')} {request}"
    _requests.note(future, Request(weakref.ref(client), type(client).__name__, name))
