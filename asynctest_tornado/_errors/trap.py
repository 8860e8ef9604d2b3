"""Trap: the errors of one test, and its verdict."""

import threading
from collections.abc import Callable
from typing import Any, Protocol
from unittest import SkipTest

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.marks import Mark, Marks
from asynctest_tornado._errors.raising import group, raise_as_it_was
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True


class Reporter(Protocol):
    """Reports about one test, for its framework, in addition to the result."""

    def late(self, error: BaseException, other: str | None) -> bool:
        """Report an error that surfaces after the end of the test, and return true if that was possible.

        :param other: the name of another test that the error may belong to.
        """

    def amend(self, error: BaseException, text: str) -> None:
        """Add to the report of the failure that was reported last."""


class Trap(contexts.Context):
    """The outermost context of a test: it records each error that no handler consumed, for the test to raise.

    :param describe: returns the name of the test, for messages.
    :param features: the features of the test, a `_harness.feature.Features`.
    :param reporter: the reporter of the test, if its framework has one.
    """

    is_trap = True

    # Attributes that few tests change have their defaults in the class. Attributes that each test reads have not:
    # CPython finds an attribute at once only where the object has it, and not the class as well.

    #: True if a task was cancelled because of an error or a timeout: the future that it waited for is then ignored.
    has_cancelled = False
    #: The number of errors that the trap has recorded.
    count = 0
    # Made at the first use.
    _marks_made: Marks | None = None

    def __init__(self, describe: Callable[[], str], features: Any, reporter: Reporter | None = None) -> None:
        self.describe = describe
        self.features = features
        self.reporter = reporter
        # Errors come from threads, too; and from finalizers, in the middle of anything.
        self._lock = threading.RLock()
        self._is_open = True
        #: The code that runs the loop, the innermost last. Each error ends that, by its method ``interrupt``.
        self.waits: list[Any] = []
        #: The loop of the test, a `LoopOfTest`, while the test is open.
        self.loop: Any = None
        #: The error that the test fails of, once it was raised.
        self.failure: BaseException | None = None
        self._errors: list[BaseException] = []
        self._held: list[BaseException] = []
        #: The data that features have for the test.
        self.data: dict[object, Any] = {}
        #: The errors that the test expects, the innermost block last: each returns true for an error that it consumes.
        self.expectations: list[Callable[[BaseException], bool]] = []
        #: The objects that the test has made and may have to close, as far as features record them.
        self.made: WeakNotes[Any] | None = None

    @property
    def marks(self) -> Marks:
        """The marks of the exceptions that the test has to do with."""
        if self._marks_made is None:
            with self._lock:
                if self._marks_made is None:
                    self._marks_made = Marks()
        return self._marks_made

    def handle(self, error: BaseException) -> bool:
        return self.add(error)

    def add(self, error: BaseException, *, is_own: bool = False) -> bool:
        """Record an error, and end the wait of the test. Return true unless the error still has to be reported.

        :param is_own: True if the library has made the error, for example because a task does not end. Features are
            not asked about such an error.
        """
        if not is_own and self.features.trapped and self._ask("trapped", error):
            return True
        if self.is_expected(error):
            self.expect(error)
            return True
        with self._lock:
            is_open = self._is_open
            is_new = is_open and self.record(error)
        if not is_open:
            if self.reporter is None or (not is_own and self._ask("late", error)):
                return False
            return self.reporter.late(error, None)
        if is_new:
            for wait in self.waits[-1:]:  # another thread may be about to end it
                wait.interrupt()
        return True

    def _ask(self, hook: str, error: BaseException) -> bool:
        """Return true if the hook of a feature does. An exception of a hook is one more error of the test."""
        for feature in getattr(self.features, hook):
            try:
                if getattr(feature, hook)(self, error):
                    return True
            except Exception as raised:
                if not self.add(raised, is_own=True):
                    raise
        return False

    def record(self, error: BaseException) -> bool:
        """Record an error that the test has to fail of; return false if it does already."""
        with self._lock:
            if self.fails_of(error):
                return False
            self.mark(error).is_known = True
            self._errors.append(error)
            self.count += 1
            self._call_recorded(error)
        return True

    def _call_recorded(self, error: BaseException) -> None:
        for feature in self.features.recorded:
            try:
                feature.recorded(self, error)
            except Exception as raised:
                self._errors.append(raised)

    def is_expected(self, error: BaseException) -> bool:
        """Return true if an `ExpectError` consumes the error."""
        return any(takes(error) for takes in reversed(self.expectations))

    def expect(self, error: BaseException) -> None:
        """Record that the error was expected."""
        self.mark(error).is_done = True

    def knows(self, error: BaseException) -> bool:
        """Return true if the error was trapped, raised or expected before. The same one may yet happen again."""
        mark = self.marks.find(error)
        return self._is_open and mark is not None and (mark.is_known or mark.is_done)

    def mark(self, error: BaseException) -> Mark:
        """Return the mark of this test for an error."""
        return self.marks.of(error)

    def fails_of(self, error: BaseException) -> bool:
        """Return true if the test is going to fail of the error: it is recorded, or was raised by code of the test."""
        mark = self.marks.find(error)
        return mark is not None and mark.is_known

    def record_failure(self, error: BaseException) -> None:
        """Record that the test fails of this error, which its own code raises."""
        with self._lock:
            self.mark(error).is_known = True
            self._errors = [each for each in self._errors if each is not error]
            self._call_recorded(error)

    @property
    def has_errors(self) -> bool:
        """True if there is an error to raise."""
        return bool(self._errors)

    @property
    def is_failing(self) -> bool:
        """True if the test fails: of an error that was raised already, or that is recorded for the verdict."""
        return self.failure is not None or bool(self._errors or self._held)

    def hold(self) -> None:
        """Defer the errors to the verdict: they must not stop the code that cleans up."""
        if self._errors:
            with self._lock:
                self._held += self._errors
                self._errors = []

    def release(self) -> None:
        """Undo `hold`."""
        if self._held:
            with self._lock:
                self._errors, self._held = self._held + self._errors, []

    def take(self) -> BaseException | None:
        """Return the trapped errors, and forget them: one as itself, several as a group in their order."""
        with self._lock:
            errors, self._errors = self._errors, []
            for error in errors:
                # Should the very same object be raised once more, it is another error.
                mark = self.mark(error)
                mark.is_known, mark.is_done = False, True
        failures = [error for error in errors if not isinstance(error, SkipTest)]
        known = list(failures)
        for feature in self.features.failing if failures else ():
            try:
                feature.failing(self, known)
            except Exception as raised:
                failures.append(raised)
        errors = failures or errors[:1]
        if len(errors) < 2:
            return errors[0] if errors else None
        return group(f"{len(errors)} errors in {self.describe()}", errors)

    def raise_errors(self) -> None:
        """Raise the trapped errors, if there are some."""
        if self._errors:
            raise_as_it_was(self.take())

    @property
    def is_open(self) -> bool:  # type: ignore[override]
        """True as long as an error counts for the verdict. A later one is late."""
        return self._is_open

    def forget_reports(self) -> None:
        """Drop the failure and the data of features, which hold frames."""
        self.failure = None
        try:
            for feature in self.features.reported:
                feature.reported(self)
        finally:
            if self.data:
                self.data.clear()
            if self._marks_made is not None:
                self._marks_made.forget()

    def close(self) -> BaseException | None:
        """Return the trapped errors. Later ones are late."""
        with self._lock:
            self._is_open = False
            self.loop = None
        # Not under the lock: to group errors asks the test for its name, which is code of the user.
        return self.take() if self._errors else None
