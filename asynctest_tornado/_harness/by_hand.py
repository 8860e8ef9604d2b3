"""Runs a test by hand, where no framework calls its phases."""

# Tested by tests/harness/test_harness.py.

import contextvars
from collections.abc import Iterable

from asynctest_tornado._errors import contexts, leaving
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.shared_context import SharedContext

__unittest = True


class Entered:
    """Lets the caller's code be code of a test, up to `leave`.

    :param context: the context of the test.
    """

    _outer_chain: contexts.Chain = ()
    _token: "contextvars.Token[contexts.Chain] | None" = None

    def __init__(self, context: SharedContext) -> None:
        chain, own = contexts.contexts.get(), context.variables[contexts.contexts]
        if chain[:1] != own:
            self._outer_chain = chain
            self._token = contexts.contexts.set(own)

    def leave(self) -> None:
        """Restore the contexts of the caller."""
        leaving.leave(lambda chain: self._outer_chain, self._token)


def finish(harness: Harness, entered: Entered, futures: Iterable[object] = ()) -> None:
    """Finish a test that no framework runs, and reports. Raises the errors in the trap.

    :param entered: the block of code that belongs to the test, up to here.
    :param futures: see `Harness.finish`.
    """
    harness.close(futures)
    entered.leave()
    harness.trap.failure = None  # its report is beyond reach
    try:
        harness.finish()
    finally:
        harness.trap.forget_reports()


class HarnessByHand(Harness):
    """A harness as a context manager; the code in the block is code of the test.

    ::

        with HarnessByHand(lambda: "my test") as harness:
            harness.waits.run(my_coroutine_function, timeout)
    """

    def __enter__(self) -> "HarnessByHand":
        self.open()
        self._entered = Entered(self.context)
        return self

    def __exit__(self, *exc_info: object) -> None:
        finish(self, self._entered)
