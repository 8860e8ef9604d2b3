"""The features of a test, in the order in which the core calls their hooks."""

# Tested by tests/harness/test_feature.py.

from asynctest_tornado._clock.feature import VIRTUAL_TIME
from asynctest_tornado._features.events import EVENTS
from asynctest_tornado._features.failed_requests import FAILED_REQUESTS
from asynctest_tornado._features.failure_hints import HINTS
from asynctest_tornado._features.loop_classes import (
    ABANDONED_TASKS,
    ASYNC_GENERATORS,
    COROUTINES,
    GATHER,
    JOBS,
    LENT_TIMERS,
    NUMERIC_HOSTS,
    TASK_FACTORIES,
    USER_RUNS,
    WEBSOCKETS,
)
from asynctest_tornado._features.loop_methods import LOOP_METHODS
from asynctest_tornado._features.loop_parts import LOOP_PARTS
from asynctest_tornado._features.raising_blocks import RAISING_BLOCKS
from asynctest_tornado._features.reports import REPORTS
from asynctest_tornado._features.skipped_coroutines import SKIPPED_COROUTINES
from asynctest_tornado._features.yieldable_results import YIELDABLE_RESULTS
from asynctest_tornado._harness.feature import Features
from asynctest_tornado._leaks.closing import CLOSED_CONNECTIONS
from asynctest_tornado._leaks.feature import LEAKS
from asynctest_tornado._logs.feature import TEST_LOGS
from asynctest_tornado._network.feature import NETWORK
from asynctest_tornado._network.named_hosts import NAMED_HOSTS
from asynctest_tornado._schedules.feature import ORDER
from asynctest_tornado._sources import installation
from asynctest_tornado._sources.feature import GARBAGE, LOGGERS, REQUEST_HANDLERS, UNAWAITED_COROUTINES
from asynctest_tornado._timeouts.alarms import ALARMS
from asynctest_tornado._timeouts.blocked_waits import BLOCKED_WAITS
from asynctest_tornado._timeouts.deadlock import DEADLOCK
from asynctest_tornado._timeouts.debugged_requests import DEBUGGED_REQUESTS
from asynctest_tornado._timeouts.pending_report import PENDING
from asynctest_tornado._timeouts.quiet import QUIET, RECHECKS
from asynctest_tornado._trace.feature import TRACE

__unittest = True

# The order is that of the hooks which begin something, and of the notes; hooks that end something have the opposite
# order. So:
# - ASYNC_GENERATORS come first: all that may use or finish them ends before;
# - CLOSED_CONNECTIONS come next: they consume errors that no other feature has to see;
# - GARBAGE comes before features that run code, which may leave garbage;
# - UNAWAITED_COROUTINES come before HINTS: they look for coroutines in all frames of the traceback;
# - HINTS come before other notes: they take frames out of the traceback;
# - EVENTS come before LEAKS: the verdict of these is part of the event;
# - ALARMS come before NETWORK and VIRTUAL_TIME, which need the selector that they find;
# - BLOCKED_WAITS come before PENDING: an interruption that they have sent needs no note about pending tasks;
# - PENDING comes before VIRTUAL_TIME: a timeout report begins with the tasks;
# - QUIET comes before VIRTUAL_TIME: a moment is looked at before time jumps;
# - VIRTUAL_TIME comes before RECHECKS and DEADLOCK: if time jumps, the loop does not sleep, and there is no deadlock;
# - RECHECKS come before DEADLOCK: a condition may depend on things that do not wake the loop;
# - NAMED_HOSTS come before NETWORK and NUMERIC_HOSTS: the name of a host becomes a numeric address;
# - TRACE comes after NETWORK, VIRTUAL_TIME and ORDER, whose events it records, and after LEAKS, which look up the lines
#   that have called a method of the loop;
# - TEST_LOGS come last: a report ends with them, and leaves out the errors that another note has.
#: Each test has all of them but the optional ones that it has no option for.
FEATURES = Features(
    (
        ASYNC_GENERATORS,
        CLOSED_CONNECTIONS,
        REPORTS,
        UNAWAITED_COROUTINES,
        SKIPPED_COROUTINES,
        GARBAGE,
        LOGGERS,
        HINTS,
        FAILED_REQUESTS,
        RAISING_BLOCKS,
        EVENTS,
        LOOP_PARTS,
        LOOP_METHODS,
        ALARMS,
        NAMED_HOSTS,
        NETWORK,
        BLOCKED_WAITS,
        DEBUGGED_REQUESTS,
        PENDING,
        QUIET,
        VIRTUAL_TIME,
        RECHECKS,
        ORDER,
        DEADLOCK,
        REQUEST_HANDLERS,
        COROUTINES,
        GATHER,
        JOBS,
        LEAKS,
        LENT_TIMERS,
        NUMERIC_HOSTS,
        TASK_FACTORIES,
        USER_RUNS,
        WEBSOCKETS,
        ABANDONED_TASKS,
        YIELDABLE_RESULTS,
        TRACE,
        TEST_LOGS,
    )
)
#: The features of a test without any option.
PLAIN = FEATURES.of_test(())

installation.plug_in(FEATURES)
