"""Run the shop: ``python -m examples.shop --help`` shows how."""

import asyncio
from pathlib import Path

from tornado.netutil import bind_sockets
from tornado.options import define, options, parse_command_line

from .server import serve
from .shop import Shop


async def run() -> None:
    shop = await Shop.open(Path(options.settings), options.database)
    sockets = bind_sockets(options.port, options.address)
    host, port = sockets[0].getsockname()[:2]
    print(f"Listening on http://{host}:{port}", flush=True)
    await serve(shop, sockets)


def main() -> None:
    define("address", default="127.0.0.1", help="address to listen on")
    define("port", default=8888, help="port to listen on; 0 for an unused one")
    define("settings", default=str(Path(__file__).with_name("shop.toml")), help="file with the settings, TOML")
    define("database", default="shop.db", help="file with the database, SQLite")
    parse_command_line()
    asyncio.run(run())


if __name__ == "__main__":
    main()
