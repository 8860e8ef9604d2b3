"""One direction of a connection in memory, and the bytes on it."""

# Tested by tests/network/test_virtual_socket.py.

import errno
import functools
import os
from collections.abc import Callable

__unittest = True

#: Bytes that one direction holds before its writer has to wait: as many as Linux takes on loopback.
CAPACITY = 5 * 512 * 1024


#: Cached: a non-blocking socket raises errors as often as it is read.
_text_of = functools.cache(os.strerror)


def error_of(number: int) -> OSError:
    """Return the exception that the system would raise, of the class of its number."""
    return OSError(number, _text_of(number))


class Pipe:
    """One direction of a connection.

    :param reader_changed: called when the reading end may have become readable.
    :param writer_changed: called when the writing end may have become writable.
    """

    def __init__(self) -> None:
        #: The bytes that have arrived, and were not read.
        self.data: bytearray = bytearray()
        #: True if the writing end was closed, or shut down for writing.
        self.is_shut: bool = False
        #: True if no more bytes come.
        self.has_ended: bool = False
        #: True if the reading end was closed: bytes that come now reset the connection.
        self.is_abandoned = False
        #: The error of the next read, if the connection was reset; see `errno`.
        self.error: int | None = None
        self.reader_changed: Callable[[], object] = nothing
        self.writer_changed: Callable[[], object] = nothing

    @property
    def is_readable(self) -> bool:
        return bool(self.data) or self.has_ended or self.error is not None

    @property
    def is_writable(self) -> bool:
        return len(self.data) < CAPACITY or self.is_shut or self.is_abandoned

    def write(self, data: memoryview) -> int:
        """Send bytes; return how many there was room for. Raises ``BlockingIOError`` if there is none."""
        room = CAPACITY - len(self.data)
        if room <= 0:
            raise error_of(errno.EAGAIN)
        sent = data if len(data) <= room else data[:room]
        self.arrive(sent)
        return len(sent)

    def write_handshake(self, data: memoryview) -> int:
        """Send bytes of a handshake of TLS: faults of a response do not count them."""
        return self.write(data)

    def arrive(self, data: bytes | memoryview) -> None:
        self.data += data
        self.reader_changed()

    def read(self, size: int) -> bytes:
        """Return bytes; none at the end of the stream. Raises ``BlockingIOError`` if there are none yet."""
        self._check_readable()
        data = bytes(self.data[:size])
        del self.data[:size]
        self.writer_changed()
        return data

    def peek(self, size: int) -> bytes:
        """Return the bytes that `read` would, and leave them there."""
        self._check_readable()
        return bytes(self.data[:size])

    def read_into(self, buffer: memoryview) -> int:
        """Read bytes into a buffer, and return how many; see `read`."""
        self._check_readable()
        data = self.data
        size = min(len(data), len(buffer))
        if size == len(data):
            buffer[:size] = data
            self.data = bytearray()
        else:
            with memoryview(data) as view:
                buffer[:size] = view[:size]
            del data[:size]
        self.writer_changed()
        return size

    def _check_readable(self) -> None:
        if not self.data:
            if self.error is not None:
                number, self.error = self.error, None
                self.has_ended = True
                raise error_of(number)
            if not self.has_ended:
                raise error_of(errno.EAGAIN)

    def end(self) -> None:
        """Let the reading end read the bytes that are left, and then the end of the stream."""
        self.is_shut = True
        self.arrive_end()

    def reset(self) -> None:
        """Let the reading end read the bytes that are left, and then fail with ``ConnectionResetError``."""
        self.is_shut = True
        self.arrive_end(errno.ECONNRESET)

    def arrive_end(self, error: int | None = None) -> None:
        """End the stream of the reading end.

        :param error: the error of its next read; see `errno`.
        """
        if error is not None:
            self.error = error
        self.has_ended = True
        self.reader_changed()
        self.writer_changed()


def nothing() -> None:
    """Stand in for an end that is watched by no loop."""
