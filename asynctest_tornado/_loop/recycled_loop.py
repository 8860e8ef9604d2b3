"""Hands what the loop of a test needs of the system to the loop of the next one: a selector, and what wakes it.

To make and close these takes half of what a new loop costs. The loop itself is always a new one, and whatever is in
doubt is closed for good.
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
    """Registered with the selector, for what other threads write to wake the loop."""
    writing: socket.socket
    handle: asyncio.Handle
    """What the selector has for the socket, and the loop calls then."""
    process: int
    """A child process has the same ones as its parent, and must not use them."""

    def serve(self, loop: Any) -> None:
        """Let the handle call this loop, or nothing for None: to register another one costs ten times as much."""
        handle: Any = self.handle
        handle._loop = loop
        handle._callback = None if loop is None else loop._read_from_self
        handle._context = None if loop is None else contextvars.copy_context()

    def close(self) -> None:
        self.selector.close()
        self.reading.close()
        self.writing.close()


#: What the next loop gets: nothing, or one set. Nested loops, as those of a class and of a test, have their own.
_spare: list[_Parts] = []
_process = os.getpid()


def _begin_anew() -> None:
    """Know the parts of a process that was forked for what they are: its parent's."""
    global _process
    _process = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


#: What this module, and `autojump`, need of a loop of asyncio. `internals` has the reasons.
_NEEDED = (
    *("_clock_resolution", "_close_self_pipe", "_csock", "_internal_fds", "_make_self_pipe", "_read_from_self"),
    *("_ready", "_scheduled", "_selector", "_ssock", "_write_to_self"),
)
_NEEDED_OF_HANDLES = ("_callback", "_context", "_loop")


@functools.cache
def missing() -> tuple[str, ...]:
    """Return the names without which asyncio's own loop has to do; none, where all is as this library knows it."""
    loop = asyncio.SelectorEventLoop()
    try:
        names = [name for name in _NEEDED if not hasattr(loop, name)]
    finally:
        loop.close()
    return (*names, *(name for name in _NEEDED_OF_HANDLES if not hasattr(asyncio.Handle, name)))


def drop_spare() -> None:
    """Close what waits for the next loop."""
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
    # Closed here, it stays open for the parent; but to unregister something would do so for both.
    parts.close()
    return None


class _System:
    """What a loop has of the system."""

    __slots__ = ("is_dropped", "parts", "process", "selector", "was_woken")

    def __init__(self) -> None:
        self.parts = _take()
        self.selector = Selector() if self.parts is None else self.parts.selector
        self.is_dropped = False
        #: Whether something may have been written to wake the loop.
        self.was_woken = False
        #: A child process has the files of its parent, and must not use them for another loop.
        self.process = _process


class RecyclingLoop(asyncio.SelectorEventLoop):
    """The loop of asyncio, on parts that may have served another one."""

    def __init__(self) -> None:
        # One attribute of the loop, for the reason that `error_routing.Use` is one: 3.14 has none to spare.
        self._asynctest_system = system = _System()
        construction.construct(self, system.selector, super().__init__)

    def __del__(self) -> None:
        # In a garbage collection, the sockets are finalized as well, before or after this.
        self._asynctest_system.is_dropped = True
        super().__del__()

    def add_signal_handler(self, sig: int, callback: Any, *args: Any) -> None:  # type: ignore[override]
        self._asynctest_system.was_woken = True
        super().add_signal_handler(sig, callback, *args)

    # What follows stands in for private methods of asyncio, which make and close the sockets.

    def _write_to_self(self) -> None:
        # Called once a callback is ready. A loop that does not run yet will see it before it sleeps: to wake it takes
        # four system calls, a tenth of what a test by wait() and stop() costs.
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
            # The garbage collector has closed it before it came to the loop, which is younger than what it was handed.
            loop._csock.close()
            loop._ssock = loop._csock = None
            loop._internal_fds -= 1
            return
        if not self._asynctest_is_in_order():
            super()._close_self_pipe()  # type: ignore[misc]
            return
        parts = self._asynctest_system.parts
        if parts is None:
            selector = self._asynctest_system.selector
            (key,) = selector.get_map().values()
            parts = _Parts(selector, loop._ssock, loop._csock, key.data[0], _process)
        # Nothing of this loop may reach the next one.
        parts.serve(None)
        parts.selector.hooks.reset()
        loop._ssock = loop._csock = None
        loop._internal_fds -= 1
        loop._selector = None  # or it would be closed
        construction.hand_over(loop)
        _spare.append(parts)

    def _asynctest_is_in_order(self) -> bool:
        """Return whether nobody else has anything to do with the parts any more."""
        loop: Any = self
        system = self._asynctest_system
        selector = system.selector
        return (
            not _spare
            and not system.is_dropped
            and loop._selector is selector
            and selector.has_no_files()
            and not getattr(loop, "_signal_handlers", True)  # which write to the socket
            and active_count() == 1  # no thread is about to wake this loop
            and not (system.was_woken and selector.has_events())  # nobody has done so
            and loop._ssock is not None
            and system.process == _process
        )
