"""The hosts that one test serves: made, found, stopped at its end."""

# Tested by tests/network/test_network.py.

import socket
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.closed_connections import is_consequence
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.harness import CLOSED, Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._leaks.closing import CLOSED_CONNECTIONS
from asynctest_tornado._network import hosts
from asynctest_tornado._network.host_certificates import Certificate
from asynctest_tornado._network.hosts import Hosts, Site
from asynctest_tornado._network.served_host import ServedHost
from asynctest_tornado._sources import handler_errors
from asynctest_tornado._util import spelling

__unittest = True

#: The key in ``trap.data`` for the `HostsOfTest` of a test.
_HOSTS: Any = object()
#: The time limit for the end of all connections to hosts.
_CLOSE_LIMIT = Limit(5, "the end of the hosts that the test serves")


class TLSOptions(NamedTuple):
    """The arguments of a host that are about TLS."""

    is_spoken: bool
    certificate: Certificate
    names: Sequence[str]


#: The values if the test gives none.
_NO_TLS = TLSOptions(False, "trusted", ())


class Backend(Protocol):
    """A network, as the hosts of a test see it."""

    #: True if connections to other hosts do not leave the test, unless it allows them.
    _is_closed: bool
    trusted_hosts: set[str]

    def _server_options(self, site: Site, tls: TLSOptions, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options for the server of a host."""
        ...

    def _open_host(self, host: ServedHost, site: Site, address: str, tls: TLSOptions) -> Any:
        """Return a socket that listens for the connections to a host."""

    def _reached(self, host: ServedHost, address: Any, family: int) -> Any:
        """Return the address that a connection to a host really goes to."""


class HostsOfTest:
    """The hosts that one test serves.

    :param backend: the network of the test, which its loop may share with other tests.
    """

    def __init__(self, harness: Harness, backend: Backend) -> None:
        self._harness = harness
        self.backend = backend
        self.table = Hosts()
        self._served: list[ServedHost] = []
        #: The names and ports that the test has asked for in vain, each with the message.
        self.unknown: dict[str, str] = {}
        #: The addresses of names that are allowed.
        self._let_out: set[Any] = set()
        #: The number of errors of request handlers before the end of the hosts; None before that end.
        self._errors_before: int | None = None

    def serve(self, url: str, app: Any, tls: TLSOptions, options: dict[str, Any]) -> ServedHost:
        """Serve an application as a host, up to the end of the test."""
        harness = self._harness
        if harness.state is CLOSED:
            raise RuntimeError(f"network.serve({url!r}, ...) comes after the end of the test. Call it in the test.")
        site = hosts.parse(url)
        if site.scheme not in hosts.SECURE and tls != _NO_TLS:
            raise ValueError(
                f"network.serve() got {site.url!r} with arguments about TLS, and only https and wss have it. Write "
                f"'https://{hosts.place(site.name, None)}', or leave tls, certificate and certificate_names out."
            )
        self.table.check_is_free(site)
        host = ServedHost(site, app, self.backend._server_options(site, tls, options))
        address = self.table.address_for(site.name)
        host._start(self.backend._open_host(host, site, address, tls), harness.trap)
        if not self._served:
            harness.resources.callback(self._close)
        self._served.append(host)
        self.table.add(site, host)
        return host

    def resolved(self, name: Any, port: Any) -> str | None:
        """Return the address of a name that the test serves; None to ask the system.

        Raises `UnknownHostError` for a name that the test does not know, if connections do not leave it.
        """
        address = self.table.address_of(name)
        if address is None and not self._leaves(name, port):
            raise self._unknown(name, port)
        return address

    def let_out(self, found: Any) -> None:
        """Allow the addresses that the system has for a name, as ``getaddrinfo`` returns them."""
        self._let_out.update(address[0] for *_, address in found)

    def dialled(self, address: Any, family: int) -> Any:
        """Return the address that a connection really goes to.

        Raises ``ConnectionRefusedError`` if the address is of a host that does not listen there, and `UnknownHostError`
        if it is no address of a host, and connections do not leave the test.
        """
        if not isinstance(address, tuple) or len(address) < 2 or family not in (socket.AF_INET, socket.AF_INET6):
            return address
        place = self.table.address_of(address[0]) or address[0]
        if self.table.is_address(place):
            host: Any = self._at(place, address[1])
            return self.backend._reached(host, (place, *address[1:]), family)
        if not (place in self._let_out or self._leaves(place, address[1])):
            raise self._unknown(place, address[1])
        return address

    def _at(self, address: str, port: int) -> Any:
        """Return the host at an address. Raises ``ConnectionRefusedError`` if there is none, and records that."""
        try:
            return self.table.at(address, port)
        except ConnectionRefusedError as error:
            host = self.table.find(address, port)
            if host is None or not host._has_refused():
                message: str = error.strerror or ""
                self.unknown.setdefault(message.partition(" ")[0], message)
            raise

    def _leaves(self, name: Any, port: Any) -> bool:
        """Return whether a connection to a name or address may leave the test."""
        is_open = not (self.backend._is_closed and self.table)
        text = name.decode("ascii", "replace") if isinstance(name, bytes) else name
        return is_open or not text or hosts.is_of_this_computer(hosts.normal(text)) or self.table.is_allowed(name, port)

    def is_unknown(self, name: Any, port: Any) -> str:
        """Record that a name is unknown, for the report of the test; return the message."""
        text = name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)
        place = hosts.place(text, port)
        served = ", ".join(each.url for each in self._served) or "no host"
        is_closed = self.backend._is_closed
        out = f", or let connections to it out by network.allow({place!r})" if is_closed and self.table else ""
        meant = spelling.meant(text, {each._host_name for each in self._served})
        hint = f" Did you mean {meant}?" if meant else ""
        url = Site("https" if port == hosts.DEFAULT_PORTS["https"] else "http", text, port).url
        message = (
            f"{place} is no host of this test, which serves {served}.{hint} Serve it by network.serve(), as in "
            f"network.serve({url!r}, app){out}"
        )
        if is_closed or self.table:
            self.unknown.setdefault(place, message)
        return message

    def _unknown(self, name: Any, port: Any) -> "UnknownHostError":
        return UnknownHostError(socket.EAI_NONAME, self.is_unknown(name, port))

    def _close(self) -> None:
        """Stop all hosts, and wait until their connections have ended."""
        harness = self._harness
        self._errors_before = len(handler_errors.of(harness.trap).errors)
        CLOSED_CONNECTIONS.begin(harness, harness.futures)
        pending = [host for host in self._served if not host.is_stopped and host._stop()]

        async def wait_closed() -> None:
            for host in pending:
                await host._wait_closed()

        if pending:
            harness.waits.run(wait_closed, _CLOSE_LIMIT)
        CLOSED_CONNECTIONS.have_cut_off(harness)

    def have_closed(self) -> None:
        """Drop the logs of request handlers that have failed because hosts were stopped at the end of the test."""
        if self._errors_before is not None:
            for failure in handler_errors.of(self._harness.trap).errors[self._errors_before :]:
                failure.is_of_client = is_consequence(failure.error, True)


class UnknownHostError(socket.gaierror):
    """The test has asked for a host that it does not serve. It is raised where a name is looked up."""


def add_to(harness: Harness, backend: Backend) -> HostsOfTest:
    """Give a test its hosts."""
    made: HostsOfTest = harness.trap.data.setdefault(_HOSTS, HostsOfTest(harness, backend))
    return made


def known(trap: contexts.Context | None) -> HostsOfTest | None:
    """Return the hosts of a test, if it may have some."""
    return trap.data.get(_HOSTS) if isinstance(trap, Trap) else None


def of_loop(loop: Any) -> HostsOfTest | None:
    """Return the hosts of the test that uses a loop, if it may have some."""
    use = getattr(loop, "_asynctest", None)
    return None if use is None else known(use.trap)
