"""Show the test that runs, on a terminal, once it takes longer than a second."""

import re
import shutil
import threading
import unicodedata
import unittest
from typing import Any, TextIO

from asynctest_tornado._timeouts import watchdog
from asynctest_tornado._util import debuggers
from asynctest_tornado._util.real_time import monotonic
from asynctest_tornado._util.stacks import stack_of

__unittest = True

#: Seconds after which a test is shown, and between two updates of its line.
INTERVAL = 1.0
_WIPE = "\r\x1b[K"
#: A character, with the colours before it, which unittest has from Python 3.14 on.
_COLUMN = re.compile(r"(?:\x1b\[[\d;]*m)*[^\x1b]")


class Progress:
    """One line at the bottom of a terminal, and the stream for unittest to print on meanwhile.

    The line covers the line that unittest is just writing, and uncovers it again. The thread of the watchdog writes it:
    another thread would look like one that a test waits for.

    :param stream: the terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        # The last line, as far as unittest has written it.
        self._line = ""
        self._is_shown = False
        self._running: tuple[unittest.TestCase, float, int] | None = None
        self.when = monotonic() + INTERVAL

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text of unittest."""
        with self._lock:
            self._wipe()
            _, newline, last = text.rpartition("\n")
            self._line = last if newline else self._line + last
            return self._stream.write(text)

    def open(self) -> None:
        """Begin to show tests that take long."""
        watchdog.start(self)

    def close(self) -> None:
        """Show no more tests."""
        watchdog.stop(self)
        self.end_test()

    def begin_test(self, test: unittest.TestCase) -> None:
        """Record that a test begins."""
        self._running = (test, monotonic(), threading.get_ident())

    def end_test(self) -> None:
        """Record that the test has ended."""
        with self._lock:
            self._running = None
            self._wipe()

    def look(self) -> None:
        """Show the test that runs, if it has taken long enough."""
        now = monotonic()
        self.when = now + INTERVAL
        with self._lock:
            running = self._running
            if running is None:
                return
            test, began, thread = running
            if debuggers.have_stopped(stack_of(thread)):
                return  # a developer types into the debugger
            if now - began >= INTERVAL:
                self._show(f"{test.id()}: {now - began:.0f} s")
            else:
                self.when = began + INTERVAL

    def _show(self, text: str) -> None:
        width = shutil.get_terminal_size().columns
        self._stream.write(f"{_WIPE}{_cut(text, width - 1)}")
        self._stream.flush()
        self._is_shown = True

    def _wipe(self) -> None:
        if self._is_shown:
            self._is_shown = False
            width = shutil.get_terminal_size().columns
            # If the line goes on in further rows, the last row was covered.
            columns = [match.start() for match in _COLUMN.finditer(self._line)]
            covered = self._line[columns[(len(columns) - 1) // width * width] :] if columns else ""
            self._stream.write(f"{_WIPE}{covered}")
            self._stream.flush()


def _columns(text: str) -> int:
    return len(text) + sum(unicodedata.east_asian_width(each) in "WF" for each in text)


def _cut(text: str, width: int) -> str:
    """Return the end of a text, if it is too wide: the name of the test and the time are there."""
    if _columns(text) <= width:
        return text
    place = len("...")
    while place < len(text) and _columns(text[place:]) > width - len("..."):
        place += 1
    return f"...{text[place:]}"[: max(width, 0)]
