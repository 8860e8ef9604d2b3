"""Ends a synchronous call that waits for ever for a server of its own test.

Code outside of a wait has no time limit, and may take as long as it likes. But a client that has no time limit either,
and reads from a server on the loop of its own thread, waits for ever: the loop does not run. If nothing else can act,
the call ends with a `TimeoutError` when the time limit of the test is over. Else, the hint is printed.

The watchdog looks at the thread, from the moment when synchronous code has asked for the address of the server.
"""

import functools
import socket
import sys
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.harness import OPEN, Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._timeouts import blocked_code, blocking_clients, deadlock, watchdog
from asynctest_tornado._util import debuggers
from asynctest_tornado._util.real_time import monotonic, sleep
from asynctest_tornado._util.stacks import stack_of

__unittest = True

_WATCH: Any = object()
#: The functions of the standard library that wait for bytes of a connection.
_MODULES = ("socket", "ssl")
_READERS = frozenset({"readinto", "read", "recv", "recv_into", "do_handshake"})


def watch(harness: Harness, get_limit: Callable[[], Limit]) -> None:
    """Look at this thread when the time limit of its test is over, if the loop does not run now.

    :param get_limit: returns the limit. A coroutine may ask for the address often, and needs none.
    """
    data = harness.trap.data
    if harness.state is not OPEN or harness.loop.loop.is_running() or _WATCH in data:
        return
    limit = get_limit()
    if limit.is_set:
        data[_WATCH] = _Watch(weakref.ref(harness), limit)
        watchdog.start(data[_WATCH])


def end(trap: Trap) -> None:
    """End the watch of a test, if there is one: its server is about to be closed."""
    ended: _Watch | None = trap.data.pop(_WATCH, None)
    if ended is not None:
        watchdog.stop(ended)


class _Watch:
    """The look at the thread of one test. The watchdog calls `look` in its own thread."""

    def __init__(self, get_harness: "weakref.ref[Harness]", limit: Limit) -> None:
        self._get_harness = get_harness
        self._limit = limit
        self._thread = threading.get_ident()
        self.when = monotonic() + limit.seconds + watchdog.OVERRUN_SECONDS

    def look(self) -> None:
        harness = self._get_harness()
        if harness is None or harness.state is not OPEN:
            watchdog.stop(self)
            return
        self.when = monotonic() + watchdog.OVERRUN_SECONDS
        before = _waiting(harness, stack_of(self._thread))
        if before is None:
            return
        sleep(watchdog.LOOK_INTERVAL_SECONDS)
        stack = stack_of(self._thread)
        if _waiting(harness, stack) != before or debuggers.have_stopped(stack) or debuggers.are_attached():
            return
        frame, _, port = before
        if deadlock.may_others_act() or self._thread != threading.main_thread().ident:
            watchdog.stop(self)
            said = f"{harness.describe()} waits for a response. {blocking_clients.describe(port)} It stands at:"
            print(f"{said}\n{watchdog.formatted(stack)}", file=sys.stderr, flush=True)
            return
        error = TimeoutError(f"timed out after {self._limit.describe()}")
        watchdog.act(self, functools.partial(blocked_code.end_call, frame, error))


def _waiting(harness: Harness, stack: list[types.FrameType]) -> tuple[types.FrameType, int, int] | None:
    """Return the frame that waits for a server of a test without a limit, its place there, and the port; or None."""
    if not stack or harness.loop.loop.is_running():
        return None
    frame = stack[0]
    if frame.f_globals.get("__name__") not in _MODULES or frame.f_code.co_name not in _READERS:
        return None
    reader = frame.f_locals.get("self")
    sock = getattr(reader, "_sock", None) if isinstance(reader, socket.SocketIO) else reader
    if not isinstance(sock, socket.socket) or sock.gettimeout() is not None:
        return None
    try:
        peer, own = sock.getpeername()[:2], sock.getsockname()[0]
    except OSError:
        return None  # it is closed
    for host, port in blocking_clients.addresses_of_servers(harness.loop.loop):
        is_here = host == peer[0] or (host in ("0.0.0.0", "::") and own == peer[0])
        if port == peer[1] and is_here:
            return frame, frame.f_lasti, port
    return None
