"""Run the application: ``python -m examples.undo_send --help`` shows how."""

import asyncio
import signal

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.options import define, options, parse_command_line

from .app import make_app
from .mail import Relay
from .outbox import Outbox


async def serve() -> None:
    """Serve until the process is interrupted or terminated, and send the emails that wait then."""
    outbox = Outbox(Relay(options.smtp_host, options.smtp_port).deliver, options.delay)
    server = HTTPServer(make_app(outbox))
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
    await server.close_all_connections()
    await outbox.close()


def main() -> None:
    define("address", default="127.0.0.1", help="address to listen on")
    define("port", default=8888, help="port to listen on; 0 for an unused one")
    define("smtp_host", default="127.0.0.1", help="SMTP server that passes the emails on")
    define("smtp_port", default=25, help="its port")
    define("delay", default=10.0, help="seconds in which sending can be undone")
    parse_command_line()
    asyncio.run(serve())


if __name__ == "__main__":
    main()
