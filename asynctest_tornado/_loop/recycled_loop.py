"""Reuses the selector and the self-pipe of a closed loop for the next one.

To make and close these two takes half of the cost of a new loop, because the system has to be asked. The loop itself is
always new. When it closes, it hands over its selector and self-pipe if they are as good as new:

- the selector watches nothing but the self-pipe, by the handle that asyncio has made;
- nothing is written to the self-pipe, and no code is left that could write: no other thread, no signal handler;
- it is the process that has made them: a child process shares them with its parent;
- there is no other pair that waits for its next loop.

In each other case, asyncio closes them. The next loop takes the pair over: its handle then calls the next loop.
"""

import asyncio
import atexit
import contextvars
import functools
import os
import socket
from typing import Any, NamedTuple

from asynctest_tornado._loop import construction
from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._util.real_time import active_count

__unittest = True


class _Parts(NamedTuple):
    selector: Selector
    reading: socket.socket
    """Registered with the selector: other threads write to the self-pipe to wake the loop."""
    writing: socket.socket
    handle: asyncio.Handle
    """The callback for this socket, registered with the selector."""
    process: int
    """A child process has the parts of its parent, and must not use them."""

    def serve(self, loop: Any) -> None:
        """Let the handle call a loop, or nothing for None. Registering another handle would cost ten times as much."""
        handle: Any = self.handle
        handle._loop = loop
        handle._callback = None if loop is None else loop._read_from_self
        handle._context = None if loop is None else contextvars.copy_context()

    def close(self) -> None:
        self.selector.close()
        self.reading.close()
        self.writing.close()


#: The parts of the next loop: none, or one set. Nested loops, for example of a class and of its test, have their own.
_spare: list[_Parts] = []
_process = os.getpid()


def _begin_anew() -> None:
    """Mark, in a child process, the parts of its parent as foreign."""
    global _process
    _process = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


#: The private names of asyncio's loops that this module and `autojump` need. `private_names` has the reasons.
_NEEDED = (
    *("_clock_resolution", "_close_self_pipe", "_csock", "_internal_fds", "_make_self_pipe", "_read_from_self"),
    *("_ready", "_scheduled", "_selector", "_ssock", "_write_to_self"),
)
_NEEDED_OF_HANDLES = ("_callback", "_context", "_loop")


@functools.cache
def missing() -> tuple[str, ...]:
    """Return the needed private names that asyncio lacks. If there are any, tests get its plain loop."""
    loop = asyncio.SelectorEventLoop()
    try:
        names = [name for name in _NEEDED if not hasattr(loop, name)]
    finally:
        loop.close()
    return (*names, *(name for name in _NEEDED_OF_HANDLES if not hasattr(asyncio.Handle, name)))


def drop_spare() -> None:
    """Close the parts that wait for the next loop."""
    while _spare:
        _spare.pop().close()


atexit.register(drop_spare)


def _take() -> _Parts | None:
    try:
        parts = _spare.pop()
    except IndexError:
        return None
    if parts.process == _process:
        return parts
    # Closed here, they stay open for the parent; but a call of unregister() would count for both.
    parts.close()
    return None


class _System:
    """The parts of a loop, and whether the next loop may use them."""

    __slots__ = ("is_dropped", "parts", "process", "selector", "was_woken")

    def __init__(self) -> None:
        self.parts = _take()
        self.selector = Selector() if self.parts is None else self.parts.selector
        self.is_dropped = False
        #: True if another thread or a signal may have written to the self-pipe.
        self.was_woken = False
        #: The process that has made the loop.
        self.process = _process

    def is_in_order(self, loop: Any) -> bool:
        """Return whether the loop may hand over its parts: no other code uses them."""
        selector = self.selector
        return (
            not _spare
            and not self.is_dropped
            and loop._selector is selector
            and selector.has_no_files()
            and not getattr(loop, "_signal_handlers", True)  # which write to the socket
            and active_count() == 1  # no thread is about to wake this loop
            and not (self.was_woken and selector.has_events())  # nor has one done so
            and loop._ssock is not None
            and self.process == _process
        )


class RecyclingLoop(asyncio.SelectorEventLoop):
    """The loop of asyncio, on parts that may have served another loop."""

    def __init__(self) -> None:
        # One attribute, as `error_routing.Use` is: loops of 3.14 have no more to spare.
        self._asynctest_system = system = _System()
        # No super() for each test, which takes CPython up to 3.11 as long as a call.
        if not construction.construct(self, system.selector):
            is_usual = construction.is_usual()
            super().__init__(system.selector)
            construction.compare(self, is_usual)

    def __del__(self) -> None:
        # The garbage collector finalizes the sockets as well, before or after this.
        self._asynctest_system.is_dropped = True
        if not self.is_closed():  # else asyncio does nothing
            super().__del__()

    def add_signal_handler(self, sig: int, callback: Any, *args: Any) -> None:  # type: ignore[override]
        self._asynctest_system.was_woken = True
        super().add_signal_handler(sig, callback, *args)

    # These override private methods of asyncio, which make and close the sockets.

    def _write_to_self(self) -> None:
        # Called when a callback is ready. A loop that does not run yet finds it before it sleeps. Waking it would take
        # four system calls, a tenth of the cost of a test by wait() and stop().
        if self.is_running():
            self._asynctest_system.was_woken = True
            super()._write_to_self()  # type: ignore[misc]

    def _make_self_pipe(self) -> None:
        loop: Any = self
        parts = self._asynctest_system.parts
        if parts is None:
            super()._make_self_pipe()  # type: ignore[misc]
            return
        loop._internal_fds += 1
        loop._ssock, loop._csock = parts.reading, parts.writing
        parts.serve(loop)

    def _close_self_pipe(self) -> None:
        loop: Any = self
        if loop._ssock.fileno() == -1:
            # The garbage collector has closed the sockets before it came to the loop, which is younger.
            loop._csock.close()
            loop._ssock = loop._csock = None
            loop._internal_fds -= 1
            return
        system = self._asynctest_system
        if not system.is_in_order(loop):
            super()._close_self_pipe()  # type: ignore[misc]
            return
        parts = system.parts
        if parts is None:
            (key,) = system.selector.get_map().values()
            parts = _Parts(system.selector, loop._ssock, loop._csock, key.data[0], _process)
        # No reference to this loop may reach the next one.
        parts.serve(None)
        parts.selector.reset()
        loop._ssock = loop._csock = None
        loop._internal_fds -= 1
        loop._selector = None  # or it would be closed
        construction.hand_over(loop)
        _spare.append(parts)
