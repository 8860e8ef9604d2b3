"""Run the checkout: ``python -m examples.checkout --help`` shows how."""

import asyncio
import signal
from contextlib import suppress

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.options import define, options, parse_command_line

from .app import make_app
from .checkout import Checkout


async def serve() -> None:
    """Serve, and follow the events of the provider, until the process is interrupted or terminated."""
    checkout = Checkout(options.payments)
    server = HTTPServer(make_app(checkout))
    sockets = bind_sockets(options.port, options.address)
    server.add_sockets(sockets)
    host, port = sockets[0].getsockname()[:2]
    print(f"Listening on http://{host}:{port}", flush=True)

    following = asyncio.create_task(checkout.follow())
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        # Not loop.add_signal_handler, which Windows lacks.
        signal.signal(signum, lambda *_: loop.call_soon_threadsafe(following.cancel))
    with suppress(asyncio.CancelledError):
        await following
    server.stop()
    await server.close_all_connections()
    checkout.payments.close()


def main() -> None:
    define("address", default="127.0.0.1", help="address to listen on")
    define("port", default=8888, help="port to listen on; 0 for an unused one")
    define("payments", default="http://127.0.0.1:8889", help="URL of the payment provider")
    parse_command_line()
    asyncio.run(serve())


if __name__ == "__main__":
    main()
