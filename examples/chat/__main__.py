"""Run the application: ``python -m examples.chat --help`` shows how."""

import asyncio
import signal

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.options import define, options, parse_command_line

from .app import make_app
from .room import Room


async def serve() -> None:
    """Serve until the process is interrupted or terminated, and say goodbye to all clients then."""
    room = Room()
    # If the machine of a client fails, its connection stays open: the server has to ask.
    server = HTTPServer(make_app(room, websocket_ping_interval=options.ping_interval))
    sockets = bind_sockets(options.port, options.address)
    server.add_sockets(sockets)
    host, port = sockets[0].getsockname()[:2]
    print(f"Listening on http://{host}:{port}", flush=True)

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        # Not loop.add_signal_handler, which Windows lacks.
        signal.signal(signum, lambda *_: loop.call_soon_threadsafe(stopped.set))
    await stopped.wait()
    server.stop()
    await room.close()
    await server.close_all_connections()


def main() -> None:
    define("address", default="127.0.0.1", help="address to listen on")
    define("port", default=8888, help="port to listen on; 0 for an unused one")
    define("ping_interval", default=20.0, help="seconds after which a client is asked whether it is still there")
    parse_command_line()
    asyncio.run(serve())


if __name__ == "__main__":
    main()
