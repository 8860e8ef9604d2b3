"""Requests of HTTP clients: the test they belong to, the line that made them."""

import asyncio
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from asynctest_tornado._errors import contexts
from asynctest_tornado._leaks.recording_loop import lines_of_futures
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._util import origins
from asynctest_tornado._util.patching import Patch
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


def drop_clients() -> None:
    """Drop the clients that Tornado keeps for loops of tests: each keeps its loop, and thereby itself."""
    classes: list[Any] = [AsyncHTTPClient]
    for cls in classes:
        classes += cls.__subclasses__()
        clients = vars(cls).get(f"_async_client_dict_{cls.__name__}", {})
        for io_loop in list(clients):
            loop = getattr(io_loop, "asyncio_loop", None)
            if isinstance(loop, WatchedLoop) and loop.is_closed():
                clients.pop(io_loop, None)


def _fetch_and_record(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    future = _fetch.found(self, request, *args, **kwargs)
    origin = origins.find(origins.CLIENTS) if _fetch.is_active else origins.LIBRARY
    if origin is not origins.LIBRARY and isinstance(future, asyncio.Future):
        _record(future, self, request, kwargs, origin)
    return future


_fetch = Patch(AsyncHTTPClient, "fetch", _fetch_and_record)
#: They record the futures of requests.
patches = [_fetch]


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
