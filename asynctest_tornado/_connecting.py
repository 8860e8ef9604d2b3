"""How the loop of a test connects: addresses in figures are resolved at once, and what is opened is noted.

And clients of Tornado that verify nobody do not read the authorities of the system.
"""

import asyncio
import functools
import socket
from typing import TYPE_CHECKING, Any

from tornado import simple_httpclient
from tornado.netutil import DefaultLoopResolver

from asynctest_tornado import _origins, _resources, _tls

__unittest = True

if TYPE_CHECKING:
    _Base = asyncio.BaseEventLoop
else:
    _Base = object

_IN_FIGURES = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class ConnectingLoop(_Base):
    """The methods of a watched loop that open something, on top of its own class."""

    async def getaddrinfo(self, host: Any, port: Any, **hints: int) -> Any:
        """Return addresses that are written in figures at once: else each loop would start a thread to do so."""
        try:
            return socket.getaddrinfo(host, port, **{**hints, "flags": hints.get("flags", 0) | _IN_FIGURES})
        except (socket.gaierror, UnicodeError):
            return await super().getaddrinfo(host, port, **hints)


def _remember_connections() -> None:
    """Let a loop know what its methods open that are coroutines."""
    for name in _OPENING:

        async def open_and_remember(self: Any, *args: Any, _name: str = name, **kwargs: Any) -> Any:
            opened = await getattr(super(ConnectingLoop, self), _name)(*args, **kwargs)
            _resources.remember(opened[0] if isinstance(opened, tuple) else opened, _origins.STREAMS)
            return opened

        setattr(ConnectingLoop, name, open_and_remember)


#: They return a server, or a tuple that begins with a transport.
_OPENING = (
    "create_connection",
    "create_unix_connection",
    "create_server",
    "create_unix_server",
    "create_datagram_endpoint",
    "connect_read_pipe",
    "connect_write_pipe",
    "connect_accepted_socket",
)


def _resolve_figures_at_once() -> None:
    """Let Tornado's clients connect to an address that is written in figures without a task that looks it up.

    That task takes three turns of the loop, a twentieth of what a fetch from a test server costs.
    """
    original = DefaultLoopResolver.resolve

    @functools.wraps(original)
    def resolve(self: Any, host: Any, port: Any, family: Any = socket.AF_UNSPEC) -> Any:
        loop = asyncio.get_running_loop()
        if isinstance(loop, ConnectingLoop):
            try:
                found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, _IN_FIGURES)
            except (OSError, UnicodeError):
                pass  # it is a name, or a mistake that the original tells of
            else:
                future = loop.create_future()
                future.set_result([(each[0], each[4]) for each in found])
                return future
        return original(self, host, port, family)

    DefaultLoopResolver.resolve = resolve  # type: ignore[method-assign]


def _spare_authorities() -> None:
    """Let the clients of a test that verify nobody not read the authorities of the system for each request."""
    connection: Any = getattr(simple_httpclient, "_HTTPConnection", None)
    original = getattr(connection, "_get_ssl_options", None)
    if original is None:
        return  # renamed: they are read as ever

    @functools.wraps(original)
    def get_ssl_options(self: Any, scheme: str) -> Any:
        request = self.request
        given = (request.ssl_options, request.ca_certs, request.client_cert, request.client_key)
        is_trusting = scheme == "https" and not request.validate_cert and given == (None, None, None, None)
        if is_trusting and isinstance(getattr(self.io_loop, "asyncio_loop", None), ConnectingLoop):
            return _tls.trusting_context()
        return original(self, scheme)

    connection._get_ssl_options = get_ssl_options


_remember_connections()
_resolve_figures_at_once()
_spare_authorities()
