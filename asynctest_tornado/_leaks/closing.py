"""Consumes errors that follow from connections that the end of a test closes."""

# Tested by tests/errors/test_closed_connections.py.

import weakref
from collections.abc import Iterable

from asynctest_tornado._errors import siblings
from asynctest_tornado._errors.closed_connections import CLOSING, Closing, comes_of_closing, is_noted, says_so
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness

__unittest = True

#: The tests that have closed connections. Not in the data of the trap, which is gone when late errors come.
_have_closed: "weakref.WeakSet[Trap]" = weakref.WeakSet()


class ClosedConnections(Feature):
    """Consumes the errors that follow from closed connections.

    It comes before the features that close something: when its hooks of the end are called, all of that is closed.
    """

    def begin(self, harness: Harness, futures: Iterable[object] = ()) -> None:
        """Record that connections are closed from now on. A consequence of that is no error of the test.

        :param futures: objects of the test, some of which may be failed futures.
        """
        known = harness.trap.data.get(CLOSING)
        if known is None or not known.is_under_way:
            lost = harness.loop.loop._asynctest.futures.lost(futures)
            harness.trap.data[CLOSING] = Closing([error for _, error in lost], harness.loop.own_futures())
            _have_closed.add(harness.trap)

    def have_cut_off(self, harness: Harness) -> None:
        """Record that all code that uses these connections was cut off by now, if it has begun."""
        closing = harness.trap.data.get(CLOSING)
        if closing is not None:
            closing.have_cut_off()

    def trapped(self, trap: Trap, error: BaseException) -> bool:
        if not (is_noted(error) or comes_of_closing(trap, error)):
            return False
        for sibling in siblings.of(trap, error):
            trap.add(sibling)  # which has another reason
        return True

    def late(self, trap: Trap, error: BaseException) -> bool:
        # The future, which no code has waited for, may have failed at any time.
        return trap in _have_closed and error.__traceback__ is None and says_so(error)

    def closing(self, harness: Harness) -> None:
        self.begin(harness, harness.futures)
        self.have_cut_off(harness)

    def closed(self, harness: Harness) -> None:
        closing = harness.trap.data.get(CLOSING)
        if closing is not None:
            closing.end()


CLOSED_CONNECTIONS = ClosedConnections()
