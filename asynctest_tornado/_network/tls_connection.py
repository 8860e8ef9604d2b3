"""TLS on a connection in memory, spoken or not.

A client begins as OpenSSL does, with its first message, for a server of any kind. If that is a `VirtualTLSSocket`, too,
and the contexts of the two are known to agree (see `tls_agreements`), the server says so, in five bytes; the client
answers by five, and from there on both send their bytes as they are. In each other case, both go on as OpenSSL does. So
an error is OpenSSL's own: of a client that does not trust, of a server that speaks no TLS, or of a fault on the way.
"""

# Tested by tests/network/test_tls.py.

import contextlib
import ssl
from collections.abc import Callable
from typing import Any

from asynctest_tornado._network.tls_agreements import Offer, find
from asynctest_tornado._network.virtual_socket import VirtualSocket

__unittest = True

_HEADER = 5
#: An empty record: with it, an end says that it does without TLS. In a real handshake, none comes at that place.
UNSPOKEN = b"\x17\x03\x03\0\0"
_CLIENT_HELLO = b"\x16\x03"


def _wants(cls: type[ssl.SSLError], number: int, what: str) -> ssl.SSLError:
    return cls(number, f"The operation did not complete ({what})")


def wants_read() -> ssl.SSLError:
    return _wants(ssl.SSLWantReadError, ssl.SSL_ERROR_WANT_READ, "read")


def wants_write() -> ssl.SSLError:
    return _wants(ssl.SSLWantWriteError, ssl.SSL_ERROR_WANT_WRITE, "write")


class TLSConnection:
    """One end of a connection with TLS.

    :param sock: the socket.
    :param context: the context of this end.
    :param server_hostname: the name that a client expects.
    :param suppress_ragged_eofs: True to take an end without a farewell for an ordinary end.
    """

    def __init__(
        self,
        sock: VirtualSocket,
        context: ssl.SSLContext,
        server_side: bool,
        server_hostname: str | None = None,
        suppress_ragged_eofs: bool = True,
    ) -> None:
        self.sock = sock
        self.context = context
        self.server_side = server_side
        self.suppress_ragged_eofs = suppress_ragged_eofs
        self._offer = None if server_side else Offer(context, server_hostname)
        #: Bytes for the other end, for which there was no room.
        self._unsent = b""
        if self._offer is None:
            self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        else:
            beginning = self._offer.beginning
            self._incoming, self._outgoing, self.tls = beginning.incoming, beginning.outgoing, beginning.object
            self._unsent = beginning.hello
        #: The bytes of the record that arrives, as far as OpenSSL did not get them.
        self._record = b""
        #: How many bytes OpenSSL waits for, and whether these are of a header.
        self._missing, self._is_header = _HEADER, True
        #: The next step of the handshake; no bound method, which would keep a socket that was dropped.
        self.step: Callable[[TLSConnection], object] | None
        self.step = TLSConnection._await_hello if server_side else TLSConnection._await_answer
        self.is_spoken, self._is_shaken = True, False
        # A client that says hello before the loop asks for it spares the loop two turns. Errors come back later.
        with contextlib.suppress(OSError):
            self.flush()

    # The handshake: each step is called until it does not raise.

    def do_handshake(self, block: bool = False) -> None:
        """Go on with the handshake. Raises ``SSLWantReadError`` or ``SSLWantWriteError`` if it has to wait."""
        while self.step is not None:
            self.step(self)
        if self.is_spoken:
            try:
                self.speak(self.tls.do_handshake)
            except ssl.SSLWantReadError:
                if self._unsent:
                    raise wants_write() from None
                raise
        if not self.flush():
            raise wants_write()
        self._is_shaken = True

    def _await_answer(self) -> None:
        assert self._offer is not None
        has_sent = self.flush()
        if self._offer.beginning.error is not None:
            raise self._offer.beginning.error
        if not has_sent:
            raise wants_write()
        is_complete = self._read_record(_HEADER)
        agreement = self._offer.agreement
        if is_complete and agreement is not None and self._record == UNSPOKEN:
            self._unsent = UNSPOKEN
            self._offer.leave()
            self._leave_tls(agreement.client)
        else:
            self._go_on()

    def _await_hello(self) -> None:
        is_hello = self._read_record(_HEADER) and self._record.startswith(_CLIENT_HELLO)
        if is_hello and self._read_record(_HEADER + int.from_bytes(self._record[3:5], "big")):
            self._offer = find(self._record)
            if self._offer is not None and not self.sock.speaks_tls and self._offer.accept(self.context):
                self._record, self._unsent, self.step = b"", UNSPOKEN, TLSConnection._await_end
                return
        self._go_on()

    def _await_end(self) -> None:
        assert self._offer is not None
        if not self.flush():
            raise wants_write()
        if self._read_record(_HEADER) and self._offer.agreement is not None:
            self._leave_tls(self._offer.agreement.server)
        else:
            self._go_on()  # the client has gone, and OpenSSL says so

    def _leave_tls(self, finished: ssl.SSLObject) -> None:
        self.tls = finished
        self.step, self.is_spoken, self._record = None, False, b""

    def _go_on(self) -> None:
        """Hand the handshake over to OpenSSL."""
        self.step = self._offer = None
        record, self._record = self._record, b""
        for part in record[:_HEADER], record[_HEADER:]:
            if part:
                self._feed(part)

    def _read_record(self, size: int) -> bool:
        """Read until there are so many bytes. Return false at the end of the stream."""
        while len(self._record) < size:
            try:
                data = self.sock.recv(size - len(self._record))
            except BlockingIOError:
                raise wants_read() from None
            if not data:
                return False
            self._record += data
        return True

    # TLS that is spoken.

    def speak(self, operation: Callable[..., Any], *args: Any) -> Any:
        """Call a function of OpenSSL, and send and receive what it asks for."""
        while True:
            try:
                result = operation(*args)
            except ssl.SSLWantReadError:
                self.flush()
                self._receive()
            except ssl.SSLError:
                # OpenSSL has written why, for the other end, which may be gone.
                with contextlib.suppress(OSError):
                    self.flush()
                raise
            else:
                self.flush()
                return result

    def flush(self) -> bool:
        """Send what OpenSSL has written. Return false if there is no room for all of it."""
        if self._outgoing.pending:
            self._unsent += self._outgoing.read()
        if not self._unsent:
            return True
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                sent = self.sock.send(self._unsent, is_handshake=not self._is_shaken)
                self._unsent = self._unsent[sent:]
        return not self._unsent

    def _receive(self) -> None:
        """Give OpenSSL bytes of one record: the next one stays in the socket, which is readable then."""
        try:
            data = self.sock.recv(self._missing)
        except BlockingIOError:
            raise wants_read() from None
        if data:
            self._feed(data)
        else:
            self._incoming.write_eof()

    def _feed(self, data: bytes) -> None:
        self._incoming.write(data)
        self._missing -= len(data)
        if self._is_header:
            self._record += data
        if not self._missing:
            size = int.from_bytes(self._record[3:], "big")
            self._is_header = not self._is_header or not size
            self._missing, self._record = (_HEADER if self._is_header else size), b""
