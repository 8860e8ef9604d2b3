"""The waits of a test: run its loop until an end, an error or the limit."""

# Tested by tests/harness/test_harness.py.

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._harness.loop_driver import Running
from asynctest_tornado._harness.shared_context import SharedContext, copy_variables
from asynctest_tornado._harness.timeout_error import error_of
from asynctest_tornado._loop.managed_loop import LoopOfTest

__unittest = True


class Waits:
    """All that runs the loop of one test for the test's own code.

    :param loop: the loop, which is open.
    :param trap: the trap of the test.
    :param context: the context of the test.
    """

    def __init__(self, loop: LoopOfTest, trap: Trap, context: SharedContext) -> None:
        self.running = Running(loop, trap)
        #: True if the test is over.
        self.is_closed = False
        self._loop = loop
        self._trap = trap
        self._context = context

    def run(
        self, func: Callable[[], Any], limit: Limit, *, shared: bool = False, ends_with_future: bool = False
    ) -> Any:
        """Run the loop until the function, and the coroutine or the like that it returns, has ended.

        An error in the trap, or the end of the time, cancels the coroutine, so that its ``finally`` blocks run.

        :param shared: run in the context that all parts of the test share, not in a copy of the current one.
        :param ends_with_future: the last thing that the coroutine waits for is a future, and stands for it all.
        :return: the result.

        Raises the error of the coroutine, else the errors in the trap; ``TimeoutError`` when the time is over.
        """
        self._check_idle()
        self._trap.raise_errors()
        of_test = self._context
        own = of_test.variables
        context = own if shared and not of_test.is_inside else contextvars.copy_context()
        end = self._end_main_of_future if ends_with_future else self._end_main
        with Deadline(self._loop, lambda: self._cancel(main), limit, lambda: self.snapshot(main)) as deadline:
            main = self._loop.loop.create_main(self._trap.features.run_func(func, end), context)
            self.running.until_done(main, deadline)
        if context is not own:
            copy_variables(context)
        return self._outcome(main, deadline)

    def _end_main(self, was_future: bool) -> None:
        try:
            for feature in self._trap.features.main_ended:
                feature.main_ended(self._loop)
        finally:
            self.running.end(was_future)

    def _end_main_of_future(self, was_future: bool) -> None:
        self._end_main(True)

    def _cancel(self, main: "asyncio.Task[Any]") -> None:
        self._trap.has_cancelled = True
        self.running.cancel(main)

    def _outcome(self, main: "asyncio.Task[Any]", deadline: Deadline) -> Any:
        error: BaseException | None = None
        result = None
        try:
            result = main.result()
        except asyncio.InvalidStateError:
            assert deadline.is_hopeless
            self.running.abandoned.add(main)
        except BaseException as raised:
            error = raised
        try:
            if deadline.is_over:
                if deadline.reported is not None:
                    raise deadline.reported
                went_on = "; it caught the CancelledError and went on" if error is None and main.done() else ""
                raise error_of(deadline, TimeoutError, "Operation", error, went_on)
            if error is None or isinstance(error, asyncio.CancelledError):
                self._trap.raise_errors()
            if error is not None:
                self._trap.record_failure(error)
                raise error
            return result
        finally:
            del error  # or its traceback, which refers to this frame, would be a reference cycle

    def run_until(
        self, is_done: Callable[[], bool], limit: Limit, timed_out: Callable[[Deadline], BaseException]
    ) -> None:
        """Run the loop, and on after each stop of the loop, until a function returns true.

        :param is_done: the function, called before each run.
        :param timed_out: returns the error to raise when the time is over.

        Raises the errors in the trap.
        """
        self._check_idle()
        trap = self._trap
        with Deadline(self._loop, self._loop.loop.stop, limit, self.snapshot) as deadline:
            while not (is_done() or deadline.is_over or trap.has_errors):
                self.running.run(deadline)
        trap.raise_errors()
        if deadline.is_over:
            raise timed_out(deadline)

    def snapshot(self, main: "asyncio.Task[Any] | None" = None) -> str:
        """Describe the work that is left for the loop.

        :param main: the task that the test waits for.
        """
        tasks = [task for task in self._loop.all_tasks() if task not in self.running.abandoned]
        texts = [feature.pending(self._loop, tasks, main) for feature in self._trap.features.pending]
        return "\n".join(filter(None, texts))

    def _check_idle(self) -> None:
        """Raise ``RuntimeError`` if the loop cannot run."""
        loop = self._loop.loop
        if not (self.is_closed or loop.is_closed() or loop.is_running()):
            return
        name = f"The event loop of {self._trap.describe()}"
        if self.is_closed:
            raise RuntimeError(
                f"{name} is closed: it is open from setUp(), or its fixture, to the end of the test. Call this in "
                "between, and super().setUp() first thing in a setUp() of your own."
            )
        if loop.is_closed():
            why, self._loop.why_closed = self._loop.why_closed, None
            advice = "Do not close it: it is closed at the end of the test."
            raise RuntimeError(why or f"{name} was closed by other code. {advice}")
        raise RuntimeError(
            f"{name} is running already, so that nothing can wait for it synchronously. In a coroutine, use 'await' "
            "(or 'yield')."
        )
