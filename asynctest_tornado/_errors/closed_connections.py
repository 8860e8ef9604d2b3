"""Errors that follow from the connections that the end of a test closes.

The place where an error was raised identifies it: code that reads, writes or connects, once the closing has begun. If
the user's code raises an error of the same class, for example because it was cancelled, it fails for its own reason.
"""

import asyncio
import concurrent.futures.thread
import dis
import re
import ssl
import threading
import types
import weakref
from collections.abc import Iterable, Iterator, Sequence
from sys import _getframe  # a test may replace it
from typing import Any

from tornado.httpclient import HTTPClientError
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.util import TimeoutError as TornadoTimeoutError
from tornado.websocket import WebSocketClosedError

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._util import exceptions
from asynctest_tornado._util.tracebacks import USER, owner_of
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

#: The modules that read, write and connect: once connections are closed, all errors of these modules are about that.
_CONNECTIONS = re.compile(
    r"tornado\.(iostream|http1connection|httpserver|httpclient|simple_httpclient|curl_httpclient|tcpclient|tcpserver"
    r"|netutil|websocket)$|asyncio\.(streams|selector_events|proactor_events|unix_events|windows_events|base_events"
    r"|sslproto|transports)$|(ssl|socket)$"
)
#: The names of exceptions by which packages say that a connection is lost.
_NAMES = re.compile(r"Connect(ion|Error)|Disconnect|Closed")
#: The instruction of the statement ``raise``.
_RAISE = dis.opmap.get("RAISE_VARARGS", -1)
_POOL = concurrent.futures.thread.__file__
#: The errors that have been noted in a test that is not over yet.
_noted: WeakNotes[bool] = WeakNotes()
_NAME = "_asynctest_cut_off"


class Closing:
    """The end of a test, as far as it closes connections, which it does from now on: which errors it causes.

    An error that surfaces in another thread is none of these: threads go on as if nothing had happened.

    :param failed_before: errors that have happened, and that no code has seen yet.
    :param under_way: tasks and futures that have not ended, and may use these connections.
    """

    def __init__(self, failed_before: Sequence[BaseException], under_way: "Iterable[asyncio.Future[Any]]") -> None:
        self._is_cutting_off = True
        # The thread that closes them, during that.
        self._thread: int | None = threading.get_ident()
        self._failed_before = failed_before
        self._under_way = [weakref.ref(future) for future in under_way]

    @property
    def is_under_way(self) -> bool:
        """True while the connections of the test are being closed."""
        return self._thread is not None

    def have_cut_off(self) -> None:
        """All code that uses these connections was cut off by now. It may go on to fail of that."""
        self._is_cutting_off = False

    def end(self) -> None:
        """The test is over: later errors have other reasons."""
        if self._thread is not None:
            for error in [getattr(reference(), "_exception", None) for reference in self._under_way]:
                if contexts.is_error(error):
                    self.has_caused(error)  # it is noted, for a gather() that has failed of it
            _keep_notes()
            self._thread = None
            self._is_cutting_off = False
            self._failed_before, self._under_way = (), []

    def has_caused(self, error: BaseException) -> bool:
        """Return true if an error follows from the closing, and note it then."""
        if self._thread != threading.get_ident() or any(each is error for each in self._failed_before):
            return False
        can_cut_off = (self._is_cutting_off and not _runs_timer()) or self._was_under_way(error)
        has_caused = is_consequence(error, can_cut_off)
        if has_caused:
            note(error)
        return has_caused

    def _was_under_way(self, error: BaseException) -> bool:
        """Return true if a task or future has failed of this error that was begun before the closing."""
        futures = [reference() for reference in self._under_way]
        return any(getattr(future, "_exception", None) is error for future in futures)


#: The key for the `Closing` in the data of a trap.
CLOSING: Any = object()


def comes_of_closing(trap: Trap, error: BaseException) -> bool:
    """Return true if the end of the test has caused the error, because it closes connections still in use."""
    closing: Closing | None = trap.data.get(CLOSING)
    return closing is not None and closing.has_caused(error)


