"""Says which options and methods a socket in memory has not."""

# Tested by tests/network/test_limits_of_memory.py.

import errno
import os
import socket
import sys

__unittest = True

#: The attribute of an error that the system has not raised.
_IS_OF_MEMORY = "_asynctest_is_of_memory"
_INSTEAD = "Leave out network_factory in this test, so that its sockets are of the system"
#: The options by which the system describes a connection, by level and number.
_OF_CONNECTIONS = {
    (int(getattr(socket, level)), int(getattr(socket, name))): f"{level}, {name}"
    for level, name in (
        *(("SOL_SOCKET", "SO_INCOMING_CPU"), ("SOL_SOCKET", "SO_PEERCRED"), ("SOL_SOCKET", "SO_PEERSEC")),
        *(("IPPROTO_TCP", "TCP_CC_INFO"), ("IPPROTO_TCP", "TCP_CONNECTION_INFO"), ("IPPROTO_TCP", "TCP_INFO")),
    )
    if hasattr(socket, level) and hasattr(socket, name)
}
if sys.platform == "linux":  # which has a name for this one in its headers alone
    _OF_CONNECTIONS[socket.IPPROTO_IP, 80] = "IPPROTO_IP, SO_ORIGINAL_DST"


def check(level: int, name: int) -> None:
    """Raise ``OSError`` for an option by which the system describes a connection: it has none in memory."""
    option = _OF_CONNECTIONS.get((level, name))
    if option is not None:
        raise OSError(
            errno.ENOPROTOOPT,
            f"A socket in memory does not have the option {option}: the system has no connection that it could "
            f"describe. {_INSTEAD}",
        )


def missing(name: str) -> AttributeError:
    """Return the error for a method of sockets that one in memory has not."""
    of_sockets = hasattr(socket.socket, name)
    reason = f": it is no file of the system. {_INSTEAD}." if of_sockets else ""
    return AttributeError(f"A socket in memory has no attribute {name!r}{reason}", name=name)


def explain(error: BaseException) -> str | None:
    """Return a note for an error that the system raises if it is given the number of a socket in memory."""
    is_number = isinstance(error, OSError) and error.errno == errno.EBADF
    is_of_select = isinstance(error, ValueError) and "filedescriptor out of range in select()" in str(error)
    if not (is_number or is_of_select) or hasattr(error, _IS_OF_MEMORY):
        return None
    return (
        "The connections and servers of this test are in memory. Their fileno() is a number for the event loop alone: "
        "functions of os, select and subprocess, and other programs, cannot use it, nor can socket.socket(fileno=...). "
        f"If this was such a number: {_INSTEAD[0].lower()}{_INSTEAD[1:]}."
    )


def closed(reason: str | None) -> OSError:
    """Return the error for a socket in memory that is closed."""
    error = OSError(errno.EBADF, reason or os.strerror(errno.EBADF))
    setattr(error, _IS_OF_MEMORY, True)
    return error
