"""The protocol of features, which plug into the core: the hooks, and their order.

The core of a test is its `Harness`: the loop, the trap and the waits. All else is a feature. As a plugin of pytest is,
a feature is one object for all tests, of a subclass of `Feature` that overrides the hooks it needs. It has its data for
one test in ``trap.data``, where each hook can get at the trap of the test. The core knows the hooks and no feature.

One test calls the hooks in this order:

    made                                  the trap of the test is there, and its code has not begun
    opened                                the loop is there and current, and does not run yet
      wait_began                          a wait of the test begins
        run_began                         the loop is about to run for it
          before_sleep                    the loop is about to sleep
          trapped                         an error arrives, maybe from another thread
          recorded                        the test is going to fail of an error
          failing                         errors of the trap are about to be raised
          expiring                        the limit of the wait is over
          pending                         a timeout report is written
          main_ended                      the coroutine of the wait has ended; the calls that are ready come next
        run_ended                         the loop has stopped
        interrupted                       an exception has left it
        timed_out                         the error of a timeout was made
      wait_ended
      notes                               a phase of the test has failed
    ending                                the test is over; its tasks still run, its servers still serve
    closing                               the tasks were cancelled; the loop is still open
    closed                                the loop is closed
    verdict                               all errors are known
    reported                              all reports of the test are written
    late                                  an error was trapped after the end

`ending` is called only if tasks or resources are left, `closing` only if the test has made objects, calls are ready, or
asynchronous generators are open; to cancel tasks is a wait, too. A harness that opens again, after its loop was closed,
calls the hooks from `opened` on once more. Hooks that begin something are called in the order of the features, hooks
that end something (`run_ended`, `wait_ended`, `ending`, `closing`, `closed`, `verdict`, `reported`) in the opposite
order.

If a hook raises an exception:

- in `opened` and `wait_began`: the features before get `closed` or `wait_ended`, and the exception is raised;
- in `run_began`: all features get `run_ended`, and the exception is raised;
- in `wait_ended`: the other features get it, and the exception is raised;
- in `trapped`, `recorded`, `failing`, `late`, `ending`, `closing` and `closed`: it is an error of the test, and the
  other features get the hook;
- in `verdict`: it is the verdict, and the other hooks get it;
- in each other hook: it is raised where the hook is called, as an exception of the test's own code would be.

A hook that no feature overrides costs one truth test: `Features` finds the features of each hook once for all tests.

Besides, a feature can have `patches` of other modules, which `installation` puts in for a run of tests. The hooks
`tests_began` and `tests_ended` are called before the first test and after the last one, to change and restore the rest
of the process.
"""

import inspect
import types
from collections.abc import Callable, Collection, Coroutine, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from asynctest_tornado._loop.instrumented_loop import ComposedClasses, WatchedLoop

__unittest = True


class Feature:
    """A feature of tests. A subclass overrides the hooks that it needs.

    It refers to no test: ``trap.data[self]`` is the place for an object of one test.
    """

    #: True if only tests that have an option for it have this feature.
    is_optional = False
    #: A subclass of `WatchedLoop`, whose methods the loop of the test gets, before the methods of later features.
    loop_class: type | None = None
    #: A class whose methods the ``IOLoop`` of the test gets.
    io_loop_class: type | None = None
    #: A coroutine function that stands in for `run_func`: it waits for more than awaitables.
    run_func: Callable[..., Coroutine[Any, Any, Any]] | None = None
    #: The patches that it needs, each a `Patch`.
    patches: Sequence[Any] = ()

    def tests_began(self) -> None:
        """Prepare the process for tests."""

    def tests_ended(self) -> None:
        """Restore the state of the process: the last run has ended."""

    def made(self, trap: Any) -> None:
        """Record the state of the process before the test."""

    def opened(self, harness: Any) -> None:
        """Attach the feature to the loop, ``harness.loop``."""

    def wait_began(self, wait: Any) -> None:
        """Prepare for a wait of the test, a `Deadline`."""

    def main_ended(self, loop: Any) -> None:
        """Act in the task that the wait is for, before other calls of the loop.

        :param loop: the loop, a `LoopOfTest`.
        """

    def run_began(self, wait: Any) -> None:
        """Prepare for a run of the loop. Also called if the run goes on after code of this library."""

    def run_ended(self, wait: Any) -> None:
        """Undo `run_began`. Also called before code of this library that must not be disturbed."""

    def wait_ended(self, wait: Any) -> None:
        """Undo `wait_began`."""

    def before_sleep(self, loop: Any, timeout: float | None) -> float | None:
        """Return the seconds that a loop may sleep, 0 if there is something to do now, None for no limit.

        :param loop: the loop, a `LoopOfTest`.
        :param timeout: the seconds that it would sleep otherwise.
        """
        return timeout

    def trapped(self, trap: Any, error: BaseException) -> bool:
        """Return true to consume an error before the trap records it.

        It may come after the end of the test. Errors that the library itself has made, for example because a task does
        not end, do not come here.
        """
        return False

    def recorded(self, trap: Any, error: BaseException) -> None:
        """Prepare an error for the report: the trap has recorded it, or the code of the test raises it.

        The trap is locked.
        """

    def failing(self, trap: Any, errors: Sequence[BaseException]) -> None:
        """Act before errors of the trap are raised: the test fails of them."""

    def late(self, trap: Any, error: BaseException) -> bool:
        """Return true to leave an error that comes after the end of the test to the log.

        Otherwise it is reported as an error of the test.
        """
        return False

    def expiring(self, wait: Any) -> bool:
        """Return true to let a wait go on without a limit, now that its time is over."""
        return False

    def interrupted(self, wait: Any, error: BaseException) -> bool:
        """Return true for a KeyboardInterrupt that the feature has sent to end the wait, and not the user."""
        return False

    def timed_out(self, wait: Any, error: BaseException) -> None:
        """Complete the error of a timeout, which is about to be raised."""

    def pending(self, loop: Any, tasks: Sequence[Any], main: Any) -> str:
        """Return a text about the work that is left for a loop, for a timeout report; empty for none.

        :param tasks: the tasks that are not done, without the abandoned ones.
        :param main: the task that the test waits for, or None.
        """
        return ""

    def notes(self, harness: Any, error: BaseException) -> None:
        """Add notes to the error that ends a phase of the test.

        An error that passes several phases comes as often.
        """

    def ending(self, harness: Any, get_held: Callable[[], Collection[int]]) -> None:
        """Act while the tasks of the test still run.

        :param get_held: returns the ids of objects that the cleanups of the test are still going to end.
        """

    def closing(self, harness: Any) -> None:
        """Act while the loop can still run."""

    def closed(self, harness: Any) -> None:
        """Undo `opened`."""

    def verdict(self, harness: Any, error: BaseException | None) -> BaseException | None:
        """Return the error to raise at the end of the test.

        :param error: the error to raise without this feature, or None. It is None also if the test was skipped, or has
            failed already: ``trap.failure`` is its error then.
        """
        return error

    def reported(self, trap: Any) -> None:
        """Act before ``trap.data`` is cleared."""


