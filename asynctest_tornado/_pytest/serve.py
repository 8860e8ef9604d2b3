"""The fixture ``serve``: serves applications for a test, or for several."""

import asyncio
import functools
import inspect
import os
from typing import Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._http.http_test_server import HTTPTestServer
from asynctest_tornado._leaks.closing import CLOSED_CONNECTIONS
from asynctest_tornado._leaks.feature import LEAKS
from asynctest_tornado._timeouts import pending_requests

__unittest = True
__tracebackhide__ = True

#: The key in ``trap.data`` for the `Function` or `Scope` that serves applications.
SERVES: Any = object()


async def serve(
    app: Any,
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    unix_socket: str | bytes | os.PathLike[str] | None = None,
    https: bool = False,
    send_cookies: bool = False,
    **options: Any,
) -> HTTPTestServer:
    """Serve an application up to the end of the test, or of the fixture that awaits this; return the server.

    Arguments and errors are the same as for `HTTPTestServer`. The application may be a coroutine that returns it.
    """
    owner = _owner()
    if inspect.iscoroutine(app):
        app = await app
    options |= {"address": address, "port": port, "unix_socket": unix_socket}
    server = HTTPTestServer(app, https=https, send_cookies=send_cookies, **options)
    await server.__aenter__()
    owner.servers.append(server)
    owner.add_finalizer(functools.partial(_close, owner, server))
    for client in (server.http_client, server._server.streams):
        pending_requests.watch_client(owner.harness.loop, client)
    return server


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
