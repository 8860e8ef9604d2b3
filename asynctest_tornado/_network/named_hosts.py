"""Leads connections to the hosts that a test serves by names.

Tornado's default resolver, asyncio and the libraries on top of it ask ``loop.getaddrinfo`` for the address of a name.
They connect by ``IOStream.connect`` or ``loop.sock_connect``. So a client finds the hosts of the test however it was
made.
"""

# Tested by tests/network/test_network.py.

import re
import socket
from asyncio import Future
from typing import Any

from tornado import netutil
from tornado.iostream import IOStream, StreamClosedError

from asynctest_tornado._errors import hints, notes
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._loop.connections import ConnectingLoop
from asynctest_tornado._network import fault_hints, hosts_of_test
from asynctest_tornado._util import exception_notes
from asynctest_tornado._util.patching import Patch
from asynctest_tornado._util.real_time import get_running_loop

__unittest = True


class NamingLoop(ConnectingLoop):
    """The methods of a loop that look names up and connect."""

    async def look_up(self, host: Any, port: Any, hints: dict[str, int]) -> Any:
        hosts = hosts_of_test.known(self._asynctest.trap)
        if hosts is None:
            return await super().look_up(host, port, hints)
        address = hosts.resolved(host, port)
        if address is None:
            try:
                found = await super().look_up(host, port, hints)
            except socket.gaierror:
                hosts.is_unknown(host, port)
                raise
            hosts.let_out(found)
            return found
        # The flag asks for addresses of the kinds that the computer itself has: perhaps it has those of loopback alone.
        flags = hints.get("flags", 0) & ~socket.AI_ADDRCONFIG
        return await self.getaddrinfo(address, port, **{**hints, "flags": flags})

    async def sock_connect(self, sock: Any, address: Any) -> Any:
        hosts = hosts_of_test.known(self._asynctest.trap)
        if hosts is not None:
            address = hosts.dialled(address, sock.family)
        return await super().sock_connect(sock, address)


def dial(stream: IOStream, address: Any) -> "tuple[Any, Future[IOStream] | None]":
    """Return the address that the connection of a stream goes to; or the future of one that fails at once."""
    hosts = hosts_of_test.of_loop(getattr(stream.io_loop, "asyncio_loop", None))
    if hosts is None:
        return address, None
    sock: Any = stream.socket
    try:
        return hosts.dialled(address, sock.family), None
    except OSError as error:
        return address, _refused(stream, error)


def _refused(stream: IOStream, error: OSError) -> "Future[IOStream]":
    """Close a stream as Tornado does if a connection is refused; return its future."""
    stream.error = error
    stream.close()
    future: Future[IOStream] = Future()
    future.set_exception(StreamClosedError(real_error=error))
    return future


def _resolving(cls: type) -> Patch:
    """Return a patch for a class of resolvers that do not ask the loop."""

    def resolve(self: Any, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        hosts = hosts_of_test.of_loop(get_running_loop()) if patch.is_active else None
        address = None if hosts is None else hosts.resolved(host, port)
        return patch.found(self, host if address is None else address, port, *args, **kwargs)

    patch = Patch(cls, "resolve", resolve)
    return patch


class NamedHosts(Feature):
    """The hosts that a test serves by names."""

    loop_class = NamingLoop
    #: They find the hosts also with the resolvers that Tornado had before.
    patches = (_resolving(netutil.DefaultExecutorResolver), _resolving(netutil.ExecutorResolver))

    def notes(self, harness: Harness, error: BaseException) -> None:
        """Add the hosts that the test has asked for in vain, if its report does not show them, and how to call them."""
        hints.add(error, fault_hints.hint(error), harness.trap)
        hosts = hosts_of_test.known(harness.trap)
        if hosts is None or not hosts.unknown:
            return
        said = "\n".join([exception_notes.text_of(error) or "", *map(str, exception_notes.notes_of(error))])
        for message in hosts.unknown.values():
            if re.split("[,:] ", message, maxsplit=1)[0] not in said:
                notes.add(error, message if message.endswith("?") else f"{message}.", harness.trap, once=True)

    def closed(self, harness: Harness) -> None:
        hosts = hosts_of_test.known(harness.trap)
        if hosts is not None:
            hosts.have_closed()


NAMED_HOSTS = NamedHosts()
