"""The fixture ``serve``: serves applications for a test, or for several."""

import asyncio
import functools
import inspect
import os
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._http.http_test_server import HTTPTestServer, is_running
from asynctest_tornado._leaks.closing import CLOSED_CONNECTIONS
from asynctest_tornado._leaks.feature import LEAKS
from asynctest_tornado._timeouts import pending_requests
from asynctest_tornado._util import coroutines

__unittest = True
__tracebackhide__ = True

#: The key in ``trap.data`` for the `Function` or `Scope` that serves applications.
SERVES: Any = object()


class Serving(Coroutine[Any, Any, HTTPTestServer]):
    """A server that is to be awaited, or entered by ``async with``, which closes it at the end of the block.

    The coroutine is there from the start: if the test drops it, the interpreter reports that it was never awaited.
    """

    def __init__(self, coro: Coroutine[Any, Any, HTTPTestServer]) -> None:
        self._coro = coro
        self._server: HTTPTestServer | None = None

    def __await__(self) -> Generator[Any, Any, HTTPTestServer]:
        return self._coro.__await__()

    # A task calls these.
    def send(self, value: Any) -> Any:
        return self._coro.send(value)

    def throw(self, *args: Any) -> Any:
        return self._coro.throw(*args)

    def close(self) -> None:
        self._coro.close()

    async def __aenter__(self) -> HTTPTestServer:
        self._server = await self._coro
        return self._server

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        await self._server.__aexit__(*exc_info)

    if not TYPE_CHECKING:  # or type checkers would take any attribute to be there

        def __getattr__(self, name: str) -> Any:
            if name not in _NAMES:
                return getattr(self._coro, name)
            self._coro.close()  # or a second report would say that it was never awaited
            raise AttributeError(f"The server does not run yet, and has no {name!r}. {_WAYS}")


_NAMES = frozenset(name for name in (*dir(HTTPTestServer), "http_client", "http_server", "errors") if name[0] != "_")
_WAYS = "Write 'server = await serve(app)', or 'async with serve(app) as server'."


def serve(
    app: Any,
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    unix_socket: str | bytes | os.PathLike[str] | None = None,
    https: bool = False,
    send_cookies: bool = False,
    **options: Any,
) -> Serving:
    """Serve an application up to the end of the test, or of the fixture that awaits this; return the server.

    Arguments and errors are the same as for `HTTPTestServer`. The application may be a coroutine that returns it.
    """
    options |= {"address": address, "port": port, "unix_socket": unix_socket}
    options |= {"https": https, "send_cookies": send_cookies}
    return Serving(coroutines.traced(functools.partial(_serve, app, options)))


async def _serve(app: Any, options: dict[str, Any]) -> HTTPTestServer:
    owner = _owner()
    if inspect.iscoroutine(app):
        app = await app
    server = HTTPTestServer(app, **options)
    await server.__aenter__()
    owner.servers.append(server)
    owner.add_finalizer(functools.partial(_close, owner, server))
    for client in (server.http_client, server._server.streams):
        pending_requests.watch_client(owner.harness.loop, client)
    return server


_serve.__qualname__ = "serve"  # the name that the user knows
coroutines.ways_to_wait[_serve.__code__] = _WAYS


def _owner() -> Any:
    """Return the test, or the scope of tests, whose code is running."""
    chain = contexts.contexts.get()
    owner = chain[0].data.get(SERVES) if chain and isinstance(chain[0], Trap) else None
    if owner is None:
        raise RuntimeError(
            "serve() serves an application for tests and asynchronous fixtures that asynctest_tornado runs, and this "
            "code runs elsewhere. Use 'async with HTTPTestServer(app) as server:', which needs no test."
        )
    return owner


def _close(owner: Any, server: HTTPTestServer) -> None:
    """Close a server, its client and its connections.

    :param owner: the `Function` or `Scope` that it was served for.
    """

    async def close() -> None:
        owner.begin_closing()
        await server.__aexit__()

    owner.servers.remove(server)
    if not is_running(server):
        return  # it was entered by "async with"
    LEAKS.ending(owner.harness, lambda: _others(owner, server))
    try:
        owner.run(close)
    finally:
        CLOSED_CONNECTIONS.have_cut_off(owner.harness)


def _others(owner: Any, server: HTTPTestServer) -> set[int]:
    """Return the ids of the tasks that do not fetch from a server: fixtures may still end them."""
    tasks: list[asyncio.Task[Any]] = owner.harness.loop.pending_tasks()
    return {id(task) for task in tasks if not _uses(task, server)}


def _uses(task: "asyncio.Task[Any]", server: HTTPTestServer) -> bool:
    """Return whether a task waits in a method of a server, for example for a response."""
    coro: Any = task.get_coro()
    while coro is not None:
        frame = getattr(coro, "cr_frame", None)
        if frame is not None and frame.f_locals.get("self") is server:
            return True
        coro = getattr(coro, "cr_await", None)
    return False
