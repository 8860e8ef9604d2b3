"""Records the requests, responses and messages of websockets of a test."""

# Tested by tests/trace/test_recorder.py.

import asyncio
import weakref
from collections import deque
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.websocket import WebSocketProtocol13

from asynctest_tornado._trace.recorder import ARRIVED, SENT, Event, Lane, Recorder
from asynctest_tornado._util.patching import Patch, Patches

__unittest = True

#: The addresses of the client and of the server.
_Ends = tuple[Any, Any]
#: The most characters of a message that a trace has.
_LONGEST = 60
#: The most messages that are known to be on their way in one direction.
_MOST_UNDERWAY = 1000
_TEXT, _BINARY, _CLOSE = 1, 2, 8


class _Exchange:
    """A request, its response, and the messages of its websocket."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        #: The events in which messages were sent to the server, and to the client.
        self.to_server: deque[Event] = deque(maxlen=_MOST_UNDERWAY)
        self.to_client: deque[Event] = deque(maxlen=_MOST_UNDERWAY)


#: The exchanges of each connection, by the recorder.
_exchanges: "weakref.WeakKeyDictionary[Recorder, dict[_Ends, _Exchange]]" = weakref.WeakKeyDictionary()


def _recorder() -> Recorder | None:
    """Return the recorder of the loop that runs, or None."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    found: Recorder | None = getattr(loop, "_asynctest_recorder", None)
    return found


def _ends(stream: Any, is_client: bool) -> _Ends:
    """Return the ends of a connection; its stream, if it does not say."""
    try:
        own, other = stream.socket.getsockname()[:2], stream.socket.getpeername()[:2]
    except (AttributeError, OSError, TypeError):
        return id(stream), None
    return (own, other) if is_client else (other, own)


def _record(recorder: Recorder, stream: Any, is_client: bool, is_sent: bool, text: str, request: str = "") -> None:
    """Record a message.

    :param is_client: True at the client's end.
    :param request: the name of a request that begins.
    """
    known = _exchanges.setdefault(recorder, {})
    ends = _ends(stream, is_client)
    exchange = known.get(ends)
    # A request that arrives has begun at the client, unless that is another program.
    is_new = bool(request) and (is_sent or exchange is None or not exchange.to_server)
    if exchange is None or is_new:
        exchange = known[ends] = _Exchange(recorder.new_request(request or text))
    event = recorder.add(SENT if is_sent else ARRIVED, recorder.cause(), text)
    event.lane = exchange.lane
    underway = exchange.to_server if is_client == is_sent else exchange.to_client
    if is_sent:
        underway.append(event)
    elif underway:
        sent = underway.popleft()
        # The one that arrives may be compressed.
        event.message, event.text = sent.number, sent.text


def _text_of(start_line: Any, headers: Any) -> tuple[str, str]:
    """Return the text for the first line of a message, and the name of the request if it is one."""
    if isinstance(start_line, RequestStartLine):
        name = f"{start_line.method} {headers.get('Host', '')}{start_line.path}"
        return name, name
    return f"{start_line.code} {start_line.reason}", ""


def _write_headers(self: Any, start_line: Any, headers: Any, *args: Any, **kwargs: Any) -> Any:
    recorder = _recorder() if _writing.is_active else None
    if recorder is not None and isinstance(start_line, RequestStartLine | ResponseStartLine):
        _record(recorder, self.stream, self.is_client, True, *_text_of(start_line, headers))
    return _writing.found(self, start_line, headers, *args, **kwargs)


class _Delegate(HTTPMessageDelegate):
    """Stands before the delegate of a message that arrives."""

    def __init__(self, delegate: HTTPMessageDelegate, connection: HTTP1Connection, recorder: Recorder) -> None:
        self._delegate = delegate
        self._connection = connection
        self._recorder = recorder

    def headers_received(self, start_line: Any, headers: Any) -> Any:
        connection: Any = self._connection
        text, request = _text_of(start_line, headers)
        _record(self._recorder, connection.stream, connection.is_client, False, text, request)
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()


def _read_response(self: Any, delegate: Any) -> Any:
    recorder = _recorder() if _reading.is_active else None
    return _reading.found(self, delegate if recorder is None else _Delegate(delegate, self, recorder))


def _shown(data: Any) -> str:
    text = repr(data[: _LONGEST + 1] if isinstance(data, str | bytes) else data)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _write_frame(self: Any, fin: Any, opcode: int, data: bytes, *args: Any, **kwargs: Any) -> Any:
    recorder = _recorder() if _framing.is_active else None
    if recorder is not None and opcode == _CLOSE:
        _record(recorder, self.stream, self.mask_outgoing, True, _close(data))
    return _framing.found(self, fin, opcode, data, *args, **kwargs)


def _close(data: bytes) -> str:
    return f"close {int.from_bytes(data[:2], 'big')}" if len(data) >= 2 else "close"


def _write_message(self: Any, message: Any, *args: Any, **kwargs: Any) -> Any:
    recorder = _recorder() if _sending.is_active else None
    if recorder is not None:
        _record(recorder, self.stream, self.mask_outgoing, True, f"message {_shown(message)}")
    return _sending.found(self, message, *args, **kwargs)


def _handle_message(self: Any, opcode: int, data: Any) -> Any:
    recorder = _recorder() if _handling.is_active else None
    if recorder is not None and opcode in (_TEXT, _BINARY, _CLOSE):
        _record(recorder, self.stream, self.mask_outgoing, False, _arriving(self, opcode, data))
    return _handling.found(self, opcode, data)


def _arriving(protocol: Any, opcode: int, data: bytes) -> str:
    """Return the text for a frame of a peer that is no part of the test."""
    if opcode == _CLOSE:
        return _close(data)
    if getattr(protocol, "_frame_compressed", False):
        return f"message of {len(data):,} compressed bytes"
    return f"message {_shown(data[:_LONGEST].decode(errors='replace') if opcode == _TEXT else data)}"


_writing = Patch(HTTP1Connection, "write_headers", _write_headers)
_reading = Patch(HTTP1Connection, "read_response", _read_response)
_framing = Patch(WebSocketProtocol13, "_write_frame", _write_frame)
_sending = Patch(WebSocketProtocol13, "write_message", _write_message)
_handling = Patch(WebSocketProtocol13, "_handle_message", _handle_message)
#: In from the first test with a trace to the end of the run. To change the classes for each test would cost more than
#: the rest of the trace of an empty test, because CPython then forgets how it looks their methods up.
_all = [_writing, _reading, _framing, _sending, _handling]
_patches = Patches()
_patches.add(_all)


def begin() -> None:
    """Record messages of loops that have a recorder, up to the end of the run."""
    if _patches.are_in:
        Patch.put_in_again(_all)
    else:
        _patches.look()
        _patches.put_in()


def end(recorder: Recorder) -> None:
    """Forget the messages of a recorder."""
    if _exchanges:
        _exchanges.pop(recorder, None)


def end_run() -> None:
    """Take the patches back."""
    _patches.take_back()
