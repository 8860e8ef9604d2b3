"""How to mend the error of a server whose address another socket has."""

# Tested by tests/errors/test_hints.py.

import contextlib
import errno
import socket
from collections.abc import Mapping
from typing import Any

__unittest = True


#: In the errors of this library's own servers, which have the advice.
_OWN = "A test server cannot listen"


def hint(error: BaseException) -> str | None:
    """Return the hint for such an error; None for another one, and for errors of this library, which have the advice.

    The sockets of Tornado that the error has left open are closed: nothing refers to them any more, and Python would
    warn of them.
    """
    if not isinstance(error, OSError) or error.errno != errno.EADDRINUSE or _OWN in str(error.strerror):
        return None
    tb = error.__traceback__
    address: object = None
    while tb is not None:
        if tb.tb_frame.f_globals.get("__name__") == "tornado.netutil":
            address = tb.tb_frame.f_locals.get("sockaddr")
            _close(tb.tb_frame.f_locals)
        tb = tb.tb_next
    which = "this address"
    if isinstance(address, tuple) and len(address) >= 2:
        host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
        which = f"the address {host}:{address[1]}"
    return (
        f"Another socket has {which}. bind_unused_port() returns a socket on a port that none has, for example for "
        "server.add_socket()."
    )


def _close(variables: Mapping[str, Any]) -> None:
    sockets = variables.get("sockets")
    for each in (variables.get("sock"), *(sockets if isinstance(sockets, list) else ())):
        if isinstance(each, socket.socket):
            with contextlib.suppress(OSError):
                each.close()
