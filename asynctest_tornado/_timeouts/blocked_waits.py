"""Ends a wait whose loop is blocked by a callback.

A loop that a callback blocks runs no timer, so its time limit cannot end the wait. A thread, the watchdog, looks at the
loop from outside: it interrupts the callback by a KeyboardInterrupt, which leaves the loop, and is recognised by the
hook ``interrupted``. If the main thread cannot be interrupted, the watchdog prints the stack, and the time is over once
the callback has ended. A wait in a debugger has no limit.
"""

import types

from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._timeouts import blocked_code, pending_report, watchdog
from asynctest_tornado._util import debuggers
from asynctest_tornado._util.real_time import monotonic, sleep

__unittest = True


class _Watch(watchdog.Watch):
    """The look at one wait. The watchdog calls `is_blocked` and `stop_clock` in its thread."""

    #: The stack of the callback that blocked the loop, as text.
    _blocked_at = ""
    #: True if that callback was sent a KeyboardInterrupt, in any run of the loop.
    is_interrupted = False
    #: True if that KeyboardInterrupt has left the loop.
    has_left = False
    #: A note for the report.
    note = ""
    #: True if a debugger has stopped the program.
    is_debugged = False

    #: The wait, as long as the loop runs: it refers to this object.
    wait: Deadline | None = None
    #: The interruption of a callback in this run of the loop.
    sent: blocked_code.Interruption | None = None

    def settle(self, wait: Deadline, sent: blocked_code.Interruption) -> None:
        """Let an interruption arrive that was sent."""
        until = monotonic() + blocked_code.DELIVERY_SECONDS
        while sent.has_raised is None and monotonic() < until:
            sleep(0.001)
        if sent.has_raised is False:
            self.is_interrupted = wait.raised is not None  # the callback has ended by itself
            return
        wait.is_over = True
        wait.raised = None
        wait.remark = "; it blocked the event loop, and caught the KeyboardInterrupt that was to end that"
        self.note = f"It was blocked at:\n{self._blocked_at}"

    def is_blocked(self, callback: types.FrameType, stack: list[types.FrameType]) -> str | None:
        """Interrupt a callback that blocks the loop, in the thread of the watchdog; else return a text to print."""
        wait = self.wait
        if wait is None:
            return None
        stands_at = watchdog.formatted(stack)
        if self.sent is not None and self.sent.has_raised is not False:
            return f"The event loop is still blocked after a KeyboardInterrupt. It stands at:\n{stands_at}"
        self._blocked_at = stands_at
        # Before the interruption is sent, as it may arrive at once.
        self.is_interrupted, self.has_left = True, False
        self.sent = blocked_code.interrupt(self.thread, callback)
        if self.sent is not None:
            return None
        self.is_interrupted = False
        wait.is_over = True
        limit = f"{wait.limit} are over ({wait.limit.setting})"
        return f"The event loop is blocked: {limit}. It stands at:\n{stands_at}"

    def stop_clock(self) -> None:
        self.is_debugged = True


class BlockedWaits(Feature):
    """The watchdog for the waits of tests."""

    def run_began(self, wait: Deadline) -> None:
        ends_at = wait.ends_at
        if ends_at is not None:
            watch: _Watch | None = wait.data.get(self)
            if watch is None:
                watch = wait.data[self] = _Watch()
            watch.wait, watch.sent, watch.thread = wait, None, wait.thread
            watch.when = (monotonic() if wait.is_over else ends_at) + watchdog.OVERRUN_SECONDS
            watchdog.start(watch)

    def run_ended(self, wait: Deadline) -> None:
        watch: _Watch | None = wait.data.get(self)
        if watch is not None and watch.wait is not None:
            watchdog.stop(watch)
            watch.wait = None
            if watch.sent is not None and watch.is_interrupted:
                watch.settle(wait, watch.sent)

    def interrupted(self, wait: Deadline, error: BaseException) -> bool:
        data = wait.loop.trap.data
        if any(error is sent for sent in data.get(self, ())):
            return True  # a task that was interrupted raises it in the tasks that wait for it, too, maybe later
        watch: _Watch | None = wait.data.get(self)
        if watch is None or not (watch.is_interrupted and isinstance(error, KeyboardInterrupt)):
            return False
        data.setdefault(self, []).append(error)
        if not watch.has_left:
            watch.has_left = True
            wait.raised, watch.note = error, ""
            server = _server_of(error)
            wait.remark = f"; this line{server} blocked the event loop"
            wait.end()
            if server or wait.pending == pending_report.NOTHING:  # the line and the request say enough
                wait.pending = ""
        return True

    def timed_out(self, wait: Deadline, error: BaseException) -> None:
        watch: _Watch | None = wait.data.get(self)
        if watch is not None and watch.note:
            error.add_note(watch.note)

    def expiring(self, wait: Deadline) -> bool:
        watch: _Watch | None = wait.data.get(self)
        return (watch is not None and watch.is_debugged) or debuggers.are_attached()

    def tests_ended(self) -> None:
        watchdog.end()


def _server_of(error: BaseException) -> str:
    """Return the request handler that an exception has left, as a part of a sentence; or an empty string."""
    tb = error.__traceback__
    while tb is not None:
        handler = pending_report.handler_in(tb.tb_frame)
        if handler is not None:
            return f" of {pending_report.describe_handler(handler)},"
        tb = tb.tb_next
    return ""


BLOCKED_WAITS = BlockedWaits()
