"""Runs the loop of a test until something has ended; and in the end, all that is left."""

# Tested by tests/unittest/test_case.py.

import asyncio
import contextvars
import weakref
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from asynctest_tornado._errors import exception_notes
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._loop.instrumented_loop import create_main
from asynctest_tornado._loop.interrupt import interruptible
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._timeouts import limits
from asynctest_tornado._timeouts.deadline import CANCEL_RETRY_SECONDS, Deadline
from asynctest_tornado._util import names
from asynctest_tornado._util.real_time import monotonic, sleep, turn

__unittest = True

#: Seconds that a task which is cancelled at the end of the test gets to end, twice.
DRAIN_ROUND_SECONDS = 1.0
#: How often tasks are cancelled at the end; those that end may start others.
MOST_DRAIN_ROUNDS = 20
#: Turns of the loop in which what was closed at the end comes to its end, and seconds for threads.
SETTLE_TURNS = 10
SETTLE_SECONDS = 0.1


def _go_on() -> None:
    """Do not end what runs the loop at an error."""


async def _wait_for(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    await turn()  # on tornado.testing, too, one more turn passes
    await asyncio.wait(tasks, timeout=DRAIN_ROUND_SECONDS)


class Running:
    """Runs a loop.

    :param loop: the loop.
    :param trap: gets the errors of what does not end.
    """

    def __init__(self, loop: LoopOfTest, trap: Trap) -> None:
        self._loop = loop
        self._trap = trap
        #: Whether the test has run the loop at all.
        self.has_run = False
        #: The tasks that could not be ended.
        self.abandoned: set[asyncio.Task[Any]] = set()
        #: Those of the watchdog.
        self._interruptions: list[KeyboardInterrupt] = []

    def until_done(self, main: "asyncio.Task[Any]", deadline: Deadline) -> None:
        """Run the loop until the task, which calls `end`, has ended; or does not end in spite of everything."""
        try:
            # Whatever ran the loop before, and did not come to its end, may still stop it: hence the loop here.
            while not (main.done() or deadline.is_hopeless):
                self.run(deadline, main)
        except BaseException:
            # KeyboardInterrupt and SystemExit leave the loop at once, and the task with an exception that is known.
            if main.done() and not main.cancelled():
                main.exception()
            raise

    def end(self, was_future: bool) -> None:
        """Stop the loop, once it has called what is ready: to be called by a task that is about to end.

        As on ``tornado.testing``, that takes as many turns of the loop as the callback of a future.

        :param was_future: whether one of these has passed already, since what the task waited for was done.
        """
        loop = self._loop.loop
        if self._loop.is_idle() or (was_future and loop.is_running()):
            # Another turn, in which nothing happens, would cost a tenth of an empty test.
            loop.stop()
        elif loop.is_running():
            loop.call_soon(loop.stop)

    def cancel(self, main: "asyncio.Task[Any]") -> None:
        """Cancel a task that the loop runs for. If it has not begun, nothing of it will run."""
        main.add_done_callback(self._stop)
        main.cancel()

    def _stop(self, main: "asyncio.Task[Any]") -> None:
        self._loop.loop.stop()

    def run(self, deadline: Deadline, main: "asyncio.Task[Any] | None" = None) -> None:
        """Run the loop until it is stopped, or interrupted by the watchdog."""
        deadline.watch()
        self.has_run = True
        try:
            self._loop.loop.run_forever()
            ready = self._loop.loop._asynctest.ready
            if ready is not None:
                self._catch_up(ready, deadline)
            deadline.settle()
        except KeyboardInterrupt as interruption:
            # A task that was interrupted hands that on to those that wait for it, maybe later.
            if deadline.owns(interruption):
                self._interruptions.append(interruption)
            elif not any(interruption is known for known in self._interruptions):
                exception_notes.add(interruption, deadline.describe(), self._trap)
                self._end(main)
                raise
        except BaseException as error:
            # A SystemExit, or what a handler of signals raises, such as that of pytest-timeout.
            if main is None or not main.done():
                exception_notes.add(error, deadline.describe(), self._trap)
                self._end(main)
            raise

    def _catch_up(self, ready: Callable[[], Sequence[asyncio.Handle]], deadline: Deadline) -> None:
        """Make the calls that were ready when the loop was stopped, as asyncio does."""
        left = weakref.WeakSet(ready())  # a call that was made lets go of its task
        while not (left.isdisjoint(ready()) or deadline.is_over):
            self.turn()

    def _end(self, main: "asyncio.Task[Any] | None") -> None:
        """Let what the test waited for run its ``finally`` blocks, now that an error has left the loop."""
        loop = self._loop.loop
        if main is None or main.done() or loop.is_closed():
            return
        self.cancel(main)
        limit = limits.Limit(CANCEL_RETRY_SECONDS, "of the library")
        with Deadline(self._loop, loop.stop, limit, interrupt=_go_on) as deadline:
            while not (main.done() or deadline.is_over):
                loop.run_forever()
        if not main.done():
            self.abandoned.add(main)

    def drain(self) -> None:
        """Cancel the tasks that still run, and let them end. What they raise goes into the trap."""
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
                    # It waits, by way of others, for itself: asyncio cannot cancel that.
                    self.abandoned.add(task)
            tasks -= self.abandoned
            if tasks:
                self.to_end(_wait_for(tasks))
            # It was cancelled before, and has outlived that twice. Other tasks may be new, made by those that ended.
            for task in tasks & cancelled - self.abandoned:
                if not task.done():
                    self._abandon(task)
            cancelled |= tasks
        for task in set(self._loop.pending_tasks()) - self.abandoned:
            self._abandon(task)

    def _abandon(self, task: "asyncio.Task[Any]") -> None:
        self.abandoned.add(task)
        self._trap.add(
            RuntimeError(
                f"{names.name_of_task(task)} was cancelled twice at the end of the test, and still runs "
                f"{2 * DRAIN_ROUND_SECONDS:g} seconds later. It is abandoned. Let it end when it gets a CancelledError."
            ),
            is_own=True,
        )

    def settle(self, is_open: Callable[[], bool], has_workers: Callable[[], bool] = lambda: False) -> None:
        """Run the loop for a few turns, or until nothing is open any more.

        :param has_workers: tells whether that takes real time.
        """
        until = monotonic() + SETTLE_SECONDS
        turns = 0
        while is_open() and (turns < SETTLE_TURNS or (has_workers() and monotonic() < until)):
            turns += 1
            if turns > SETTLE_TURNS:
                sleep(0.001)
            self.turn()

    def turn(self) -> None:
        """Run the loop for one turn."""
        self._loop.loop.call_soon(self._loop.loop.stop)
        with interruptible(self._loop.loop, _go_on):
            self._loop.loop.run_forever()

    def to_end(self, coro: Coroutine[Any, Any, Any]) -> bool:
        """Run the loop until the coroutine has ended, for some time; return whether it has ended by itself."""
        loop = self._loop.loop
        main = create_main(loop, coro, contextvars.copy_context())
        main.add_done_callback(self._stop)
        limit = limits.Limit(2 * DRAIN_ROUND_SECONDS, "of the library")
        with Deadline(self._loop, main.cancel, limit, interrupt=_go_on) as deadline:
            self.until_done(main, deadline)
        if not main.done():
            self.abandoned.add(main)
        return not deadline.is_over
