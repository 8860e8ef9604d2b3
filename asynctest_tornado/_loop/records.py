"""Records the futures that a test makes, with the chains of their errors."""

# Tested by tests/loop/test_managed_loop.py.

import asyncio
from collections.abc import Iterable, Iterator

from asynctest_tornado._errors import contexts
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True


class Futures(WeakNotes[contexts.Chain]):
    """Each task, and each future of a coroutine or executor, that still exists; with the chain in which it was made."""

    def lost(self, others: Iterable[object]) -> Iterator[tuple["asyncio.Future[object]", BaseException]]:
        """Return the failed futures whose error no code has looked at, with the error.

        :param others: objects to look through besides the recorded futures.
        """
        known = [future for future, _ in self.known()] if self else ()
        for future in (*known, *others):
            # The flag of the finalizers: set with the exception, and cleared by the code that retrieves it.
            if isinstance(future, asyncio.Future) and getattr(future, "_log_traceback", False):
                error = getattr(future, "_exception", None)
                if contexts.is_error(error):
                    yield future, error
