"""The log records of one test, as its report shows them."""

# Tested by tests/logs/test_recording.py.

import copy
import logging
import re
import textwrap
from collections.abc import Collection
from typing import Any

from asynctest_tornado._logs import mocks
from asynctest_tornado._util.exception_notes import text_of
from asynctest_tornado._util.tracebacks import OURS, owner_of_file

__unittest = True

#: How many records a report shows: the last ones.
MOST_SHOWN = 100
#: The key of an exception: its identity alone may be the identity of a later one.
Key = tuple[int, str]
_plain = logging.Formatter()


def key_of(error: BaseException) -> Key:
    """Return the key by which a report knows an exception, without keeping it alive."""
    # Not its notes, which come later.
    return id(error), f"{type(error).__qualname__}: {text_of(error)}"


class Entry:
    """A log record, in a form that keeps neither arguments nor frames alive.

    :param record: the record as it was logged.

    Raises the exception of an argument that cannot be formatted.
    """

    __slots__ = ("_line", "_traceback", "error", "is_shown", "record")

    def __init__(self, record: logging.LogRecord) -> None:
        self.record = copied = copy.copy(record)
        mocks.replace(copied)
        message = copied.getMessage()
        copied.msg = copied.message = message
        copied.args = None
        info: Any = record.exc_info
        #: The key of the exception that is logged, if there is one.
        self.error: Key | None = None
        self._traceback = ""
        if isinstance(info, tuple) and isinstance(info[1], BaseException):
            self.error = key_of(info[1])
            # Not the text that a formatter of the user has left in the record.
            self._traceback = copied.exc_text = _plain.formatException(info)
            copied.exc_info = (info[0], None, None)  # true, and without frames
        elif info:
            copied.exc_info = None
        # If this library is the caller, as of a cleanup that logs, the line is of no interest.
        place = "" if owner_of_file(record.pathname) is OURS else f":{record.filename}:{record.lineno}"
        # As pytest has it.
        self._line = f"{record.levelname:<8} {record.name}{place} {message}"
        if record.stack_info:
            self._line += f"\n{record.stack_info}"
        #: True if another part of the report has the record, or will have it.
        self.is_shown = False

    def as_unittest_shows_it(self) -> str:
        """Return the record in the form of ``assertLogs``, ``assertNoLogs`` and `ExpectLog`."""
        return f"{self.record.levelname}:{self.record.name}:{self.record.msg}"

    def text(self, has_traceback: bool = True) -> str:
        """Return the line of the record, with the traceback of its exception if asked for."""
        return f"{self._line}\n{self._traceback}" if has_traceback and self._traceback else self._line


class Recorded:
    """The log records of one test."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        #: True if the test is over, and its tasks are about to be cancelled.
        self.is_ending = False
        #: How many of the entries an earlier part of the report has, or has left out.
        self._reported = 0

    def clear(self) -> None:
        """Drop the records so far."""
        self.entries.clear()
        self._reported = 0

    def section(self, errors: Collection[Key], said: str = "") -> str:
        """Return a text with the records since the last call; empty if there is none to show.

        :param errors: the exceptions that the report shows: their tracebacks are not shown again.
        :param said: the text of the failure, with its notes. It may be about records, and show these.
        """
        count = len(self.entries)
        new, self._reported = self.entries[self._reported : count], count
        shown = [each for each in new if not (each.is_shown or each.as_unittest_shows_it() in said)]
        shown = _without_responses(shown, said)
        texts = [each.text(has_traceback=each.error not in errors) for each in shown]
        if not texts:
            return ""
        left_out = len(texts) - MOST_SHOWN
        first = [f"({left_out} earlier records are not shown)"] if left_out > 0 else []
        lines = [textwrap.indent(each, "  ") for each in first + texts[-MOST_SHOWN:]]
        return "\n".join(("Logged by the test:", *lines))


#: A line of Tornado's access log.
_ACCESS = re.compile(r"(\d{3}) ([A-Z]+) (\S+) \(")
#: How the hints begin that stand for errors of TLS.
_OF_TLS = ("The server speaks HTTPS: ", "The server has the test certificate, ")


def _without_responses(entries: list[Entry], said: str) -> list[Entry]:
    """Leave out the latest record of each response that the failure is about, and the errors of TLS that it explains.

    :param said: the text of the failure, with its notes.
    """
    kept: list[Entry] = []
    known: set[tuple[str, str, str]] = set()
    is_about_tls = any(hint in said for hint in _OF_TLS)
    for entry in reversed(entries):
        name, message = entry.record.name, str(entry.record.msg)
        access = _ACCESS.match(message) if name == "tornado.access" else None
        response = None if access is None else (access[1], access[2], access[3])
        if response is not None and response not in known and _is_response_of(*response, said):
            known.add(response)
        elif not (is_about_tls and name == "tornado.general" and message.startswith("SSL Error on ")):
            kept.append(entry)
    return kept[::-1]


def _is_response_of(code: str, method: str, uri: str, said: str) -> bool:
    """Return whether the text of a failure names a response."""
    path = re.escape(uri)
    if re.search(rf"^While serving {method} {path} by ", said, re.MULTILINE):
        return code == "500"
    request = rf"(?:\b{method} https?|\bwebsocket wss?)://[^/\s]+{path}(?=[.,:;]?(?:\s|$))"
    return re.search(rf"\b{code}\b", said) is not None and re.search(request, said) is not None
