"""The features that only add methods to the loop: jobs, gather, numeric hosts."""

# Tested by tests/loop/test_managed_loop.py.

from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._loop import connections
from asynctest_tornado._loop.executor_jobs import WorkingLoop
from asynctest_tornado._loop.gather import GatheringLoop

__unittest = True


class Jobs(Feature):
    """The jobs and subprocesses that a loop waits for."""

    loop_class = WorkingLoop


class Gather(Feature):
    """The errors that ``gather`` drops."""

    loop_class = GatheringLoop


class NumericHosts(Feature):
    """Connections to numeric addresses without a thread."""

    loop_class = connections.ConnectingLoop
    patches = connections.patches


JOBS = Jobs()
GATHER = Gather()
NUMERIC_HOSTS = NumericHosts()
