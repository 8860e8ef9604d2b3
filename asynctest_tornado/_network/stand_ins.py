"""Lets sockets of user code stand for virtual sockets."""

# Tested by tests/network/test_network_loop.py.

import functools
import socket
import weakref
from collections.abc import Callable
from typing import Any

from asynctest_tornado._network.virtual_network import VirtualNetwork
from asynctest_tornado._network.virtual_socket import VirtualSocket

__unittest = True

#: By the sockets of user code that were connected in memory: the virtual sockets.
_behind: "weakref.WeakKeyDictionary[Any, VirtualSocket]" = weakref.WeakKeyDictionary()
#: The methods that go to the virtual socket. The other methods of a socket call these, or say what it is.
_METHODS = (
    *("close", "connect", "connect_ex", "detach", "fileno", "getblocking", "getpeername", "getsockname", "getsockopt"),
    *("gettimeout", "recv", "recv_into", "send", "sendall", "sendmsg", "setblocking", "setsockopt", "settimeout"),
    "shutdown",
)


def _method(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(_behind[self], name)(*args, **kwargs)

    return functools.update_wrapper(method, getattr(socket.socket, name))


class _InMemory:
    """The methods of a socket of user code that was connected in memory."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(behind(self))


for _name in _METHODS:
    setattr(_InMemory, _name, _method(_name))


_classes: dict[type, type] = {}


def _class_in_memory(cls: type) -> type:
    if cls not in _classes:
        _classes[cls] = type(cls.__name__, (_InMemory, cls), {"__slots__": ()})
    return _classes[cls]


def put_behind(sock: socket.socket, network: VirtualNetwork) -> VirtualSocket:
    """Return a virtual socket that has no connection yet, and let a socket of the system stand for it from now on.

    User code may keep the socket, and read from it or close it. Its file is closed.
    """
    virtual = virtual_twin(sock, network)
    socket.socket.close(sock)
    any_sock: Any = sock
    any_sock.__class__ = _class_in_memory(type(sock))
    _behind[sock] = virtual
    return virtual


_OPTIONS = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE), (socket.IPPROTO_TCP, socket.TCP_NODELAY))


def virtual_twin(sock: socket.socket, network: VirtualNetwork) -> VirtualSocket:
    """Return a virtual socket of the same family, with the options that were set, and the address if it is bound."""
    virtual = VirtualSocket(network, sock.family)
    for option in _OPTIONS:
        value = sock.getsockopt(*option)
        if value:
            virtual.setsockopt(*option, value)
    address = sock.getsockname()
    if address[1]:
        virtual.bind(address)
    return virtual


def behind(sock: Any) -> Any:
    """Return the virtual socket that a socket stands for; the socket itself if it stands for none."""
    return _behind.get(sock, sock) if isinstance(sock, _InMemory) else sock
