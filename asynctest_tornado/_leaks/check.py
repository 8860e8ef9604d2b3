"""The leak check: when it runs, which resources it closes, how it reports.

An object is recorded when it is made, weakly, for the trap of the running test, with the line of the user that made it:
by the loop, by the patches of `tracking`, by the hook for threads. Objects that a library makes for itself are not.

The check looks for each kind of leak at the last moment when it can be seen:

- tasks and requests, before the test cancels its tasks, or closes its client and server. A task that a cleanup can
  reach is held: the cleanup may still end it.
- timers, callbacks and resources, when all cleanups have run, and the loop is still open.
- threads, jobs and asynchronous generators after these: they may be about to end, and get turns or time for that.

An object of the test's own loop is closed, so that it does not disturb later tests. A loop that goes on after the test
may still need it: then it stays open. If the loop belongs to the class, the class reports it in the end, except those
that no later test can use: a ``PeriodicCallback``, because its next call is a timer, and a stream that was dropped.

A leak is reported once: in the report of a failure if there is one, else as the policy says. If a timeout report has
shown the pending tasks and timers, these are not reported again.
"""

# Tested by tests/leaks/test_search.py.

from collections.abc import Callable, Collection, Iterable
from typing import Any

from asynctest_tornado._errors import contexts, notes
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._leaks import passed_over
from asynctest_tornado._leaks import policy as _policy
from asynctest_tornado._leaks.search import Leftovers
from asynctest_tornado._loop.user_runs import interruptible
from asynctest_tornado._util.real_time import monotonic, sleep

__unittest = True

#: Turns of the loop in which closed connections and the like come to their end.
SETTLE_TURNS = 10
#: Seconds that threads get to end.
SETTLE_SECONDS = 0.1


#: The key for a timeout, in the data of its mark: the report shows the pending tasks already.
SHOWS_PENDING: Any = object()


class LeakCheck:
    """The leak check of one test.

    :param harness: the harness, with its present loop.
    :param policy: decides whether to search, and how to report.
    """

    def __init__(self, harness: Harness, policy: _policy.Policy) -> None:
        self.loop = harness.loop
        self._harness = harness
        self._trap = harness.trap
        self._policy = policy
        self._leftovers = Leftovers(harness.loop, harness.trap, policy)
        #: The leaks that `report` has found, as text.
        self.reported: list[str] = []
        #: True if there was a warning, which filters have not made an error.
        self.has_warned = False

    def look_for_tasks(self, get_held: Callable[[], Collection[int]]) -> None:
        """Find tasks that are left, before they are cancelled, and before the resources that they wait for are closed.

        :param get_held: returns the ids of objects which the test is still going to end.
        """
        leftovers = self._leftovers
        self._look_for(lambda held: leftovers.tasks(held) + leftovers.requests(held), get_held)

    def look_for_requests(self, get_held: Callable[[], Collection[int]]) -> None:
        """Find requests that are left, before they are cut off.

        :param get_held: see `look_for_tasks`.
        """
        self._look_for(self._leftovers.requests, get_held)

    def _look_for(
        self, look: Callable[[Collection[int]], list[_policy.Leak]], get_held: Callable[[], Collection[int]]
    ) -> None:
        if not self._is_interested():
            return
        if self._shows_pending() or self.loop.loop.is_closed() or not look(()):
            return
        held = get_held()
        if self._harness.waits.running.has_run and not self._trap.is_failing:
            # A task that is about to end gets the turns for that. If the test was cut short, no task is.
            self._settle(lambda: bool(look(held)))
        self._leftovers.add(look(held))

    def look_for_all(self, open_streams: Iterable[Callable[[], Any]]) -> None:
        """Find all else that is left, at the very end, and close it.

        :param open_streams: references to the streams that were open at the end of the last wait.
        """
        leftovers = self._leftovers
        if not self._is_interested() or self.loop.loop.is_closed():
            return
        if not self._shows_pending():
            leftovers.find_callbacks()
        outer = self._harness.outer
        if outer is not None:
            leftovers.find_ended()
            leftovers.hand_over(outer.trap)
        elif leftovers.find_open([stream for get in open_streams if (stream := get()) is not None]):
            # They were closed for the test, and let go of their files in the next turn.
            self._turn()
        if leftovers.has_running():
            # They may be about to end: for example, asyncio closes a dropped generator a few turns later.
            self._settle(leftovers.has_running, leftovers.has_workers)
            leftovers.find_running()

    def _settle(self, is_open: Callable[[], bool], has_workers: Callable[[], bool] = lambda: False) -> None:
        """Run the loop for a few turns, or until nothing is open any more.

        :param has_workers: returns true if threads have to end, which takes real time.
        """
        until = monotonic() + SETTLE_SECONDS
        turns = 0
        while is_open() and (turns < SETTLE_TURNS or (has_workers() and monotonic() < until)):
            turns += 1
            if turns > SETTLE_TURNS:
                sleep(0.001)
            self._turn()

    def _turn(self) -> None:
        """Run the loop for one turn, also if there are errors."""
        loop = self._harness.loop.loop
        loop.call_soon(loop.stop)
        with interruptible(loop, lambda: None):
            loop.run_forever()

    def _shows_pending(self) -> bool:
        """Return true if the report of the test shows pending tasks already, because its time was over."""
        failure = self._trap.failure
        return failure is not None and SHOWS_PENDING in self._trap.mark(failure).data

    def _is_interested(self) -> bool:
        return self._policy.is_interested(self._trap.is_failing)

    def report(self, error: BaseException | None) -> BaseException | None:
        """Report leaks once, in the report of a failure if there is one. Return the error that the test fails of.

        :param error: the error that it fails of without the leaks.
        """
        name = self._trap.describe()
        leaks = self._leftovers.take()
        self.reported = [leak.description for leak in leaks]
        if not leaks:
            return error
        leaks = passed_over.explained(self._trap, leaks)
        if error is not None and contexts.is_failure(error):
            notes.add(error, _policy.describe(name, leaks), self._trap)
        elif self._trap.failure is not None:
            if self._trap.reporter is not None:
                self._trap.reporter.amend(self._trap.failure, _policy.describe(name, leaks))
        elif self._policy.action == "fail":
            return _policy.failure(name, leaks, self._policy)
        elif self._policy.action == "warn":
            _policy.warn(name, leaks, self._policy)
            self.has_warned = True
        return error
