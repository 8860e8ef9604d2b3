"""Asks for ready files at little cost, and calls hooks before sleep."""

# Tested by tests/harness/test_deadline.py.

import select
import selectors
from collections.abc import Callable, Mapping, Sized
from typing import Any

from asynctest_tornado._loop.sleep_hooks import SleepHooks
from asynctest_tornado._util.real_time import monotonic

__unittest = True

_HAS_EPOLL = getattr(selectors, "EpollSelector", None) is selectors.DefaultSelector


class Selector(selectors.DefaultSelector):
    """The selector of a loop that this library has made, or of another loop, up to the end of the test."""

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
        return adopted  # type: ignore[no-any-return]

    def give_back(self) -> None:
        """Restore an adopted selector."""
        for name in _ATTRIBUTES:
            delattr(self, name)
        plain: Any = selectors.DefaultSelector
        self.__class__ = plain

    def _prepare(self) -> None:
        self.hooks = SleepHooks()
        # Private to the module; without them, the methods of the class above do the same.
        poller: Any = getattr(self, "_selector", None)
        keys: Any = getattr(self, "_fd_to_key", None)
        can_poll = _HAS_EPOLL and keys is not None
        self._poll: Callable[[float, int], list[Any]] | None = getattr(poller, "poll", None) if can_poll else None
        self._files: Sized = self.get_map() if keys is None else keys

    def has_no_files(self) -> bool:
        """Return whether the loop watches no file besides its self-pipe."""
        return len(self._files) == 1

    def has_events(self, timeout: float = 0) -> bool:
        """Return whether a file is ready, or becomes ready within these seconds."""
        return bool(super().select(timeout))

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        hooks = self.hooks
        # A busy loop does not sleep. This replaces the method of the class above, at no more than its cost.
        alarm = hooks.alarm
        if timeout == 0 and self._poll is not None and (alarm is None or alarm[0] > monotonic()):
            ready = self._poll(0, len(self._fd_to_key) or 1)
            return self._events(ready) if ready else ready
        if hooks.pass_time is not None and timeout != 0 and (alarm is None or alarm[0] > monotonic()):
            events = super().select(0)
            if events:
                return events
            timeout = hooks.pass_time()
            if timeout == 0:
                return events
        events = super().select(hooks.seconds_to_sleep(timeout))
        hooks.was_quiet = not events
        return events

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
        if self.hooks.servers is not None:
            self.hooks.servers.register(key.fd)
        return key


#: The attributes that `adopt` adds.
_ATTRIBUTES = ("_files", "_poll", "hooks")
