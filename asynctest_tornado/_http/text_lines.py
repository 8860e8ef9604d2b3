"""Splits text that arrives in chunks of bytes into lines."""

# Tested by tests/http/test_server_sent_events.py.

import codecs
import re

__unittest = True

_LINE_END = re.compile("\r\n|\r|\n")


class Lines:
    """The lines of a stream of bytes. A line ends with LF, CR or both, and has no line end itself.

    :param encoding: the encoding of the text.
    :param errors: ``"strict"`` to raise ``UnicodeDecodeError`` for bytes that are wrong, or ``"replace"``.

    Raises ``LookupError`` for an unknown encoding.
    """

    def __init__(self, encoding: str, errors: str = "strict") -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        #: The line that has no end yet, in parts: it may be long.
        self._unfinished: list[str] = []
        #: True if the latest character was a CR: an LF that comes next belongs to it.
        self._is_after_cr = False

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that end in a chunk."""
        return self._split(self._decoder.decode(chunk))

    def end(self) -> list[str]:
        """Return the last lines, also if the last one has no line end."""
        lines = self._split(self._decoder.decode(b"", True))
        rest = "".join(self._unfinished)
        self._unfinished.clear()
        return [*lines, rest] if rest else lines

    @property
    def has_unfinished(self) -> bool:
        """True if a line has begun, and its end is still to come."""
        return bool(self._unfinished)

    def _split(self, text: str) -> list[str]:
        if not text:
            return []
        if self._is_after_cr:
            text = text.removeprefix("\n")
        # Not held back until the next character is known, which may be long in coming.
        self._is_after_cr = text.endswith("\r")
        first, *lines = _LINE_END.split(text)
        if first:
            self._unfinished.append(first)
        if not lines:
            return []
        lines.insert(0, "".join(self._unfinished))
        last = lines.pop()
        self._unfinished = [last] if last else []
        return lines
