"""Runs the loop of a test until a task has ended; at its end, cancels the rest."""

# Tested by tests/unittest/test_case.py.

import asyncio
import contextvars
from collections.abc import Coroutine, Iterable
from typing import Any

from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.deadline import CANCEL_RETRY_SECONDS, Deadline
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._util.real_time import turn

__unittest = True

#: Seconds that a task gets to end after each of its two cancellations at the end of the test.
DRAIN_ROUND_SECONDS = 1.0
#: How often tasks are cancelled at the end: tasks that end may start others.
MOST_DRAIN_ROUNDS = 20


async def _wait_for(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    await turn()  # as on tornado.testing
    await asyncio.wait(tasks, timeout=DRAIN_ROUND_SECONDS)


class Running:
    """Runs a loop.

    :param loop: the loop.
    :param trap: gets the errors about tasks that do not end.
    """

    def __init__(self, loop: LoopOfTest, trap: Trap) -> None:
        self._loop = loop
        self._trap = trap
        #: True if the test has run the loop.
        self.has_run = False
        #: The tasks that did not end after their cancellations.
        self.abandoned: set[asyncio.Task[Any]] = set()

    def until_done(self, main: "asyncio.Task[Any]", deadline: Deadline) -> None:
        """Run the loop until the task, which calls `end`, has ended, or was abandoned."""
        try:
            # An earlier call of stop() may be on its way, and stop this run: hence the loop here.
            while not (main.done() or deadline.is_hopeless):
                self.run(deadline, main)
        except BaseException:
            # KeyboardInterrupt and SystemExit leave the loop, and asyncio would report that nothing looks at them.
            if main.done() and not main.cancelled():
                main.exception()
            raise

    def end(self, was_future: bool) -> None:
        """Stop the loop, once it has made the calls that are ready. A task calls this last.

        As on ``tornado.testing``, that takes as many turns of the loop as the callback of a future.

        :param was_future: true if the task waited for a future, whose callback has taken a turn already.
        """
        loop = self._loop.loop
        if not loop.is_running():
            return
        selector = self._loop.selector
        if was_future or (selector is not None and selector.is_idle(loop)):
            # One more turn, without any call to make, would cost a tenth of an empty test.
            loop.stop()
        else:
            loop.call_soon(loop.stop)

    def cancel(self, main: "asyncio.Task[Any]") -> None:
        """Cancel a task that the loop runs for. If it has not begun, none of its code runs."""
        main.add_done_callback(self._stop)
        main.cancel()

    def _stop(self, main: "asyncio.Task[Any]") -> None:
        self._loop.loop.stop()

    def run(self, deadline: Deadline, main: "asyncio.Task[Any] | None" = None) -> None:
        """Run the loop until it is stopped, or a feature interrupts it."""
        loop, features = self._loop.loop, self._trap.features
        self.has_run = True
        try:
            try:
                for feature in features.run_began:
                    feature.run_began(deadline)
                loop.run_forever()
            finally:
                for feature in features.run_ended:
                    feature.run_ended(deadline)
        except BaseException as error:
            # A KeyboardInterrupt or SystemExit, or an exception of a signal handler, for example of pytest-timeout.
            if main is None or not main.done() or isinstance(error, KeyboardInterrupt):
                if any(feature.interrupted(deadline, error) for feature in features.interrupted):
                    return
                self._end(main)
            raise

    def _end(self, main: "asyncio.Task[Any] | None") -> None:
        """Let a task run its ``finally`` blocks, now that an error has left the loop."""
        loop = self._loop.loop
        if main is None or main.done() or loop.is_closed():
            return
        self.cancel(main)
        limit = Limit(CANCEL_RETRY_SECONDS, "of the library")
        with Deadline(self._loop, loop.stop, limit, is_of_test=False) as deadline:
            while not (main.done() or deadline.is_over):
                loop.run_forever()
        if not main.done():
            self.abandoned.add(main)

    def drain(self) -> None:
        """Cancel the tasks that still run, and let them end. Their errors go into the trap."""
        cancelled: set[asyncio.Task[Any]] = set()
        for _ in range(MOST_DRAIN_ROUNDS):
            # In the order in which they were made, so that a run can be repeated.
            pending = [task for task in self._loop.pending_tasks() if task not in self.abandoned]
            tasks = set(pending)
            if not tasks:
                return
            for task in pending:
                try:
                    task.cancel()
                except RecursionError:
                    # It waits, by way of other tasks, for itself: asyncio cannot cancel it.
                    self.abandoned.add(task)
            tasks -= self.abandoned
            if tasks:
                self.to_end(_wait_for(tasks))
            # These have outlived two cancellations. Other tasks may be new, made by tasks that ended.
            for task in tasks & cancelled - self.abandoned:
                if not task.done():
                    self._abandon(task)
            cancelled |= tasks
        for task in set(self._loop.pending_tasks()) - self.abandoned:
            self._abandon(task)

    def _abandon(self, task: "asyncio.Task[Any]") -> None:
        self.abandoned.add(task)
        name = getattr(task.get_coro(), "__qualname__", repr(task))
        self._trap.add(
            RuntimeError(
                f"{name} was cancelled twice at the end of the test, and still runs "
                f"{2 * DRAIN_ROUND_SECONDS:g} seconds later. It is abandoned. Let it end when it gets a CancelledError."
            ),
            is_own=True,
        )

    def to_end(self, coro: Coroutine[Any, Any, Any]) -> bool:
        """Run the loop until a coroutine has ended; return False if it was cancelled, as it took too long."""
        loop = self._loop.loop
        main = loop.create_main(coro, contextvars.copy_context())
        main.add_done_callback(self._stop)
        limit = Limit(2 * DRAIN_ROUND_SECONDS, "of the library")
        with Deadline(self._loop, main.cancel, limit, is_of_test=False) as deadline:
            self.until_done(main, deadline)
        if not main.done():
            self.abandoned.add(main)
        return not deadline.is_over
