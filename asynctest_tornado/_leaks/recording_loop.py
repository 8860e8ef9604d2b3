"""Records the objects that a test makes by methods of its loop."""

# Tested by tests/leaks/test_search.py.

import asyncio
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors import contexts, made_objects
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._leaks import spawned
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._util import origins
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

#: The callback of the timers of ``asyncio.sleep``: they are its own, and the most frequent timers.
_END_OF_SLEEP: Any = getattr(asyncio.futures, "_set_result_unless_cancelled", None)
_FUTURES, _HANDLERS = object(), object()


def lines_of_futures(trap: Trap) -> WeakNotes[origins.Origin]:
    """Return the futures that the user has made on the loop of a test, with the line that made each."""
    lines: WeakNotes[origins.Origin] | None = trap.data.get(_FUTURES)
    if lines is None:
        lines = trap.data.setdefault(_FUTURES, WeakNotes())
    return lines


class FileHandler:
    """A function that a loop calls for a file: asyncio itself keeps none that can be referred to weakly.

    :param fd: the number of the file.
    """

    def __init__(self, fd: int, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.fd = fd
        self.callback = callback
        self.args = args


class RecordingLoop(WatchedLoop):
    """The methods of a watched loop that make something for a test."""

    def record_future(self, future: "asyncio.Future[Any]", chain: contexts.Chain) -> bool:
        super().record_future(future, chain)
        origin = origins.find(origins.FUTURES)
        if origin is origins.LIBRARY:
            return False
        if origin is None:
            origin = spawned.line_of_running()
        lines_of_futures(self._asynctest.trap).note(future, origin)
        return True

    def call_at(self, when: float, callback: Any, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        timer: asyncio.TimerHandle = super().call_at(when, callback, *args, **kwargs)
        if callback is not _END_OF_SLEEP:
            made_objects.record(timer, origins.TIMERS)
        return timer

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:  # type: ignore[override]
        handle = super().add_reader(fd, callback, *args)
        self._record_file(fd, False, callback, args)
        return handle

    def add_writer(self, fd: Any, callback: Any, *args: Any) -> Any:  # type: ignore[override]
        handle = super().add_writer(fd, callback, *args)
        self._record_file(fd, True, callback, args)
        return handle

    def remove_reader(self, fd: Any) -> Any:
        self._drop_file(fd, False)
        return super().remove_reader(fd)

    def remove_writer(self, fd: Any) -> Any:
        self._drop_file(fd, True)
        return super().remove_writer(fd)

    def _record_file(self, file: Any, is_write: bool, callback: Any, args: tuple[Any, ...]) -> None:
        """Record a function that the loop calls for a file, for a method of the loop."""
        origin = origins.find(origins.FILES, depth=3)
        if origin is not origins.LIBRARY:
            fd = _number(file)
            handler = FileHandler(fd, callback, args)
            made_objects.record_made_at(handler, origin)
            self._asynctest.trap.data.setdefault(_HANDLERS, {})[fd, is_write] = handler

    def _drop_file(self, file: Any, is_write: bool) -> None:
        handlers = self._asynctest.trap.data.get(_HANDLERS)
        if handlers is not None:
            handlers.pop((_number(file), is_write), None)

    def _asyncgen_firstiter_hook(self, agen: Any) -> None:
        super()._asyncgen_firstiter_hook(agen)  # type: ignore[misc]
        made_objects.record(agen, origins.STREAMS)


def _number(file: Any) -> int:
    return file if isinstance(file, int) else file.fileno()


def _record_connections() -> None:
    """Let the coroutines of a loop that open connections record these."""
    for name in _OPENING:

        async def open_and_record(self: Any, *args: Any, _name: str = name, **kwargs: Any) -> Any:
            opened = await getattr(super(RecordingLoop, self), _name)(*args, **kwargs)
            made_objects.record(opened[0] if isinstance(opened, tuple) else opened, origins.STREAMS)
            return opened

        setattr(RecordingLoop, name, open_and_record)


#: They return a server, or a tuple that begins with a transport.
_OPENING = (
    "create_connection",
    "create_unix_connection",
    "create_server",
    "create_unix_server",
    "create_datagram_endpoint",
    "connect_read_pipe",
    "connect_write_pipe",
    "connect_accepted_socket",
)

_record_connections()
