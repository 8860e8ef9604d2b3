"""URLs of a server, for requests and websockets; and the way to a Unix-domain socket, which has none of its own."""

# Tested by tests/http/test_http_test_server.py.

import socket
import urllib.parse
from collections.abc import Callable
from typing import Any

from tornado.netutil import DefaultLoopResolver

__unittest = True


def absolute(path: str, get_url: Callable[[str], str]) -> str:
    """Return a URL, given that or a path on the server. Raises ``ValueError`` for what is neither."""
    if path.lower().startswith(("http://", "https://")):
        return path
    url = get_url(path)
    if path and not path.startswith(("/", "?", "#")):
        # A get_url() of the user's may know what to do with it; but not with the empty path, to ask for the base.
        base = url.removesuffix(path)
        if base != url and urllib.parse.urlunsplit((*urllib.parse.urlsplit(base)[:2], "", "", "")) == base:
            raise ValueError(
                f"{path!r} is no path on the server {base}: it has to begin with a slash. Write {'/' + path!r}, or a "
                "full URL that begins with http:// or https://."
            )
    return url


def websocket_url(path: str, get_absolute: Callable[[str], str]) -> str:
    """Return the URL of a websocket, given that or a path on the server.

    :param get_absolute: returns the URL for a path.
    """
    if path.lower().startswith(("ws://", "wss://")):
        return path
    return "ws" + get_absolute(path).removeprefix("http")


class UnixResolver(DefaultLoopResolver):
    """Leads to a Unix-domain socket, by the name of localhost."""

    def initialize(self, path: str) -> None:
        self._path = path

    async def resolve(self, host: str, port: int, family: Any = socket.AF_UNSPEC) -> list[tuple[int, Any]]:
        if host == "localhost":
            return [(socket.AF_UNIX, self._path)]
        return await super().resolve(host, port, family)
