"""The shop as a process: it serves until a signal ends it, and another signal makes it read its settings again."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tornado.httpserver import HTTPServer

from .app import make_app
from .shop import Shop

ENDS = (signal.SIGINT, signal.SIGTERM)
RELOADS = tuple(getattr(signal, name) for name in ("SIGHUP",) if hasattr(signal, name))  # which Windows lacks


@contextmanager
def on_signals(signals: Sequence[int], callback: Callable[[], object]) -> Iterator[None]:
    """Let signals call a function, on the loop, while the block runs."""
    loop = asyncio.get_running_loop()
    # Not loop.add_signal_handler, which Windows lacks.
    before = {each: signal.signal(each, lambda *_: loop.call_soon_threadsafe(callback)) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


async def serve(shop: Shop, sockets: Sequence[socket.socket]) -> None:
    """Serve until the process is interrupted or terminated; then let requests end, and close the shop."""
    stopped = asyncio.Event()
    server = HTTPServer(make_app(shop))
    with on_signals(ENDS, stopped.set), on_signals(RELOADS, shop.reload):
        server.add_sockets(list(sockets))
        await stopped.wait()
        server.stop()
        await shop.close()
        await server.close_all_connections()
