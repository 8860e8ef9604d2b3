"""The observer of a run, which learns of trapped errors, waits and leaks."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

__unittest = True


class Observer:
    """Learns of the events of a run. A subclass overrides the methods of the events that it needs.

    A method is called by the code, and in the thread, where its event occurs. Arguments may refer to the test: an
    observer that keeps them keeps the test alive.
    """

    #: The arguments of ``python`` that run a test as this run does, if the name of the test follows.
    runner = "-m unittest"

    def waited(self, describe: Callable[[], str], seconds: float, limit: float) -> None:
        """A test has run its loop, and goes on.

        :param describe: returns the name of the test.
        :param seconds: how long the wait took.
        :param limit: how long it was allowed to take, in seconds; 0 or infinite if there was no limit.
        """

    def trapped(self, test: str, errors: Sequence[BaseException]) -> None:
        """A test is about to fail because of errors that had no caller.

        :param test: the name of the test.
        """

    def ended(self, test: str, leaks: Sequence[str], is_searched: bool, is_ordered: bool) -> None:
        """A test has ended, up to its cleanups.

        :param test: the name of the test.
        :param leaks: the resources that it left open, as text.
        :param is_searched: True if the policy of the test allows to search for leaks.
        :param is_ordered: True if the test ran in one of several orders. Each order is an event.
        """

    def came_late(self, test: str, error: BaseException) -> None:
        """An error has occurred after the end of its test, maybe while another test runs.

        :param test: the name of the test that the error belongs to.
        """


_Observer = TypeVar("_Observer", bound=Observer | None)

#: The observer of the run, if there is one. Code that reports an event reads this once, and reports nothing if it is
#: None: another thread may end the run meanwhile.
current: Observer | None = None


@contextlib.contextmanager
def attached(observer: _Observer) -> Iterator[_Observer]:
    """Report the events in the block to one observer alone, or to none. The previous one is back after the block."""
    global current
    before, current = current, observer
    try:
        yield observer
    finally:
        current = before
