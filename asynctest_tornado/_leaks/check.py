"""When to look for what a test has left, what to end of it, and how to tell that."""

# Tested by tests/leaks/test_search.py.

from collections.abc import Callable, Collection, Iterable
from typing import Any

from asynctest_tornado._errors import contexts, exception_notes
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._leaks import policy as _policy
from asynctest_tornado._leaks.search import Leftovers
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._timeouts.loop_driver import Running
from asynctest_tornado._util import observer

__unittest = True


class Tidying:
    """The end of one test, as far as it leaves something.

    :param loop: the loop of the test.
    :param running: runs it.
    :param trap: knows what the test has made, and whether it fails.
    :param policy: says what to look for and how to tell it.
    :param outer: the trap of the class, if that is where the loop comes from.
    :param amend: adds to the report of a failure that was told already.
    """

    def __init__(
        self,
        loop: LoopOfTest,
        running: Running,
        trap: Trap,
        policy: _policy.Policy,
        outer: Trap | None,
        amend: Callable[[BaseException, str], object],
    ) -> None:
        self._loop = loop
        self._running = running
        self._trap = trap
        self._policy = policy
        self._outer = outer
        self._amend = amend
        self._leftovers = Leftovers(loop, trap, policy)
        #: Whether there was a warning.
        self.has_warned = False

    def look_for_tasks(self, get_held: Callable[[], Collection[int]]) -> None:
        """Find tasks that are left, before they are cancelled or what they wait for is closed.

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
        if self._trap.shows_pending or self._loop.loop.is_closed() or not look(()):
            return
        held = get_held()
        if self._running.has_run and not self._trap.is_failing:
            # What is about to end gets the turns for that. Where the test was cut short, nothing is.
            self._running.settle(lambda: bool(look(held)))
        self._leftovers.add(look(held))

    def look_for_all(self, open_streams: Iterable[Callable[[], Any]]) -> None:
        """Find whatever else is left, at the very end, and close it.

        :param open_streams: references to the streams that were open at the end of the last wait.
        """
        leftovers = self._leftovers
        if not self._is_interested() or self._loop.loop.is_closed():
            return
        if not self._trap.shows_pending:
            leftovers.find_callbacks()
        if self._outer is not None:
            leftovers.hand_over(self._outer)
        elif leftovers.find_open([stream for get in open_streams if (stream := get()) is not None]):
            # They were closed for the test, and let go of their files in the next turn.
            self._running.turn()
        if leftovers.has_running():
            # They may be about to end: asyncio closes a generator that was dropped a few turns later.
            self._running.settle(leftovers.has_running, leftovers.has_workers)
            leftovers.find_running()

    def _is_interested(self) -> bool:
        return self._policy.is_interested(self._trap.is_failing)

    def tell(self, name: str, error: BaseException | None) -> BaseException | None:
        """Tell of leaks once, in the report of a failure if there is one. Return what the test fails of.

        :param name: that of the test.
        :param error: what it fails of anyhow.
        """
        leaks = self._leftovers.take()
        if (current := observer.current) is not None:
            is_searched, is_ordered = self._policy.action != "ignore", self._trap.hint is not None
            current.ended(name, [leak.what for leak in leaks], is_searched, is_ordered)
        if not leaks:
            return error
        if error is not None and contexts.is_failure(error):
            exception_notes.add(error, _policy.describe(name, leaks), self._trap)
        elif self._trap.failure is not None:
            self._amend(self._trap.failure, _policy.describe(name, leaks))
        elif self._policy.action == "fail":
            return _policy.failure(name, leaks)
        elif self._policy.action == "warn":
            self.has_warned = True
            _policy.warn(name, leaks, self._trap.hint)
        return error
