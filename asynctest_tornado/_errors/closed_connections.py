"""Whether an error is a consequence of connections that the end of a test has closed.

Such an error is known by where it was raised: by code that reads, writes or connects, once the closing has begun. Code
of the user that raises an error of the same class, because it was cancelled for example, fails for a reason of its own.
"""

import asyncio
import concurrent.futures.thread
import dis
import re
import ssl
import types
from collections.abc import Iterator

from tornado.httpclient import HTTPClientError
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.util import TimeoutError as TornadoTimeoutError
from tornado.websocket import WebSocketClosedError

from asynctest_tornado._util import exceptions
from asynctest_tornado._util.tracebacks import USER, owner_of
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

#: The modules that read, write and connect: all that these raise, once it is closed, is about a connection.
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


def note(error: BaseException) -> None:
    """Note for good that an error is such a consequence.

    Another future may fail of the same one, as that of ``gather`` does, and surface while a later test runs.
    """
    if not _noted.note(error, True):
        _keep(error)


def is_noted(error: BaseException) -> bool:
    """Return whether an error has been noted as such a consequence: the same object, and no copy of it."""
    return _noted.of(error, False) or exceptions.attributes_of(error).get(_NAME) == id(error)


def keep_notes() -> None:
    """Keep what has been noted as attributes, now that the code of the test is over and cannot see these.

    Before it drops a future whose error surfaces by that, the garbage collector clears weak references to the error.
    """
    for error, _ in _noted.known():
        _keep(error)
    _noted.clear()


def _keep(error: BaseException) -> None:
    exceptions.attributes_of(error)[_NAME] = id(error)


def is_consequence(error: BaseException, can_cut_off: bool) -> bool:
    """Return whether an error comes of a closed connection, given that it was raised after the closing had begun.

    :param can_cut_off: whether the user's code may have found out, and raised it: it was under way.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(is_consequence(each, can_cut_off) for each in error.exceptions)
    return any(_is_of_connection(each, can_cut_off) for each in _translated(error))


def says_so(error: BaseException) -> bool:
    """Return whether an error says that a connection is closed or lost, wherever it was raised."""
    if isinstance(error, (ConnectionError, EOFError, StreamClosedError, WebSocketClosedError, ssl.SSLError)):
        return True
    if isinstance(error, HTTPClientError):
        return error.code >= 500  # 599 without a response; and what the server says of a handler that was cancelled
    if isinstance(error, RuntimeError):
        return "closed" in str(error) or "closing" in str(error)
    return any(_NAMES.search(cls.__name__) for cls in type(error).__mro__)


def _is_of_connection(error: BaseException, can_cut_off: bool) -> bool:
    if isinstance(error, (TimeoutError, TornadoTimeoutError, HTTPTimeoutError, AssertionError)):
        return False
    place = None
    tb = error.__traceback__
    while tb is not None:
        if tb.tb_frame.f_code.co_filename == _POOL:
            return False  # a thread goes on, whatever becomes of the loop
        place, tb = tb, tb.tb_next
    if place is not None and _CONNECTIONS.match(str(place.tb_frame.f_globals.get("__name__"))):
        return True
    if not says_so(error):
        return False
    # What a future or a function of C has raised has no other frame than that of its caller. And the user's protocol
    # may say in its own words that the other end is gone; but not because it was cancelled.
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
    """Return the error, and those that it stands for: it was raised because of them, by a statement to that purpose.

    A mistake in the code that handles an error stands for nothing but itself.
    """
    for each in _contexts(error):
        yield each
        place = each.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        if isinstance(each, AssertionError) or place is None or not _is_at_raise(place):
            return
