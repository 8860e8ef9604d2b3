"""Ends a wait: at its limit, at a deadlock, or if a callback blocks the loop.

At the end of the time, `Deadline` ends the operation that the test waits for: mostly, it cancels a task. If the task
still runs `CANCEL_RETRY_SECONDS` later, it is cancelled once more; as many seconds later, it is abandoned, and the loop
stops. A deadlock ends the time at once. An error in the trap ends the operation, too, and is raised instead of a
timeout.

A loop that a callback blocks runs no timer. A thread, the watchdog, looks at the loop from outside: it interrupts the
callback by a KeyboardInterrupt, which leaves the loop and comes to `Deadline.owns`. If the main thread cannot be
interrupted, the watchdog prints the stack, and the time is over once the callback has ended.
"""

import math
import threading
import types
from collections.abc import Callable

from asynctest_tornado._harness import timeout_error
from asynctest_tornado._loop import managed_loop
from asynctest_tornado._loop.stop_at_error import from_anywhere
from asynctest_tornado._timeouts import blocked_code, deadlock, limits, watchdog
from asynctest_tornado._util import debuggers
from asynctest_tornado._util.real_time import monotonic, sleep

__unittest = True

#: Seconds that a task gets to end after each of its two cancellations.
CANCEL_RETRY_SECONDS = 0.2


class Deadline(watchdog.Watch):
    """For a block that runs the loop: ends it when the time is over, or at an error in the trap.

    :param loop: the loop.
    :param end: ends the operation that the block waits for; called once more if it does not end.
    :param limit: the time limit.
    :param describe: returns the pending tasks, timers and requests, as text for the report.
    :param interrupt: called at an error in the trap, instead of ``end``.
    """

    _is_debugged = False
    #: The error of the timeout, if a block of the test has reported it.
    reported: BaseException | None = None

    def __init__(
        self,
        loop: managed_loop.LoopOfTest,
        end: Callable[[], object],
        limit: limits.Limit,
        describe: Callable[[], str] = lambda: "",
        interrupt: Callable[[], object] | None = None,
    ) -> None:
        #: True if the time is over.
        self.is_over = False
        #: True if the operation was given up.
        self.is_hopeless = False
        #: The time limit.
        self.limit = limit
        self.report = timeout_error.TimeoutReport(limit)
        self._call_off: Callable[[], object] | None = None
        self._is_watched = False
        #: The interruption of a callback in this run of the loop.
        self._sent: blocked_code.Interruption | None = None
        self.loop = loop
        self._end = end
        seconds = limit.seconds  # as `Limit.is_set`, without the call of a property: each wait asks
        self._seconds = seconds if 0 < seconds < math.inf else None
        self.describe = describe
        self._interrupt = end if interrupt is None else interrupt
        #: True if code of the test waits, and not the library, at the end of the test.
        self.is_of_test = interrupt is None
        self._began = monotonic()

    def __enter__(self) -> "Deadline":
        loop = self.loop
        self._outer_on_deadlock, loop.on_deadlock = loop.on_deadlock, self._expire_for_deadlock
        self._outer_interrupt = loop.trap.interrupt
        loop.trap.interrupt = from_anywhere(loop.loop, self._interrupt)
        if self._seconds is not None:
            self._call_off = loop.call_later(self._seconds, self._expire)
        if loop.trap.features.wait_began:
            try:
                loop.trap.features.begin("wait_began", "wait_ended", self)
            except BaseException:
                self._restore()
                raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._restore()
        first: BaseException | None = None
        for feature in self.loop.trap.features.wait_ended:
            try:
                feature.wait_ended(self)
            except BaseException as error:
                first = first or error
        if first is not None:
            raise first

    def _restore(self) -> None:
        self.loop.on_deadlock = self._outer_on_deadlock
        self.loop.trap.interrupt = self._outer_interrupt
        if self._call_off is not None:
            self._call_off()
        if self._is_watched:
            self.pause()

    def _expire(self) -> None:
        if self._is_debugged or debuggers.are_attached():
            return
        self.is_over = True
        self.report.pending = self.report.pending or self.describe()
        try:
            self._end()
        except RecursionError:
            # Tasks that wait for each other: asyncio cannot cancel them.
            self._give_up()
            return
        self._call_off = self.loop.call_later(CANCEL_RETRY_SECONDS, self._insist)

    def _expire_for_deadlock(self) -> bool:
        if self.is_over:
            return False  # the cancelled task has its time to end
        self.report.record_deadlock(self.spent(), deadlock.has_private_servers(self.loop))
        self._expire()
        return True

    def _insist(self) -> None:
        self._end()
        self._call_off = self.loop.call_later(CANCEL_RETRY_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self.is_hopeless = self.report.is_abandoned = True
        self.loop.loop.stop()

    def watch(self) -> None:
        """Let the watchdog look at the loop, which is about to run."""
        self._sent = None
        if self._seconds is not None:
            when = monotonic() if self.is_over else self._began + self._seconds
            self._is_watched = True
            self.when = when + watchdog.OVERRUN_SECONDS
            self.thread = threading.get_ident()
            watchdog.start(self)

    def pause(self) -> None:
        """End the watch, for example while the loop runs code of this library."""
        if self._is_watched:
            self._is_watched = False
            watchdog.stop(self)

    def go_on(self) -> None:
        """Watch again, unless the watchdog has interrupted a callback."""
        if not (self._is_watched or self.report.is_interrupted):
            self.watch()

    def is_blocked(self, callback: types.FrameType, frame: types.FrameType) -> str | None:
        """Interrupt a callback that blocks the loop, in the thread of the watchdog; else return a text to print."""
        if not self._is_watched:
            return None
        stack = watchdog.stack(frame)
        if self._sent is not None and self._sent.has_raised is not False:
            return timeout_error.still_blocked(stack)
        report = self.report
        report.interruption = None
        report.blocked_at = stack
        # Before the interruption is sent, as it may arrive at once.
        report.is_interrupted = True
        self._sent = blocked_code.interrupt(self.thread, callback)
        if self._sent is not None:
            return None
        report.is_interrupted = False
        self.is_over = True
        return report.blocked()

    def stop_clock(self) -> None:
        self._is_debugged = True

    def settle(self) -> None:
        """End the watch, and let an interruption arrive that was sent."""
        self.pause()
        sent = self._sent
        if sent is None or not self.report.is_interrupted:
            return
        until = monotonic() + blocked_code.DELIVERY_SECONDS
        while sent.has_raised is None and monotonic() < until:
            sleep(0.001)
        if sent.has_raised is False:
            self.report.is_interrupted = False  # the callback has ended by itself
        else:
            self.is_over = True  # and the callback has caught the interruption

    def owns(self, interruption: KeyboardInterrupt) -> bool:
        """Return True if the watchdog has sent an interruption, and not the user. Waiting code may raise it again."""
        self.pause()
        if not self.report.is_interrupted:
            return False
        if self.report.interruption is None:
            self.report.interruption = interruption
            self.is_over = True
            self._expire()
        return True

    def spent(self) -> float:
        """Return the seconds since the block began."""
        return monotonic() - self._began
