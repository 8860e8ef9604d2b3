"""The waits of a test: run its loop until an end, an error or the limit."""

# Tested by tests/harness/test_harness.py.

import asyncio
import contextvars
import sys
import types
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from asynctest_tornado._errors import hints
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness import yieldables
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.loop_driver import Running
from asynctest_tornado._harness.shared_context import SharedContext, copy_variables
from asynctest_tornado._loop.instrumented_loop import create_main
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._timeouts import limits, pending_report
from asynctest_tornado._util import names
from asynctest_tornado._util.real_time import get_running_loop
from asynctest_tornado._util.tracebacks import strip

__unittest = True


class Waits:
    """All that runs the loop of one test for the test's own code.

    :param loop: the loop, which is open.
    :param trap: the trap of the test.
    :param describe: returns the name of the test, for reports.
    :param context: the context of the test.
    """

    # For hints in the report of a failure: a stop() that ended no wait(), or not the one that it was meant for.
    _early_stop: tuple[types.CodeType, int] | None = None
    _second_stop: Callable[[], str] | None = None

    def __init__(self, loop: LoopOfTest, trap: Trap, describe: Callable[[], str], context: SharedContext) -> None:
        self.running = Running(loop, trap)
        #: True if the test is over.
        self.is_closed = False
        #: The HTTP clients whose requests a report shows.
        self.clients: list[object] = []
        self._loop = loop
        self._trap = trap
        self._describe = describe
        self._context = context
        self._is_stopped = self._is_waiting = False
        self._stop_value: Any = None
        # The deadline of the operation that runs.
        self._deadline: Deadline | None = None

    def run(
        self,
        func: Callable[[], Any],
        limit: limits.Limit,
        *,
        shared: bool = False,
        must_wait: bool = False,
        ends_with_future: bool = False,
    ) -> Any:
        """Run the loop until the function, and the coroutine or the like that it returns, has ended.

        An error in the trap, or the end of the time, cancels the coroutine, so that its ``finally`` blocks run.

        :param shared: run in the context that all parts of the test share, not in a copy of the current one.
        :param must_wait: a function that returns neither None nor something to wait for is an error.
        :param ends_with_future: the last thing that the coroutine waits for is a future, and stands for it all.
        :return: the result.

        Raises the error of the coroutine, else the errors in the trap; ``TimeoutError`` when the time is over.
        """
        self._check_idle()
        self._trap.raise_errors()
        loop = self._loop.loop
        of_test = self._context
        own = of_test.variables
        context = own if shared and not of_test.is_inside else contextvars.copy_context()
        end = self._end_main_of_future if ends_with_future else self._end_main
        with Deadline(self._loop, lambda: self._cancel(main), limit, lambda: self.snapshot(main)) as deadline:
            main = create_main(loop, yieldables.run(func, must_wait, end), context)
            self._deadline = deadline
            use = loop._asynctest
            use.main = main, func
            try:
                self.running.until_done(main, deadline)
            finally:
                self._deadline = use.main = None
        if context is not own:
            copy_variables(context)
        return self._outcome(main, func, deadline)

    def _end_main(self, was_future: bool) -> None:
        for feature in self._trap.features.main_ended:
            feature.main_ended(self._loop)
        self.running.end(was_future)

    def _end_main_of_future(self, was_future: bool) -> None:
        self._end_main(True)

    def _cancel(self, main: "asyncio.Task[Any]") -> None:
        self._trap.has_cancelled = True
        self.running.cancel(main)

    def _outcome(self, main: "asyncio.Task[Any]", func: Callable[[], Any], deadline: Deadline) -> Any:
        error: BaseException | None = None
        result = None
        try:
            result = main.result()
        except asyncio.InvalidStateError:
            assert deadline.is_hopeless
            self.running.abandoned.add(main)
            names.keep_name(main.get_coro(), func)
        except BaseException as raised:
            error = strip(raised)
        try:
            if deadline.is_over:
                if deadline.reported is not None:
                    raise deadline.reported
                went_on = "; it caught the CancelledError and went on" if error is None and main.done() else ""
                raise self._timeout(deadline.report.error(TimeoutError, "Operation", error, went_on))
            if error is None or isinstance(error, asyncio.CancelledError):
                self._trap.raise_errors()
            if error is not None:
                self._trap.record_failure(error)
                raise error
            return result
        finally:
            del error  # or its traceback, which refers to this frame, would be a reference cycle

    def _timeout(self, error: BaseException) -> BaseException:
        self._trap.mark(error).shows_pending = True
        return error

    def run_for_clock(self, reach: Callable[[], Awaitable[None]]) -> None:
        """Run the loop until a function of the clock has ended."""
        self.run(reach, limits.limit(None, None))

    def wait(self, condition: Callable[..., bool] | None, limit: limits.Limit, failure: type[BaseException]) -> Any:
        """Run the loop until `stop`, and on until the condition holds; return the argument of ``stop``.

        Raises the errors in the trap, or ``failure`` when the time is over.
        """
        self._check_idle()
        is_early = self._is_stopped
        with Deadline(self._loop, self._loop.loop.stop, limit, self.snapshot) as deadline:
            is_done = self._is_stopped
            try:
                while not (is_done or deadline.is_over or self._trap.has_errors):
                    self._is_waiting = True
                    if not self._is_stopped:
                        self.running.run(deadline)
                    if self._is_stopped:
                        # Another stop() may come from a thread during the call of the condition.
                        self._is_stopped = False
                        is_done = condition is None or condition()
            finally:
                self._is_stopped = self._is_waiting = False
        self._trap.raise_errors()
        if deadline.is_over:
            reason = "; self.stop() was not called"
            if condition is not None:
                reason = f"; the condition {names.name_of(condition)} did not hold"
            raise self._timeout(deadline.report.error(failure, "Async operation", addition=reason))
        value, self._stop_value = self._stop_value, None
        remark = self._second_stop if condition is None else None
        if is_early and remark is None:
            remark = partial(hints.early_stop, self._early_stop)
        self._trap.set_remark(remark)
        self._second_stop = None
        return value

    def stop(self, value: Any) -> None:
        """End the current call of `wait`, or the next one; may be called by any thread."""
        if self._is_stopped:
            self._second_stop = partial(hints.second_stop, hints.brief(self._stop_value), hints.brief(value))
        elif not self._is_waiting:
            frame = sys._getframe(1).f_back
            # None: a thread calls stop(), and nothing else.
            self._early_stop = frame and (frame.f_code, frame.f_lineno)
        self._stop_value = value
        self._is_stopped = True
        if self._is_waiting:
            self._is_waiting = False
            loop = self._loop.loop
            try:
                own_thread = get_running_loop() is loop
            except RuntimeError:
                own_thread = False
            if own_thread:
                loop.stop()
            else:
                loop.call_soon_threadsafe(loop.stop)

    def error_of_block(self, outcome: asyncio.CancelledError | KeyboardInterrupt) -> BaseException | None:
        """Return the error of a timeout, for a block that reports it; None if the time is not over.

        The operation that runs then ends with that very error.

        :param outcome: the exception that has left the block.
        """
        deadline = self._deadline
        if deadline is None:
            return None
        if not (deadline.owns(outcome) if isinstance(outcome, KeyboardInterrupt) else deadline.is_over):
            return None
        deadline.reported = self._timeout(deadline.report.error(TimeoutError, "Operation", outcome))
        deadline.pause()  # no interruption may come into the report
        return deadline.reported

    def go_on_after_report(self) -> None:
        """Watch the rest of the operation, once a block has reported that the time is over."""
        if self._deadline is not None:
            self._deadline.go_on()

    def snapshot(self, main: "asyncio.Task[Any] | None" = None) -> str:
        """Describe the work that is left for the loop.

        :param main: the task that the test waits for.
        """
        tasks = [task for task in self._loop.all_tasks() if task not in self.running.abandoned]
        jobs = [name for _, name in self._loop.pending_jobs()]
        text = pending_report.describe(self._loop.io_loop, tasks, main, jobs, self.clients)
        loop, features = self._loop, self._trap.features
        return "\n".join([text, *filter(None, (feature.pending(loop) for feature in features.pending))])

    def _check_idle(self) -> None:
        if self.is_closed:
            raise RuntimeError(
                f"The event loop of {self._describe()} is closed. setUp() makes it and tearDown() closes it: call this "
                "in between, and super().setUp() first thing in a setUp() of your own."
            )
        if self._loop.loop.is_closed():
            why, self._loop.why_closed = self._loop.why_closed, None
            raise RuntimeError(
                why
                or f"The event loop of {self._describe()} was closed, and not by its tearDown(). Do not close "
                "self.io_loop: it is closed at the end of the test."
            )
        if self._loop.loop.is_running():
            raise RuntimeError(
                f"The event loop of {self._describe()} is running already, so that nothing can wait for it "
                "synchronously. In a coroutine, use 'await' (or 'yield') instead of wait(), run_sync() or fetch()."
            )
