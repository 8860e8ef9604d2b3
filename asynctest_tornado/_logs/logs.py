"""Logs: the log records of a test, for its assertions."""

import contextlib
import logging
from collections.abc import Generator, Sequence
from typing import Any, overload

from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._logs import recording
from asynctest_tornado._logs.recorded import Entry

__unittest = True


class LogRecords(Sequence[logging.LogRecord]):
    """Log records, the first one first. The names are those of pytest's ``caplog``.

    A record is a copy, whose ``msg`` is the formatted message: ``args`` is None, and of ``exc_info`` only the class of
    the exception is left, beside its traceback as text, ``exc_text``. So no record keeps an object of the test alive,
    except the values that the test gives by ``extra``.

    New in version 0.1.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> logging.LogRecord: ...
    @overload
    def __getitem__(self, index: slice) -> list[logging.LogRecord]: ...
    def __getitem__(self, index: Any) -> Any:
        return self.records[index]

    def __repr__(self) -> str:
        return f"<{len(self)} log records{':' if self else ''}\n{self.text}>" if self else "<no log records>"

    @property
    def records(self) -> list[logging.LogRecord]:
        """The records as a list. New in version 0.1."""
        return [each.record for each in list(self._entries)]

    @property
    def messages(self) -> list[str]:
        """The messages, without level and logger. New in version 0.1."""
        return [each.record.getMessage() for each in list(self._entries)]

    @property
    def text(self) -> str:
        """All records as the report of a failure has them, tracebacks included. New in version 0.1."""
        return "".join(f"{each.text()}\n" for each in list(self._entries))

    @property
    def record_tuples(self) -> list[tuple[str, int, str]]:
        """The name of the logger, the level as a number, and the message of each record. New in version 0.1."""
        return [(each.name, each.levelno, each.getMessage()) for each in self.records]

    def filter(self, logger: str | None = None, level: int | str | None = None) -> "LogRecords":
        """Return the records of a logger, or of a level, or both.

        :param logger: the name of a logger; the loggers below it count as well.
        :param level: the lowest level, such as ``logging.WARNING`` or ``"WARNING"``.

        Raises ``ValueError`` for a level that does not exist.

        New in version 0.1.
        """
        lowest = logging.NOTSET if level is None else _level(level)
        return LogRecords(
            [
                each
                for each in list(self._entries)
                if each.record.levelno >= lowest
                and (not logger or each.record.name == logger or each.record.name.startswith(f"{logger}."))
            ]
        )


class Logs(LogRecords):
    """The records of a test so far, and the levels of loggers during the test.

    New in version 0.1.
    """

    def __init__(self, harness: Any) -> None:
        self._harness: Harness = harness
        self._recorded = recording.of(harness.trap)
        super().__init__(self._recorded.entries)

    def clear(self) -> None:
        """Drop the records so far: the report of a failure does not show them either. New in version 0.1."""
        self._recorded.clear()

    def set_level(self, level: int | str, logger: str | None = None) -> None:
        """Set the level of a logger up to the end of the test.

        :param level: the lowest level that is logged, such as ``logging.DEBUG`` or ``"DEBUG"``.
        :param logger: the name of the logger; by default, the root logger.

        Raises ``ValueError`` for a level that does not exist.

        As ``caplog.set_level`` of pytest. New in version 0.1.
        """
        found = logging.getLogger(logger)
        before = found.level
        found.setLevel(_level(level))
        self._harness.resources.callback(found.setLevel, before)

    @contextlib.contextmanager
    def at_level(self, level: int | str, logger: str | None = None) -> Generator[None, None, None]:
        """Set the level of a logger for a block, as `set_level` does.

        As ``caplog.at_level`` of pytest. New in version 0.1.
        """
        found = logging.getLogger(logger)
        before = found.level
        found.setLevel(_level(level))
        try:
            yield
        finally:
            found.setLevel(before)


def _level(level: int | str) -> int:
    if isinstance(level, int):
        return level
    known = logging.getLevelNamesMapping()
    if level not in known:
        raise ValueError(f"There is no level {level!r} of logging. Give one of {', '.join(known)}, or a number.")
    return known[level]
