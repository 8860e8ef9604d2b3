"""The one collector of a test: what its trap has caught, and what becomes of that."""

# Tested by tests/errors/test_contexts.py.

import asyncio
import threading
import types
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any
from unittest import SkipTest

from asynctest_tornado._errors import closed_connections, contexts, exception_notes, marks
from asynctest_tornado._errors.server_error import ServerError, keep_in
from asynctest_tornado._util import exceptions, observer, origins
from asynctest_tornado._util.tracebacks import strip
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True


#: What says how to warn, from Python 3.14 on: a context variable, if the interpreter is told so. Else nothing does.
_warnings_context: Callable[[], object] | None = getattr(warnings, "_get_context", None)
# Asked for once: a module that does not have something makes the message of an error for each who asks.
_get_filters: Callable[[], Sequence[tuple[Any, ...]]] | None = getattr(warnings, "_get_filters", None)


#: What becomes of warnings: the recorder, which changes if a block begins to record them, as ``assertWarns`` does; and
#: the filters, a list that others may change, while a block that catches warnings has another one.
Warnings = tuple[object, Sequence[tuple[Any, ...]]]


def warnings_now() -> Warnings:
    """Return what becomes of warnings now."""
    log = None if _warnings_context is None else getattr(_warnings_context(), "log", None)
    recorder = getattr(warnings, "_showwarnmsg_impl", None) if log is None else id(log)
    return recorder, warnings.filters if _get_filters is None else _get_filters()


def raise_as_it_was(error: BaseException | None) -> None:
    """Raise an error, if there is one, whose context is that of where it happened, and not of where it is raised."""
    if error is None:
        return
    context = error.__context__
    try:
        raise error
    finally:
        exceptions.set_context(error, context)
        del error  # or its traceback, which holds this frame, would be a reference cycle


class FailureGroup(ExceptionGroup[AssertionError], AssertionError):
    """Several failed assertions: a failure, as each of them is, and not an error."""


