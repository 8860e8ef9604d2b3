"""Turns Nagle's algorithm off on both ends of the websockets of a test.

With it, the second of two messages in a row waits until the other end acknowledges the first one. That takes the system
40 ms on loopback, in which neither end has anything to do.
"""

import asyncio
from typing import Any

from tornado.iostream import IOStream
from tornado.websocket import WebSocketProtocol13

from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._util.patching import Patch

__unittest = True

# As it is here: a test may replace it, to count the calls of its own handlers.
_set_nodelay = IOStream.set_nodelay


def _start_pinging_without_delay(self: Any) -> Any:
    """Set the option where Tornado begins: both ends have their streams, and no code of the user has run yet.

    So a handler that calls ``set_nodelay(False)`` in ``open`` has the last word.
    """
    if _start.is_active and isinstance(self.stream, IOStream) and isinstance(asyncio.get_running_loop(), WatchedLoop):
        _set_nodelay(self.stream, True)
    return _start.found(self)


_start = Patch(WebSocketProtocol13, "start_pinging", _start_pinging_without_delay)
#: They turn it off as a websocket begins.
patches = [_start]
