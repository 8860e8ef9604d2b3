"""Wakes a loop for virtual sockets, as its selector does for files."""

# Tested by tests/network/test_virtual_socket.py.

import selectors
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._network.pipe import nothing
from asynctest_tornado._network.virtual_socket import FIRST, VirtualSocket, by_number

__unittest = True

SelectorKey = selectors.SelectorKey


class _Files(Mapping[Any, SelectorKey]):
    """The files that the loop watches, by their numbers; virtual sockets are found, and not listed."""

    def __init__(self, files: Mapping[Any, SelectorKey], keys: dict[int, SelectorKey]) -> None:
        self._files = files
        self._keys = keys

    def __getitem__(self, file: Any) -> SelectorKey:
        number = _number(file)
        return self._keys[number] if number >= FIRST else self._files[file]

    def get(self, file: Any, default: Any = None) -> Any:
        number = _number(file)
        if number >= FIRST:
            return self._keys.get(number, default)
        return self._files.get(file, default)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def _number(file: Any) -> int:
    return file if isinstance(file, int) else int(file.fileno())


class NetworkSelector(Selector):
    """The selector of a loop that has virtual sockets."""

    _keys: dict[int, SelectorKey]
    _sockets: "dict[int, weakref.ref[VirtualSocket]]"
    _changed: dict[int, None]
    _watched: _Files
    _find_deliveries: Callable[[], Iterator[tuple[Any, str]]]

    #: The network whose test uses the loop.
    network: object

    def attach(self, network: object, find_deliveries: Callable[[], Iterator[tuple[Any, str]]]) -> None:
        """Begin to watch virtual sockets.

        :param find_deliveries: see `deliveries`.
        """
        self.network = network
        self._find_deliveries = find_deliveries
        #: By their numbers: the sockets that the loop watches.
        self._keys = {}
        #: Weakly, so that a socket that is dropped is closed.
        self._sockets = {}
        #: The numbers of sockets that may be ready, in the order in which they have changed.
        self._changed = {}
        self._watched = _Files(super().get_map(), self._keys)

    def detach(self) -> None:
        for number in self._keys:
            self._leave(number)
        for name in ("_keys", "_changed", "_find_deliveries", "_sockets", "_watched", "network"):
            delattr(self, name)
        plain: Any = Selector
        self.__class__ = plain

    def reset(self) -> None:
        # The loop was closed, maybe by a test that does not end in order, for example after debug().
        self.detach()
        self.reset()

    def get_map(self) -> Mapping[Any, SelectorKey]:
        return self._watched

    def get_key(self, fileobj: Any) -> SelectorKey:
        try:
            return self._watched[fileobj]
        except KeyError:
            raise KeyError(f"{fileobj!r} is not registered") from None

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        number = _number(fileobj)
        if number < FIRST:
            return super().register(fileobj, events, data)
        if number in self._keys:
            raise KeyError(f"{fileobj!r} (FD {number}) is already registered")
        sock = by_number[number]
        changed = self._changed
        sock.watch(lambda: changed.setdefault(number))
        self._sockets[number] = weakref.ref(sock)
        return self._watch(fileobj, number, events, data)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        number = _number(fileobj)
        if number < FIRST:
            return super().modify(fileobj, events, data)
        return self._watch(fileobj, number, events, data)

    def _watch(self, fileobj: Any, number: int, events: int, data: Any) -> SelectorKey:
        key = self._keys[number] = SelectorKey(fileobj, number, events, data)
        self._changed[number] = None
        return key

    def unregister(self, fileobj: Any) -> SelectorKey:
        number = _number(fileobj)
        if number < FIRST:
            return super().unregister(fileobj)
        key = self._keys.pop(number)
        self._changed.pop(number, None)
        self._leave(number)
        del self._sockets[number]
        return key

    def _leave(self, number: int) -> None:
        sock = self._sockets[number]()
        if sock is not None:
            sock.watch(nothing)

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        ready = self._ready() if self._changed else []
        if not ready:
            return super().select(timeout)
        if self.has_no_files():
            # No file but the one by which other threads wake a loop that sleeps: this one does not.
            self.until_alarm(0)
            return ready
        return ready + super().select(0)

    def _ready(self) -> list[tuple[SelectorKey, int]]:
        """Return the sockets that are ready. The others are looked at when they change."""
        ready = []
        for number in list(self._changed):
            found = self._sockets.get(number)
            sock = None if found is None else found()
            if sock is not None:
                key = self._keys[number]
                events = sock.ready(key.events)
                if events:
                    ready.append((key, events))
                    continue
            del self._changed[number]
        return ready

    def has_events(self, timeout: float = 0) -> bool:
        return bool(self._changed and self._ready()) or super().has_events(timeout)

    def deliveries(self) -> list[tuple[Any, str]]:
        return list(self._find_deliveries())

    def has_nothing_to_do(self, loop: Any) -> bool:
        return not self._keys and super().has_nothing_to_do(loop)