class Trap(contexts.Context):
    """The outermost context of a test: it keeps what no handler consumed, until somebody can raise it.

    :param describe: returns the name of the test, for messages.
    """

    is_trap = True

    # What few tests change has its default in the class. What each test looks at does not: CPython finds an attribute
    # at once only where the object has it, and not the class as well.

    #: Whether something was cancelled for an error or for the time, so that what it waited for is of no interest.
    has_cancelled = False
    #: The mark of the error that was told last, while it is being raised on.
    just_told: marks.Mark | None = None
    #: What to add to the report of a failure.
    hint: str | None = None
    #: The task or future that the report of the failure is about, so that it need not be a leak as well.
    explained: object = None
    #: Returns what else to add to it, about the last thing that the test waited for.
    remark: Callable[[], str] | None = None
    #: How many errors the trap has taken.
    count = 0
    # Made once there is an error.
    _marks_made: marks.Marks | None = None

    def __init__(self, describe: Callable[[], str]) -> None:
        self.describe = describe
        # Errors come from threads, too; and from finalizers, in the middle of anything.
        self._lock = threading.RLock()
        self._is_open = True
        #: Ends whatever runs the loop just now. Called at each error, maybe from another thread.
        self.interrupt: Callable[[], None] | None = None
        #: Looks for errors that nobody was told of yet, and that the function returns true for.
        self.report_lost: Callable[[Callable[[BaseException], bool]], None] | None = None
        #: Reports an error that surfaces after the end of the test, and returns whether it could. The second argument
        #: names another test that it may belong to.
        self.report_late: Callable[[BaseException, str | None], bool] | None = None
        #: Returns where the test stands in its run now, if that is known: a `place_in_run.Place`.
        self.place: Callable[[], tuple[weakref.ref[Any], int, object] | None] = types.NoneType
        #: The thread that closes the connections of the test, so that what still uses them will fail.
        self._closing_thread: int | None = None
        # What has failed before that, what was under way then, and whether that is just being cut off.
        self._failed_before: list[BaseException] = []
        self._under_way: list[weakref.ref[asyncio.Future[Any]]] = []
        self._is_cutting_off = False
        self._has_closed = False
        #: What the test fails of, as far as it was raised already.
        self.failure: BaseException | None = None
        self._errors: list[BaseException] = []
        self._held: list[BaseException] = []
        #: What the test expects, the innermost block last: they return true for an error that they take.
        self.expectations: list[Callable[[BaseException], bool]] = []
        #: What `warnings_now` was when the test began.
        self.warnings_before = warnings_now()
        #: What request handlers have raised.
        self.server_errors: list[ServerError] = []
        #: Of these, an ``HTTPError`` below 500 to which Tornado sends no response.
        self.refusals: list[ServerError] = []
        #: What the test has made and may have to end, and where.
        self.made: WeakNotes[origins.Origin] = WeakNotes()

    @property
    def _known(self) -> marks.Marks:
        if self._marks_made is None:
            with self._lock:
                if self._marks_made is None:
                    self._marks_made = marks.Marks()
        return self._marks_made

    def handle(self, error: BaseException) -> bool:
        return self.add(error)

    def add(self, error: BaseException, *, is_own: bool = False) -> bool:
        """Keep an error, and end what waits for the loop. Return whether it is dealt with.

        :param is_own: True if the library has made it, to say that something does not end. That never comes of closing.
        """
        if not is_own and (closed_connections.is_noted(error) or self.comes_of_closing(error)):
            for sibling in self.siblings_of(error):
                self.add(sibling)  # which has another reason
            return True
        if any(takes(error) for takes in reversed(self.expectations)):
            self.expect(error)
            return True
        with self._lock:
            is_open = self._is_open
            is_new = is_open and not self._fails_of(error)
            if is_new:
                self._keep(error)
                self._promote(error)
        if not is_open:
            if self._has_closed and error.__traceback__ is None and closed_connections.says_so(error):
                return False  # of a future that nobody has waited for: nobody knows when it failed
            return self.report_late is not None and self.report_late(strip(error), None)
        interrupt = self.interrupt
        if is_new and interrupt is not None:
            interrupt()
        return True

    def comes_of_closing(self, error: BaseException) -> bool:
        """Return whether an error comes of the end of the test, which closes connections still in use; note it if so.

        One that surfaces in another thread does not: threads go on as if nothing had happened.
        """
        if self._closing_thread != threading.get_ident() or any(each is error for each in self._failed_before):
            return False
        is_consequence = closed_connections.is_consequence(error, self._is_cutting_off or self._was_under_way(error))
        if is_consequence:
            closed_connections.note(error)
        return is_consequence

    def _was_under_way(self, error: BaseException) -> bool:
        """Return whether something has failed of this error that was begun before connections were closed."""
        futures = [reference() for reference in self._under_way]
        return any(getattr(future, "_exception", None) is error for future in futures)

    @property
    def is_closing(self) -> bool:
        """Whether the connections of the test are being closed."""
        return self._closing_thread is not None

    def begin_closing(self, failed_before: list[BaseException], under_way: "list[asyncio.Future[Any]]") -> None:
        """Note that connections are closed from now on.

        :param failed_before: the errors that have happened, and that nobody was told of yet.
        :param under_way: what has not ended, and may use these connections.
        """
        self._has_closed = self._is_cutting_off = True
        self._closing_thread = threading.get_ident()
        self._failed_before = failed_before
        self._under_way = [weakref.ref(future) for future in under_way]

    def have_closed(self) -> None:
        """Note that all that uses these connections has been cut off. It may go on to fail of that."""
        self._is_cutting_off = False

    def end_closing(self) -> None:
        """Note that the test is over: what happens from now on has other reasons."""
        if self._closing_thread is not None:
            for error in [getattr(reference(), "_exception", None) for reference in self._under_way]:
                if contexts.is_error(error):
                    self.comes_of_closing(error)  # it is noted, for a gather() that has failed of it
            closed_connections.keep_notes()
            self._closing_thread = None
            self._is_cutting_off = False
            self._failed_before = []
            self._under_way = []

    def keep_server_error(self, failure: ServerError) -> ServerError | None:
        known = keep_in(self.server_errors, failure)
        if known is None:
            failure.is_expected = any(takes(failure.error) for takes in reversed(self.expectations))
        return known

    def keep_refusal(self, failure: ServerError) -> None:
        self.refusals.append(failure)

    def _keep(self, error: BaseException) -> None:
        exception_notes.begin(error, self)
        self.mark(error).is_known = True
        self._errors.append(strip(error))
        self.count += 1

    def expect(self, error: BaseException) -> None:
        """Note that the error was expected."""
        self.mark(error).is_done = True

    def knows(self, error: BaseException) -> bool:
        """Return whether the error was told already: trapped, raised or expected. The same one may yet happen again."""
        mark = self._known.find(error)
        return self._is_open and mark is not None and (mark.is_known or mark.is_done)

    def mark(self, error: BaseException) -> marks.Mark:
        """Return what this test knows of an error."""
        return self._known.of(error)

    def _fails_of(self, error: BaseException) -> bool:
        mark = self._known.find(error)
        return mark is not None and mark.is_known

    @property
    def shows_pending(self) -> bool:
        """Whether the report of the test shows what was pending, since its time was over."""
        return self.failure is not None and self.mark(self.failure).shows_pending

    def remember_failure(self, error: BaseException) -> None:
        """Note that the test fails of this error, without the trap."""
        with self._lock:
            exception_notes.begin(error, self)
            self.mark(error).is_known = True
            self._errors = [each for each in self._errors if each is not error]
            self._promote(error)

    def add_sibling(self, first: BaseException, error: BaseException) -> bool:
        """Note an error that ``gather`` drops for an earlier one. If the test fails of that, it fails of both.

        :return: False unless it comes of the end of the test.
        """
        if self.comes_of_closing(error):
            return True
        with self._lock:
            self.mark(first).siblings.append(error)
            if self._fails_of(first):
                self._promote(first)
        return False

    def siblings_of(self, error: BaseException) -> list[BaseException]:
        """Return the errors that ``gather`` has dropped for this one."""
        mark = self._known.find(error)
        return [] if mark is None else list(mark.siblings)

    def _promote(self, cause: BaseException | None) -> None:
        causes: list[BaseException] = []
        while cause is not None and not any(each is cause for each in causes):
            causes.append(cause)
            cause = cause.__context__ if cause.__cause__ is None else cause.__cause__
        for error in [sibling for each in causes for sibling in self.siblings_of(each)]:
            if not self._fails_of(error):
                self._keep(error)

    @property
    def has_errors(self) -> bool:
        """Whether there is something to raise."""
        return bool(self._errors)

    @property
    def is_failing(self) -> bool:
        """Whether the test fails, of something that was raised already or is kept for the verdict."""
        return self.failure is not None or bool(self._errors or self._held)

    def hold(self) -> None:
        """Keep what is there for the verdict: it must not stop the code that cleans up from running."""
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
        """Hand over what was trapped: one error as itself, several as a group in the order in which they happened."""
        with self._lock:
            errors, self._errors = self._errors, []
            for error in errors:
                # Should the very same object be raised once more, it is another error.
                mark = self.mark(error)
                mark.is_known, mark.is_done = False, True
        failures = [error for error in errors if not isinstance(error, SkipTest)]
        if failures and (current := observer.current) is not None:
            current.trapped(self.describe(), failures)
        errors = failures or errors[:1]
        if len(errors) < 2:
            return errors[0] if errors else None
        return _group(f"{len(errors)} errors in {self.describe()}", errors)

    def raise_errors(self) -> None:
        """Raise what was trapped, if anything was."""
        if self._errors:
            raise_as_it_was(self.take())

    @property
    def is_open(self) -> bool:  # type: ignore[override]
        """Whether an error still counts for the verdict. One that comes later is late."""
        return self._is_open

    def forget_reports(self) -> None:
        """Let go of what the test has failed of and its handlers have raised, all of which hold frames.

        What was held back for a report that did not come is logged.
        """
        self.failure = self.explained = None
        if self._marks_made is not None:
            self._marks_made.forget()
        if self.server_errors or self.refusals:
            for failure in (*self.server_errors, *self.refusals):
                failure.release()
            self.server_errors.clear()
            self.refusals.clear()

    def close(self) -> BaseException | None:
        """Take what is there, and let go of what was seen."""
        with self._lock:
            self._is_open = False
            self.interrupt = self.report_lost = self.just_told = None
        # Not under the lock: to group errors asks the test for its name, which is code of the user.
        return self.take() if self._errors else None

    def report_for_one_of(self, suspects: "list[Trap]", error: BaseException) -> bool:
        """Report an error that belongs to one of several tests, of which this is the last."""
        if self.report_late is None:
            return False
        names = ", ".join(dict.fromkeys(trap.describe() for trap in suspects))
        found = "" if contexts.collector is None else "Garbage collection found it. "
        text = f"{found}The object was left by one of these tests, or by code outside of them: {names}"
        exception_notes.add(error, text, self)
        return self.report_late(strip(error), suspects[0].describe())


#: The traceback module prints no more members of a group than this.
_GROUP_WIDTH = 15


def _group(message: str, errors: list[BaseException]) -> BaseException:
    failures = [error for error in errors if isinstance(error, AssertionError)]
    if len(errors) > _GROUP_WIDTH:
        starts = range(0, len(errors), _GROUP_WIDTH)
        errors = [_group(f"from {start + 1} on", errors[start : start + _GROUP_WIDTH]) for start in starts]
        failures = [error for error in errors if isinstance(error, AssertionError)]
    return FailureGroup(message, failures) if failures == errors else BaseExceptionGroup(message, errors)
