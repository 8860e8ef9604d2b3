"""The place where a loop sleeps: a selector with an alarm, and with hooks before sleep."""

# Tested by tests/timeouts/test_deadline.py.

import math
import select
import selectors
from collections.abc import Callable, Mapping, Sized
from typing import Any, Protocol

from asynctest_tornado._util.real_time import monotonic

__unittest = True

_HAS_EPOLL = getattr(selectors, "EpollSelector", None) is selectors.DefaultSelector


def _sleep_for_ever() -> None:
    return None


def _earlier(timeout: float, other: float | None) -> float:
    return timeout if other is None else min(timeout, other)


class Servers(Protocol):
    """The servers of a test: they learn of each file that the loop begins to watch."""

    def register(self, fd: int) -> None:
        """Learn of a file."""


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

    #: The test's own servers, if there are some. The loop then asks ``before_sleep`` in spite of a timer, too, if the
    #: alarm comes before that.
    servers: Servers | None

    #: Whether no file was ready when the loop slept last.
    was_quiet: bool

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
        self.was_quiet = False

    def rest(self) -> float:
        """Return the real seconds up to the alarm."""
        return math.inf if self.alarm is None else max(0.0, self.alarm[0] - monotonic())

    def has_no_files(self) -> bool:
        """Return whether no file is open but the one that the loop is woken by."""
        return len(self._files) == 1

    def has_events(self, timeout: float = 0) -> bool:
        """Return whether the loop would not have to sleep, after that many seconds at most."""
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
        self.was_quiet = not events
        return events

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        if self.servers is not None:
            self.servers.register(key.fd)
        return key
