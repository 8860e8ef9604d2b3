"""The end of a test's time: because it is over, because nothing can happen any more, or because the loop is blocked."""

import asyncio
import math
import threading
import types
from collections.abc import Callable

from asynctest_tornado._loop import managed_loop
from asynctest_tornado._loop.interrupt import from_anywhere
from asynctest_tornado._timeouts import deadlock, interrupter, limits, watchdog
from asynctest_tornado._util import exceptions
from asynctest_tornado._util.real_time import monotonic, sleep
from asynctest_tornado._util.tracebacks import strip

__unittest = True

#: Seconds that a task which has used up the time gets to end after its cancellation, twice.
CANCEL_RETRY_SECONDS = 0.2


class Deadline(watchdog.Watch):
    """For a block that runs the loop: ends it when the time is over, or at an error in the trap.

    :param loop: the loop.
    :param end: ends what the block waits for; called again if that does not help.
    :param limit: the time.
    :param describe: returns what the loop still has to do, for the report.
    :param interrupt: called at an error in the trap instead.
    """

    _report = _blocked_at = ""
    _interruption: KeyboardInterrupt | None = None
    _is_deadlock = False
    _is_debugged = False
    #: The error that tells that the time is over, if a block of the test has reported it.
    told: BaseException | None = None

    def __init__(
        self,
        loop: managed_loop.LoopOfTest,
        end: Callable[[], object],
        limit: limits.Limit,
        describe: Callable[[], str] = lambda: "",
        interrupt: Callable[[], object] | None = None,
    ) -> None:
        #: Whether the time is over.
        self.is_over = False
        #: Whether the block does not end in spite of everything.
        self.is_hopeless = False
        self._call_off: Callable[[], object] | None = None
        self._is_watched = self._is_interrupted = False
        #: What was sent to end a callback of this run of the loop.
        self._sent: interrupter.Interruption | None = None
        self._loop = loop
        self._end = end
        self._limit = limit
        self.describe = describe
        self._interrupt = end if interrupt is None else interrupt
        self._has_limit = 0 < limit.seconds < math.inf
        self._began = monotonic()

    def __enter__(self) -> "Deadline":
        loop = self._loop
        self._outer_on_deadlock, loop.on_deadlock = loop.on_deadlock, self._expire_for_deadlock
        self._outer_interrupt = loop.trap.interrupt
        loop.trap.interrupt = from_anywhere(loop.loop, self._interrupt)
        if self._has_limit:
            self._call_off = loop.call_later(self._limit.seconds, self._expire)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.on_deadlock = self._outer_on_deadlock
        self._loop.trap.interrupt = self._outer_interrupt
        if self._call_off is not None:
            self._call_off()
        self._stop_watch()

    def _expire(self) -> None:
        if self._is_debugged or watchdog.is_debugger_attached():
            return
        self.is_over = True
        self._report = self._report or self.describe()
        try:
            self._end()
        except RecursionError:
            # Tasks that wait for each other: asyncio cannot cancel them.
            self._give_up()
            return
        self._call_off = self._loop.call_later(CANCEL_RETRY_SECONDS, self._insist)

    def _expire_for_deadlock(self) -> bool:
        if self.is_over:
            return False  # it was told; what does not end then is given some time
        self._is_deadlock = True
        self._expire()
        return True

    def _insist(self) -> None:
        self._end()
        self._call_off = self._loop.call_later(CANCEL_RETRY_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self.is_hopeless = True
        self._loop.loop.stop()

    def watch(self) -> None:
        """Begin to watch the loop, which is about to run, from outside."""
        self._sent = None
        if self._has_limit:
            when = self._began + self._limit.seconds
            if self.is_over:
                when = monotonic()
            self._is_watched = True
            self.when = when + watchdog.OVERRUN_SECONDS
            self.thread = threading.get_ident()
            watchdog.start(self)

    def _stop_watch(self) -> None:
        if self._is_watched:
            self._is_watched = False
            watchdog.stop(self)

    def pause(self) -> None:
        """End the watch, while the loop runs code that is not the test's."""
        self._stop_watch()

    def go_on(self) -> None:
        """Watch again, unless the watch has had its effect."""
        if not (self._is_watched or self._is_interrupted):
            self.watch()

    def is_blocked(self, callback: types.FrameType, frame: types.FrameType) -> str | None:
        """End a callback that blocks the loop, from the thread of the watchdog; return what else to print."""
        if not self._is_watched:
            return None
        if self._sent is not None and self._sent.has_raised is not False:
            return f"The event loop is still blocked after a KeyboardInterrupt. It stands at:\n{watchdog.stack(frame)}"
        self._interruption = None
        self._blocked_at = watchdog.stack(frame)
        # Before it arrives, which may be at once.
        self._is_interrupted = True
        self._sent = interrupter.interrupt(self.thread, callback)
        if self._sent is not None:
            return None
        self._is_interrupted = False
        self.is_over = True
        return f"The event loop is blocked: {self._limit} are over ({self._limit.setting}). It stands at:\n" + (
            self._blocked_at
        )

    def stop_clock(self) -> None:
        self._is_debugged = True

    def settle(self) -> None:
        """End the watch, and let an interruption come now that is on its way."""
        self._stop_watch()
        sent = self._sent
        if not self._is_interrupted or sent is None:
            return
        until = monotonic() + interrupter.DELIVERY_SECONDS
        while sent.has_raised is None and monotonic() < until:
            sleep(0.001)
        if sent.has_raised is False:
            self._is_interrupted = False  # the callback has ended by itself
        else:
            self.is_over = True  # and the callback has caught it

    def takes(self, interruption: KeyboardInterrupt) -> bool:
        """Return whether it comes from the watchdog, and not from the user. Others may raise it again."""
        self._stop_watch()
        if not self._is_interrupted:
            return False
        if self._interruption is None:
            self._interruption = interruption
            self.is_over = True
            self._expire()
        return True

    def spent(self) -> float:
        """Return the seconds since the block began."""
        return monotonic() - self._began

    def message(self, what: str) -> str:
        """Say what has happened to the operation of this name."""
        limit = f"{self._limit} ({self._limit.setting})" if self._has_limit else "no time limit"
        if self._is_deadlock:
            spent = self.spent()
            timers, files = "no timer", "no open file"
            if deadlock.has_private_servers(self._loop):
                timers, files = "no timer within that time", "no open file but those of the test's own server"
            return (
                f"{what} would have timed out after {limit}, and ends after {spent:.3g} seconds: this is a deadlock. "
                f"Nothing is left that could wake the event loop: {timers}, {files}, no thread, no child process"
            )
        return f"{what} timed out after {limit}"

    def error(self, cls: type[BaseException], message: str, outcome: BaseException | None = None) -> BaseException:
        """Return the error to raise, given what became of a task after its cancellation."""
        if self._interruption is not None:
            error = cls(f"{message}; this line blocked the event loop")
            error.__traceback__ = strip(self._interruption).__traceback__
        elif self._is_interrupted:
            error = cls(f"{message}; it blocked the event loop, and caught the KeyboardInterrupt that was to end that")
            error.add_note(f"It was blocked at:\n{self._blocked_at}")
        elif isinstance(outcome, asyncio.CancelledError):
            # The line at which it was cancelled is the one at which the test stood.
            error = cls(message).with_traceback(strip(outcome, from_end=True).__traceback__)
        elif self.is_hopeless:
            error = cls(f"{message}; it was cancelled, did not end, and is abandoned")
        else:
            error = cls(message)
            error.__cause__ = outcome
            exceptions.unchain(error)
        if self._report:
            error.add_note(self._report)
        return error
