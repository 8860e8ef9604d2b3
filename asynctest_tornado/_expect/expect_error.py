"""ExpectError: errors that a test expects to end up in the trap."""

import functools
import re
import sys
import types

from asynctest_tornado._errors import contexts, hints, leaving
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._util import names

__unittest = True

_MOST_SHOWN = 10
_RAISED_HERE = (
    "It was raised in the block of an ExpectError itself: use assertRaises(), or pytest.raises() in a test function. "
    "ExpectError is for errors that nothing could catch, such as errors of callbacks."
)
_Class = type  # which an argument is called, too


class ExpectError(contexts.Context):
    """A context manager for an expected error that no code can catch, for example the error of a callback.

    ::

        with ExpectError(ValueError, r"boom") as expectation:
            io_loop.add_callback(callback)
            await gen.sleep(0.1)
        self.assertEqual(len(expectation.exceptions), 1)

    It consumes errors that surface during the block and match; they do not fail the test, and do not end its waiting.
    Errors of callbacks and tasks that the block has scheduled go to it first, so that concurrent blocks do not mix. An
    exception that is raised in the block itself is none of these, and leaves it.

    :param type: the class of the exception, or a tuple of classes.
    :param regex: a regular expression to be found in the message of the exception. None matches any.
    :param required: if true, raise ``AssertionError`` at the end of the block if no such error came.

    The attribute ``exceptions`` lists the errors that it has consumed.

    Raises ``TypeError`` if the type is no class of exceptions, ``RuntimeError`` outside of a test.

    The twin of `ExpectLog`. New in version 0.1.
    """

    def __init__(
        self,
        type: type[BaseException] | tuple[type[BaseException], ...],
        regex: str | None = None,
        required: bool = True,
    ) -> None:
        classes = type if isinstance(type, tuple) else (type,)
        for cls in classes:
            if not (isinstance(cls, _Class) and issubclass(cls, BaseException)):
                raise TypeError(
                    f"ExpectError needs a class of exceptions, or a tuple of them, and not {cls!r}. "
                    'Write, for example, ExpectError(ValueError, r"boom").'
                )
        self.type = classes
        self.regex: re.Pattern[str] | None = None if regex is None else re.compile(regex)
        self.required = required
        self.exceptions: list[BaseException] = []
        self._others: list[BaseException] = []
        self._trap: Trap | None = None
        self._line: tuple[types.CodeType, int] | None = None

    def __enter__(self) -> "ExpectError":
        chain = contexts.chain_here()
        trap = chain[0] if chain else None
        if not isinstance(trap, Trap):
            raise RuntimeError(
                "ExpectError is for errors that end up in the trap of a test, and no test runs here. Use it in an "
                "AsyncTestCase, or assertRaises for an exception that the block itself raises."
            )
        frame = sys._getframe(1)
        self._line = frame.f_code, frame.f_lineno
        self._trap = trap
        trap.expectations.append(self.handle)
        contexts.contexts.set((*chain, self))
        return self

    def __exit__(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: types.TracebackType | None
    ) -> None:
        trap = self._trap
        assert trap is not None
        if trap.loop is not None:
            # A task that failed, and that other code still refers to, has reported nothing so far.
            trap.loop.report_lost_errors((), self._matches)
        trap.expectations.remove(self.handle)
        leaving.leave(functools.partial(contexts.without, self))
        self._trap = None
        if value is None and self.required and not self.exceptions:
            trap.expectations.append(functools.partial(self._explain_late, trap))
            raise AssertionError(self._explain())
        if value is not None and self._matches(value):
            hints.add(value, _RAISED_HERE, trap)

    def handle(self, error: BaseException) -> bool:
        """Consume the error if it is an expected one."""
        trap = self._trap
        if trap is None:
            return False
        if any(known is error for known in self.exceptions):
            return True
        if not self._matches(error):
            if not any(known is error for known in self._others):
                self._others.append(error)
                # If nothing else consumes it, its report has to say that this was about to.
                reason = "message" if isinstance(error, self.type) else "class"
                hints.add(error, f"An ExpectError does not expect it, because of its {reason}: {self._place()}", trap)
            return False
        self.exceptions.append(error)
        trap.expect(error)
        return True

    def _explain_late(self, trap: Trap, error: BaseException) -> bool:
        """Add a hint to an error that comes after the block. Return false: it is one more error of the test."""
        if self._matches(error):
            hints.add(error, f"It came after the block that expects it. Wait for it in there: {self._place()}", trap)
        return False

    def _place(self) -> str:
        if self._line is None:
            return "its line is unknown"
        code, number = self._line
        return names.line_at(code.co_filename, number, code.co_name)

    def _matches(self, error: BaseException) -> bool:
        return isinstance(error, self.type) and (self.regex is None or bool(self.regex.search(str(error))))

    def _explain(self) -> str:
        classes = " or ".join(cls.__qualname__ for cls in self.type)
        wanted = classes if self.regex is None else f"{classes} with a message like {self.regex.pattern!r}"
        lines = [f"did not get expected error: {wanted}."]
        lines.append("Trapped instead:" if self._others else "Nothing was trapped in the block.")
        lines += [f"    {type(error).__qualname__}: {error}" for error in self._others[:_MOST_SHOWN]]
        if len(self._others) > _MOST_SHOWN:
            lines.append(f"    ... and {len(self._others) - _MOST_SHOWN} more")
        lines.append("Correct the type or regex, wait in the block for the error, or give required=False.")
        return "\n".join(lines)
