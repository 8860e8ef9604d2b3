"""URLs of a server, for requests and websockets; the way to a Unix-domain socket."""

# Tested by tests/http/test_http_test_server.py.

import socket
import urllib.parse
from collections.abc import Callable
from typing import Any

from tornado.netutil import DefaultLoopResolver

from asynctest_tornado._http import sockets
from asynctest_tornado._network.virtual_socket import VirtualSocket

__unittest = True


class Address:
    """The address that a server listens on, and the URLs that lead to it.

    :param sock: the socket of the server, bound.
    """

    def __init__(self, sock: socket.socket) -> None:
        # Asked for once: the socket is closed before the test has ended.
        # In memory, the port is reserved once the test knows it.
        self._virtual = sock if isinstance(sock, VirtualSocket) else None
        #: The address as of ``getsockname``.
        self.name: Any = sock.getsockname() if self._virtual is None else self._virtual.address
        name = self.name
        self._is_unix = isinstance(name, (str, bytes))
        if self._is_unix:
            self._host = sockets.absolute(name) if name and isinstance(name, str) else name
        else:
            self._host = name[0]
            # To ask the socket for its family would be a look-up in an enumeration. An IPv6 address has two more items.
            self._netloc = f"[{name[0]}]" if len(name) == 4 else name[0]
        self._port: int = 0 if self._is_unix else name[1]
        #: True if the test knows the port, and so may have given it to another program.
        self.is_known: bool = False
        #: Called when the test asks for the port or a URL.
        self.on_asked: Callable[[], object] | None = None
        self._is_for_request = False

    @property
    def port(self) -> int:
        """The port, or 0 for a Unix-domain socket. The caller may give it to another program."""
        self._tell()
        return self._port

    def url(self, path: str, protocol: str, port: int) -> str:
        """Return the URL for a path. The caller may give it to another program."""
        self._tell()
        return (f"{protocol}://localhost" if self._is_unix else f"{protocol}://{self._netloc}:{port}") + path

    def absolute(self, path: str, get_url: Callable[[str], str]) -> str:
        """Return a URL, given one or a path on the server, for a request of this library: no other program learns it.

        :param get_url: returns the URL for a path.

        Raises ``ValueError`` if the path does not begin with a slash.
        """
        before, self._is_for_request = self.is_known, True
        try:
            return _absolute(path, get_url)
        finally:
            self.is_known, self._is_for_request = before, False

    def _tell(self) -> None:
        self.is_known = True
        if self._virtual is not None and not self._is_for_request and self._virtual.fileno() != -1:
            self._port = self._virtual.getsockname()[1]
        if self.on_asked is not None and not self._is_for_request:
            self.on_asked()

    def websocket_url(self, path: str, get_url: Callable[[str], str]) -> str:
        """Return the URL of a websocket; see `absolute`."""
        if path.lower().startswith(("ws://", "wss://")):
            return path
        return "ws" + self.absolute(path, get_url).removeprefix("http")

    def is_own(self, url: str) -> bool:
        """Return whether a URL leads to this server."""
        parts = urllib.parse.urlsplit(url)
        if self._is_unix:
            return parts.hostname == "localhost" and parts.port is None
        return parts.port == self._port and parts.hostname in ("localhost", self._host)

    def may_be_own(self, url: str) -> bool:
        """Return whether a URL leads to this server if its host is this computer."""
        parts = urllib.parse.urlsplit(url)
        if self._is_unix:
            return parts.hostname == "localhost"
        try:
            return parts.port == self._port
        except ValueError:  # no number, which the client reports
            return False

    @property
    def resolver(self) -> "UnixResolver | None":
        """The resolver that a client needs to find a server on a Unix-domain socket; None for a port."""
        return UnixResolver(self._host) if self._is_unix else None


def _absolute(path: str, get_url: Callable[[str], str]) -> str:
    if path.lower().startswith(("http://", "https://")):
        return path
    url = get_url(path)
    if path and not path.startswith(("/", "?", "#")):
        # An overridden get_url() may accept it. The empty path would not show that: it gives the base.
        base = url.removesuffix(path)
        if base != url and urllib.parse.urlunsplit((*urllib.parse.urlsplit(base)[:2], "", "", "")) == base:
            raise ValueError(
                f"{path!r} is no path on the server {base}: it has to begin with a slash. Write {'/' + path!r}, or a "
                "full URL that begins with http:// or https://."
            )
    return url


class UnixResolver(DefaultLoopResolver):
    """Resolves localhost to a Unix-domain socket."""

    def initialize(self, path: str) -> None:
        self._path = path

    async def resolve(self, host: str, port: int, family: Any = socket.AF_UNSPEC) -> list[tuple[int, Any]]:
        if host == "localhost":
            return [(socket.AF_UNIX, self._path)]
        return await super().resolve(host, port, family)
