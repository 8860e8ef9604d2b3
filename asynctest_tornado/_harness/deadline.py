"""Ends a wait: at its limit, for a reason that a feature gives, or at an error.

At the end of the time, `Deadline` ends the operation that the test waits for: mostly, it cancels a task. If the task
still runs `CANCEL_RETRY_SECONDS` later, it is cancelled once more; as many seconds later, it is abandoned, and the loop
stops. An error in the trap ends the operation, too, and is raised instead of a timeout.

A feature can end a wait before its limit, by `Deadline.expire`, or let it go on after its limit, by the hook
``expiring``. It records facts for the report in attributes of the wait.
"""

import math
import threading
from collections.abc import Callable
from typing import Any

from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._util.real_time import monotonic

__unittest = True

#: Seconds that a task gets to end after each of its two cancellations.
CANCEL_RETRY_SECONDS = 0.2


class Deadline:
    """For a block that runs the loop: ends it when the time is over, or at an error in the trap.

    :param loop: the loop.
    :param end: ends the operation that the block waits for; called once more if it does not end.
    :param limit: the time limit.
    :param describe: returns the pending tasks, timers and requests, as text for the report.
    :param is_of_test: True if code of the test waits, and not the library, which goes on at an error in the trap.
    """

    # Facts for the report, which few waits have.
    #: Says how the wait has ended, instead of "timed out after 5 seconds".
    reason = ""
    #: Ends the message.
    remark = ""
    #: The exception that a feature has sent: the error gets its traceback.
    raised: BaseException | None = None
    #: The pending tasks, timers and requests as text, from before the first of them was cancelled.
    pending = ""
    #: The error of the timeout, if a block of the test has reported it.
    reported: BaseException | None = None

    def __init__(
        self,
        loop: LoopOfTest,
        end: Callable[[], object],
        limit: Limit,
        describe: Callable[[], str] = lambda: "",
        is_of_test: bool = True,
    ) -> None:
        #: True if the time is over.
        self.is_over = False
        #: True if the operation was given up.
        self.is_hopeless = False
        self.loop = loop
        self.limit = limit
        self.describe = describe
        self.is_of_test = is_of_test
        #: The data that features have for the wait.
        self.data: dict[object, Any] = {}
        self._end = end
        self._call_off: Callable[[], object] | None = None
        #: The thread that runs the loop.
        self.thread = threading.get_ident()
        self._began = began = monotonic()
        seconds = limit.seconds  # as `Limit.is_set`, without the call of a property: each wait asks
        #: The end of the time, by the computer's monotonic clock; None for no limit.
        self.ends_at = began + seconds if 0 < seconds < math.inf else None

    def __enter__(self) -> "Deadline":
        trap = self.loop.trap
        feature: Any = None
        try:
            for feature in trap.features.wait_began:
                feature.wait_began(self)
        except BaseException:
            trap.features.undo("wait_began", "wait_ended", feature, self)
            raise
        if self.ends_at is not None:
            self._call_off = self.loop.call_later(self.limit.seconds, self._ring)
        trap.waits.append(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        trap = self.loop.trap
        trap.waits.pop()
        if self._call_off is not None:
            self._call_off()
        first: BaseException | None = None
        for feature in trap.features.wait_ended:
            try:
                feature.wait_ended(self)
            except BaseException as error:
                first = first or error
        if first is not None:
            raise first

    def interrupt(self) -> None:
        """End the operation at an error in the trap. Any thread may call this."""
        if self.is_of_test:
            self.loop.loop.call_in(self.thread, self._end)

    def expire(self, reason: str) -> bool:
        """End the operation before its time is over, and return true; false if it is ending already, or has to go on.

        :param reason: says how the wait has ended.
        """
        if self.is_over or self._goes_on():
            return False
        self.reason = reason
        self.end()
        return True

    def _ring(self) -> None:
        if not self._goes_on():
            self.end()

    def _goes_on(self) -> bool:
        return any(feature.expiring(self) for feature in self.loop.trap.features.expiring)

    def end(self) -> None:
        """End the operation, also if its end has begun."""
        self.is_over = True
        self.pending = self.pending or self.describe()
        try:
            self._end()
        except RecursionError:
            # Tasks that wait for each other: asyncio cannot cancel them.
            self._give_up()
            return
        self._call_later(self._insist)

    def _call_later(self, func: Callable[[], object]) -> None:
        if self._call_off is not None:
            self._call_off()
        self._call_off = self.loop.call_later(CANCEL_RETRY_SECONDS, func)

    def _insist(self) -> None:
        self._end()
        self._call_later(self._give_up)

    def _give_up(self) -> None:
        self.is_hopeless = True
        self.loop.loop.stop()

    def spent(self) -> float:
        """Return the seconds since the block began."""
        return monotonic() - self._began
