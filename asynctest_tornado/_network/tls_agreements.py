"""Remembers which contexts agree, so that they need not speak TLS.

The first handshake of two contexts is a real one, in memory, without their connection. If both sides accept, the two
finished objects of ``ssl`` stay: they answer each later question for the certificate, the cipher and the protocol. If
one side refuses, there is nothing to remember: the two connections speak TLS, and fail as OpenSSL lets them fail.
"""

# Tested by tests/network/test_tls.py.

import functools
import ssl
import weakref
from typing import Any, NamedTuple

from asynctest_tornado._network.trust import trusts

__unittest = True


class Agreement(NamedTuple):
    """The two ends of a finished handshake."""

    client: ssl.SSLObject
    server: ssl.SSLObject


class Beginning:
    """A client of OpenSSL that has said hello, which takes it longer than all else."""

    def __init__(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_hostname=server_hostname)
        #: The error of a client that cannot say hello.
        self.error: ssl.SSLError | None = None
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.error = error
        self.hello = self.outgoing.read()


class Offer:
    """A client that has begun a handshake, and would do without TLS.

    :param context: its context.
    :param server_hostname: the name that it expects.
    """

    def __init__(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        key = context, _state(context), server_hostname, trusts(context, server_hostname)
        self._key = key
        self._beginnings = _beginnings(*key)
        self.beginning = self._beginnings.pop() if self._beginnings else Beginning(context, server_hostname)
        offers[self.beginning.hello[_RANDOM]] = self
        #: Set by a server that does without TLS, too.
        self.agreement: Agreement | None = None

    def accept(self, server: ssl.SSLContext) -> bool:
        """Return true if the connection to a server can do without TLS."""
        if server.sni_callback is None and not self._key[0].post_handshake_auth:
            self.agreement = _agree(*self._key, server, _state(server))
        return self.agreement is not None

    def leave(self) -> None:
        """Let another client of the same kind begin in the same way: the server does not go on with it."""
        if not self._beginnings:
            self._beginnings.append(self.beginning)


#: Where the random bytes of a client are in its first message.
_RANDOM = slice(11, 43)
#: The offers of clients, by these bytes.
offers: "weakref.WeakValueDictionary[bytes, Offer]" = weakref.WeakValueDictionary()


def forget() -> None:
    """Forget all agreements."""
    _agree.cache_clear()
    _beginnings.cache_clear()


def find(hello: bytes) -> Offer | None:
    """Return the offer of a client, by its first message."""
    return offers.get(hello[_RANDOM])


def _state(context: ssl.SSLContext) -> tuple[Any, ...]:
    """Return the settings of a context that may change."""
    changes = _changes.get(context, 0)
    flags = context.verify_mode, context.check_hostname, context.verify_flags, context.options
    return (changes, *flags, context.minimum_version, context.maximum_version)


#: How often the certificates, protocols and ciphers of a context have changed: it does not show them.
_changes: "weakref.WeakKeyDictionary[ssl.SSLContext, int]" = weakref.WeakKeyDictionary()
#: The methods that change them.
CHANGES = ("load_cert_chain", "load_verify_locations", "set_alpn_protocols", "set_ciphers", "set_default_verify_paths")


def changed(context: ssl.SSLContext) -> None:
    """Record a change of a context."""
    _changes[context] = _changes.get(context, 0) + 1


@functools.lru_cache(maxsize=64)
def _beginnings(client: ssl.SSLContext, client_state: Any, hostname: str | None, has_trust: bool) -> list[Beginning]:
    """Return the list of unused beginnings of equal clients."""
    return []


@functools.lru_cache(maxsize=64)
def _agree(
    client: ssl.SSLContext,
    client_state: Any,
    hostname: str | None,
    has_trust: bool,
    server: ssl.SSLContext,
    server_state: Any,
) -> Agreement | None:
    """Let two contexts shake hands in memory. Return None if they cannot."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=hostname)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [one, other]
    try:
        while waiting:
            size = to_client.pending, to_server.pending
            for each in waiting[:]:
                try:
                    each.do_handshake()
                except ssl.SSLWantReadError:
                    continue
                waiting.remove(each)
            if waiting and size == (to_client.pending, to_server.pending):
                return None  # neither has anything to say
    except (ssl.SSLError, OSError):
        return None
    return Agreement(one, other)
