"""The sources of errors that come from anywhere in the process, for one test."""

# Tested by tests/loop/test_managed_loop.py.

from typing import Any

from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._loop import lent_loop
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._sources import unawaited_coroutines

__unittest = True


class Garbage(Feature):
    """The owners of errors that the garbage collector finds."""

    def opened(self, harness: Harness) -> None:
        use = harness.loop.loop._asynctest
        if not use.is_own:
            lent_loop.name_owners(use)


class UnawaitedCoroutines(Feature):
    """The errors of coroutines that were never awaited, unless the test handles such warnings."""

    def made(self, trap: Trap) -> None:
        unawaited_coroutines.watch(trap)


class _LoggingLoop(WatchedLoop):
    """Lets asyncio log each error."""

    def deliver_error(self, context: dict[str, Any]) -> bool:
        return False


class Loggers(Feature):
    """The errors that Tornado and asyncio log: they are delivered from there, unless the test expects the record."""

    loop_class = _LoggingLoop


GARBAGE = Garbage()
UNAWAITED_COROUTINES = UnawaitedCoroutines()
LOGGERS = Loggers()
