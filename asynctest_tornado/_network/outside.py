"""Opens servers in memory to threads and child processes."""

# Tested by tests/network/test_real_ports.py.

import multiprocessing.process
import os
import socket
import subprocess
import sys
import weakref
from collections.abc import Callable
from typing import Any

from asynctest_tornado._network.real_ports import NUMBERS, RealPorts
from asynctest_tornado._network.virtual_socket import cut_off_all
from asynctest_tornado._util.patching import Patch

__unittest = True

#: The ports of the tests that are open. Weakly: a test that is run by debug(), and fails, does not end.
_open: "list[weakref.ref[RealPorts]]" = []


def attach(ports: RealPorts) -> None:
    """Let other threads and processes reach the servers of a test, up to `detach`."""
    _open.append(weakref.ref(ports))
    curl = sys.modules.get("tornado.curl_httpclient")
    if curl is not None and not any(patch.owner is curl.CurlAsyncHTTPClient for patch in _patches):
        # libcurl connects by itself.
        _patches.append(_opening(curl.CurlAsyncHTTPClient, "fetch_impl"))
    if all(patch.is_active for patch in _patches):
        Patch.put_in_again(_patches)
        return
    for patch in _patches:
        patch.put_in()


def detach(ports: RealPorts) -> None:
    _open[:] = [each for each in _open if each() not in (ports, None)]


def _ports() -> list[RealPorts]:
    return [ports for get_ports in list(_open) if (ports := get_ports()) is not None]


def _leave_parent() -> None:
    """Close the sockets in memory in a child process that was forked."""
    _open.clear()
    cut_off_all()


def end() -> None:
    """Take the patches back: the last test of a run is over. A run without a network in memory never had them."""
    for patch in _patches:
        patch.take_back()
    NUMBERS.close()


def _connecting(name: str) -> Patch:
    def connect(self: Any, address: Any) -> Any:
        if _open and patch.is_active:
            for ports in _ports():
                address = ports.open_for(address)
        return patch.found(self, address)

    patch = Patch(socket.socket, name, connect)
    return patch


def _opening(owner: Any, name: str, in_child: Callable[[], object] = lambda: None) -> Patch:
    """Return a patch of a function that needs the real ports of all servers, mostly because it starts a process.

    :param in_child: called in the new process, if the function returns there, too.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        if not (_open and patch.is_active):
            return patch.found(*args, **kwargs)
        for ports in _ports():
            ports.open_all()
        process = os.getpid()
        result = patch.found(*args, **kwargs)
        if os.getpid() != process:
            in_child()
        return result

    patch = Patch(owner, name, call)
    return patch


_FORKS = ("fork", "forkpty")
_STARTS = ("posix_spawn", "posix_spawnp", "system")
_patches = [
    _connecting("connect"),
    _connecting("connect_ex"),
    _opening(subprocess.Popen, "__init__"),
    _opening(multiprocessing.process.BaseProcess, "start"),
    *(_opening(os, name, _leave_parent) for name in _FORKS if hasattr(os, name)),
    *(_opening(os, name) for name in _STARTS if hasattr(os, name)),
]
