"""Shows on a terminal how far the search for an order has come."""

# Tested by tests/search/test_repeat_all.py.

import sys
from collections.abc import Callable

from asynctest_tornado._util.real_time import monotonic

__unittest = True

#: Seconds between two updates.
INTERVAL = 1.0
#: Writes a text behind the cursor, cut off at the end of the line, and wipes it.
_SHOW = "\x1b7\x1b[?7l\x1b[K  ({})\x1b[?7h\x1b8"
_WIPE = "\x1b[K"


class ProgressLine:
    """A text behind the cursor, updated once a second. It is not shown if standard error is no terminal."""

    def __init__(self) -> None:
        self._stream = sys.stderr if sys.stderr is not None and sys.stderr.isatty() else None
        self._when = monotonic() + INTERVAL
        self._is_shown = False

    def show(self, text: Callable[[], str]) -> None:
        """Show a text, if it is time to update the line.

        :param text: returns the text.
        """
        if self._stream is None or monotonic() < self._when:
            return
        self._when = monotonic() + INTERVAL
        self._is_shown = True
        self._stream.write(_SHOW.format(text()))
        self._stream.flush()

    def wipe(self) -> None:
        """Take the text from the terminal."""
        if self._stream is not None and self._is_shown:
            self._stream.write(_WIPE)
            self._stream.flush()
            self._is_shown = False
