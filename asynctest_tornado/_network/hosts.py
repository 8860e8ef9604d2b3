"""The table of the hosts of a test, by their names and addresses."""

import errno
import ipaddress
import itertools
import re
from typing import Any, NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

__unittest = True

#: The ports of the schemes that have one.
DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
#: The schemes whose servers speak TLS.
SECURE = frozenset({"https", "wss"})
#: The names of this computer, beside all names below ``localhost``.
_OF_THIS_COMPUTER = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
#: The addresses of names: reserved for tests of networks, so that no other host has one.
ADDRESSES = ipaddress.ip_network("198.18.0.0/15")
_SCHEMES = "'https://payments.example', or http, ws or wss; for another protocol, 'tcp://cache.example:6379'"


class Site(NamedTuple):
    """The place of a host: how to speak to it, its name and its port."""

    scheme: str
    name: str
    port: int

    @property
    def url(self) -> str:
        """The URL, without a slash at its end, and without the port of the scheme."""
        is_usual = DEFAULT_PORTS.get(self.scheme) == self.port
        return f"{self.scheme}://{place(self.name, None if is_usual else self.port)}"

    @property
    def place(self) -> str:
        """The name and port, as text."""
        return place(self.name, self.port)


def place(name: str, port: Any) -> str:
    """Return a name, and a port unless it is None, as text."""
    host = f"[{name}]" if ":" in name else name
    return host if port is None else f"{host}:{port}"


def parse(url: str) -> Site:
    """Return the site of a URL.

    Raises ``TypeError`` if it is no text, and ``ValueError`` if it does not name a host that a test can serve.
    """
    got = f"network.serve() got {url!r}"
    if not isinstance(url, str):
        raise TypeError(f"{got}, which is no URL. Write one, as in network.serve({_SCHEMES.split(',', 1)[0]}, app).")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{got}: {error}. Write the URL as in {_SCHEMES}.") from None
    scheme = parts.scheme.lower()
    if "://" not in url or (scheme not in DEFAULT_PORTS and scheme != "tcp"):
        scheme_text = f"whose scheme is {parts.scheme!r}" if "://" in url else "which has no scheme"
        raise ValueError(f"{got}, {scheme_text}. Write the URL as in {_SCHEMES}.")
    name = normal(parts.hostname or "")
    if not name:
        raise ValueError(f"{got}, which names no host. Write the URL as in {_SCHEMES}.")
    _check_is_base(got, parts)
    if port is None and scheme == "tcp":
        raise ValueError(f"{got}, which has no port, and tcp has none of its own. Write it, as in 'tcp://{name}:6379'.")
    if port == 0:
        raise ValueError(f"{got}, whose port is 0. Write the port that the application connects to.")
    if is_of_this_computer(name):
        raise ValueError(
            f"{got}, and {name} is this computer itself, where other servers listen. Give a name that the "
            "application can be told, as in 'http://payments.example', or use HTTPTestServer for a local port."
        )
    return Site(scheme, name, DEFAULT_PORTS[scheme] if port is None else port)


def _check_is_base(got: str, parts: SplitResult) -> None:
    """Raise ``ValueError`` for the parts of a URL that do not belong to a host."""
    host = parts.netloc.rpartition("@")[2]
    base = f"{parts.scheme}://{host}"
    for part, text in (
        ("user", parts.netloc.rpartition("@")[0]),
        ("path", parts.path.removeprefix("/")),
        ("query", parts.query),
        ("fragment", parts.fragment),
    ):
        if text:
            raise ValueError(
                f"{got}, which has a {part}, {text!r}: all requests to a host go to its application. Write {base!r}, "
                "and look at the request in the application."
            )


