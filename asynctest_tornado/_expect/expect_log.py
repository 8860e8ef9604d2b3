"""ExpectLog; which log records a block expects or captures."""

import logging
import re
import types
import warnings
from collections.abc import Callable
from typing import Any

from asynctest_tornado._util import spelling

__unittest = True

_MOST_SHOWN = 10


class ExpectLog(logging.Filter):
    """A context manager that suppresses an expected log message, and fails if it does not come.

    ::

        with ExpectLog("tornado.application", "Uncaught exception"):
            error_response = self.fetch("/some_page")

    It sees the records of the logger and of the loggers below it. An error of a callback, a task or a handler whose
    log record it expects does not fail the test. It is not for use by several threads.

    :param logger: a logger or the name of one; the empty string is the root logger, and thereby all.
    :param regex: a regular expression, which has to match from the start of the message.
    :param required: if true, raise ``AssertionError`` at the end of the block if nothing matched.
    :param level: a level of the ``logging`` module. If given, only records of that very level match, and the logger
        is enabled for it during the block. Without it, a message below ``WARNING`` matches with a
        ``DeprecationWarning``, as in ``tornado.testing``.

    The attribute ``logged_stack`` is true if an exception was logged; ``matched`` is the number of matching records.

    From ``tornado.testing``, whose ``ExpectLog`` does not see the loggers below, and raises ``Exception``.
    New in version 0.1.
    """

    def __init__(
        self, logger: logging.Logger | str, regex: str, required: bool = True, level: int | None = None
    ) -> None:
        self.logger: logging.Logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self.regex: re.Pattern[str] = re.compile(regex)
        self.required = required
        self.level = level
        self.matched: int = 0
        self.deprecated_level_matched: int = 0
        self.logged_stack: bool = False
        self.orig_level: int | None = None
        self._others: list[tuple[str, str, str]] = []
        self._last: logging.LogRecord | None = None
        self._filtered: list[logging.Logger] = []
        # The names of other loggers that log in the block.
        self._elsewhere: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return true if the record is to be logged: all but the expected ones."""
        if record.exc_info:
            self.logged_stack = True
        message = record.getMessage()
        if not self.regex.match(message) or self.level not in (None, record.levelno):
            if record is not self._last:
                self._others.append((record.levelname, record.name, message))
            self._last = record
            return True
        if self.level is None and record.levelno < logging.WARNING:
            self.deprecated_level_matched += 1
        self.matched += 1
        return False

    def watch(self, name: str) -> None:
        """Filter the records of the logger of this name, if it is below the logger that is expected to log."""
        logger = logging.getLogger(name)
        if logger in self._filtered:
            return
        parent: logging.Logger | None = logger
        while parent is not None and parent is not self.logger:
            parent = parent.parent
        if parent is None:
            self._elsewhere.add(name)
        else:
            logger.addFilter(self)
            self._filtered.append(logger)

    def __enter__(self) -> "ExpectLog":
        if self.level is not None and self.level < self.logger.getEffectiveLevel():
            self.orig_level = self.logger.level
            self.logger.setLevel(self.level)
        self.logger.addFilter(self)
        self._filtered = [self.logger]
        _watch(self)
        return self

    def __exit__(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: types.TracebackType | None
    ) -> None:
        if self.orig_level is not None:
            self.logger.setLevel(self.orig_level)
            self.orig_level = None
        _unwatch(self)
        for logger in self._filtered:
            logger.removeFilter(self)
        if typ is not None or not self.required:
            return
        if not self.matched:
            raise AssertionError(self._explain())
        if self.deprecated_level_matched >= self.matched:
            warnings.warn(
                f"ExpectLog matched at INFO or below without level argument: give level=logging.INFO (or the like) "
                f"to ExpectLog({self.logger.name!r}, {self.regex.pattern!r})",
                DeprecationWarning,
                stacklevel=2,
            )

    def _explain(self) -> str:
        level = "any level" if self.level is None else f"level {logging.getLevelName(self.level)}"
        lines = [
            f"did not get expected log message: logger {self.logger.name!r}, regex {self.regex.pattern!r}, {level}.",
            "Logged there instead:" if self._others else "Nothing was logged there.",
        ]
        lines += [f"    {':'.join(other)}" for other in self._others[:_MOST_SHOWN]]
        if len(self._others) > _MOST_SHOWN:
            lines.append(f"    ... and {len(self._others) - _MOST_SHOWN} more")
        lines.append(
            self._hint() or "Correct the logger, regex or level, or give required=False if the message need not come."
        )
        return "\n".join(lines)

    def _hint(self) -> str | None:
        """Return how to expect the messages that were logged, or how to have them logged, if that is clear."""
        for level, _, message in self._others:
            if self.regex.match(message):
                return f"The regex matches a message of the level {level}, and another level is expected."
        if any(self.regex.search(message) for _, _, message in self._others):
            pattern = self.regex.pattern
            pattern = f".*(?:{pattern})" if "|" in pattern else f".*{pattern}"
            return f"The regex has to match from the start of the message{self._would(pattern)}."
        meant = None if self._others else spelling.meant(self.logger.name, self._elsewhere)
        if meant is not None:
            return f"The logger {meant!r} has logged meanwhile. Did you mean that one?"
        lowest = self.logger.getEffectiveLevel()
        if self._others or self.level is not None or lowest <= logging.DEBUG:
            return None
        return (
            f"The logger drops messages below {logging.getLevelName(lowest)}: level=logging.INFO, or another one, "
            "enables them for the block. Or correct the logger, or give required=False."
        )

    def _would(self, pattern: str) -> str:
        try:
            regex = re.compile(pattern, self.regex.flags)
        except (re.error, ValueError):  # flags stand in the middle now
            return ""
        return f": {pattern!r} would" if any(regex.match(message) for _, _, message in self._others) else ""


_watching: list[ExpectLog] = []


class _Announcing:
    """A factory of log records that lets each `ExpectLog` in force learn of the logger first.

    The filters of a logger do not see the records of the loggers below it, and these may be made at any time. The
    factory is called before a record is filtered, so that the filter can still be added.
    """

    def __init__(self, make_record: Callable[..., logging.LogRecord]) -> None:
        self.make_record = make_record

    def __call__(self, name: str, *args: Any, **kwargs: Any) -> logging.LogRecord:
        for expectation in _watching:
            expectation.watch(name)
        return self.make_record(name, *args, **kwargs)


def _watch(expectation: ExpectLog) -> None:
    _watching.append(expectation)
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _Announcing):
        logging.setLogRecordFactory(_Announcing(factory))


def _unwatch(expectation: ExpectLog) -> None:
    _watching.remove(expectation)
    factory = logging.getLogRecordFactory()
    if not _watching and isinstance(factory, _Announcing):
        logging.setLogRecordFactory(factory.make_record)


def is_expected(logger: logging.Logger, record: logging.LogRecord) -> bool:
    """Return true if an ``ExpectLog`` consumes the record; it counts the record by that.

    Its attributes identify it, because an ``ExpectLog`` of ``tornado.testing`` counts as well.
    """
    place: logging.Logger | None = logger
    while place is not None:
        for each in place.filters:
            if isinstance(each, logging.Filter) and hasattr(each, "required") and not each.filter(record):
                return True
        place = place.parent
    return False


def is_captured(logger: logging.Logger, level: int) -> bool:
    """Return true if ``assertLogs`` captures records of this level there. ``assertNoLogs`` expects nothing."""
    place: logging.Logger | None = logger
    while place is not None:
        for handler in place.handlers:
            # The class of this handler is private to unittest; the watcher, which has the records, is not.
            if hasattr(handler, "watcher"):
                return handler.level <= level and not getattr(handler, "expects_nothing", False)
        place = place.parent if place.propagate else None
    return False


def is_watched(logger: logging.Logger) -> bool:
    """Return true if ``assertLogs`` or ``assertNoLogs`` stands in the place of the handlers there."""
    place: logging.Logger | None = logger
    while place is not None:
        if any(hasattr(handler, "watcher") for handler in place.handlers):
            return True
        place = place.parent if place.propagate else None
    return False


class NoLogs:
    """The context manager of ``assertNoLogs``, marked for the trap: it captures, and expects nothing."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __enter__(self) -> Any:
        result = self._inner.__enter__()
        for handler in self._inner.logger.handlers:
            handler.expects_nothing = True
        return result

    def __exit__(self, *exc_info: Any) -> Any:
        return self._inner.__exit__(*exc_info)
