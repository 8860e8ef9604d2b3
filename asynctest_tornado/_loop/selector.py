"""The place where a loop sleeps, and what could still wake it."""

# Tested by tests/timeouts/test_deadline.py.

import math
import select
import selectors
import signal
import socket
import sys
import threading
import types
from collections.abc import Callable, Mapping, Sized
from typing import Any

from asynctest_tornado._loop.child_processes import has_children
from asynctest_tornado._timeouts import interrupter, watchdog
from asynctest_tornado._timeouts.deadlock import PrivateServers
from asynctest_tornado._util.real_time import active_count, get_signal_handler, listdir, monotonic

__unittest = True

#: Seconds after which to look again whether something is left that could wake the loop.
DOUBT = 0.1
_ALARMS = [getattr(signal, name) for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF") if hasattr(signal, name)]


def _is_alarm_set(timer: int) -> bool:
    return signal.getitimer(timer)[0] > 0


def _has_signal_handlers() -> bool:
    """Tell whether a signal, which any process can send, would run something; what interrupts does not count."""
    handlers = map(get_signal_handler, signal.valid_signals() - {signal.SIGINT, interrupter.stand_in})
    return any(handler is not None and callable(handler) for handler in handlers)


def _has_other_threads() -> bool:
    """Tell whether there is a thread besides this one and the watchdog's, also one that Python does not know."""
    try:
        count = len(listdir("/proc/self/task"))
    except OSError:  # not on every platform
        return active_count() > 1
    own = 2 if watchdog.is_alive() else 1
    return count > own and count > own + _threads_of_runners()


#: Their threads serve the test runner, and have nothing to do with a loop: that of the workers of pytest-xdist.
_OF_RUNNERS = ("execnet.",)


def _threads_of_runners() -> int:
    """Return how many threads belong to the test runner, which ``threading`` need not know."""
    frames: dict[int, types.FrameType | None] = dict(sys._current_frames())
    frames.pop(threading.get_ident(), None)
    count = 0
    for frame in frames.values():
        while frame is not None and frame.f_back is not None:
            frame = frame.f_back
        count += frame is not None and str(frame.f_globals.get("__name__")).startswith(_OF_RUNNERS)
    return count


_HAS_EPOLL = getattr(selectors, "EpollSelector", None) is selectors.DefaultSelector


def _sleep_for_ever() -> None:
    return None


def _earlier(timeout: float, other: float | None) -> float:
    return timeout if other is None else min(timeout, other)


class Selector(selectors.DefaultSelector):
    """The place where a loop sleeps, and the seam at which a test wakes it.

    The time limits of the library are kept here, in real time, and not among the timers of the loop: what these tell
    about is the user's own.
    """

    #: When to call what, in the time of ``time.monotonic``.
    alarm: tuple[float, Callable[[], object]] | None
    #: Called before the loop sleeps without a timer, for want of anything to do; returns for how long it may.
    before_sleep: Callable[[], float | None]
    _fd_to_key: Mapping[int, selectors.SelectorKey]

    #: The test's own servers, if there are some which nothing outside of the loop knows.
    servers: PrivateServers | None

    #: Called where the loop would sleep, and no file is ready: passes the time of a virtual clock. Returns 0 if there
    #: is something to do now, else for how long the loop may sleep in real time, as ``before_sleep`` does.
    pass_time: Callable[[], float | None] | None

    def __init__(self) -> None:
        super().__init__()
        self._prepare()

    @classmethod
    def adopt(cls, selector: Any) -> "Selector | None":
        """Give the selector of a loop of another make the methods of this class, if it can have them."""
        if isinstance(selector, cls):
            return selector
        # Neither one of another class, nor one whose method was replaced.
        if type(selector) is not selectors.DefaultSelector or "select" in vars(selector):
            return None
        before = set(vars(selector))
        adopted: Any = selector
        adopted.__class__ = cls
        adopted._prepare()
        adopted._before = before
        return adopted  # type: ignore[no-any-return]

    def give_back(self) -> None:
        """Undo that."""
        if self._before is not None:
            for name in set(vars(self)) - self._before:
                delattr(self, name)
            plain: Any = selectors.DefaultSelector
            self.__class__ = plain

    def _prepare(self) -> None:
        self.reset()
        #: The attributes that it had before it was adopted.
        self._before: set[str] | None = None
        # Private to the module; without them, all goes by the class above.
        poller: Any = getattr(self, "_selector", None)
        keys: Any = getattr(self, "_fd_to_key", None)
        can_poll = _HAS_EPOLL and keys is not None
        self._poll: Callable[[float, int], list[Any]] | None = getattr(poller, "poll", None) if can_poll else None
        self._files: Sized = self.get_map() if keys is None else keys

    def _events(self, ready: list[Any]) -> list[tuple[selectors.SelectorKey, int]]:
        events = []
        for fd, mask in ready:
            key = self._fd_to_key.get(fd)
            if key is not None:
                # An error or the end of a connection wakes both who read and who write.
                event = (mask & ~select.EPOLLIN and selectors.EVENT_WRITE) | (
                    mask & ~select.EPOLLOUT and selectors.EVENT_READ
                )
                events.append((key, event & key.events))
        return events

    def reset(self) -> None:
        """Forget all that was set for a loop."""
        self.alarm = self.pass_time = self.servers = None
        self.before_sleep = _sleep_for_ever
        self._was_quiet = False

    def rest(self) -> float:
        """Return the real seconds up to the alarm."""
        return math.inf if self.alarm is None else max(0.0, self.alarm[0] - monotonic())

    def has_no_files(self) -> bool:
        """Tell whether no file is open but the one that the loop is woken by."""
        return len(self._files) == 1

    def has_events(self, timeout: float = 0) -> bool:
        """Tell whether the loop would not have to sleep, after that many seconds at most."""
        return bool(super().select(timeout))

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # A loop that is busy only looks whether a file is ready. This replaces the method of the class above, and does
        # not add to its cost.
        alarm = self.alarm
        if timeout == 0 and self._poll is not None and (alarm is None or alarm[0] > monotonic()):
            ready = self._poll(0, len(self._fd_to_key) or 1)
            return self._events(ready) if ready else ready
        if self.pass_time is not None and timeout != 0 and (self.alarm is None or self.alarm[0] > monotonic()):
            events = super().select(0)
            if events:
                return events
            timeout = self.pass_time()
            if timeout == 0:
                return events
        if timeout is None:
            timeout = self.before_sleep()
        elif self.servers is not None and timeout > self.rest():
            timeout = _earlier(timeout, self.before_sleep())
        if self.alarm is not None:
            when, ring = self.alarm
            rest = when - monotonic()
            if rest <= 0:
                self.alarm = None
                ring()
            if timeout is None or timeout > rest:
                timeout = max(0, rest)
        events = super().select(timeout)
        self._was_quiet = not events
        return events

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        if self.servers is not None:
            self.servers.register(key.fd)
        return key

    def serve(self, sock: socket.socket, waker: int, is_known: Callable[[], bool]) -> None:
        """Add a server of the test: files that lead to it need not keep the loop waiting.

        :param sock: the socket that it listens on, bound, before the loop watches it.
        :param waker: the file descriptor that the loop is woken by.
        :param is_known: returns true if code outside of the loop may know the server's address.
        """
        if self.servers is None:
            # Mostly none: to go through the files takes as many calls as all the rest of this.
            files = () if self.has_no_files() else [key.fd for key in self.get_map().values() if key.fd != waker]
            self.servers = PrivateServers(files)
            self._waker = waker
        self.servers.add(sock, is_known)

    def _may_be_reached(self) -> bool:
        """Return whether a file that the loop watches may wake it, though none is ready."""
        if self.has_no_files():
            return False
        files = [key.fd for key in self.get_map().values()]
        return self.servers is None or self.servers.may_be_reached(fd for fd in files if fd != self._waker)

    def doubt(self) -> float | None:
        """Return after how many seconds to look again whether something could wake the loop, which has no timer.

        None is never: an open file can wake it at any time. 0 is at once: nothing can, or something has.
        """
        if not self.has_no_files():
            if self.servers is None:
                return None
            if not self._was_quiet:
                return DOUBT  # the other end of a connection is mostly quicker than a look at the whole process
        if self._may_be_reached():
            return None
        if _has_signal_handlers() or any(map(_is_alarm_set, _ALARMS)) or _has_other_threads() or has_children():
            return DOUBT
        # A thread that is gone by now may have woken the loop before it went.
        return None if self.has_events() else 0