def normal(name: str) -> str:
    """Return a name as the table has it: in lower case, in ASCII, without the dot at its end."""
    name = name.lower().removesuffix(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return name  # which no host has
    return name


def is_of_this_computer(name: str) -> bool:
    """Return whether a name or a numeric address leads to this computer."""
    if name in _OF_THIS_COMPUTER or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_numeric(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Host(Protocol):
    """A host, as the table sees it."""

    url: str
    is_stopped: bool
    _place: str

    def _has_refused(self) -> bool:
        """Record a connection that comes after its end. Return whether the report of the faults has it."""
        ...


class Hosts:
    """The hosts of one test."""

    def __init__(self) -> None:
        self._addresses: dict[str, str] = {}
        self._names: dict[str, str] = {}
        # The first one is the address of clients in memory.
        self._free = map(str, itertools.islice(ADDRESSES.hosts(), 1, None))
        #: By address and port.
        self._served: dict[tuple[str, int], Host] = {}
        #: By name; the port is None for all ports.
        self._allowed: set[tuple[str, int | None]] = set()

    def __bool__(self) -> bool:
        """Return true if the test serves hosts, or has done so."""
        return bool(self._addresses)

    def check_is_free(self, site: Site) -> None:
        """Raise ``ValueError`` for a site that the test serves already."""
        served = self._served.get((self._addresses.get(site.name, ""), site.port))
        if served is not None and not served.is_stopped:
            raise ValueError(
                f"network.serve() got {site.url!r}, and the test serves {served.url} there already. Give another name "
                "or port, or call stop() of the other host before."
            )

    def add(self, site: Site, host: Host) -> None:
        """Add a host to the table, in place of one that was stopped."""
        self._served[self.address_for(site.name), site.port] = host

    def address_for(self, name: str) -> str:
        """Return the address of a name, which gets one now if it has none. A numeric address is its own."""
        if name not in self._addresses:
            address = str(ipaddress.ip_address(name)) if _is_numeric(name) else next(self._free)
            self._addresses[name] = address
            self._names[address] = name
        return self._addresses[name]

    def address_of(self, name: Any) -> str | None:
        """Return the address of a name, given as text or bytes; None if the test does not serve it."""
        if isinstance(name, bytes):
            name = name.decode("ascii", "replace")
        return self._addresses.get(normal(name)) if isinstance(name, str) else None

    def is_address(self, address: Any) -> bool:
        """Return whether an address is one of a host of the test."""
        return address in self._names

    def at(self, address: str, port: int) -> Host:
        """Return the host that listens at an address and port, which `is_address`.

        Raises ``ConnectionRefusedError`` if no host does, or if it was stopped.
        """
        host = self._served.get((address, port))
        name = self._names[address]
        if host is None:
            others = [each.url for (known, _), each in self._served.items() if known == address]
            why = f"the test serves {', '.join(others)}, and nothing at port {port}"
            raise refused(
                f"{place(name, port)} refuses the connection: {why}. Serve it by network.serve() as "
                f"well{_other_scheme(others, port)}"
            )
        if host.is_stopped:
            raise refused(
                f"{host._place} refuses the connection, because stop() of the host was called. To serve it again, call "
                "network.serve()"
            )
        return host

    def find(self, address: str, port: int) -> Host | None:
        """Return the host that listens at an address and port, or has done so; None if there is none."""
        return self._served.get((address, port))

    def allow(self, place: str) -> None:
        """Record that connections to a name, with a port or without, may leave the test.

        Raises ``TypeError`` or ``ValueError`` if it is no name with or without a port.
        """
        got = f"network.allow() got {place!r}"
        if not isinstance(place, str):
            raise TypeError(f"{got}, which is no text. Write a name and port, as in network.allow('db.internal:5432').")
        found = re.fullmatch(r"(\[[^\]]+\]|[^\s:/@?#]+)(?::(\d{1,5}))?", place)
        if found is None or int(found[2] or 0) > 65535:
            raise ValueError(
                f"{got}, which is neither a name nor a name with a port. Write one, as in 'db.internal:5432'."
            )
        name = normal(found[1].strip("[]"))
        self._allowed.add((name, int(found[2]) if found[2] else None))

    def is_allowed(self, name: Any, port: Any) -> bool:
        """Return whether connections to a name and port may leave the test."""
        if isinstance(name, bytes):
            name = name.decode("ascii", "replace")
        known = normal(name) if isinstance(name, str) else name
        return (known, None) in self._allowed or (known, port) in self._allowed


def _other_scheme(served: list[str], port: int) -> str:
    """Return the end of an advice, if a host is served with another scheme than the one of a port."""
    meant = next((scheme for scheme in ("http", "https") if DEFAULT_PORTS[scheme] == port), None)
    others = {url.partition(":")[0] for url in served}
    return f", or was {meant} meant in network.serve()?" if meant and others & DEFAULT_PORTS.keys() else ""


def refused(text: str) -> ConnectionRefusedError:
    """Return the error of a connection that a host refuses, with the number that the system gives it."""
    return ConnectionRefusedError(errno.ECONNREFUSED, text)
