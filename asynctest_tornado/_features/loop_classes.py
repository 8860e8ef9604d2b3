"""The features of the loop alone: jobs, gather, hosts, lent timers, factories."""

# Tested by tests/loop/test_managed_loop.py.

from asynctest_tornado._errors import siblings
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._loop import connections, coroutine_futures, own_handles
from asynctest_tornado._loop.executor_jobs import WorkingLoop
from asynctest_tornado._loop.gather import GatheringLoop
from asynctest_tornado._loop.task_factories import FactoryLoop

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
    patches = connections.patches


class Coroutines(Feature):
    """The futures of Tornado's coroutines."""

    patches = coroutine_futures.patches


class LentTimers(Feature):
    """The timers that a test leaves on a loop which goes on: they would be due after the test."""

    def closed(self, harness: Harness) -> None:
        if harness.loop.is_lent:
            for timer in own_handles.timers_of(harness.loop):
                timer.cancel()


class TaskFactories(Feature):
    """Waits on a loop with a task factory of the user."""

    loop_class = FactoryLoop


COROUTINES = Coroutines()
JOBS = Jobs()
LENT_TIMERS = LentTimers()
GATHER = Gather()
NUMERIC_HOSTS = NumericHosts()
TASK_FACTORIES = TaskFactories()
