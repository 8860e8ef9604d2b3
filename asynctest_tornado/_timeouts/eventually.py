"""Waits until a condition holds."""

import inspect
import linecache
import re
import types
from collections.abc import Callable
from typing import Any

from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.timeout_error import error_of
from asynctest_tornado._timeouts import conditions
from asynctest_tornado._timeouts.quiet import Watch
from asynctest_tornado._util import coroutines, exception_notes, names

__unittest = True

#: The errors of a condition that does not hold yet. Each other error is a mistake, and ends the wait.
NOT_YET = (AssertionError, LookupError)
_MOST_SHOWN = 200

#: The pending tasks if the test waits at the line of the error, and nothing else is left.
_ONLY_ITSELF = re.compile(r"Pending tasks:\n.* \(the test\)\n    at .*\n    waits for the condition to hold")


async def eventually(
    harness: Harness,
    condition: Callable[[], Any],
    timeout: float | None = None,
    message: str | None = None,
    *,
    failure: type[BaseException] = AssertionError,
) -> Any:
    """Wait until a condition holds, and return its value; see `AsyncTestCase.eventually`."""
    attempts = _Attempts(condition)

    def error(wait: Any) -> BaseException:
        operation = "eventually()" if message is None else f"{message}: eventually()"
        if _ONLY_ITSELF.fullmatch(wait.pending):
            wait.pending = ""
        return error_of(wait, failure, operation, attempts.last_error, f": {attempts.describe()}")

    with Watch(harness, timeout, error) as watch:
        is_woken = False
        while not await attempts.succeed():
            # The calls that came together with this one have not run yet: they may make the condition hold.
            may_sleep = attempts.has_suspended or (is_woken and not harness.loop.loop.ready_calls())
            await coroutines.waiting_for("the condition to hold", watch.moment(may_sleep))
            is_woken = True
        return attempts.value


class _Attempts:
    """The calls of a condition. Raises ``TypeError`` if it cannot be called."""

    def __init__(self, condition: Any) -> None:
        if inspect.iscoroutine(condition):
            name = condition.__name__
            condition.close()  # or a second report would say that it was never awaited
            raise TypeError(
                f"eventually() calls its condition again and again, and got a coroutine, which runs once. Write "
                f"eventually({name}), without calling it; or a lambda that calls it, if it has arguments."
            )
        if not callable(condition):
            raise TypeError(
                f"eventually() calls its condition again and again, and got {condition!r}, which is no function. Write "
                "a lambda, as in eventually(lambda: len(messages) == 2)."
            )
        self._condition = condition
        self.value: Any = None
        #: The exception of the last call that has ended, or None.
        self.last_error: BaseException | None = None
        self._has_ended_once = False
        self._is_going_on = False
        #: True if the last call has let the loop run.
        self.has_suspended = False

    async def succeed(self) -> bool:
        """Call the condition; return whether it holds."""
        self.has_suspended = False
        self._is_going_on = True
        try:
            value = self._condition()
            if inspect.isawaitable(value):
                self.has_suspended = True
                value = await value
            self.value, self.last_error = value, None
        except NOT_YET as error:
            self.last_error = error
        self._has_ended_once, self._is_going_on = True, False
        return self.last_error is None and (bool(self.value) or (self.value is None and self._holds_by_none()))

    def _holds_by_none(self) -> bool:
        meaning = conditions.meaning_of_none(self._condition)
        if meaning is conditions.IS_MISTAKE:
            code = conditions.code_of(self._condition)
            place = ""
            if code is not None and code.co_name != "<lambda>":
                place = f" ({names.line_at(code.co_filename, code.co_firstlineno, code.co_name)})"
            raise TypeError(
                f"eventually(): {text_of(self._condition)}{place} returned None, and no assertion was found in it. Is "
                "a 'return' missing? Let it return a true value once it holds, or make assertions: by 'assert', or by "
                "functions whose names begin with 'assert'. If it calls others that assert, let it return True after."
            )
        return meaning is conditions.HOLDS

    def describe(self) -> str:
        """Return a clause about the condition, and the outcome of its last call that has ended."""
        if self.last_error is not None:
            text = (exception_notes.text_of(self.last_error) or "").partition("\n")[0]
            last = f"its last call raised {type(self.last_error).__qualname__}: {text}"
        else:
            last = f"its last value was {_brief(self.value)}"
        if self._is_going_on:
            last = f"{last}; the next call had not ended" if self._has_ended_once else "its first call had not ended"
        return f"{text_of(self._condition)} did not hold; {last}"


def _brief(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:  # the user's code makes the text
        return f"<{type(value).__qualname__}, whose repr() raises {type(error).__qualname__}>"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def text_of(func: Any) -> str:
    """Return the source of a lambda, with its place; the name of another function."""
    code = conditions.code_of(func)
    if code is None or code.co_name != "<lambda>":
        return f"the condition {names.name_of(func)}"
    source = _source_of_body(code)
    place = names.line_at(code.co_filename, code.co_firstlineno, code.co_name).split(" in ")[0]
    return f"the condition {source!r} at {place}" if source else f"the condition at {place}"


def _source_of_body(code: types.CodeType) -> str:
    """Return the expression of a lambda, as it is written; empty if it is not known."""
    spans = conditions.spans_of(code)
    if not spans:
        return ""
    first, begin = min(span[:2] for span in spans)
    last, end = max(span[2:] for span in spans)
    lines = [linecache.getline(code.co_filename, number).encode() for number in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    return " ".join(line.decode(errors="replace").strip() for line in lines)
