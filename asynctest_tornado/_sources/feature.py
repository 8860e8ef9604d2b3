"""The sources of errors besides the loop, as features."""

# Tested by tests/sources/test_garbage.py.

import types
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors import collection, contexts, owner
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._sources import garbage, handler_errors, installation, lent_loop, loggers, unawaited_coroutines

__unittest = True


class _CollectedLoop(WatchedLoop):
    """Reports the errors of garbage, which surface while any code runs."""

    def report_error(self, context: dict[str, Any], handle: Callable[[dict[str, Any]], object]) -> None:
        collection.apart(super().report_error, context, handle)

    def chain_of_dropped(self) -> contexts.Chain | None:
        use = self._asynctest
        if use.of_garbage is not None and not use.trap.is_open:
            return use.of_garbage  # the class is over
        if collection.is_collecting():
            return () if use.is_own else None if use.outer is None else use.of_garbage
        return super().chain_of_dropped()

    def report_in(
        self, chain: contexts.Chain, context: dict[str, Any], handle: Callable[[dict[str, Any]], object]
    ) -> None:
        with collection.attributed():
            super().report_in(owner.certain(contexts.rooted(chain, self)), context, handle)


class Garbage(Feature):
    """The errors that surface in the interpreter, and the tests that garbage may be of.

    The option is a function that returns the place of the test in its run, or None; see `place_in_run`.
    """

    loop_class = _CollectedLoop

    def opened(self, harness: Harness) -> None:
        installation.attach()
        garbage.suspect(harness.trap, harness.options.get(self, types.NoneType))
        use = harness.loop.loop._asynctest
        if not use.is_own:
            lent_loop.name_owners(use)


class UnawaitedCoroutines(Feature):
    """The errors of coroutines that were never awaited, unless the test handles such warnings."""

    def made(self, trap: Trap) -> None:
        unawaited_coroutines.watch(trap)

    def notes(self, harness: Harness, error: BaseException) -> None:
        unawaited_coroutines.record_failure(harness.trap, error)

    def reported(self, trap: Trap) -> None:
        unawaited_coroutines.end_failure(trap)


class _LoggingLoop(WatchedLoop):
    """Lets asyncio log each error, if the logger is watched."""

    def deliver_error(self, context: dict[str, Any]) -> bool:
        return not loggers.are_watched() and super().deliver_error(context)


class Loggers(Feature):
    """The errors that Tornado and asyncio log: they are delivered from there, unless the test expects the record."""

    loop_class = _LoggingLoop


class RequestHandlers(Feature):
    """The errors of request handlers, as notes in the report of a failure."""

    def notes(self, harness: Harness, error: BaseException) -> None:
        handler_errors.add_notes(error, harness.trap)

    def reported(self, trap: Trap) -> None:
        handler_errors.drop(trap)


GARBAGE = Garbage()
UNAWAITED_COROUTINES = UnawaitedCoroutines()
LOGGERS = Loggers()
REQUEST_HANDLERS = RequestHandlers()
