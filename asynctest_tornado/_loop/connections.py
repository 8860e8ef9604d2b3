"""Connects: resolves numeric addresses without a thread.

HTTP clients with ``validate_cert=False`` do not load the CA certificates of the system.
"""

import socket
from typing import Any

from tornado import simple_httpclient
from tornado.iostream import IOStream

from asynctest_tornado._loop.child_processes import has_children
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._tls import bundled_certificate
from asynctest_tornado._util.patching import Patch
from asynctest_tornado._util.real_time import active_count, sleep, turn

__unittest = True

_getaddrinfo = socket.getaddrinfo
# A plain number: combining members of an enumeration takes as long as the rest of the look-up.
_NUMERIC = int(socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)


class ConnectingLoop(WatchedLoop):
    """The method of a watched loop that resolves addresses."""

    async def getaddrinfo(self, host: Any, port: Any, **hints: int) -> Any:
        """Resolve numeric addresses without a thread: otherwise, each loop would start a thread for that.

        It takes as many turns of the loop as with a thread. In each turn, the loop looks at its files: tests rely on
        the order of events, for example that one connection ends before another one is made.
        """
        if is_mocked():
            return await super().getaddrinfo(host, port, **hints)
        try:
            found = socket.getaddrinfo(host, port, **{**hints, "flags": hints.get("flags", 0) | _NUMERIC})
        except (socket.gaierror, UnicodeError):
            found = None
        if found is None:
            # Outside of the except block, or the report of an unknown host would have two errors.
            return await self.look_up(host, port, hints)
        for _ in range(TURNS):
            await turn()
        release_processor()
        return found

    async def look_up(self, host: Any, port: Any, hints: dict[str, int]) -> Any:
        """Resolve a name. A network in memory overrides this, and not `getaddrinfo`, which `direct_connect` knows."""
        return await super().getaddrinfo(host, port, **hints)

    def connected_stream(self, address: tuple[str, int], max_buffer_size: int | None) -> IOStream | None:
        """Return a stream that is connected without a wait, or None. Only a network in memory has such streams."""
        return None


def is_mocked() -> bool:
    """Return whether a test has replaced the function of the system, to count the calls, or look at the arguments."""
    return socket.getaddrinfo is not _getaddrinfo


#: In the first turn, the thread would wake the loop; in the second, the loop the task.
TURNS = 2
#: Seconds that child processes and threads get to run. On ``tornado.testing``, they run while the loop sleeps until a
#: thread has resolved the address.
_FOR_PROCESSES = 0.003
_FOR_THREADS = 0.0001


def release_processor() -> None:
    """Release processor and interpreter, as a loop that sleeps does.

    For example, a test closes a connection, whereupon a child process ends, and opens another connection. It would
    find the child process still there. This comes after the turns in which the loop closes the connection.
    """
    if has_children():
        sleep(_FOR_PROCESSES)
    elif active_count() > 1:
        sleep(_FOR_THREADS)


def _is_trusting(request: Any) -> bool:
    """Return whether a request verifies nothing, and has no TLS argument of its own."""
    given = (request.ssl_options, request.ca_certs, request.client_cert, request.client_key)
    return not request.validate_cert and given == (None, None, None, None)


def _spare_ca_certificates(self: Any, scheme: str) -> Any:
    is_of_test = _get_ssl_options.is_active and isinstance(getattr(self.io_loop, "asyncio_loop", None), ConnectingLoop)
    if scheme == "https" and is_of_test and _is_trusting(self.request):
        return bundled_certificate.trusting_context()
    return _get_ssl_options.found(self, scheme)


#: They do not load the CA certificates of the system for a request with ``validate_cert=False``.
patches = []
if hasattr(getattr(simple_httpclient, "_HTTPConnection", None), "_get_ssl_options"):
    _get_ssl_options = Patch(simple_httpclient._HTTPConnection, "_get_ssl_options", _spare_ca_certificates)
    patches.append(_get_ssl_options)
