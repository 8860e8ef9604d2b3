"""The network of a test on real sockets, and the methods that all networks have."""

import socket
from collections.abc import Sequence
from typing import Any, NoReturn

from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._network import fault_names, host_certificates, hosts_of_test
from asynctest_tornado._network.fault_names import CheckedNames
from asynctest_tornado._network.host_certificates import Certificate
from asynctest_tornado._network.hosts import SECURE, Site
from asynctest_tornado._network.hosts_of_test import HostsOfTest, TLSOptions
from asynctest_tornado._network.served_host import ServedHost
from asynctest_tornado._timeouts import private_servers

__unittest = True

#: How many connections wait to be accepted; as in Tornado.
_BACKLOG = 128


class Network(CheckedNames):
    """The network of a test: it serves applications of the test as hosts with names of their own."""

    #: The names of hosts whose certificates clients trust as they trust public ones, in lower case.
    trusted_hosts: set[str]

    def _explain_method(self, name: str, value: Any) -> str:
        return f"network.{name} is a method. Call network.{name}({value!r}) in place of network.{name} = {value!r}."

    def _explain_set(self, name: str, value: Any) -> str:
        return fault_names.explain_set_on_network(name, value)

    def _explain_get(self, name: str) -> str:
        return fault_names.explain_get_of_network(name, type(self))

    def _hosts_of_test(self, method: str) -> HostsOfTest:
        """Return the hosts of the test that runs.

        :param method: the method of this class that needs them.
        """
        raise NotImplementedError

    def _server_options(self, site: Site, tls: TLSOptions, options: dict[str, Any]) -> dict[str, Any]:
        if site.scheme not in SECURE or "ssl_options" in options:
            return options
        context = host_certificates.certificate_context(self, site.name, tls.certificate, tls.names)
        return {**options, "ssl_options": context}

    def serve(
        self,
        url: str,
        app: Any,
        *,
        tls: bool = False,
        certificate: Certificate = "trusted",
        certificate_names: Sequence[str] = (),
        **options: Any,
    ) -> ServedHost:
        """Serve an application under a name, up to the end of the test. In ``setUp``, ``asyncSetUp`` or the test.

        ::

            self.payments = self.network.serve("https://payments.example", PaymentsStub())
            self.cache = self.network.serve("tcp://cache.example:6379", handle)

        :param url: the URL of the host, without a path: with the scheme http, https, ws or wss, and the port unless it
            is the usual one; or tcp, a name and a port. Any name will do, and a numeric address that is not of this
            computer.
        :param app: the ``tornado.web.Application``, or another callback of ``HTTPServer``; for tcp, a coroutine
            function that is called with a stream and an address, as ``TCPServer.handle_stream``, or a ``TCPServer``.

        :param tls: True to speak TLS in memory; by default, it is not spoken there, and looks as if it were.
        :param certificate: the certificate of an https host: "trusted" by clients as if a public authority had issued
            it, "untrusted", or "expired".
        :param certificate_names: the names in the certificate, if it is not for the name of the host.

        All other arguments are handed to the server of Tornado, ``HTTPServer`` or ``TCPServer``: with
        ``ssl_options``, an https host has a certificate of your own.

        Raises ``ValueError`` for a URL that names no host, a host that is served already, or another certificate;
        ``TypeError`` for an application that cannot be served; ``RuntimeError`` if no test runs on this network.

        New in version 0.1.
        """
        fault_names.check_options(url, options)
        names = certificate_names if isinstance(certificate_names, str) else tuple(certificate_names)
        given = TLSOptions(tls, certificate, names)
        return self._hosts_of_test("serve").serve(url, app, given, options)

    def allow(self, place: str) -> None:
        """Let connections to a host leave the test, with `VirtualNetwork`. On real sockets, all of them do.

        :param place: the name and the port, as in ``"db.internal:5432"``; without a port, all ports.

        Raises ``TypeError`` or ``ValueError`` if it is neither.

        New in version 0.1.
        """
        self._hosts_of_test("allow").table.allow(place)


class RealNetwork(Network):
    """The network of a test on real sockets. Each host listens on a loopback port of its own."""

    #: False: connections to other hosts leave the test.
    _is_closed = False
    _hosts: HostsOfTest

    def __init__(self) -> None:
        self.trusted_hosts = set()

    def _hosts_of_test(self, method: str) -> HostsOfTest:
        return self._hosts

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"network.{name} is not there: this test connects by real sockets, where a network has serve() and "
            "allow(). Set network_factory = VirtualNetwork if it is a name of that."
        )

    # The hosts of a test ask these.

    def _open_host(self, host: ServedHost, site: Site, address: str, tls: TLSOptions) -> Any:
        sock = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        sock.setblocking(False)
        private_servers.serve_privately(sock, sock.getsockname(), lambda: False)
        return sock

    def _reached(self, host: ServedHost, address: Any, family: int) -> Any:
        real, port = host._listens_on
        return (real, port) if family == socket.AF_INET else (f"::ffff:{real}", port)


def real_network_of(harness: Harness) -> RealNetwork:
    """Return the network of a test on real sockets, which is made when it is first asked for."""
    found = hosts_of_test.known(harness.trap)
    if found is None:
        network = RealNetwork()
        network._hosts = found = hosts_of_test.add_to(harness, network)
    backend: Any = found.backend
    chosen: RealNetwork = backend
    return chosen


def say_no_test(method: str) -> NoReturn:
    """Raise ``RuntimeError`` for a network that belongs to no test now."""
    raise RuntimeError(
        f"network.{method}() was called, and no test runs on this network. Call it in the test, in asyncSetUp(), or in "
        "setUp() after super().setUp()."
    )
