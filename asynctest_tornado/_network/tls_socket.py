"""``VirtualTLSSocket``: a virtual socket with the interface of ``ssl.SSLSocket``."""

# Tested by tests/network/test_tls.py.

import ssl
from typing import Any

from asynctest_tornado._network.tls_connection import TLSConnection, wants_read, wants_write
from asynctest_tornado._network.virtual_socket import Address, VirtualSocket

__unittest = True

#: The bytes of the application that a record of TLS holds.
_RECORD = 16 * 1024
#: The attributes that `ssl.SSLObject` answers.
_OF_OBJECT = frozenset(name for name in dir(ssl.SSLObject) if not name.startswith("_"))


class VirtualTLSSocket(TLSConnection):
    """A `VirtualSocket` with the interface of `ssl.SSLSocket`."""

    #: The size of the bytes that were given to OpenSSL, and that `send` has still to report.
    _accepted = 0

    def recv(self, size: int = 1024, flags: int = 0) -> bytes:
        buffer = bytearray(size)
        return bytes(buffer[: self.recv_into(buffer)])

    def recv_into(self, buffer: Any, size: int | None = None, flags: int = 0) -> int:
        if self.step is not None:
            self.do_handshake()
        size = size or len(buffer)
        if not self.is_spoken:
            try:
                return self.sock.recv_into(buffer, size)
            except BlockingIOError:
                raise wants_read() from None
        try:
            return int(self.speak(self.tls.read, size, buffer))
        except ssl.SSLEOFError:
            if not self.suppress_ragged_eofs:
                raise
            return 0

    def read(self, size: int = 1024, buffer: Any = None) -> Any:
        return self.recv(size) if buffer is None else self.recv_into(buffer, size)

    def send(self, data: Any, flags: int = 0) -> int:
        if self.step is not None:
            self.do_handshake()
        if not self.is_spoken:
            try:
                if self.flush():
                    return self.sock.send(data)
            except BlockingIOError:
                pass
            raise wants_write() from None
        if not self._accepted:
            with memoryview(data).cast("B") as view:
                self._accepted = self.speak(self.tls.write, view[:_RECORD])
        if not self.flush():
            raise wants_write()
        accepted, self._accepted = self._accepted, 0
        return accepted

    def write(self, data: Any) -> int:
        return self.send(data)

    def sendmsg(self, *args: Any) -> int:
        raise NotImplementedError(f"sendmsg not allowed on instances of {type(self)}")

    recvfrom = recvmsg = sendto = sendmsg

    def pending(self) -> int:
        return self.tls.pending() if self.is_spoken else 0

    def unwrap(self) -> VirtualSocket:
        """End TLS, and return the socket beneath it."""
        if not self.is_spoken:
            raise NotImplementedError(
                "This TLS is not spoken, so that it cannot be ended. Set network_factory = lambda: "
                "VirtualNetwork(tls=True), or serve(..., tls=True)."
            )
        self.speak(self.tls.unwrap)
        return self.sock

    def fileno(self) -> int:
        return self.sock.fileno()

    def close(self) -> None:
        self.sock.close()

    def accept(self) -> "tuple[VirtualTLSSocket, Address]":
        connection, address = self.sock.accept()
        return VirtualTLSSocket(connection, self.context, server_side=True), address

    def __enter__(self) -> "VirtualTLSSocket":
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tls if name in _OF_OBJECT else self.sock, name)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """What ``isinstance`` of user code asks."""
        return ssl.SSLSocket

    def __repr__(self) -> str:
        return f"<VirtualTLSSocket of {self.sock!r}>"