async def run_func(func: Callable[[], Any], on_end: Callable[[bool], object]) -> Any:
    """Call the function of a wait, and wait for its result if that can be awaited.

    :param on_end: called at the very end, with true if a future was waited for: it was done a turn of the loop before.
    """
    try:
        result = func()
        return await result if inspect.isawaitable(result) else result
    finally:
        on_end(False)


_NO_HOOKS = {"tests_began", "tests_ended", "__annotate_func__"}  # the last one of Python 3.14
#: The hooks that the core calls for a test.
HOOKS = tuple(
    name for name, hook in vars(Feature).items() if isinstance(hook, types.FunctionType) and name not in _NO_HOOKS
)
#: The hooks that end something: the feature that began last ends first.
_REVERSED = frozenset({"run_ended", "wait_ended", "ending", "closing", "closed", "verdict", "reported"})


class Features:
    """A list of features, and for each hook the features that override it, in the order of the calls.

    :param members: the features.
    """

    __slots__ = ("_chosen", "io_loop_classes", "loop_classes", "members", "run_func", *HOOKS)

    if TYPE_CHECKING:

        def __getattr__(self, hook: str) -> Sequence[Any]: ...

    def __init__(self, members: Sequence[Feature] = ()) -> None:
        self.members = members
        loop_classes = [each.loop_class for each in members if each.loop_class is not None]
        io_loop_classes = [each.io_loop_class for each in members if each.io_loop_class is not None]
        #: By a class of loops, the class of the loop of a test.
        self.loop_classes: Mapping[type, Any] = ComposedClasses((*loop_classes, WatchedLoop))
        self.io_loop_classes: Mapping[type, Any] = ComposedClasses(tuple(io_loop_classes))
        found = [each.run_func for each in members if each.run_func is not None]
        #: Runs the function of a wait.
        self.run_func: Callable[..., Coroutine[Any, Any, Any]] = found[0] if found else run_func
        self._chosen: dict[Hashable, Features] = {}
        for hook in HOOKS:
            users = [each for each in members if getattr(type(each), hook) is not getattr(Feature, hook)]
            setattr(self, hook, tuple(users[::-1] if hook in _REVERSED else users))

    def of_test(self, options: Iterable[Feature]) -> "Features":
        """Return the features of a test, given the features that it has options for."""
        key = tuple(options)
        chosen = self._chosen.get(key)
        if chosen is None:
            chosen = Features([each for each in self.members if not each.is_optional or each in key])
            self._chosen[key] = chosen
        return chosen

    def undo(self, hook: str, undo: str, failed: Feature, *args: Any) -> None:
        """Call the hook that undoes a hook, for the features before the one in which that has raised an exception."""
        users = getattr(self, hook)
        begun = users[: users.index(failed)]
        for feature in getattr(self, undo):
            if feature in begun:
                getattr(feature, undo)(*args)


NO_FEATURES = Features()
