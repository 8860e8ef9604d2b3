"""One test: open the loop and the trap, end its leftovers, give the verdict."""

import contextlib
import enum
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from tornado.ioloop import IOLoop

from asynctest_tornado._errors.raising import raise_as_it_was
from asynctest_tornado._errors.trap import Reporter, Trap
from asynctest_tornado._harness.feature import NO_FEATURES, Feature, Features
from asynctest_tornado._harness.shared_context import SharedContext
from asynctest_tornado._harness.waits import Waits
from asynctest_tornado._loop import managed_loop

__unittest = True


class State(enum.Enum):
    NEW = "not open yet"
    OPEN = "open"
    CLOSED = "closed"


# For speed: a test uses these eight times, and CPython looks the members of an enumeration up in a slow way.
NEW, OPEN, CLOSED = State


_NO_OPTIONS: Mapping[Feature, Any] = {}


def _new_ioloop() -> IOLoop:
    io_loop: IOLoop = IOLoop(make_current=False)
    return io_loop


class Harness:
    """Owns the loop and the trap of one test. It knows nothing of unittest, and no feature.

    A framework opens it, runs the phases of the test by `waits` and `context`, and finishes it; see `by_hand`.

    :param describe: returns the name of the test, for reports.
    :param outer: the harness of the class, whose loop and context variables the test gets.
    :param features: the features of the test; see `Features.of_test`.
    :param options: the settings of the test for features.
    :param reporter: the reporter of the test, if the framework has one.
    """

    def __init__(
        self,
        describe: Callable[[], str],
        outer: "Harness | None" = None,
        features: Features = NO_FEATURES,
        options: Mapping[Feature, Any] = _NO_OPTIONS,
        reporter: Reporter | None = None,
    ) -> None:
        self.state = NEW
        self.describe = describe
        self.features = features
        self.trap = Trap(describe, features, reporter)
        for feature in features.made:
            feature.made(self.trap)
        self.outer = outer
        self.options = options
        self.context: SharedContext = SharedContext(self.trap, None if outer is None else outer.context)
        self._resources: contextlib.ExitStack | None = None
        #: The objects that `close` was given: some of them may be failed futures.
        self.futures: Iterable[object] = ()

    def open(self, make_loop: Callable[[], IOLoop] = _new_ioloop, is_lent: bool = False) -> IOLoop:
        """Make the loop and watch it; return it. It is current, and does not run.

        :param make_loop: returns the loop.
        :param is_lent: True if others use the loop as well: the test then ends only its own tasks and timers.
        """
        if self.state is OPEN:
            # A test that calls tearDown() and setUp(), or a setUp() that is reached twice: it goes on with a new loop.
            self.close()
        else:
            assert self.state is NEW, self.state
        outer = self.outer
        if outer is not None:
            make_loop, is_lent = lambda: outer.loop.io_loop, True
        loop = managed_loop.LoopOfTest(make_loop, self.trap, is_lent)
        self.loop: managed_loop.LoopOfTest = loop
        #: Run the loop, from now on.
        self.waits = Waits(loop, self.trap, self.context)
        self.trap.loop = loop
        feature: Any = None
        try:
            for feature in self.features.opened:
                feature.opened(self)
        except BaseException:
            self.features.undo("opened", "closed", feature, self)
            loop.close()
            raise
        self.state = OPEN
        return loop.io_loop

    @property
    def resources(self) -> contextlib.ExitStack:
        """Servers, clients and the like; closed before the loop, while it can still run."""
        if self._resources is None:
            self._resources = contextlib.ExitStack()
        return self._resources

    def finish(self, futures: Iterable[object] = ()) -> None:
        """Close, and raise the errors in the trap.

        :param futures: objects. Those of them that are failed futures are reported, unless the test has seen the error.
        """
        self.close(futures)
        error = self.trap.close()
        for feature in self.features.verdict:
            try:
                error = feature.verdict(self, error)
            except Exception as raised:  # for example a warning of which a filter makes an error
                error = raised
        if error is not None:
            raise_as_it_was(error)

    def end(self, get_held: Callable[[], Collection[int]] = tuple) -> None:
        """Act at the end of the test, before its tasks are cancelled or the things that they wait for are closed.

        :param get_held: returns the ids of objects which the cleanups of the test are still going to end.
        """
        self._call("ending", self, get_held)

    def drain(self) -> None:
        """Cancel the tasks that still run, and let them end. Their errors go into the trap."""
        if self.loop.may_have_pending_tasks():
            self.waits.running.drain()

    def close(self, futures: Iterable[object] = ()) -> None:
        """End the tasks and the like that are left, and close the loop. Afterwards the trap has all errors.

        :param futures: see `finish`.
        """
        if self.state is not OPEN:
            return
        self.futures = futures
        self.trap.hold()
        try:
            # Most tests have left nothing that could go on: one check instead of one before and after each step.
            if self._resources is not None or self.loop.may_have_pending_tasks():
                self.end()
                self.close_resources()
                self.drain()
            if self.trap.made or not self.loop.is_tidy():
                self._call("closing", self)
            self.loop.report_lost_errors(futures)
        finally:
            self.state = CLOSED
            self.waits.is_closed = True
            self.loop.close()
            for feature in self.features.closed:  # for speed, not by `_call`
                try:
                    feature.closed(self)
                except Exception as error:
                    self.trap.add(error, is_own=True)
            self.futures = ()
            self.trap.release()

    def _call(self, hook: str, *args: Any) -> None:
        for feature in getattr(self.features, hook):
            try:
                getattr(feature, hook)(*args)
            except Exception as error:
                self.trap.add(error, is_own=True)

    def close_resources(self) -> None:
        """Close the `resources` now, and not with the loop."""
        if self._resources is not None:
            self._resources.close()
