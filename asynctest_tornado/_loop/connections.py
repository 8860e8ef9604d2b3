"""How the loop of a test connects: addresses in figures are resolved without a thread, and what is opened is noted.

And clients of Tornado that verify nobody do not read the authorities of the system.
"""

import asyncio
import functools
import socket
from typing import TYPE_CHECKING, Any

from tornado import simple_httpclient

from asynctest_tornado._errors import ownership
from asynctest_tornado._loop.child_processes import has_children
from asynctest_tornado._tls import ssl_contexts
from asynctest_tornado._util import origins
from asynctest_tornado._util.real_time import active_count, sleep, turn

__unittest = True

if TYPE_CHECKING:
    _Base = asyncio.BaseEventLoop
else:
    _Base = object

_getaddrinfo = socket.getaddrinfo
# A plain number: to combine members of an enumeration takes as long as the rest of the look-up.
_IN_FIGURES = int(socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)


class ConnectingLoop(_Base):
    """The methods of a watched loop that open something, on top of its own class."""

    async def getaddrinfo(self, host: Any, port: Any, **hints: int) -> Any:
        """Return addresses that are written in figures without a thread: else each loop would start one to do so.

        It takes as many turns of the loop as with a thread, in each of which the loop looks at its files: tests rely on
        what comes before a connection, such as the end of another one.
        """
        if socket.getaddrinfo is not _getaddrinfo:
            # That of the test, which may count the calls, and look at the arguments.
            return await super().getaddrinfo(host, port, **hints)
        try:
            found = socket.getaddrinfo(host, port, **{**hints, "flags": hints.get("flags", 0) | _IN_FIGURES})
        except (socket.gaierror, UnicodeError):
            found = None
        if found is None:
            # Outside of that block, or a host that is not known would be reported twice.
            return await super().getaddrinfo(host, port, **hints)
        for _ in range(_TURNS):
            await turn()
        _let_others_act()
        return found


#: One for the thread to wake the loop, one for the loop to wake the task.
_TURNS = 2
#: Seconds that others get to act, while the loop sleeps until a thread has looked up an address on ``tornado.testing``:
#: child processes and threads that work for the test.
_FOR_PROCESSES = 0.003
_FOR_THREADS = 0.0001


def _let_others_act() -> None:
    """Let go of processor and interpreter, as a loop does that sleeps.

    A test which closes a connection, whereupon a child process ends, and opens another one would else find the process
    still there. This comes after the turns in which the loop learns that the connection is closed.
    """
    if has_children():
        sleep(_FOR_PROCESSES)
    elif active_count() > 1:
        sleep(_FOR_THREADS)


def _remember_connections() -> None:
    """Let a loop know what its methods open that are coroutines."""
    for name in _OPENING:

        async def open_and_remember(self: Any, *args: Any, _name: str = name, **kwargs: Any) -> Any:
            opened = await getattr(super(ConnectingLoop, self), _name)(*args, **kwargs)
            ownership.record(opened[0] if isinstance(opened, tuple) else opened, origins.STREAMS)
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
            return ssl_contexts.trusting_context()
        return original(self, scheme)

    connection._get_ssl_options = get_ssl_options


_remember_connections()
_spare_authorities()