def note(error: BaseException) -> None:
    """Note for good that an error follows from closed connections.

    Another future may fail of the same one, for example the future of ``gather``, and surface while a later test runs.
    """
    if not _noted.note(error, True):
        _keep(error)


def is_noted(error: BaseException) -> bool:
    """Return true if this very object, and no copy of it, has been noted."""
    return _noted.of(error, False) or exceptions.attributes_of(error).get(_NAME) == id(error)


def _keep_notes() -> None:
    """Turn the notes into attributes, now that the code of the test is over and cannot see these.

    The garbage collector clears weak references to an error before it drops the future whose error surfaces by that.
    """
    for error, _ in _noted.known():
        _keep(error)
    _noted.clear()


def _keep(error: BaseException) -> None:
    exceptions.attributes_of(error)[_NAME] = id(error)


def is_consequence(error: BaseException, can_cut_off: bool) -> bool:
    """Return true if an error comes of a closed connection, given that it was raised after the closing had begun.

    :param can_cut_off: True if the user's code may have found out, and raised it, because it was under way.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(is_consequence(each, can_cut_off) for each in error.exceptions)
    return any(_is_of_connection(each, can_cut_off) for each in _translated(error))


def says_so(error: BaseException) -> bool:
    """Return true if an error says that a connection is closed or lost, wherever it was raised."""
    if isinstance(error, (ConnectionError, EOFError, StreamClosedError, WebSocketClosedError, ssl.SSLError)):
        return True
    if isinstance(error, HTTPClientError):
        return error.code >= 500  # 599 without a response; 500 if the handler was cancelled
    if isinstance(error, RuntimeError):
        return "closed" in str(error) or "closing" in str(error)
    return any(_NAMES.search(cls.__name__) for cls in type(error).__mro__)


def _runs_timer() -> bool:
    """Return true in the callback of a timer, which is called because its delay is over, and not by a connection."""
    run = getattr(asyncio.Handle, "_run", None)
    code = getattr(run, "__code__", None)
    frame: types.FrameType | None = _getframe()
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None and isinstance(frame.f_locals.get(frame.f_code.co_varnames[0]), asyncio.TimerHandle)


def _is_of_connection(error: BaseException, can_cut_off: bool) -> bool:
    if isinstance(error, (TimeoutError, TornadoTimeoutError, HTTPTimeoutError, AssertionError)):
        return False
    place = None
    tb = error.__traceback__
    while tb is not None:
        if tb.tb_frame.f_code.co_filename == _POOL:
            return False  # a thread goes on when the loop ends
        place, tb = tb, tb.tb_next
    if place is not None and _CONNECTIONS.match(str(place.tb_frame.f_globals.get("__name__"))):
        return True
    if not says_so(error):
        return False
    # An error of a future or of a function in C has no frame but its caller's. And the user's protocol may say in its
    # own words that the other end is gone; but not because it was cancelled.
    if place is None or not _is_raised_by_user(place):
        return True
    return can_cut_off and not _comes_of_cancellation(error)


def _is_raised_by_user(place: types.TracebackType) -> bool:
    return _is_at_raise(place) and owner_of(place.tb_frame) is USER


def _is_at_raise(place: types.TracebackType) -> bool:
    return place.tb_frame.f_code.co_code[place.tb_lasti] == _RAISE


def _comes_of_cancellation(error: BaseException) -> bool:
    return any(isinstance(each, (asyncio.CancelledError, GeneratorExit)) for each in _contexts(error))


def _contexts(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _translated(error: BaseException) -> Iterator[BaseException]:
    """Return the error, and the errors that it stands for: a ``raise`` statement has raised it because of them.

    A mistake in the code that handles an error stands for nothing but itself.
    """
    for each in _contexts(error):
        yield each
        place = each.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        if isinstance(each, AssertionError) or place is None or not _is_at_raise(place):
            return
