"""Asks for ready files at little cost; has an alarm and a hook before sleep."""

# Tested by tests/timeouts/test_alarms.py.

import math
import select
import selectors
from collections.abc import Callable, Mapping, Sized
from typing import Any, Protocol

from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._util.real_time import monotonic

__unittest = True

_HAS_EPOLL = getattr(selectors, "EpollSelector", None) is selectors.DefaultSelector


class FileWatcher(Protocol):
    """An object that learns of files."""

    def register(self, fd: int) -> None:
        """Record a file that the loop begins to watch."""


class Selector(selectors.DefaultSelector):
    """The selector of a loop that this library has made, or of another loop, up to the end of the test.

    Its alarm is in real time, and not among the timers of the loop: these are the test's own, and may be in virtual
    time.
    """

    _is_adopted = False
    _fd_to_key: Mapping[int, selectors.SelectorKey]

    def __init__(self) -> None:
        super().__init__()
        self._prepare()

    @classmethod
    def adopt(cls, selector: Any) -> "Selector | None":
        """Give the selector of another loop the methods of this class, up to `give_back`; None if it cannot have them.

        Neither can a selector of another class, nor one whose method was replaced.
        """
        if isinstance(selector, cls):
            return selector
        if type(selector) is not selectors.DefaultSelector or "select" in vars(selector):
            return None
        adopted: Any = selector
        adopted.__class__ = cls
        adopted._prepare()
        adopted._is_adopted = True
        return adopted  # type: ignore[no-any-return]

    def leave(self, user: LoopOfTest) -> None:
        """Record that a test does not use the loop any more; the last one gives an adopted selector back."""
        if user in self.users:
            self.users.remove(user)
        if self._is_adopted and not self.users:
            for name in _ATTRIBUTES:
                delattr(self, name)
            plain: Any = selectors.DefaultSelector
            self.__class__ = plain

    def _prepare(self) -> None:
        self.reset()
        # Private to the module; without them, the methods of the class above do the same.
        poller: Any = getattr(self, "_selector", None)
        keys: Any = getattr(self, "_fd_to_key", None)
        can_poll = _HAS_EPOLL and keys is not None
        self._poll: Callable[[float, int], list[Any]] | None = getattr(poller, "poll", None) if can_poll else None
        self._files: Sized = self.get_map() if keys is None else keys

    def reset(self) -> None:
        """Forget the loop, for the next one."""
        #: The tests that use the loop, the innermost last.
        self.users: list[LoopOfTest] = []
        #: The objects that learn of each file that the loop begins to watch.
        self.watchers: list[FileWatcher] = []
        #: The time at which the loop makes a call, by the computer's monotonic clock, and the function.
        self.alarm: tuple[float, Callable[[], object]] | None = None
        #: True if a schedule has the calls that are ready, instead of the loop.
        self.is_ordered = False
        #: True if no file was ready when the loop slept last.
        self.was_quiet = False
        # The files that were ready when a hook has looked.
        self._found: list[tuple[selectors.SelectorKey, int]] | None = None

    def has_no_files(self) -> bool:
        """Return whether the loop watches no file besides its self-pipe."""
        return len(self._files) == 1

    def deliveries(self) -> list[tuple[Any, str]]:
        """Return the timers that deliver bytes in memory, each with a description of the bytes."""
        return []

    def has_nothing_to_do(self, loop: Any) -> bool:
        """Return whether nothing is ready, no timer is set and no file is open. False if the loop does not say.

        :param loop: the loop that has this selector.
        """
        if getattr(loop, "_ready", True) or getattr(loop, "_scheduled", True) or self.is_ordered:
            return False
        return len(self._files) == 1

    def is_idle(self, loop: Any) -> bool:
        """Return whether a loop that runs has nothing to do besides its present call. False if it does not say."""
        # If the time is over, the loop notices that when it asks for files.
        return self.has_nothing_to_do(loop) and self.rest() > 0

    def has_events(self, timeout: float = 0) -> bool:
        """Return whether a file is ready, or becomes ready within these seconds."""
        self._found = super().select(timeout)
        return bool(self._found)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Callable[[], object]:
        """Call a function once. The next call replaces this one.

        :return: a function that calls it off.
        """
        self.alarm = (monotonic() + seconds, callback)
        return self._call_off

    def _call_off(self) -> None:
        self.alarm = None

    def rest(self) -> float:
        """Return the real seconds up to the alarm."""
        return math.inf if self.alarm is None else max(0.0, self.alarm[0] - monotonic())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # A busy loop does not sleep. This replaces the method of the class above, at no more than its cost.
        alarm = self.alarm
        if timeout == 0 and self._poll is not None and (alarm is None or alarm[0] > monotonic()):
            ready = self._poll(0, len(self._fd_to_key) or 1)
            return self._events(ready) if ready else ready
        if timeout != 0 and self.users:
            self._found = None
            timeout = self.users[-1].before_sleep(timeout)
            if timeout == 0 and self._found is not None:
                return self._found
        events = super().select(self.until_alarm(timeout))
        self.was_quiet = not events
        return events

    def until_alarm(self, timeout: float | None) -> float | None:
        """Call the alarm if its time has come; return the seconds that the loop may sleep."""
        if self.alarm is not None:
            when, ring = self.alarm
            rest = when - monotonic()
            if rest <= 0:
                self.alarm = None
                ring()
            if timeout is None or timeout > rest:
                timeout = max(0, rest)
        return timeout

    def _events(self, ready: list[Any]) -> list[tuple[selectors.SelectorKey, int]]:
        events = []
        for fd, mask in ready:
            key = self._fd_to_key.get(fd)
            if key is not None:
                # An error or the end of a connection wakes both readers and writers.
                event = (mask & ~select.EPOLLIN and selectors.EVENT_WRITE) | (
                    mask & ~select.EPOLLOUT and selectors.EVENT_READ
                )
                events.append((key, event & key.events))
        return events

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        for watcher in self.watchers:
            watcher.register(key.fd)
        return key


#: The attributes that `adopt` adds.
_ATTRIBUTES = ("_files", "_found", "_is_adopted", "_poll", "alarm", "is_ordered", "users", "was_quiet", "watchers")
