"""The features of the loop alone: jobs, gather, hosts, lent timers, websockets."""

# Tested by tests/loop/test_managed_loop.py.

from asynctest_tornado._errors import siblings
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._loop import (
    abandoned_tasks,
    connections,
    coroutine_futures,
    direct_connect,
    own_handles,
    websocket_nodelay,
)
from asynctest_tornado._loop.executor_jobs import WorkingLoop
from asynctest_tornado._loop.gather import GatheringLoop
from asynctest_tornado._loop.task_factories import FactoryLoop
from asynctest_tornado._loop.user_runs import UserRunLoop

__unittest = True


class Jobs(Feature):
    """The jobs and subprocesses that a loop waits for."""

    loop_class = WorkingLoop


class Gather(Feature):
    """The errors that ``gather`` drops."""

    loop_class = GatheringLoop

    def recorded(self, trap: Trap, error: BaseException) -> None:
        siblings.promote(trap, error)


class NumericHosts(Feature):
    """Connections to numeric addresses without a thread."""

    loop_class = connections.ConnectingLoop
    patches = (*connections.patches, *direct_connect.patches)


class Websockets(Feature):
    """Websockets without Nagle's algorithm."""

    patches = websocket_nodelay.patches


class Coroutines(Feature):
    """The futures of Tornado's coroutines."""

    patches = coroutine_futures.patches


class AsyncGenerators(Feature):
    """The asynchronous generators that were begun and not finished. On a lent loop, their owner is not known."""

    def closing(self, harness: Harness) -> None:
        loop = harness.loop
        if loop.is_lent or not getattr(loop.loop, "_asyncgens", True):
            return
        if not harness.waits.running.to_end(loop.loop.shutdown_asyncgens()):
            harness.trap.add(
                RuntimeError(
                    f"An asynchronous generator of {harness.describe()} was closed at the end of the test, and does "
                    "not end. It is abandoned. Let it end when it gets a GeneratorExit."
                ),
                is_own=True,
            )


class AbandonedTasks(Feature):
    """The tasks that did not end after their cancellations."""

    def closed(self, harness: Harness) -> None:
        for task in harness.waits.running.abandoned:
            abandoned_tasks.forget(task)


class LentTimers(Feature):
    """The timers that a test leaves on a loop which goes on: they would be due after the test."""

    def closed(self, harness: Harness) -> None:
        if harness.loop.is_lent:
            for timer in own_handles.timers_of(harness.loop):
                timer.cancel()


class UserRuns(Feature):
    """Runs of the loop by the user's code."""

    loop_class = UserRunLoop


class TaskFactories(Feature):
    """Waits on a loop with a task factory of the user."""

    loop_class = FactoryLoop


ABANDONED_TASKS = AbandonedTasks()
ASYNC_GENERATORS = AsyncGenerators()
COROUTINES = Coroutines()
JOBS = Jobs()
LENT_TIMERS = LentTimers()
GATHER = Gather()
NUMERIC_HOSTS = NumericHosts()
TASK_FACTORIES = TaskFactories()
USER_RUNS = UserRuns()
WEBSOCKETS = Websockets()
