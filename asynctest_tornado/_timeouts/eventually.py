"""Waits until a condition holds."""

import dis
import functools
import inspect
import linecache
import re
import types
from collections.abc import Callable
from typing import Any

from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.timeout_error import error_of
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
        #: The exception of the last call, or None.
        self.last_error: BaseException | None = None
        #: True if the last call has let the loop run.
        self.has_suspended = False

    async def succeed(self) -> bool:
        """Call the condition; return whether it holds."""
        self.last_error = None
        self.has_suspended = False
        try:
            value = self._condition()
            if inspect.isawaitable(value):
                self.has_suspended = True
                value = await value
            self.value = value
            return bool(value) or (value is None and _only_asserts(self._condition))
        except NOT_YET as error:
            self.last_error = error
            return False

    def describe(self) -> str:
        """Return a clause about the condition and its last value."""
        if self.last_error is None:
            last = f"its last value was {_brief(self.value)}"
        else:
            # The report has the traceback, and all lines of the message.
            text = (exception_notes.text_of(self.last_error) or "").partition("\n")[0]
            last = f"its last call raised {type(self.last_error).__qualname__}: {text}"
        return f"{text_of(self._condition)} did not hold; {last}"


def _brief(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:  # the user's code makes the text
        return f"<{type(value).__qualname__}, whose repr() raises {type(error).__qualname__}>"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _code_of(func: Any) -> types.CodeType | None:
    while isinstance(func, functools.partial):
        func = func.func
    code = getattr(getattr(func, "__func__", func), "__code__", None)
    return code if isinstance(code, types.CodeType) else None


def text_of(func: Any) -> str:
    """Return the source of a lambda, with its place; the name of another function."""
    code = _code_of(func)
    if code is None or code.co_name != "<lambda>":
        return f"the condition {names.name_of(func)}"
    source = _source_of_body(code)
    place = names.line_at(code.co_filename, code.co_firstlineno, code.co_name).split(" in ")[0]
    return f"the condition {source!r} at {place}" if source else f"the condition at {place}"


def _source_of_body(code: types.CodeType) -> str:
    """Return the expression of a lambda, as it is written; empty if it is not known."""
    spans = [span for span in code.co_positions() if None not in span and span[0::2][0] is not None]
    spans = [span for span in spans if (span[0], span[2]) != (span[1], span[3])]  # of the lambda as a whole
    if not spans:
        return ""
    first, begin = min((span[0], span[2]) for span in spans)
    last, end = max((span[1], span[3]) for span in spans)
    assert first is not None
    assert last is not None
    lines = [linecache.getline(code.co_filename, number).encode() for number in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    return " ".join(line.decode(errors="replace").strip() for line in lines)


def _only_asserts(func: Any) -> bool:
    """Return whether a function never returns a value: it holds if it raises nothing.

    For a lambda, which always returns a value, that is so if it calls a function whose name begins with "assert".
    """
    code = _code_of(func)
    if code is None:
        return False
    if code.co_name == "<lambda>":
        return any(name.startswith("assert") for name in code.co_names)
    before: dis.Instruction | None = None
    for instruction in dis.get_instructions(code):
        is_none = before is not None and before.opname.startswith("LOAD_CONST") and before.argval is None
        if instruction.opname == "RETURN_VALUE" and not is_none:
            return False
        if instruction.opname == "RETURN_CONST" and instruction.argval is not None:
            return False
        before = instruction
    return True
